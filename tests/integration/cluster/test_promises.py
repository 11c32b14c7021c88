"""What PUBACK promises in a cluster: two disks or memory, and what becomes of it when the second disk stalls."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest

from harness.client import RawClient
from harness.cluster import ClusterNode, await_routes, introduce, running
from harness.node import HOST, fresh_name
from harness.packets import Connect, PingReq, PingResp, PubAck, Publish, PubRec, Subscription
from harness.waiting import until

HOUR = 3600
QUOTA_EXCEEDED = 0x97


class Owner:
    """A node with sessions, the node that keeps them as well, and a third one."""

    def __init__(self, nodes: list[ClusterNode]) -> None:
        self.nodes = nodes
        self.node = nodes[0]
        self.until_doubled()

    def until_doubled(self) -> ClusterNode:
        """Wait until another node keeps everything; which one that is."""
        until(
            lambda: self.node.ask(partner=True)["is_whole"],
            "a partner",
            shows=lambda: self.node.ask(partner=True),
        )
        name = self.node.ask(partner=True)["name"]
        return next(node for node in self.nodes if node.name == name)

    @contextlib.contextmanager
    def stalled(self) -> Iterator[ClusterNode]:
        """Its partner stands still; the third node."""
        partner = self.until_doubled()
        os.kill(partner.pid, signal.SIGSTOP)
        try:
            yield next(node for node in self.nodes[1:] if node is not partner)
        finally:
            os.kill(partner.pid, signal.SIGCONT)

    def settings(self, **settings: str) -> None:
        self.node.ask(settings=settings)


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    folder = tmp_path_factory.mktemp("stores")
    nodes = [ClusterNode(f"{name}@n", store=folder / name, workers=1) for name in "abc"]
    with running(*nodes):
        introduce(*nodes)
        yield Owner(nodes)


@pytest.fixture
def topic(owner: Owner) -> Iterator[str]:
    """What a durable session on that node wants, whose client is away; that session ends."""
    name = fresh_name("s")
    client = RawClient(HOST, owner.node.port, 5)
    client.connect(Connect(name, False, 60, None, properties={"session_expiry_interval": HOUR}))
    client.subscribe(Subscription(f"{name}/#", 2))
    client.disconnect()
    yield f"{name}/t"
    owner.settings()
    with owner.node.connect(name):
        pass


def test_two_disks_are_waited_for_and_memory_is_not(owner: Owner, topic: str) -> None:
    with owner.node.connect() as publisher:
        with owner.stalled():
            publisher.send(Publish(topic, b"1", 1, 7), PingReq())
            publisher.expect(PingResp)
            # It is bounded: then the disk of this node has to do.
            publisher.expect(PubAck, packet_id=7, reason_code=0)
        owner.settings(acknowledge="memory")
        with owner.stalled():
            publisher.send(Publish(topic, b"2", 1, 8), Publish(topic, b"3", 2, 9), PingReq())
            publisher.expect(PubAck, packet_id=8, reason_code=0)
            publisher.expect(PubRec, packet_id=9, reason_code=0)
            publisher.expect(PingResp)


def test_what_cannot_be_on_two_disks_is_refused_where_that_is_wanted(
    owner: Owner, topic: str
) -> None:
    owner.settings(unconfirmed="refuse")
    old = RawClient(HOST, owner.node.port, 4)
    old.connect(Connect(fresh_name("old"), True, 60, None))
    with owner.node.connect() as publisher:
        with owner.stalled() as third:
            publisher.send(Publish(topic, b"1", 1, 7), Publish(topic, b"2", 2, 8))
            old.send(Publish(topic, b"3", 1, 7))
            publisher.expect(PubAck, packet_id=7, reason_code=QUOTA_EXCEEDED)
            publisher.expect(PubRec, packet_id=8, reason_code=QUOTA_EXCEEDED)
            old.expect_closed()
            # The next one waits for the third node to have everything: there are two disks again.
            publisher.publish(topic, b"4", qos=1)
            assert owner.until_doubled() is third
        publisher.publish(topic, b"5", qos=2)


def test_a_node_whose_others_are_gone_refuses_and_one_that_is_alone_does_not(
    owner: Owner, topic: str
) -> None:
    owner.until_doubled()
    owner.settings(unconfirmed="refuse")
    with owner.node.connect() as publisher:
        others = [node.name for node in owner.nodes[1:]]
        owner.node.ask(peers=[])
        owner.node.ask(lost=others)
        publisher.send(Publish(topic, b"1", 1, 7))
        publisher.expect(PubAck, packet_id=7, reason_code=QUOTA_EXCEEDED)
        publisher.send(Publish(topic, b"2", 1, 8))
        publisher.fence()
        # They are taken out of the cluster.
        owner.node.ask(lost=[], is_alone=True)
        publisher.expect(PubAck, packet_id=8, reason_code=0)
    introduce(*owner.nodes)
    owner.node.ask(lost=[])
    await_routes(owner.node, 1, *owner.nodes[1:])
