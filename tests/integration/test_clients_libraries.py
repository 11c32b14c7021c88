"""paho-mqtt, aiomqtt, gmqtt and MQTT.js doing what their users do, with 3.1.1 and 5.0."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from harness.foreign import Arrived, Foreign, Options, every_client
from harness.node import Node, fresh_name

Open = Callable[..., Foreign]
both_levels = pytest.mark.parametrize(("kind", "level"), every_client())


@pytest.fixture
def connect(node: Node, kind: type[Foreign], level: int) -> Iterator[Open]:
    """Opens clients of one library; those still connected at the end are disconnected."""
    opened: list[Foreign] = []

    def open_client(
        client_id: str | None = None,
        *,
        durable: bool = False,
        will: tuple[str, bytes] | None = None,
        session_present: bool = False,
    ) -> Foreign:
        client = kind()
        name = client_id or fresh_name("foreign")
        present = client.connect(Options(node.port, name, level, durable, will))
        assert present == session_present
        opened.append(client)
        return client

    yield open_client
    for client in opened:
        if client not in left:
            client.disconnect()
    left.clear()


# Clients that a test has disconnected or dropped itself.
left: list[Foreign] = []


def leave(client: Foreign, *, drop: bool = False) -> None:
    left.append(client)
    if drop:
        client.drop()
    else:
        client.disconnect()


@both_levels
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_publish_and_subscribe(connect: Open, topic: str, qos: int) -> None:
    subscriber, publisher = connect(), connect()
    subscriber.subscribe(f"{topic}/+", qos)
    for payload in (b"", b"\x00\xff", bytes(100_000)):
        publisher.publish(f"{topic}/a", payload, qos)
        assert subscriber.receive() == Arrived(f"{topic}/a", payload, qos, False)


@both_levels
def test_order_and_number(connect: Open, topic: str) -> None:
    subscriber, publisher = connect(), connect()
    subscriber.subscribe(topic, 2)
    for index in range(60):
        publisher.publish(topic, b"%d" % index, 1)
    assert [subscriber.receive().payload for _ in range(60)] == [b"%d" % n for n in range(60)]


@both_levels
def test_retained(connect: Open, topic: str) -> None:
    publisher, early = connect(), connect()
    early.subscribe(topic, 1)
    publisher.publish(topic, b"kept", 1, True)
    assert early.receive() == Arrived(topic, b"kept", 1, False)
    late = connect()
    late.subscribe(topic, 1)
    assert late.receive() == Arrived(topic, b"kept", 1, True)
    publisher.publish(topic, b"", 1, True)
    assert late.receive().payload == b""
    later = connect()
    later.subscribe(topic, 1)
    publisher.publish(topic, b"live", 1)
    assert later.receive() == Arrived(topic, b"live", 1, False)


@both_levels
def test_will(connect: Open, topic: str) -> None:
    watcher = connect()
    watcher.subscribe(f"{topic}/#", 1)
    leave(connect(will=(f"{topic}/kept-back", b"no")))
    leave(connect(will=(f"{topic}/sent", b"lost")), drop=True)
    assert watcher.receive() == Arrived(f"{topic}/sent", b"lost", 1, False)


@both_levels
@pytest.mark.parametrize("drop", [False, True], ids=["disconnected", "dropped"])
def test_session_resume(connect: Open, topic: str, drop: bool) -> None:
    client_id = fresh_name("resume")
    client = connect(client_id, durable=True)
    client.subscribe(topic, 2)
    leave(client, drop=drop)
    publisher = connect()
    watcher = connect()
    watcher.subscribe(topic, 1)
    for index in range(20):
        publisher.publish(topic, b"%d" % index, 1 + index % 2)
        watcher.receive()  # it has been routed
    client = connect(client_id, durable=True, session_present=True)
    received = {client.receive().payload for _ in range(20)}
    assert received == {b"%d" % index for index in range(20)}


@both_levels
def test_shared_subscription(connect: Open, topic: str) -> None:
    members = [connect(), connect()]
    for member in members:
        member.subscribe(f"$share/workers/{topic}", 1)
    watcher, publisher = connect(), connect()
    watcher.subscribe(topic, 1)
    for index in range(20):
        publisher.publish(topic, b"%d" % index, 1)
    for _ in range(20):
        watcher.receive()
    # Round robin: with nobody away each member has its half.
    halves = [{member.receive().payload for _ in range(10)} for member in members]
    assert halves[0] | halves[1] == {b"%d" % index for index in range(20)}

