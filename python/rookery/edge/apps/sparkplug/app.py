"""The Sparkplug B application while it runs.

Births, deaths and data go one way, in one order: through the cache. Their numbers are given at the moment
when they are published, so a host sees no gap; what waited for the broker is marked as historical.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from paho.mqtt.client import MQTTMessage

from rookery.connectors.mqtt.connection import Connection, Will
from rookery.edge.apps.base import Application, Place
from rookery.edge.apps.cache import Cache, Message
from rookery.edge.apps.link import Link
from rookery.edge.apps.mqtt.app import MIB, broker_of, client_id_of
from rookery.edge.apps.sparkplug import payload as sp
from rookery.edge.errors import EdgeError
from rookery.edge.model import LinkState, NodeStatus, Report, Subscription, Tag, Write

NAMESPACE = "spBv1.0"
REBIRTH = "Node Control/Rebirth"


class Sparkplug(Application):
    """One edge node."""

    def __init__(self, setting: Mapping[str, Any], place: Place) -> None:
        self._setting = setting
        self._place = place
        disk = setting["cache-disk-size"] * MIB if setting["offline-cache"] else 0
        self._cache = Cache(place.folder, setting["cache-mem-size"] * MIB, disk)
        self._link: Link | None = None
        self._groups: dict[str, list[str]] = {}
        self._tags: dict[tuple[str, str], Mapping[str, Tag]] = {}
        self._born: set[str] = set()
        self._born_at_ms = 0
        self._seq = 0
        self._bd_seq = -1

    # -- life ----------------------------------------------------------------------------

    async def start(self, subscriptions: Sequence[Subscription]) -> None:
        await self._cache.open()
        client_id = await asyncio.to_thread(client_id_of, self._setting, self._place.folder)
        self._groups = _groups(subscriptions)
        setting = self._setting
        self._link = Link(
            broker_of(setting, client_id),
            self._place,
            self._cache,
            qos=0,
            pause_s=setting["cache-sync-interval"] / 1000,
            filters=(self._topic("NCMD"), self._topic("DCMD", "+")),
            handler=self._commanded,
            greeted=self._greet,
            last=self._say_good_bye,
            prepare=self._prepare,
            will=self._will,
        )
        self._link.start()

    async def stop(self) -> None:
        if self._link is not None:
            await self._link.stop()
        await self._cache.close()

    def figures(self) -> Mapping[str, int | float]:
        link, cache = self._link, self._cache
        return {
            "send_msgs_total": link.sent if link is not None else 0,
            "send_msg_errors_total": (link.failed if link is not None else 0) + cache.dropped,
            "recv_msgs_total": link.received if link is not None else 0,
            "send_bytes": link.sent_bytes if link is not None else 0,
            "cached_msgs": cache.waiting,
            "cached_bytes": cache.disk_bytes,
            "dropped_msgs_total": cache.dropped,
        }

    def _topic(self, kind: str, device: str = "") -> str:
        setting = self._setting
        topic = f"{NAMESPACE}/{setting['group_id']}/{kind}/{setting['node_id']}"
        return f"{topic}/{device}" if device else topic

    # -- what comes from drivers -----------------------------------------------------------

    def take(self, report: Report, subscription: Subscription) -> None:
        key = (report.node, report.group)
        if self._tags.get(key) is not report.tags:
            # Whoever listens knows no tag that was not in the birth.
            is_new = key not in self._tags
            self._tags[key] = report.tags
            if not is_new or report.node not in self._born:
                self._put("DBIRTH", report.node)
        metrics = [
            sp.metric_of(f"{report.group}/{name}", tag.type, report.values.get(name))
            for name, tag in report.tags.items()
            if name in report.values or name in report.errors
        ]
        self._put("DDATA", report.node, sp.encode(sp.payload(report.timestamp_ms, metrics)))

    def subscribed(self, subscriptions: Sequence[Subscription]) -> None:
        groups = _groups(subscriptions)
        for device in self._groups.keys() | groups.keys():
            if device not in groups:
                self._put("DDEATH", device)
            elif groups[device] != self._groups.get(device):
                self._put("DBIRTH", device)
        self._groups = groups
        self._tags = {key: tags for key, tags in self._tags.items() if key[0] in groups}

    def linked(self, status: NodeStatus) -> None:
        if status.node in self._groups:
            is_there = status.link is LinkState.CONNECTED
            self._put("DBIRTH" if is_there else "DDEATH", status.node)

    def _put(self, kind: str, device: str, body: bytes = b"") -> None:
        self._cache.put(Message(self._cache.number(), f"{kind}/{device}", body))

    # -- what goes to the broker -------------------------------------------------------------

    def _will(self) -> Will:
        self._bd_seq = (self._bd_seq + 1) % 256
        return Will(self._topic("NDEATH"), self._death(), 1)

    def _death(self) -> bytes:
        now_ms = self._place.clock.now_ms()
        return sp.encode(sp.payload(now_ms, [sp.Metric("bdSeq", sp.INT64, self._bd_seq)]))

    async def _greet(self, connection: Connection) -> None:
        for topic, body in self._births():
            await connection.publish(topic, body, 0, False, None)

    async def _say_good_bye(self, connection: Connection) -> None:
        await connection.publish(self._topic("NDEATH"), self._death(), 0, False, None)

    def _births(self) -> Iterator[tuple[str, bytes]]:
        """Of the node, then of every device that is there."""
        now_ms = self._born_at_ms = self._place.clock.now_ms()
        self._seq = 0
        self._born.clear()
        metrics = [
            sp.Metric("bdSeq", sp.INT64, self._bd_seq),
            sp.Metric(REBIRTH, sp.BOOLEAN, False),
        ]
        yield self._topic("NBIRTH"), sp.encode(sp.payload(now_ms, metrics), 0)
        there = {
            status.node
            for status in self._place.drivers.statuses()
            if status.link is LinkState.CONNECTED
        }
        for device in self._groups:
            if device in there:
                yield self._birth(device)

    def _birth(self, device: str) -> tuple[str, bytes]:
        made = sp.payload(self._place.clock.now_ms(), self._metrics(device))
        self._born.add(device)
        return self._topic("DBIRTH", device), sp.encode(made, self._next_seq())

    def _metrics(self, device: str) -> Iterator[sp.Metric]:
        drivers = self._place.drivers
        for group in self._groups.get(device, ()):
            try:
                tags, values = drivers.tags(device, group), drivers.read(device, group)
            except EdgeError:
                # It was deleted a moment ago; the subscription goes too.
                continue
            self._tags[device, group] = tags
            for one in values:
                value = None if one.error else one.value
                yield sp.metric_of(f"{group}/{one.name}", tags[one.name].type, value)

    def _next_seq(self) -> int:
        self._seq = (self._seq + 1) % 256
        return self._seq

    def _prepare(self, message: Message) -> list[tuple[str, bytes]]:
        kind, _, device = message.topic.partition("/")
        if kind == "REBIRTH":
            return list(self._births())
        if kind == "DBIRTH":
            return [self._birth(device)] if device in self._groups else []
        if kind == "DDEATH":
            if device not in self._born:
                return []
            self._born.discard(device)
            made = sp.payload(self._place.clock.now_ms(), ())
            return [(self._topic("DDEATH", device), sp.encode(made, self._next_seq()))]
        if device not in self._groups:
            return []
        births = [] if device in self._born else [self._birth(device)]
        data = sp.decode(message.payload)
        is_old = data.timestamp < self._born_at_ms
        body = sp.encode(data, self._next_seq(), is_historical=is_old)
        return [*births, (self._topic("DDATA", device), body)]

    # -- commands --------------------------------------------------------------------------

    async def _commanded(self, _connection: Connection, message: MQTTMessage) -> None:
        if message.retain:
            return
        try:
            values = dict(sp.values_of(sp.decode(bytes(message.payload))))
        except ValueError:
            return
        device = message.topic.removeprefix(self._topic("DCMD") + "/")
        if device == message.topic:
            if values.get(REBIRTH) is True:
                self._put("REBIRTH", "")
            return
        if not self._setting["commands"] or device not in self._groups:
            return
        writes = []
        for name, value in values.items():
            group, _, tag = name.partition("/")
            if group in self._groups[device]:
                writes.append(Write(group, tag, value))
        if writes:
            # What came of it is in the data that follows.
            await self._place.drivers.write_all(device, writes)


def _groups(subscriptions: Sequence[Subscription]) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for one in subscriptions:
        made.setdefault(one.driver, []).append(one.group)
    return made
