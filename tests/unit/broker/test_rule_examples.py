"""What people write rules with names the node that they write them for."""

from __future__ import annotations

from rookery.broker.rules.testing_api import shown_event
from rookery.native.rules import rule_events


def test_the_node_of_an_example_is_the_one_that_answers() -> None:
    name = "line-3@10.0.0.7"
    events = [shown_event(item, name) for item in rule_events()]
    assert {event["columns"].get("node", name) for event in events} == {name}
    assert list(events[0]["columns"]) == list(rule_events()[0].columns)
