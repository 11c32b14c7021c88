"""Topic Names and Topic Filters: which message reaches which subscription."""

from __future__ import annotations

import pytest

from harness.node import Node, fresh_name
from harness.statements import V5, V311, statement

# `{t}` is a level that no other test uses.
MATCHES = [
    ("{t}", "{t}", True),
    ("{t}", "{t}/", False),
    ("{t}/", "{t}", False),
    ("{t}/", "{t}/", True),
    ("/{t}", "/{t}", True),
    ("/{t}", "{t}", False),
    ("+/{t}", "/{t}", True),
    ("/+/{t}", "/{t}", False),
    ("+/+/{t}", "//{t}", True),
    ("{t}/#", "{t}", True),
    ("{t}/#", "{t}/", True),
    ("{t}/#", "{t}/a/b/c", True),
    ("{t}/#", "{t}x", False),
    ("{t}/+", "{t}", False),
    ("{t}/+", "{t}/", True),
    ("{t}/+", "{t}/a", True),
    ("{t}/+", "{t}/a/b", False),
    ("{t}/+/c", "{t}/b/c", True),
    ("{t}/+/c", "{t}//c", True),
    ("{t}/+/c", "{t}/c", False),
    ("{t}/+/#", "{t}", False),
    ("{t}/+/#", "{t}/a", True),
    ("{t}/+/+", "{t}/a/b", True),
    ("{t}/a", "{t}/A", False),
    ("{t}/å", "{t}/å", True),
    ("{t}/é", "{t}/e\u0301", False),
    ("{t}/K", "{t}/\u212a", False),
    ("{t}/ a", "{t}/a", False),
    ("{t}/ ", "{t}/ ", True),
    ("{t}/\ufeffa", "{t}/a", False),
    ("{t}/\ufeffa", "{t}/\ufeffa", True),
    ("{t}/温度/+", "{t}/温度/🦉", True),
    ("{t}/$a", "{t}/$a", True),
    ("{t}/+", "{t}/$a", True),
    ("{t}/..", "{t}/..", True),
    ("{t}/a/../b", "{t}/b", False),
    ("+/{t}", "$x/{t}", False),
    ("#", "$x/{t}", False),
    ("+/+", "$x/{t}", False),
    ("$x/{t}", "$x/{t}", True),
    ("$x/#", "$x/{t}", True),
    ("$x/+", "$x/{t}", True),
]


@statement(V311, "MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.2-1", "MQTT-4.7.3-4", "MQTT-1.5.3-3")
@statement(V311, "MQTT-3.3.2-3")
@statement(V5, "MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.2-1", "MQTT-4.7.3-4", "MQTT-1.5.4-3")
@statement(V5, "MQTT-3.3.2-3")
@pytest.mark.parametrize(("topic_filter", "topic_name", "matches"), MATCHES)
def test_matching(
    node: Node, level: int, topic_filter: str, topic_name: str, matches: bool
) -> None:
    unique = fresh_name("m")
    topic_filter, topic_name = topic_filter.format(t=unique), topic_name.format(t=unique)
    client = node.connect(level=level)
    client.subscribe(topic_filter)
    client.publish(topic_name, b"x")
    marker = f"{unique}-end"
    client.unsubscribe(topic_filter)
    client.subscribe(marker)
    client.publish(marker, b"end")
    names: list[str] = []
    while not names or names[-1] != marker:
        found = client.receive().topic_name
        if unique in found:
            names.append(found)
    assert names == ([topic_name, marker] if matches else [marker])


@statement(V311, "MQTT-4.7.3-3", "MQTT-1.5.3-1")
@statement(V5, "MQTT-4.7.3-3", "MQTT-1.5.4-1")
@pytest.mark.parametrize("size", [1, 2, 127, 4_096, 65_535])
def test_topic_names_of_any_length_are_carried(node: Node, level: int, size: int) -> None:
    name = fresh_name("x").ljust(size, "y")[-size:]
    client = node.connect(level=level)
    client.subscribe(name)
    client.publish(name, b"long")
    client.receive(name, b"long")


@statement(V311, "MQTT-4.7.2-1")
@statement(V5, "MQTT-4.7.2-1")
@pytest.mark.parametrize("topic_filter", ["#", "+/#", "+/+"])
def test_wildcards_show_nothing_of_sys(node: Node, level: int, topic_filter: str) -> None:
    client, reader = node.connect(level=level), node.connect(level=level)
    reader.subscribe("$SYS/#")
    client.subscribe(topic_filter)
    marker = fresh_name("end/")
    client.publish(marker, b"")
    while (message := client.receive()).topic_name != marker:
        assert not message.topic_name.startswith("$")


@statement(V311, "MQTT-1.5.3-1", "MQTT-4.7.3-4")
@statement(V5, "MQTT-1.5.4-1", "MQTT-4.7.3-4")
@pytest.mark.parametrize("text", ["\U0010ffff", "\ue000", "\u0001", "\u007f", "\ufffe", "a b", "*"])
def test_unusual_characters_are_kept_or_refused_but_never_changed(node: Node, text: str) -> None:
    # The specification lets a receiver close on control characters and non-characters.
    client = node.connect(level=5)
    name = f"{fresh_name('u')}/{text}"
    client.send_raw(b"")
    try:
        client.subscribe(name)
        client.publish(name, b"x")
    except AssertionError:
        node.connect(level=5).fence()
    else:
        client.receive(name, b"x")
