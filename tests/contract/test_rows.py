"""Rows of the compiled module fit the classes that are made of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rookery import _native
from rookery.native.config import BrokerConfig, HookSwitches, MqttConfig, NodeConfig, ZoneConfig
from rookery.native.models import Message
from rookery.native.properties import Properties, encode_properties
from rookery.native.rows import EventRow


@pytest.fixture
def node() -> Iterator[_native.Node]:
    node = _native.Node.start(NodeConfig(workers=1))
    yield node
    node.stop(0.0)


def test_a_message_comes_up_as_it_went_down(node: _native.Node) -> None:
    properties = Properties(1, "text/plain", "answers/1", b"\x00\xff", (("a", "1"), ("a", "2")))
    slot = node.subscribe("rows/+", 2)

    _, matched = node.publish(
        ("rows/1", b"\x00payload", 1, False, encode_properties(properties), 60, "publisher", False)
    )

    assert matched == 1
    kind, to, row, qos = next_of(node, "delivery")
    message = Message.from_row(row, qos)
    assert (kind, to, qos) == ("delivery", slot, 1)
    assert (message.topic, message.payload, message.client_id) == (
        "rows/1",
        b"\x00payload",
        "publisher",
    )
    assert message.properties == properties
    assert message.expires_at_ms == message.timestamp_ms + 60_000
    assert message.to_row() == row


def test_an_unknown_word_is_refused(node: _native.Node) -> None:
    with pytest.raises(ValueError, match="admission"):
        node.apply_config(BrokerConfig(admission="nobody"))  # type: ignore[arg-type]


def test_a_number_out_of_range_names_its_field(node: _native.Node) -> None:
    zone = ZoneConfig(mqtt=MqttConfig(max_inflight=70_000))

    with pytest.raises((ValueError, OverflowError), match="max_inflight"):
        node.apply_config(BrokerConfig(zones=(zone,)))


def test_what_the_core_is_told_can_be_replaced(node: _native.Node) -> None:
    node.apply_config(BrokerConfig(admission="everyone"))
    node.set_hooks(HookSwitches(client_events=True))


def test_a_question_that_nobody_asked_may_be_answered(node: _native.Node) -> None:
    node.answer([((0, 0, 0, 0), "allow", None), ((0, 9, 9, 9), "deny", 0x87)])


@pytest.mark.parametrize(
    ("verdict", "value"),
    [("perhaps", None), ("deny", None), ("allow", 1), ("replace", 1)],
)
def test_a_wrong_verdict_is_refused(node: _native.Node, verdict: str, value: int | None) -> None:
    with pytest.raises((ValueError, TypeError)):
        node.answer([((0, 0, 0, 0), verdict, value)])


def test_a_taken_port_says_which(node: _native.Node) -> None:
    _, address, *_ = node.listeners()[0]
    config = NodeConfig()
    listener = config.listeners[0]
    taken = NodeConfig(listeners=(type(listener)(id="tcp:second", bind=address),))

    with pytest.raises(_native.NativeError) as caught:
        _native.Node.start(taken)

    error = caught.value
    assert (error.kind, error.listener, error.address) == ("bind", "tcp:second", address)
    assert error.errno is not None


def next_of(node: _native.Node, kind: str) -> EventRow:
    return next(row for row in node.drain(100) if row[0] == kind)
