"""paho-mqtt, aiomqtt, gmqtt and MQTT.js doing what their users do, with 3.1.1 and 5.0."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.foreign import Arrived, Foreign, Options, every_client
from harness.node import Node, fresh_name

both_levels = pytest.mark.parametrize(("kind", "level"), every_client())


class Clients:
    """Opens clients of one library; those still connected at the end are disconnected."""

    def __init__(self, node: Node, kind: type[Foreign], level: int) -> None:
        self._node = node
        self._kind = kind
        self._level = level
        self._connected: list[Foreign] = []

    def connect(
        self,
        client_id: str | None = None,
        *,
        durable: bool = False,
        will: tuple[str, bytes] | None = None,
        session_present: bool = False,
    ) -> Foreign:
        client = self._kind()
        name = client_id or fresh_name("foreign")
        present = client.connect(Options(self._node.port, name, self._level, durable, will))
        assert present == session_present
        self._connected.append(client)
        return client

    def leave(self, client: Foreign, *, drop: bool = False) -> None:
        """Disconnect ``client``, or lose its connection."""
        self._connected.remove(client)
        if drop:
            client.drop()
        else:
            client.disconnect()

    def leave_all(self) -> None:
        while self._connected:
            self.leave(self._connected[-1])


@pytest.fixture
def clients(node: Node, kind: type[Foreign], level: int) -> Iterator[Clients]:
    opened = Clients(node, kind, level)
    yield opened
    opened.leave_all()


@both_levels
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_publish_and_subscribe(clients: Clients, topic: str, qos: int) -> None:
    subscriber, publisher = clients.connect(), clients.connect()
    subscriber.subscribe(f"{topic}/+", qos)
    for payload in (b"", b"\x00\xff", bytes(100_000)):
        publisher.publish(f"{topic}/a", payload, qos)
        assert subscriber.receive() == Arrived(f"{topic}/a", payload, qos, False)


@both_levels
def test_order_and_number(clients: Clients, topic: str) -> None:
    subscriber, publisher = clients.connect(), clients.connect()
    subscriber.subscribe(topic, 2)
    for index in range(60):
        publisher.publish(topic, b"%d" % index, 1)
    assert [subscriber.receive().payload for _ in range(60)] == [b"%d" % n for n in range(60)]


@both_levels
def test_retained(clients: Clients, topic: str) -> None:
    publisher, early = clients.connect(), clients.connect()
    early.subscribe(topic, 1)
    publisher.publish(topic, b"kept", 1, True)
    assert early.receive() == Arrived(topic, b"kept", 1, False)
    late = clients.connect()
    late.subscribe(topic, 1)
    assert late.receive() == Arrived(topic, b"kept", 1, True)
    publisher.publish(topic, b"", 1, True)
    assert late.receive().payload == b""
    later = clients.connect()
    later.subscribe(topic, 1)
    publisher.publish(topic, b"live", 1)
    assert later.receive() == Arrived(topic, b"live", 1, False)


@both_levels
def test_will(clients: Clients, topic: str) -> None:
    watcher = clients.connect()
    watcher.subscribe(f"{topic}/#", 1)
    clients.leave(clients.connect(will=(f"{topic}/kept-back", b"no")))
    clients.leave(clients.connect(will=(f"{topic}/sent", b"lost")), drop=True)
    assert watcher.receive() == Arrived(f"{topic}/sent", b"lost", 1, False)


@both_levels
@pytest.mark.parametrize("drop", [False, True], ids=["disconnected", "dropped"])
def test_session_resume(clients: Clients, topic: str, drop: bool) -> None:
    client_id = fresh_name("resume")
    client = clients.connect(client_id, durable=True)
    client.subscribe(topic, 2)
    clients.leave(client, drop=drop)
    publisher = clients.connect()
    watcher = clients.connect()
    watcher.subscribe(topic, 1)
    for index in range(20):
        publisher.publish(topic, b"%d" % index, 1 + index % 2)
        watcher.receive()  # it has been routed
    client = clients.connect(client_id, durable=True, session_present=True)
    received = {client.receive().payload for _ in range(20)}
    assert received == {b"%d" % index for index in range(20)}


@both_levels
def test_shared_subscription(clients: Clients, topic: str) -> None:
    members = [clients.connect(), clients.connect()]
    for member in members:
        member.subscribe(f"$share/workers/{topic}", 1)
    watcher, publisher = clients.connect(), clients.connect()
    watcher.subscribe(topic, 1)
    for index in range(20):
        publisher.publish(topic, b"%d" % index, 1)
    for _ in range(20):
        watcher.receive()
    # Round robin: with nobody away each member has its half.
    halves = [{member.receive().payload for _ in range(10)} for member in members]
    assert halves[0] | halves[1] == {b"%d" % index for index in range(20)}
