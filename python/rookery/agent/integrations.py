"""Reads rules, connectors, actions and sources: how many there are, and what is wrong with which.

A rule has no status of its own in EMQX's interface. One that is switched on is *running*, and
*abnormal* when an output or a source that it names does not work; the reason names that one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rookery.agent.facts import text_of
from rookery.agent.failures import CallError
from rookery.contracts.agent_fields import write_object
from rookery.contracts.agent_v1 import ERROR_CHARS_MAX, INTEGRATIONS_MAX, Integration

RULES_PER_PAGE = 1000
RULE_PAGES_MAX = 20
# Of a report: nodes and metrics need room, too.
BYTES_MAX = 96 * 1024
BRIDGES = {"connector": "/connectors", "action": "/actions", "source": "/sources"}
NORMAL = frozenset({"running", "connected"})
STOPPED, ABNORMAL = "stopped", "abnormal"
# What rules call a source that they select from.
_SOURCE_MARKS = ("$bridges/", "$sources/")
_STATUSES_MAX = 16

Get = Callable[[str], Any]


@dataclass
class Integrations:
    """What a report says of them."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    objects: list[Integration] = field(default_factory=list)
    left_out: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    _bytes: int = 0

    def add(self, item: Integration) -> None:
        """Count it, and tell of it when it is in no normal state."""
        by_status = self.counts.setdefault(item.kind, {})
        is_new = item.status not in by_status
        status = "unknown" if is_new and len(by_status) >= _STATUSES_MAX - 1 else item.status
        by_status[status] = by_status.get(status, 0) + 1
        if item.status in NORMAL:
            return
        size = len(write_object(item.written()))
        if len(self.objects) >= INTEGRATIONS_MAX or self._bytes + size > BYTES_MAX:
            self.left_out += 1
            return
        self._bytes += size
        self.objects.append(item)


def read(get: Get) -> Integrations:
    """Ask for all of them; a path that fails costs its own kind."""
    found = Integrations()
    states: dict[str, dict[str, Integration]] = {}
    for kind, path in BRIDGES.items():
        items = _asked(found, kind, partial(_bridges, get, kind, path))
        if items is not None:
            states[kind] = {item.id: item for item in items}
    rules = _asked(found, "rule", partial(_rules, get))
    for row in rules or ():
        item = rule_of(row, states)
        if item is not None:
            found.add(item)
    for kind in BRIDGES:
        for item in states.get(kind, {}).values():
            found.add(item)
    return found


def _asked(found: Integrations, kind: str, ask: Callable[[], list[Any]]) -> list[Any] | None:
    try:
        answer = ask()
    except CallError as error:
        # What a cluster does not have is no error.
        if error.status != 404:
            found.errors[kind] = text_of(" ".join(str(error).split()), ERROR_CHARS_MAX)
        return None
    found.counts[kind] = {}
    return answer


def _rules(get: Get) -> list[Any]:
    rows: list[Any] = []
    for page in range(1, RULE_PAGES_MAX + 1):
        answer = get(f"/rules?page={page}&limit={RULES_PER_PAGE}")
        given = answer if isinstance(answer, dict) else {}
        data, meta = given.get("data"), given.get("meta")
        rows += data if isinstance(data, list) else []
        if not isinstance(meta, dict) or meta.get("hasnext") is not True:
            break
    return rows


def _bridges(get: Get, kind: str, path: str) -> list[Integration]:
    answer = get(path)
    rows = answer if isinstance(answer, list) else []
    return [item for item in (bridge_of(kind, row) for row in rows) if item is not None]


def bridge_of(kind: str, row: Any) -> Integration | None:
    """A connector, action or source; None for what is no row."""
    if not isinstance(row, dict):
        return None
    name, type_ = text_of(row.get("name"), 200), text_of(row.get("type"), 64)
    if not name or not type_:
        return None
    status = text_of(row.get("status"), 32) or "unknown"
    reason = _reason(row)
    if row.get("enable") is False:
        # EMQX calls it disconnected: nobody wants to know why.
        status, reason = STOPPED, ""
    return Integration(kind, f"{type_}:{name}", status, name, type_, reason)


def _reason(row: Mapping[str, Any]) -> str:
    rows = row.get("node_status")
    nodes = rows if isinstance(rows, list) else []
    for given in (row, *(node for node in nodes if isinstance(node, dict))):
        reason = text_of(given.get("status_reason"), 300).strip()
        if reason:
            return reason
    return ""


def rule_of(row: Any, states: Mapping[str, Mapping[str, Integration]]) -> Integration | None:
    """A rule, given what it may name; None for what is no row."""
    if not isinstance(row, dict):
        return None
    id_ = text_of(row.get("id"), 256)
    if not id_:
        return None
    name = text_of(row.get("name"), 256)
    if row.get("enable") is False:
        return Integration("rule", id_, STOPPED, name)
    for cause in _named(row, states):
        if cause.status not in NORMAL:
            reason = f"{cause.id}: {cause.reason or cause.status}"
            return Integration("rule", id_, ABNORMAL, name, reason=reason[:300])
    return Integration("rule", id_, "running", name)


def _named(
    row: Mapping[str, Any], states: Mapping[str, Mapping[str, Integration]]
) -> list[Integration]:
    """The actions and sources that a rule names and that are known."""
    actions, topics = row.get("actions"), row.get("from")
    found = []
    for item in actions if isinstance(actions, list) else ():
        action = states.get("action", {}).get(item) if isinstance(item, str) else None
        if action is not None:
            found.append(action)
    for topic in topics if isinstance(topics, list) else ():
        for mark in _SOURCE_MARKS:
            if isinstance(topic, str) and topic.startswith(mark):
                source = states.get("source", {}).get(topic[len(mark) :])
                if source is not None:
                    found.append(source)
    return found
