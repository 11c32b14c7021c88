"""What the facts of a cluster say about each kind of alarm, and what they cannot say."""

from __future__ import annotations

from typing import Any

import pytest

from rookery.control.alarms.catalogue import DEFAULTS, Kind, Rule
from rookery.control.alarms.findings import NAMES_TOLD_MAX, Seen, findings, is_news
from rookery.control.alarms.wording import NAMES, message_of, name_of
from rookery.control.clusters.state import Condition, ConditionType

T = 1_700_000_000_000


def seen(*conditions: ConditionType, **changes: Any) -> Seen:
    known: dict[str, Any] = {
        "cluster_id": "c" * 16,
        "name": "plant",
        "reported_at_ms": T - 1000,
        "conditions": [Condition(each, T - 5000, "refused") for each in conditions],
    }
    return Seen(**{**known, **changes})


def bad(what: Seen, rules: dict[Kind, Rule] | None = None) -> set[Kind]:
    return {each.kind for each in findings(what, rules or dict(DEFAULTS), T) if each.is_bad}


def looked_at(what: Seen) -> set[Kind]:
    return {each.kind for each in findings(what, DEFAULTS, T)}


TABLE: dict[str, tuple[Seen, set[Kind]]] = {
    "well": (seen(), set()),
    "agent gone": (seen(ConditionType.AGENT_LOST), {Kind.AGENT_LOST}),
    "reports missing": (seen(ConditionType.REPORTS_MISSING), {Kind.AGENT_LOST}),
    "cluster unreadable": (seen(ConditionType.CLUSTER_UNREACHABLE), {Kind.CLUSTER_UNREACHABLE}),
    "no tunnel": (seen(ConditionType.RELAY_UNREACHABLE), {Kind.RELAY_UNREACHABLE}),
    "a node down": (seen(ConditionType.NODES_DOWN), {Kind.NODES_DOWN}),
    "metrics and logs": (
        seen(ConditionType.METRICS_UNAVAILABLE, ConditionType.LOGS_UNAVAILABLE),
        {Kind.METRICS_UNAVAILABLE, Kind.LOGS_UNAVAILABLE},
    ),
    "objects": (
        seen(abnormal={"rule": ["r1"], "connector": ["c1", "c2"]}),
        {Kind.RULE_ABNORMAL, Kind.CONNECTOR_ABNORMAL},
    ),
    "79 %": (seen(connections=79, connection_limit=100), set()),
    "80 %": (seen(connections=80, connection_limit=100), {Kind.CONNECTIONS_HIGH}),
    "the worse one alone": (seen(connections=95, connection_limit=100), {Kind.CONNECTIONS_FULL}),
    "no limit": (seen(connections=10_000, connection_limit=None), set()),
}


@pytest.mark.parametrize("name", TABLE)
def test_facts_are_found_to_be_what_the_table_says(name: str) -> None:
    what, expected = TABLE[name]
    assert bad(what) == expected


def test_nobody_knows_how_a_cluster_is_whose_agent_is_silent() -> None:
    what = seen(ConditionType.AGENT_LOST, abnormal={"rule": ["r1"]})
    assert looked_at(what) == {Kind.AGENT_LOST}


def test_nobody_knows_how_the_objects_are_of_a_cluster_that_cannot_be_read() -> None:
    found = looked_at(seen(ConditionType.CLUSTER_UNREACHABLE, connections=1, connection_limit=1))
    assert Kind.RULE_ABNORMAL not in found
    assert Kind.CONNECTIONS_FULL not in found
    assert Kind.NODES_DOWN not in found


def test_a_rule_that_is_switched_off_is_not_looked_at() -> None:
    rules = {**DEFAULTS, Kind.NODES_DOWN: Rule(is_enabled=False)}
    assert bad(seen(ConditionType.NODES_DOWN), rules) == set()


def test_with_the_worse_rule_off_the_other_one_says_it() -> None:
    rules = {**DEFAULTS, Kind.CONNECTIONS_FULL: Rule(is_enabled=False, threshold=95)}
    assert bad(seen(connections=99, connection_limit=100), rules) == {Kind.CONNECTIONS_HIGH}


def test_a_report_is_counted_by_its_time_and_silence_by_the_clock() -> None:
    of_report = {f.kind: f for f in findings(seen(ConditionType.NODES_DOWN), DEFAULTS, T)}
    assert of_report[Kind.NODES_DOWN].at_ms == T - 1000
    silent = next(iter(findings(seen(ConditionType.AGENT_LOST), DEFAULTS, T)))
    assert (silent.at_ms, silent.gap_ms > 0) == (T, True)


def test_texts_name_what_is_wrong_in_both_languages() -> None:
    names = [f"rule-{number}" for number in range(12)]
    what = {f.kind: f for f in findings(seen(abnormal={"rule": names}), DEFAULTS, T)}
    values = what[Kind.RULE_ABNORMAL].values
    assert len(values["names"]) == NAMES_TOLD_MAX
    assert "rule-0" in message_of(Kind.RULE_ABNORMAL, values, "en")
    assert "and 2 more" in message_of(Kind.RULE_ABNORMAL, values, "en")
    assert "等 12 个" in message_of(Kind.RULE_ABNORMAL, values, "zh")
    lost = next(iter(findings(seen(ConditionType.AGENT_LOST), DEFAULTS, T)))
    assert "refused" in message_of(Kind.AGENT_LOST, lost.values, "en")
    assert "代理" in message_of(Kind.AGENT_LOST, lost.values, "zh")
    assert set(NAMES) == set(Kind)
    assert name_of("of.a.later.version", "zh") == "of.a.later.version"


def test_one_more_object_is_news_and_one_less_is_not() -> None:
    before = {"names": ["a", "b"], "count": 2}
    assert is_news(before, {"names": ["a", "c"], "count": 2})
    assert is_news(before, {"names": ["a", "b"], "count": 3})
    assert not is_news(before, {"names": ["a"], "count": 1})
