"""A node says what it is and what it counts below $SYS/brokers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from rookery.broker.sys_topics import SysTopics
from rookery.clock import ManualClock
from rookery.native.node import Publication


class Node:
    def __init__(self) -> None:
        self.published: dict[str, Publication] = {}
        self.calls = 0

    def publish_many(self, publications: Iterable[Publication]) -> None:
        self.calls += 1
        self.published |= {publication.topic: publication for publication in publications}


def topics(node: Node, clock: ManualClock) -> SysTopics:
    return SysTopics(
        node.publish_many,
        clock,
        node_name="n1@host",
        version="1.2.3",
        stats=lambda: {"connections.count": 2},
        metrics=lambda: {"messages.dropped.no_subscribers": 3},
    )


def test_the_report_has_every_figure_under_its_name() -> None:
    report = {item.topic: item for item in topics(Node(), ManualClock()).report()}

    assert {topic: item.payload for topic, item in report.items()} == {
        "$SYS/brokers": b"n1@host",
        "$SYS/brokers/n1@host/version": b"1.2.3",
        "$SYS/brokers/n1@host/sysdescr": b"Rookery MQTT broker",
        "$SYS/brokers/n1@host/stats/connections/count": b"2",
        "$SYS/brokers/n1@host/metrics/messages/dropped/no_subscribers": b"3",
    }
    assert {item.qos for item in report.values()} == {0}
    assert all(item.sys for item in report.values())


def test_only_what_does_not_change_is_retained() -> None:
    report = topics(Node(), ManualClock()).report()

    retained = {item.topic.rpartition("/")[2] for item in report if item.retain}
    assert retained == {"brokers", "version", "sysdescr"}


def test_the_heartbeat_says_how_long_and_when() -> None:
    clock = ManualClock()
    sys_topics = topics(Node(), clock)
    clock.advance(61.5)

    uptime, now = sys_topics.heartbeat()

    assert uptime.payload == b"61500"
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", now.payload)


async def test_both_begin_at_once_and_end_when_closed() -> None:
    node = Node()
    sys_topics = topics(node, ManualClock())

    sys_topics.open(msg_interval_s=3600, heartbeat_interval_s=3600)
    while node.calls < 2:
        await asyncio.sleep(0)
    await sys_topics.close()

    assert "$SYS/brokers" in node.published
    assert "$SYS/brokers/n1@host/uptime" in node.published


async def test_an_interval_of_zero_is_never() -> None:
    node = Node()
    sys_topics = topics(node, ManualClock())

    sys_topics.open(msg_interval_s=0, heartbeat_interval_s=0)
    await asyncio.sleep(0)
    await sys_topics.close()

    assert node.calls == 0


def test_something_else_is_told_under_the_node() -> None:
    node = Node()

    topics(node, ManualClock()).tell("alarms/activate", b"{}")

    assert list(node.published) == ["$SYS/brokers/n1@host/alarms/activate"]
