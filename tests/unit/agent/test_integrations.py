"""Rules and connectors out of what a cluster answers, whatever that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rookery.agent import figures, integrations
from rookery.agent.failures import ANSWER, TIMEOUT, CallError
from rookery.contracts.agent_v1 import INTEGRATIONS_MAX, Report, parse

CONNECTORS = [
    {"type": "http", "name": "ok", "enable": True, "status": "connected"},
    {
        "type": "http",
        "name": "down",
        "enable": True,
        "status": "disconnected",
        "status_reason": "",
        "node_status": [{"node": "n1", "status": "disconnected", "status_reason": "refused"}],
    },
    {"type": "mqtt", "name": "off", "enable": False, "status": "disconnected"},
]
ACTIONS = [
    {"type": "http", "name": "tell", "status": "disconnected", "status_reason": "refused"},
    {"type": "http", "name": "say", "status": "connected"},
]
SOURCES = [{"type": "mqtt", "name": "in", "status": "connecting", "status_reason": ""}]
RULES = [
    {"id": "r1", "name": "fine", "enable": True, "actions": ["http:say", {"function": "console"}]},
    {"id": "r2", "name": "", "enable": True, "actions": ["http:say", "http:tell"]},
    {"id": "r3", "name": "", "enable": False, "actions": ["http:tell"]},
    {"id": "r4", "name": "", "enable": True, "actions": [], "from": ["$bridges/mqtt:in"]},
]


def answers(**more: Any) -> Callable[[str], Any]:
    given: Mapping[str, Any] = {
        "/connectors": CONNECTORS,
        "/actions": ACTIONS,
        "/sources": SOURCES,
        "/rules": {"data": RULES, "meta": {"hasnext": False}},
        **more,
    }

    def get(path: str) -> Any:
        found = given[path.partition("?")[0]]
        if isinstance(found, CallError):
            raise found
        return found

    return get


def test_what_is_not_well_is_told_with_its_reason() -> None:
    found = integrations.read(answers())

    assert found.counts == {
        "rule": {"running": 1, "abnormal": 2, "stopped": 1},
        "connector": {"connected": 1, "disconnected": 1, "stopped": 1},
        "action": {"disconnected": 1, "connected": 1},
        "source": {"connecting": 1},
    }
    told = {(item.kind, item.id): (item.status, item.reason) for item in found.objects}
    assert told == {
        ("rule", "r2"): ("abnormal", "http:tell: refused"),
        ("rule", "r3"): ("stopped", ""),
        ("rule", "r4"): ("abnormal", "mqtt:in: connecting"),
        ("connector", "http:down"): ("disconnected", "refused"),
        ("connector", "mqtt:off"): ("stopped", ""),
        ("action", "http:tell"): ("disconnected", "refused"),
        ("source", "mqtt:in"): ("connecting", ""),
    }
    assert (found.left_out, found.errors) == (0, {})


def test_a_path_that_fails_costs_its_own_kind() -> None:
    missing = CallError(ANSWER, "not here", status=404)
    slow = CallError(TIMEOUT, "no answer in time")
    found = integrations.read(answers(**{"/sources": missing, "/actions": slow}))

    assert set(found.counts) == {"rule", "connector"}
    assert found.errors == {"action": "TIMEOUT: no answer in time"}
    # Nothing is known against the outputs of a rule that is switched on.
    assert found.counts["rule"] == {"running": 3, "stopped": 1}


def test_pages_of_rules_are_read_to_the_end() -> None:
    pages = {
        "/rules?page=1&limit=1000": {"data": RULES[:2], "meta": {"hasnext": True}},
        "/rules?page=2&limit=1000": {"data": RULES[2:], "meta": {"hasnext": False}},
    }
    found = integrations.read(lambda path: pages.get(path, []))
    assert sum(found.counts["rule"].values()) == 4


def test_more_than_a_report_tells_are_counted() -> None:
    many = [{"id": f"r{at}", "enable": False} for at in range(INTEGRATIONS_MAX + 20)]
    found = integrations.read(answers(**{"/rules": {"data": many, "meta": {}}}))
    assert found.counts["rule"] == {"stopped": INTEGRATIONS_MAX + 20}
    assert sum(item.kind == "rule" for item in found.objects) == INTEGRATIONS_MAX
    assert found.left_out == 20 + 4  # rules come first


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just([])
)
KEYS = st.sampled_from(
    ["id", "name", "type", "status", "enable", "actions", "from", "data", "meta"]
)
ROWS = st.dictionaries(KEYS, st.one_of(VALUES, st.lists(VALUES, max_size=3)), max_size=7)
ANSWERS = st.one_of(
    VALUES, ROWS, st.lists(st.one_of(VALUES, ROWS), max_size=4),
    st.fixed_dictionaries({"data": st.lists(ROWS, max_size=3), "meta": VALUES}),
)  # fmt: skip


@given(ANSWERS, ANSWERS, ANSWERS, ANSWERS)
def test_any_answer_makes_a_report_that_can_be_sent(
    rules: Any, connectors: Any, actions: Any, sources: Any
) -> None:
    found = integrations.read(
        answers(
            **{
                "/rules": rules,
                "/connectors": connectors,
                "/actions": actions,
                "/sources": sources,
            }
        )
    )
    report = Report(
        "1",
        0,
        integration_counts=found.counts,
        integrations=tuple(found.objects),
        integrations_left_out=found.left_out,
        integration_errors=found.errors,
    )
    assert parse(report.to_bytes()) == report


def test_sizes_as_emqx_writes_them() -> None:
    row = {"memory_used": "9.10G", "memory_total": "512.00MB", "load1": 0.5, "connections": 3}
    assert figures.of_node(row) == {
        "memory_used": 9.10 * (1 << 30),
        "memory_total": 512 * (1 << 20),
        "load1": 0.5,
        "connections": 3,
    }
    assert [figures.bytes_of(odd) for odd in ("", "much", "1.2.3G", None, True)] == [None] * 5


def test_counters_become_rates_and_a_restart_is_no_rate() -> None:
    counters = figures.Counters()
    assert counters.rates({"bytes.received": 100, "bytes.sent": 10}, 0.0) == {}
    # One object for each node adds up.
    nodes = [{"bytes.received": 150, "bytes.sent": 10}, {"bytes.received": 150}]
    assert counters.rates(nodes, 10.0) == {"received_bytes_rate": 20.0, "sent_bytes_rate": 0.0}
    assert counters.rates({"bytes.received": 5, "bytes.sent": 11}, 20.0) == {"sent_bytes_rate": 0.1}
