"""A node of a cluster whose disk is full: what others publish for its sessions is held, not lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client import RawClient
from harness.cluster import ClusterNode, await_routes, introduce, running
from harness.node import HOST, fresh_name
from harness.packets import Connect, PubAck, Publish
from harness.small_disk import NoDiskError, SmallDisk, small_disk
from harness.waiting import until

HOUR = 3600
DISK_BYTES = 24 << 20
COUNT = 20


def payload(number: int) -> bytes:
    """More than the rest of a page that is written in part."""
    return b"%d" % number + bytes(8192).replace(b"\0", b".")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    try:
        with small_disk(tmp_path / "disk", DISK_BYTES) as found:
            yield found
    except NoDiskError as error:
        pytest.skip(f"no file system can be mounted: {error}")


def come(node: ClusterNode, client_id: str) -> RawClient:
    client = RawClient(HOST, node.port, 5)
    client.connect(
        Connect(client_id, False, 60, None, properties={"session_expiry_interval": HOUR})
    )
    return client


def test_what_others_publish_is_held_until_there_is_room(disk: SmallDisk, tmp_path: Path) -> None:
    near = ClusterNode("near@n")
    far = ClusterNode("far@n", store=disk.folder / "store")
    topic, name = fresh_name("held/"), fresh_name("waits")
    with running(near, far):
        introduce(near, far)
        subscriber = come(far, name)
        subscriber.subscribe(topic, qos=1)
        await_routes(far, 1, near)
        subscriber.disconnect()
        disk.fill()
        publisher = near.connect()
        # Before it is known that there is no room, and afterwards.
        for numbers in (range(1, COUNT // 2 + 1), range(COUNT // 2 + 1, COUNT + 1)):
            for number in numbers:
                publisher.send(Publish(topic, payload(number), 1, packet_id=number))
            until(lambda: far.status(near)["received"] >= numbers[-1], "all of it there")  # noqa: B023
        publisher.fence()
        publisher.expect_nothing()
        disk.clear()
        for number in range(1, COUNT + 1):
            acknowledged = publisher.await_packet(PubAck)
            assert (acknowledged.packet_id, acknowledged.reason_code) == (number, 0)
        # What was acknowledged is on the disk.
        far.kill9()
        far.start()
        with come(far, name) as subscriber:
            got = []
            for _ in range(COUNT):
                message = subscriber.await_packet(Publish)
                got.append(int(message.payload.rstrip(b".")))
                subscriber.acknowledge(message)
            subscriber.fence()
            subscriber.expect_nothing()
        assert got == [*range(1, COUNT + 1)]
