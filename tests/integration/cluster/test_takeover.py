"""A client that comes to another node than the one its session is on."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.client import RawClient
from harness.cluster import ClusterNode, await_routes, introduce, running
from harness.node import HOST, fresh_name
from harness.packets import (
    ConnAck,
    Connect,
    Disconnect,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    Subscription,
    Will,
)
from harness.waiting import until
from harness.wire import Properties

Nodes = tuple[ClusterNode, ClusterNode, ClusterNode]
HOUR = 3600
TAKEN_OVER = 0x8E


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    folder = tmp_path_factory.mktemp("stores")
    nodes = (
        ClusterNode("a@n", store=folder / "a"),
        ClusterNode("b@n", store=folder / "b"),
        ClusterNode("c@n"),
    )
    with running(*nodes):
        introduce(*nodes)
        yield nodes


def come(
    node: ClusterNode,
    client_id: str,
    *,
    clean_start: bool = False,
    expiry: int = HOUR,
    will: Will | None = None,
) -> tuple[RawClient, bool]:
    """A client with a session that stays; whether there was one."""
    client = RawClient(HOST, node.port, 5)
    properties: Properties = {"session_expiry_interval": expiry}
    answer = client.connect(Connect(client_id, clean_start, 60, will, properties=properties))
    return client, answer.session_present


def owners(client_id: str, *nodes: ClusterNode) -> list[bool]:
    """Of each session of a client: whether it is connected."""
    found = [node.clients() for node in nodes]
    return [clients[client_id] for clients in found if client_id in clients]


def test_a_session_follows_its_client(three: Nodes) -> None:
    a, b, c = three
    name = fresh_name("follows")
    first, was_there = come(a, name)
    assert not was_there
    topic = f"{name}/t"
    first.subscribe(Subscription(topic, 2))
    await_routes(a, 1, c)
    with c.connect() as publisher:
        publisher.publish(topic, b"one", qos=1)
        got = first.await_packet(Publish)
        assert (got.payload, got.qos) == (b"one", 1)
        # Not acknowledged: it comes again on the other node, under the same identifier.
        before = a.metric("session.takenover")
        second, was_there = come(b, name)
        assert was_there
        assert first.expect_closed([TAKEN_OVER]) is not None
        again = second.await_packet(Publish)
        assert (again.payload, again.packet_id, again.dup) == (b"one", got.packet_id, True)
        second.acknowledge(again)
        assert a.metric("session.takenover") == before + 1
        until(lambda: owners(name, a) == [], "a forgets the session")
        publisher.publish(topic, b"two", qos=2)
        message = second.await_packet(Publish)
        assert (message.payload, message.qos) == (b"two", 2)
        second.acknowledge(message)
        second.fence()
        second.expect_nothing()
    end(second)


def end(client: RawClient) -> None:
    """Leave without a session."""
    client.disconnect(properties={"session_expiry_interval": 0})


def test_what_waits_for_a_client_that_is_away_comes_on_another_node(three: Nodes) -> None:
    a, b, c = three
    name = fresh_name("away")
    client, _ = come(a, name)
    client.subscribe(Subscription(f"{name}/#", 2))
    await_routes(a, 1, c)
    client.disconnect()
    with c.connect() as publisher:
        for n in range(300):
            publisher.publish(f"{name}/{n}", b"%d" % n, qos=n % 3)
    client, was_there = come(b, name)
    assert was_there
    # Messages of one QoS keep their order.
    got: list[list[int]] = [[], [], []]
    for _ in range(300):
        message = client.await_packet(Publish)
        assert message.topic_name == f"{name}/{int(message.payload)}"
        got[message.qos].append(int(message.payload))
        client.acknowledge(message)
    assert got == [list(range(qos, 300, 3)) for qos in range(3)]
    client.fence()
    client.expect_nothing()
    end(client)


def test_both_halves_of_a_qos_2_exchange_go_on_elsewhere(three: Nodes) -> None:
    a, b, c = three
    name = fresh_name("exchange")
    client, _ = come(a, name)
    client.subscribe(Subscription(f"{name}/in", 2))
    await_routes(a, 1, c)
    with c.connect() as other:
        other.subscribe(Subscription(f"{name}/out", 2))
        await_routes(c, 1, a)
        other.publish(f"{name}/in", b"released", qos=2)
        other.publish(f"{name}/in", b"sent", qos=2)
        released, sent = client.await_packet(Publish), client.await_packet(Publish)
        client.send(PubRec(released.packet_id))
        client.await_packet(PubRel)
        client.send(Publish(f"{name}/out", b"once", 2, 77))
        assert client.await_packet(PubRec).packet_id == 77
        other.acknowledge(other.await_packet(Publish))

        client, was_there = come(b, name)
        assert was_there
        seen: list[tuple[str, int]] = []
        while len(seen) < 2:
            packet = client.receive_packet()
            if isinstance(packet, Publish):
                assert (packet.payload, packet.dup) == (b"sent", True)
                seen.append(("publish", packet.packet_id))
            if isinstance(packet, PubRel):
                seen.append(("pubrel", packet.packet_id))
        assert sorted(seen) == [("publish", sent.packet_id), ("pubrel", released.packet_id)]
        client.send(PubComp(released.packet_id))
        client.send(PubRec(sent.packet_id))
        client.await_packet(PubRel, packet_id=sent.packet_id)
        client.send(PubComp(sent.packet_id))
        # The message that was acknowledged by PUBREC is not a second one.
        client.send(Publish(f"{name}/out", b"once", 2, 77, dup=True))
        assert client.await_packet(PubRec).packet_id == 77
        client.send(PubRel(77))
        assert client.await_packet(PubComp).packet_id == 77
        other.fence()
        other.expect_nothing()
    client.expect_nothing()
    end(client)


def test_messages_during_a_move_come_once(three: Nodes) -> None:
    a, b, c = three
    name = fresh_name("stream")
    client, _ = come(a, name)
    client.subscribe(Subscription(f"{name}/#", 2))
    await_routes(a, 1, c)
    count = 400
    places = [b, a, b, c, a]
    got: list[int] = []

    def publish() -> None:
        with c.connect() as publisher:
            for n in range(count):
                publisher.publish(f"{name}/s", b"%d" % n, qos=2)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(publish)
        while len(got) < count:
            message = client.await_packet(Publish)
            got.append(int(message.payload))
            client.acknowledge(message)
            if len(got) % 60 == 0 and places:
                client, was_there = come(places.pop(0), name)
                assert was_there
        sending.result(60)
    assert sorted(got) == list(range(count))
    client.expect_nothing()
    end(client)


def test_a_clean_start_ends_the_session_elsewhere(three: Nodes) -> None:
    a, b, c = three
    name = fresh_name("clean")
    with c.connect() as watcher:
        watcher.subscribe(f"{name}/will")
        await_routes(c, 1, a)
        will = Will(f"{name}/will", b"gone", 1, False, {"will_delay_interval": HOUR})
        first, _ = come(a, name, will=will)
        first.subscribe(f"{name}/t", qos=1)
        second, was_there = come(b, name, clean_start=True)
        assert not was_there
        assert first.expect_closed([TAKEN_OVER]) is not None
        # The session ended: its will is not delayed any longer.
        watcher.receive(f"{name}/will", b"gone")
        until(lambda: owners(name, a) == [], "a has no session")
        end(second)


def test_a_session_that_moves_on_has_no_delayed_will(three: Nodes) -> None:
    a, b, c = three
    name = fresh_name("will")
    with c.connect() as watcher:
        watcher.subscribe(f"{name}/#")
        await_routes(c, 1, a)
        will = Will(f"{name}/late", b"gone", 1, False, {"will_delay_interval": 1})
        come(a, name, will=will)
        at_once = Will(f"{name}/now", b"gone", 1, False)
        come(b, name, will=at_once)
        third, _ = come(a, name)
        watcher.receive(f"{name}/now", b"gone")
        watcher.expect_nothing()
        end(third)


def connect_or_lose(node: ClusterNode, client_id: str, *, clean_start: bool) -> RawClient | None:
    client = RawClient(HOST, node.port, 5)
    properties: Properties = {"session_expiry_interval": HOUR}
    client.send(Connect(client_id, clean_start, 60, None, properties=properties))
    packet = client.await_packet(ConnAck)
    return client if packet.reason_code == 0 else None


@pytest.mark.parametrize("clean_start", [False, True])
def test_of_two_that_connect_at_once_one_stays(three: Nodes, *, clean_start: bool) -> None:
    a, b, _ = three
    for _ in range(15):
        name = fresh_name("race")
        with ThreadPoolExecutor(2) as pool:
            connect = functools.partial(connect_or_lose, client_id=name, clean_start=clean_start)
            both = list(pool.map(connect, (a, b)))
        until(lambda n=name: owners(n, a, b) == [True], "one session, connected")  # type: ignore[misc]
        alive = [client for client in both if client is not None and is_open(client)]
        assert len(alive) == 1
        end(alive[0])
        until(lambda n=name: owners(n, a, b) == [], "none is left")  # type: ignore[misc]


def is_open(client: RawClient) -> bool:
    """Whether its connection goes on; if not, another one has taken the session."""
    client.send(PingReq())
    packet = client.receive_packet()
    if isinstance(packet, PingResp):
        return True
    assert isinstance(packet, Disconnect)
    assert packet.reason_code == TAKEN_OVER
    return False


def test_who_acknowledges_elsewhere_gets_nothing_again(three: Nodes) -> None:
    a, b, c = three
    name = fresh_name("acks")
    client, _ = come(a, name)
    client.subscribe(Subscription(f"{name}/t", 1))
    await_routes(a, 1, c)
    with c.connect() as publisher:
        publisher.publish(f"{name}/t", b"1", qos=1)
        client.await_packet(Publish)
        client, _ = come(b, name)
        client.acknowledge(client.await_packet(Publish))
        client.fence()
        client, was_there = come(a, name)
        assert was_there
        client.fence()
        client.expect_nothing()
        publisher.send(Publish(f"{name}/t", b"2", 1, 9))
        assert publisher.await_packet(PubAck).reason_code == 0
        client.receive(f"{name}/t", b"2")
    end(client)


def test_sessions_go_to_another_node_without_their_clients(three: Nodes) -> None:
    a, b, c = three
    prefix = fresh_name("moved")
    names = [f"{prefix}-{n}" for n in range(60)]
    for name in names:
        client, _ = come(a, name)
        client.subscribe(Subscription(f"{prefix}/#", 2))
        client.disconnect()
    here, _ = come(a, f"{prefix}-here")
    late = Will(f"{prefix}/will", b"x", properties={"will_delay_interval": HOUR})
    dying, _ = come(a, f"{prefix}-dying", will=late)
    dying.drop()
    stay = {f"{prefix}-here": True, f"{prefix}-dying": False}
    until(lambda: a.clients().get(f"{prefix}-dying") is False, "its connection is lost")
    await_routes(a, 1, b, c)
    with c.connect() as publisher:
        publisher.publish(f"{prefix}/t", b"1", qos=1)

        def has_left() -> bool:
            # One that keeps nothing on a disk takes none.
            a.ask(leave_for=c.name, most=100)
            a.ask(leave_for=b.name, most=25)
            return a.clients() == stay

        until(has_left, "all that may go have gone", shows=a.clients)
        assert b.clients() == dict.fromkeys(names, False)
        assert c.clients() == {publisher.client_id: True}
        publisher.publish(f"{prefix}/t", b"2", qos=2)
    for name, node in ((names[0], b), (names[1], c)):
        client, was_there = come(node, name)
        assert was_there
        for payload in (b"1", b"2"):
            message = client.await_packet(Publish)
            assert message.payload == payload
            client.acknowledge(message)
        client.expect_nothing()
        end(client)
    end(here)
    for name in (*names[2:], f"{prefix}-dying"):
        client, was_there = come(a, name)
        assert was_there
        end(client)
