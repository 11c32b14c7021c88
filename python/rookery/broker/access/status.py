"""What providers and sources said since the start, and whether they can be asked: EMQX's shapes."""

from __future__ import annotations

from typing import Any

from rookery.access.authz.authorizer import SourceCounters
from rookery.access.chain import ProviderCounters
from rookery.access.guard import Guard, GuardCounters
from rookery.access.health import Health
from rookery.words import Words

Status = dict[str, Any]

_SWITCHED_OFF = Words("it is switched off", "未启用")


def health_of(part: Any) -> Health | None:
    """Whether a provider or source can be asked; none of one that asks no service."""
    found = getattr(part, "health", None)
    return found if isinstance(found, Health) else None


def _guard_of(part: Any) -> Guard | None:
    """The guard of a provider or source that asks a service; none of one that does not."""
    key_set = getattr(part, "key_set", None)
    service = getattr(part, "service", None) or getattr(key_set, "service", None)
    guard = getattr(service, "guard", None)
    return guard if isinstance(guard, Guard) else None


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


def status_of(node: str, part: Any, metrics: dict[str, int] | None, language: str = "en") -> Status:
    """The whole answer.

    Args:
        node: Name of the node.
        part: The provider or source that is asked; none when it is switched off.
        metrics: What it said; none where the core decides by rules and does not tell.
        language: Of the reason.
    """
    health, guard = health_of(part), _guard_of(part)
    state, reason = ("connected", None) if health is None else (health.state, health.reason)
    if part is None:
        state, reason = "disconnected", _SWITCHED_OFF
    said = [] if reason is None else [{"node": node, "error": reason.text(language)}]
    status: Status = {
        "status": state,
        "node_status": [{"node": node, "status": state}],
        "node_error": said,
    }
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
