"""Rules, actions and connectors for Prometheus, one series for each by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from rookery.broker.connectors.definitions import Kind, defined, is_enabled, rules_of
from rookery.broker.connectors.service import ConnectorService
from rookery.broker.rules.service import FIGURES, RuleService
from rookery.config import Config
from rookery.observability.exposition import Family, Number

_RULE_HELP: Mapping[str, str] = {
    "matched": "Messages and events a rule selects from",
    "passed": "Messages and events whose conditions held",
    "failed": "Messages and events that gave nothing",
    "failed.exception": "Messages and events that gave nothing because something in the rule failed",
    "failed.no_result": "Messages and events that gave nothing because the conditions did not hold",
    "actions.total": "Calls of actions by a rule",
    "actions.success": "Calls of actions by a rule that succeeded",
    "actions.failed": "Calls of actions by a rule that failed",
    "actions.failed.out_of_service": "Calls of actions by a rule that failed because the action was out of service",
    "actions.failed.unknown": "Calls of actions by a rule that failed for another reason",
    "actions.discarded": "Calls of actions by a rule that were given up",
}
_ACTION_HELP: Mapping[str, str] = {
    "matched": "Messages handed to an action",
    "success": "Messages that an action sent",
    "failed": "Messages of an action that the service will never take",
    "dropped": "Messages that an action gave up",
    "dropped.expired": "Messages that an action gave up because their time was over",
    "dropped.queue_full": "Messages that an action gave up because the buffer was full",
    "dropped.resource_not_found": "Messages that were given up as the action is gone",
    "dropped.resource_stopped": "Messages that were given up as the action is stopped",
    "dropped.other": "Messages that an action gave up for another reason",
    "retried": "Messages that an action sent again",
    "received": "Messages that a source brought in",
    "queuing": "Messages that wait for an action",
    "inflight": "Messages of an action under way",
}
_GAUGES = frozenset({"queuing", "inflight"})
_OF_SOURCES = ("received",)


async def integration_families(
    rules: RuleService, connectors: ConnectorService, config: Config
) -> list[Family]:
    """What ``/prometheus/data_integration`` shows. What is switched off is shown too."""
    return [
        *_overview(config),
        *await _rules(rules, config),
        *_actions(connectors, config),
        *_states(connectors, config, "connectors", "connector", "a connector"),
    ]


def _overview(config: Config) -> list[Family]:
    group = "data_integration_overview"
    counts = [("rules", "Rules", len(rules_of(config)))]
    kinds: tuple[tuple[Kind, str], ...] = (
        ("connectors", "Connectors"),
        ("actions", "Actions"),
        ("sources", "Sources"),
    )
    counts += [(kind, text, len(defined(config, kind))) for kind, text in kinds]
    return [
        Family.single(f"emqx_{name}_count", "gauge", f"{text} of this node", group, count)
        for name, text, count in counts
    ]


async def _rules(rules: RuleService, config: Config) -> list[Family]:
    counters = await rules.counters()
    items = rules_of(config)
    enabled = tuple(({"id": id_}, int(rule["enable"])) for id_, rule in items.items())
    families = [Family("emqx_rule_enable", "gauge", "Whether a rule runs", "rules", enabled)]
    for shown, name in FIGURES.items():
        values = tuple(({"id": id_}, getattr(found, name)) for id_, found in counters.items())
        label = f"emqx_rule_{shown.replace('.', '_')}"
        families.append(Family(label, "counter", _RULE_HELP[shown], "rules", values))
    return families


def _actions(service: ConnectorService, config: Config) -> list[Family]:
    metrics: dict[str, dict[str, Any]] = {
        id_: service.metrics("actions", id_)["metrics"] for id_ in defined(config, "actions")
    }
    of_sources = {
        id_: service.metrics("sources", id_)["metrics"] for id_ in defined(config, "sources")
    }
    families = _states(service, config, "actions", "action", "an action")
    for shown, help_ in _ACTION_HELP.items():
        rows = {**metrics, **of_sources} if shown in _OF_SOURCES else metrics
        values = tuple(({"id": id_}, row[shown]) for id_, row in rows.items())
        name = f"emqx_action_{shown.replace('.', '_')}"
        kind: Literal["gauge", "counter"] = "gauge" if shown in _GAUGES else "counter"
        families.append(Family(name, kind, help_, "actions", values))
    return families


def _states(
    service: ConnectorService, config: Config, kind: Kind, name: str, one: str
) -> list[Family]:
    items = defined(config, kind)

    def family(what: str, help_: str, read: Callable[[str], Number]) -> Family:
        values: Sequence[tuple[dict[str, str], Number]] = [
            ({"id": id_}, read(id_)) for id_ in items
        ]
        return Family(f"emqx_{name}_{what}", "gauge", help_, kind, tuple(values))

    return [
        family("enable", f"Whether {one} is switched on", lambda id_: int(is_enabled(items[id_]))),
        family(
            "status",
            f"Whether {one} works",
            lambda id_: int(service.state(kind, id_).status == "connected"),
        ),
    ]
