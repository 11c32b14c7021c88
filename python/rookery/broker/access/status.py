"""What providers and sources said since the start, and whether they can be asked: EMQX's shapes."""

from __future__ import annotations

from typing import Any

from rookery.access.authz.authorizer import SourceCounters
from rookery.access.chain import ProviderCounters
from rookery.access.guard import Guard, GuardCounters

Status = dict[str, Any]


def guard_of(part: Any) -> Guard | None:
    """The guard of a provider or source that asks a service; none of one that does not."""
    key_set = getattr(part, "key_set", None)
    for holder in (
        part,
        getattr(part, "service", None),
        key_set,
        getattr(key_set, "service", None),
    ):
        guard = getattr(holder, "guard", None)
        if isinstance(guard, Guard):
            return guard
    return None


def provider_metrics(counters: ProviderCounters) -> dict[str, int]:
    """Of one provider, by EMQX's names."""
    nomatch = counters.ignored + counters.failed
    failed = counters.refused + counters.busy
    return {
        "total": counters.allowed + failed + nomatch,
        "success": counters.allowed,
        "failed": failed,
        "nomatch": nomatch,
    }


def source_metrics(counters: SourceCounters) -> dict[str, int]:
    """Of one source, by EMQX's names."""
    return {
        "total": counters.allow + counters.deny + counters.none,
        "allow": counters.allow,
        "deny": counters.deny,
        "nomatch": counters.none,
    }


def status_of(node: str, part: Any, metrics: dict[str, int] | None) -> Status:
    """The whole answer.

    Args:
        node: Name of the node.
        part: The provider or source that is asked; none when it is switched off.
        metrics: What it said; none where the core decides by rules and does not tell.
    """
    guard = guard_of(part)
    is_there = guard is None or not guard.is_open
    state = "connected" if part is not None and is_there else "disconnected"
    status: Status = {
        "status": state,
        "node_status": [{"node": node, "status": state}],
        "node_error": [],
    }
    if part is not None and not is_there:
        error = "it failed too often and is left alone for a while"
        status["node_error"] = [{"node": node, "error": error}]
    if metrics is not None:
        status["metrics"] = metrics
        status["node_metrics"] = [{"node": node, "metrics": metrics}]
    if guard is not None:
        resource = _resource_metrics(guard.counters)
        status["resource_metrics"] = resource
        status["node_resource_metrics"] = [{"node": node, "metrics": resource}]
    return status


def _resource_metrics(counters: GuardCounters) -> dict[str, int]:
    failed = counters.failed + counters.timed_out + counters.refused_busy + counters.refused_open
    return {
        "matched": counters.answered + failed,
        "success": counters.answered,
        "failed": failed,
    }
