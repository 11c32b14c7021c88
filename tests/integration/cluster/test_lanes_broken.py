"""Nodes that crash, connections that are cut or hang, and nodes that are not of the cluster."""

from __future__ import annotations

from pathlib import Path

from harness.client import RawClient
from harness.cluster import ClusterNode, Proxy, await_routes, introduce, running
from harness.packets import PubAck, Publish
from harness.waiting import until


def receive_numbers(client: RawClient, count: int) -> list[int]:
    got = []
    for _ in range(count):
        message = client.await_packet(Publish)
        client.acknowledge(message)
        got.append(int(message.payload))
    return got


def send_numbers(client: RawClient, topic: str, numbers: range, qos: int = 1) -> None:
    for n in numbers:
        client.send(Publish(topic, b"%d" % n, qos, n + 1 if qos else 0))


def await_acks(client: RawClient, count: int) -> None:
    for _ in range(count):
        assert client.await_packet(PubAck).reason_code == 0


def test_after_a_cut_everything_comes_once_and_in_order() -> None:
    a, b = ClusterNode("a@n"), ClusterNode("b@n")
    with running(a, b), Proxy(b.lanes) as to_b:
        a.ask(peers=[b.peer(to_b.port)])
        b.ask(peers=[a.peer()])
        until(lambda: a.status(b)["is_connected"], "lanes")
        publisher, subscriber = a.connect(), b.connect()
        subscriber.subscribe("cut", qos=1)
        await_routes(b, 1, a)
        for round_ in range(4):
            numbers = range(round_ * 30, round_ * 30 + 30)
            send_numbers(publisher, "cut", numbers[:15])
            to_b.cut()
            send_numbers(publisher, "cut", numbers[15:])
            to_b.heal()
            assert receive_numbers(subscriber, 30) == list(numbers)
            await_acks(publisher, 30)
        subscriber.expect_nothing()
        assert a.status(b)["dropped"] == 0
        until(lambda: a.status(b)["queued_bytes"] == 0, "all is taken")


def test_a_connection_that_hangs_is_noticed_and_made_anew() -> None:
    a, b = ClusterNode("a@n"), ClusterNode("b@n")
    with running(a, b), Proxy(b.lanes) as to_b:
        a.ask(peers=[b.peer(to_b.port)])
        b.ask(peers=[a.peer()])
        until(lambda: a.status(b)["is_connected"], "lanes")
        publisher, subscriber = a.connect(), b.connect()
        subscriber.subscribe("hang", qos=1)
        await_routes(b, 1, a)
        to_b.freeze()
        send_numbers(publisher, "hang", range(10))
        until(lambda: not a.status(b)["is_connected"], "the silence is noticed")
        # By one of them, and the other one is told with the end of the connection.
        told = {one.status(of)["last_error"].split(":")[0] for one, of in ((a, b), (b, a))}
        assert told & {"silent", "handshake_timeout"}
        to_b.cut()
        to_b.heal()
        assert receive_numbers(subscriber, 10) == list(range(10))
        await_acks(publisher, 10)
        subscriber.expect_nothing()


def test_a_node_that_crashed_comes_back_and_others_go_on(tmp_path: Path) -> None:
    nodes = a, b, c = (
        ClusterNode("a@n"),
        ClusterNode("b@n", store=tmp_path / "b"),
        ClusterNode("c@n"),
    )
    with running(*nodes):
        introduce(*nodes)
        publisher, at_c = a.connect(), c.connect()
        with b.connect("durable", session_expiry_interval=3600) as durable:
            durable.subscribe("crash", qos=1)
            at_c.subscribe("crash", qos=1)
            await_routes(b, 1, a)
            await_routes(c, 1, a)
            publisher.publish("crash", b"1", qos=1)
            assert receive_numbers(durable, 1) == receive_numbers(at_c, 1) == [1]
            b.kill9()
        publisher.send(Publish("crash", b"2", 1, 2))
        assert receive_numbers(at_c, 1) == [2], "a live node does not wait for a dead one"
        # Membership finds out; then nobody waits for it.
        for node in (a, c):
            node.ask(peers=[other.peer() for other in (a, c) if other is not node])
        await_acks(publisher, 1)
        publisher.publish("crash", b"3", qos=1)
        assert receive_numbers(at_c, 1) == [3]

        b.start()
        introduce(*nodes)
        await_routes(b, 1, a)
        publisher.publish("crash", b"4", qos=1)
        with b.connect("durable", clean_start=False, session_expiry_interval=0) as durable:
            got = receive_numbers(durable, 1)
            if got == [1]:  # its acknowledgement was not on disk yet when the node was killed
                got = receive_numbers(durable, 1)
            assert got == [4]
        assert receive_numbers(at_c, 1) == [4]


def test_a_node_with_another_secret_is_nobody() -> None:
    a, stranger = ClusterNode("a@n"), ClusterNode("b@n", secret="another secret of 16")
    with running(a, stranger):
        a.ask(peers=[stranger.peer()])
        stranger.ask(peers=[a.peer()])
        until(lambda: a.status(stranger)["last_error"], "an error")
        until(lambda: stranger.status(a)["last_error"], "an error")
        assert a.status(stranger)["last_error"].startswith("authentication_failed:")
        assert not a.status(stranger)["is_connected"]
        assert not stranger.status(a)["is_connected"]
        assert "secret of 16" not in str(stranger.ask(status=True))


def test_a_node_that_is_not_expected_gets_no_lane() -> None:
    a, b = ClusterNode("a@n"), ClusterNode("b@n")
    with running(a, b):
        b.ask(peers=[a.peer()])
        until(lambda: b.status(a)["last_error"].startswith("unknown_there:"), "a refusal")
        a.ask(peers=[{**b.peer(), "name": "other@n"}])
        until(lambda: a.ask(status=True)[0]["last_error"].startswith("another_node:"), "a refusal")
