"""The state of a cluster as a table: facts and a time in, state and conditions out."""

from __future__ import annotations

from typing import Any

import pytest

from rookery.control.clusters.state import (
    Condition,
    ConditionType,
    Evaluation,
    Facts,
    Presence,
    State,
    evaluate,
)
from rookery.control.clusters.texts import text_of

T = 1_700_000_000_000
S = 1_000
# 3 × 15 s, with the time that it takes to look
OVERDUE_S = 42


def facts(**changes: Any) -> Facts:
    """A cluster that is well at T."""
    known: dict[str, Any] = {
        "registered_at_ms": T - 3600 * S,
        "presence": Presence.ONLINE,
        "presence_at_ms": T - 3600 * S,
        "reported_at_ms": T,
        "nodes_running": 3,
        "nodes_total": 3,
    }
    return Facts(**{**known, **changes})


NEW: dict[str, Any] = {
    "registered_at_ms": T,
    "presence": Presence.UNKNOWN,
    "presence_at_ms": None,
    "reported_at_ms": None,
}
OFFLINE: dict[str, Any] = {"presence": Presence.OFFLINE, "presence_at_ms": T - 5 * S}

TABLE: dict[str, tuple[Facts, int, State, list[str]]] = {
    "nobody registered": (Facts(), T, State.CREATED, []),
    "nobody registered, to be deleted": (Facts(is_deleting=True), T, State.DELETING, []),
    "just registered": (facts(**NEW), T, State.REGISTERING, []),
    "registered, connected, no report yet": (
        facts(**{**NEW, "presence": Presence.ONLINE, "presence_at_ms": T}),
        T + S,
        State.REGISTERING,
        [],
    ),
    "registered and never heard of again": (
        facts(**NEW),
        T + OVERDUE_S * S,
        State.ABNORMAL,
        ["AgentLost"],
    ),
    "reports but never came to the relay": (
        facts(**{**NEW, "reported_at_ms": T + OVERDUE_S * S}),
        T + OVERDUE_S * S,
        State.ABNORMAL,
        ["RelayUnreachable"],
    ),
    "well": (facts(), T, State.RUNNING, []),
    "the last moment of a report": (facts(), T + OVERDUE_S * S - 1, State.RUNNING, []),
    "one moment later": (facts(), T + OVERDUE_S * S, State.ABNORMAL, ["ReportsMissing"]),
    "a shorter interval": (
        facts(report_interval_ms=1 * S),
        T + 8 * S,
        State.ABNORMAL,
        ["ReportsMissing"],
    ),
    "the agent is gone": (
        facts(**OFFLINE, reported_at_ms=T - 9 * S),
        T,
        State.ABNORMAL,
        ["AgentLost"],
    ),
    "gone for long": (
        facts(**OFFLINE, reported_at_ms=T - 9 * S),
        T + 3600 * S,
        State.ABNORMAL,
        ["AgentLost"],
    ),
    "it reports by the other way": (facts(**OFFLINE), T, State.ABNORMAL, ["RelayUnreachable"]),
    "and then no longer": (facts(**OFFLINE), T + OVERDUE_S * S, State.ABNORMAL, ["AgentLost"]),
    "control was killed a moment ago": (facts(is_relay_alive=False), T + S, State.RUNNING, []),
    "and the agent did not come back": (
        facts(is_relay_alive=False),
        T + OVERDUE_S * S,
        State.ABNORMAL,
        ["AgentLost"],
    ),
    "control is back, and the agent was heard by the other way first": (
        facts(
            is_relay_alive=False,
            listening_since_ms=T - S,
            errors={"mqtt_connect_error": "UNREACHABLE: refused"},
        ),
        T,
        State.RUNNING,
        [],
    ),
    "and it does not find the relay": (
        facts(
            is_relay_alive=False,
            listening_since_ms=T - S,
            reported_at_ms=T + (OVERDUE_S - 2) * S,
            errors={"mqtt_connect_error": "UNREACHABLE: refused"},
        ),
        T + (OVERDUE_S - 1) * S,
        State.ABNORMAL,
        ["RelayUnreachable"],
    ),
    "nobody could be heard for an hour": (
        facts(is_relay_alive=False, listening_since_ms=T + 3600 * S),
        T + 3601 * S,
        State.RUNNING,
        [],
    ),
    "and is not heard since": (
        facts(is_relay_alive=False, listening_since_ms=T + 3600 * S),
        T + 3600 * S + OVERDUE_S * S,
        State.ABNORMAL,
        ["AgentLost"],
    ),
    "the cluster does not answer": (
        facts(errors={"cluster_fetch_error": "UNREACHABLE: refused"}),
        T,
        State.ABNORMAL,
        ["ClusterUnreachable"],
    ),
    "a node does not": (
        facts(errors={"node_connect_error": "timeout"}),
        T,
        State.ABNORMAL,
        ["NodeUnreachable"],
    ),
    "metrics and logs are no reason": (
        facts(errors={"metrics_fetch_error": "404", "logs_fetch_error": "no such directory"}),
        T,
        State.RUNNING,
        ["MetricsUnavailable", "LogsUnavailable"],
    ),
    "a complaint about a connection that stands": (
        facts(errors={"mqtt_connect_error": "not connected yet"}),
        T,
        State.RUNNING,
        [],
    ),
    "a node is down": (facts(nodes_running=2), T, State.ABNORMAL, ["NodesDown"]),
    "nodes of a cluster that cannot be read": (
        facts(nodes_running=2, errors={"cluster_fetch_error": "x"}),
        T,
        State.ABNORMAL,
        ["ClusterUnreachable"],
    ),
    "a clock an hour ahead": (facts(clock_skew_ms=3600 * S), T, State.RUNNING, ["ClockSkewed"]),
    "being deleted and well": (facts(is_deleting=True), T, State.DELETING, []),
    "being deleted, the agent gone": (
        facts(is_deleting=True, **OFFLINE, reported_at_ms=T - 9 * S),
        T,
        State.DELETING,
        ["AgentLost"],
    ),
}


