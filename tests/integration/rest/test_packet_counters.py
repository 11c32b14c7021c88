"""Packets that break a rule or an exchange are counted under EMQX's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.client import RawClient
from harness.operator import Operator
from harness.packets import (
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    Subscribe,
    Subscription,
    Unsubscribe,
)
from harness.wire import Properties


def counters(operator: Operator) -> dict[str, int]:
    found: dict[str, int] = operator.rest.get("/metrics?aggregate=true")
    return found


def delivered(operator: Operator, client: RawClient, qos: int) -> Publish:
    """A message that the client has and has not acknowledged."""
    client.subscribe("counted", qos=qos)
    body = {"topic": "counted", "payload": "x", "qos": qos}
    operator.rest.post("/publish", body)
    return client.expect_publish("counted", b"x", qos=qos)


def publish_twice(operator: Operator, client: RawClient) -> None:
    for _ in range(2):
        client.send(Publish("counted/2", b"x", 2, 7))
        client.await_packet(PubRec, packet_id=7)
    client.send(PubRel(7))
    client.await_packet(PubComp, packet_id=7)


def acknowledge_qos2(operator: Operator, client: RawClient) -> None:
    client.send(PubAck(delivered(operator, client, 2).packet_id))


def receive_qos1(operator: Operator, client: RawClient) -> None:
    client.send(PubRec(delivered(operator, client, 1).packet_id))


def complete_too_early(operator: Operator, client: RawClient) -> None:
    client.send(PubComp(delivered(operator, client, 2).packet_id))


def subscribe_to_nothing(operator: Operator, client: RawClient) -> None:
    client.subscribe(Subscription("a/#/b", 0), granted=[0x80])


def unsubscribe_from_nothing(operator: Operator, client: RawClient) -> None:
    client.send(Unsubscribe(9, ["a/#/b"]))


def publish_to_a_filter(operator: Operator, client: RawClient) -> None:
    client.send(Publish("a/#", b"x"))
    client.expect_closed()


def subscribe_to_an_empty_list(operator: Operator, client: RawClient) -> None:
    client.send(Subscribe(9, []))
    client.expect_closed()


def unsubscribe_from_an_empty_list(operator: Operator, client: RawClient) -> None:
    client.send(Unsubscribe(9, []))
    client.expect_closed()


def pass_fence(client: RawClient) -> None:
    """Everything sent has been read, whatever was answered to it."""
    client.send(PingReq())
    while not isinstance(client.receive_packet(), PingResp):
        pass


ENDING = (publish_to_a_filter, subscribe_to_an_empty_list, unsubscribe_from_an_empty_list)


@pytest.mark.parametrize(
    ("act", "name", "other"),
    [
        (publish_twice, "publish.inuse", "publish.error"),
        (acknowledge_qos2, "puback.inuse", "puback.missed"),
        (receive_qos1, "pubrec.inuse", "pubrec.missed"),
        (complete_too_early, "pubcomp.inuse", "pubcomp.missed"),
        (lambda _, client: client.send(PubAck(99)), "puback.missed", "puback.inuse"),
        (lambda _, client: client.send(PubRec(99)), "pubrec.missed", "pubrec.inuse"),
        (lambda _, client: client.send(PubComp(99)), "pubcomp.missed", "pubcomp.inuse"),
        (subscribe_to_nothing, "subscribe.error", "subscribe.auth_error"),
        (subscribe_to_an_empty_list, "subscribe.error", "unsubscribe.error"),
        (unsubscribe_from_nothing, "unsubscribe.error", "subscribe.error"),
        (unsubscribe_from_an_empty_list, "unsubscribe.error", "subscribe.error"),
        (publish_to_a_filter, "publish.error", "publish.auth_error"),
    ],
)
def test_each_kind_of_fault_has_its_counter(
    shared: Operator, act: Callable[[Operator, RawClient], Any], name: str, other: str
) -> None:
    before = counters(shared)
    with shared.node.connect(level=4) as client:
        act(shared, client)
        if act not in ENDING:
            pass_fence(client)
    after = counters(shared)

    assert after[f"packets.{name}"] == before[f"packets.{name}"] + 1
    assert after[f"packets.{other}"] == before[f"packets.{other}"]


def test_subscriptions_of_sessions_on_disk_and_of_single_clients(operator: Operator) -> None:
    def stats() -> list[int]:
        found = operator.rest.get("/stats?aggregate=true")
        names = ("subscriptions", "subscribers", "durable_subscriptions")
        return [found[f"{name}.count"] for name in names]

    # The node may subscribe for itself.
    own = stats()

    def added() -> tuple[int, ...]:
        return tuple(now - before for now, before in zip(stats(), own, strict=True))

    expiry: Properties = {"session_expiry_interval": 3600}
    with operator.node.connect("kept", 5, clean_start=False, properties=expiry) as kept:
        kept.subscribe("a", "b", "$share/g/c")
        with operator.node.connect("passing") as passing:
            passing.subscribe("a")
            assert added() == (4, 3, 3)
            passing.disconnect()
        kept.subscribe("a", qos=1)
        kept.unsubscribe("b")
        assert added() == (2, 1, 2)
        kept.disconnect()
    operator.node.restart()
    assert added() == (2, 1, 2)
    operator.rest.delete("/clients/kept")
    assert added() == (0, 0, 0)
