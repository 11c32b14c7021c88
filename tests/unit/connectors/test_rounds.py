"""Fallbacks that publish what comes back to them."""

from __future__ import annotations

from typing import Any

import pytest

from rookery.connectors.rounds import rounds

REFERENCE = {"kind": "reference", "type": "http", "name": "b"}


def publishes(topic: str) -> dict[str, Any]:
    return {"kind": "republish", "args": {"topic": topic}}


def rule(sql: str, *actions: Any, enable: bool = True) -> dict[str, Any]:
    return {"sql": f'SELECT * FROM "{sql}"', "actions": list(actions), "enable": enable}


def found(fallbacks: list[Any], *rules: dict[str, Any], b: list[Any] | None = None) -> list[str]:
    config: Any = {
        "actions": {"http": {"a": {"fallback_actions": fallbacks}, "b": {"fallback_actions": b}}},
        "rule_engine.rules": {f"r{number}": item for number, item in enumerate(rules)},
    }
    return [it.action_id for it in rounds(config)]


@pytest.mark.parametrize(
    ("topic", "selected"),
    [
        ("x/y", "x/#"),
        ("x", "x/#"),
        ("x/y", "#"),
        ("x/y", "+/y"),
        ("$delayed/5/x/y", "x/y"),
        ("$delayed/${n}/x/y", "x/y"),
        ("${topic}", "x/+/z"),
        ("x/${clientid}/undelivered", "x/+/undelivered"),
        ("x${n}/y", "x1/y"),
        ("$SYS/a", "$SYS/#"),
        ("x/y", "$events/message/dropped"),
        ("x/y", "$events/message_delivered"),
    ],
)
def test_a_fallback_that_its_own_rule_may_select_is_refused(topic: str, selected: str) -> None:
    assert found([publishes(topic)], rule(selected, "http:a")) == ["http:a"]


@pytest.mark.parametrize(
    ("topic", "selected"),
    [
        ("undelivered/${topic}", "x/#"),
        ("x/${clientid}/undelivered", "x/+/data"),
        ("x/y", "x/+/z"),
        ("xy", "x/#"),
        ("$SYS/a", "#"),
        ("$${topic}", "x/#"),
        ("x/y", "$events/client/connected"),
    ],
)
def test_one_that_it_never_selects_is_taken(topic: str, selected: str) -> None:
    assert found([publishes(topic)], rule(selected, "http:a")) == []


def test_a_round_may_lead_through_others() -> None:
    again = {"function": "republish", "args": {"topic": "x/1"}}
    direct = {"function": "republish", "args": {"topic": "x/1", "direct_dispatch": True}}
    first = rule("x/#", "http:a")
    assert found([publishes("y")], first, rule("y", again)) == ["http:a"]
    assert found([publishes("y")], first, rule("y", direct)) == []
    assert found([publishes("y")], first, rule("y", again, enable=False)) == []
    # Through the fallback of another action, and as the fallback of one.
    assert found([publishes("y")], first, rule("y", "http:b"), b=[publishes("x/2")]) == [
        "http:a",
        "http:b",
    ]
    assert found([REFERENCE], first, b=[publishes("x/2")]) == ["http:b"]