def types(found: Evaluation) -> list[str]:
    return [str(condition.type) for condition in found.conditions]


@pytest.mark.parametrize("name", TABLE)
def test_state_follows_from_facts_and_time(name: str) -> None:
    known, now_ms, state, conditions = TABLE[name]
    found = evaluate(known, now_ms)
    assert (found.state, types(found)) == (state, conditions)


@pytest.mark.parametrize("name", TABLE)
def test_nothing_changes_before_the_moment_that_is_named(name: str) -> None:
    known, now_ms, _, _ = TABLE[name]
    found = evaluate(known, now_ms)
    until_ms = found.holds_until_ms
    last_ms = now_ms + 7200 * S if until_ms is None else until_ms - 1
    later = evaluate(known, last_ms, found.conditions)
    assert (later.state, types(later)) == (found.state, types(found))


def test_a_condition_keeps_the_time_it_began() -> None:
    broken = facts(errors={"cluster_fetch_error": "refused"})
    first = evaluate(broken, T)
    later = evaluate(
        facts(errors={"cluster_fetch_error": "timeout"}, reported_at_ms=T + 15 * S),
        T + 15 * S,
        first.conditions,
    )
    assert later.conditions[0].since_ms == T
    assert later.conditions[0].reason == "timeout"
    well = evaluate(facts(reported_at_ms=T + 30 * S), T + 30 * S, later.conditions)
    assert (well.state, well.conditions) == (State.RUNNING, ())


def test_an_agent_that_is_back_is_lost_until_it_reports_and_nothing_else_meanwhile() -> None:
    lost = evaluate(facts(**OFFLINE), T + 300 * S)
    back = T + 301 * S
    connected = facts(presence_at_ms=back)
    found = evaluate(connected, back, lost.conditions)
    assert [(one.type, one.since_ms) for one in found.conditions] == [
        (ConditionType.AGENT_LOST, T - 5 * S)
    ]
    assert found.state is State.ABNORMAL
    assert found.holds_until_ms == back + OVERDUE_S * S
    assert evaluate(facts(presence_at_ms=back, reported_at_ms=back + S), back + S).conditions == ()
    late = evaluate(connected, back + OVERDUE_S * S, found.conditions)
    assert [one.type for one in late.conditions] == [ConditionType.REPORTS_MISSING]


def test_one_good_report_is_enough() -> None:
    lost = evaluate(facts(), T + 600 * S)
    assert lost.state is State.ABNORMAL
    back = evaluate(facts(reported_at_ms=T + 601 * S), T + 601 * S, lost.conditions)
    assert back.state is State.RUNNING


@pytest.mark.parametrize("kind", ConditionType)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_condition_has_its_words_and_survives_storage(
    kind: ConditionType, language: str
) -> None:
    condition = Condition(kind, T, "what the agent said", {"age_s": 61, "running": 1, "total": 3})
    assert Condition.from_json(condition.to_json()) == condition
    text = text_of(condition, language)
    assert "what the agent said" in text
    assert "{" not in text


def test_conditions_of_a_later_version_are_left_aside() -> None:
    assert Condition.from_json({"type": "FromTheFuture", "since": T}) is None
    assert Condition.from_json({"type": "AgentLost", "since": "yesterday"}) is None


@pytest.mark.parametrize(
    ("said", "english", "chinese"),
    [
        ("UNREACHABLE: a:1: refused", "no connection (a:1: refused)", "无法连接（a:1: refused）"),
        ("ANSWER: there are no files", "there are no files", "there are no files"),
        ("NEW: what", "NEW: what", "NEW: what"),
        ("words alone", "words alone", "words alone"),
    ],
)
def test_no_code_is_shown_to_people(said: str, english: str, chinese: str) -> None:
    condition = Condition(ConditionType.CLUSTER_UNREACHABLE, T, said)
    assert text_of(condition, "en") == f"The agent cannot read the cluster: {english}"
    assert text_of(condition, "zh") == f"代理无法读取集群信息：{chinese}"
