"""A rule while it runs: reports go into a core of its own, which evaluates the SQL, and results come out of it.

The core is that of the broker, without a listener: nobody but this rule reaches it.

**Bounds.** :data:`REPORTS_MAX` reports wait for the core and :data:`RESULTS_MAX` results for what is done with
them; the oldest gives way and is counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rookery.edge.apps.base import Application, Place
from rookery.edge.apps.cache import Cache, Message
from rookery.edge.apps.link import Link
from rookery.edge.apps.mqtt import requests
from rookery.edge.apps.mqtt.app import MIB, broker_of, client_id_of
from rookery.edge.apps.payload import dump
from rookery.edge.model import LinkState, NodeStatus, Report, Subscription
from rookery.ending import ended
from rookery.engine.broker import Broker
from rookery.engine.subscription import Subscription as Results
from rookery.errors import RookeryError
from rookery.native.rules import OutputSpec, Republish, RuleSpec
from rookery.words import Words

REPORTS_MAX = 1000
RESULTS_MAX = 10_000
LOOK_S = 1.0
"""What the core counts is looked at so often at most, while there are reports."""
RULE = "rule"
# No group of a device is called so, and `#` of the SQL does not mean it.
_PUBLISHED, _WRITTEN = "$rule/publish/", "$rule/write"

_FAILS = Words(
    "the SQL fails: {failed} of {matched} reports. Look at the types that it expects",
    "SQL 执行失败：{matched} 条数据中 {failed} 条出错，请检查字段类型",
)
_NOT_WRITTEN = Words("a result was not written: {reason}", "结果写入设备失败：{reason}")


class RuleApplication(Application):
    """One rule."""

    def __init__(self, setting: Mapping[str, Any], place: Place) -> None:
        self._setting = setting
        self._place = place
        self._log = logging.getLogger(f"rookery.edge.node.{place.name}")
        disk = setting["cache-disk-size"] * MIB if setting["offline-cache"] else 0
        self._cache = Cache(place.folder, setting["cache-mem-size"] * MIB, disk)
        self._core = Broker(listeners={}, node_name="rule@127.0.0.1")
        self._link: Link | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._reports: deque[Report] = deque(maxlen=REPORTS_MAX)
        self._came, self._fed = asyncio.Event(), asyncio.Event()
        self._counted = (0, 0)
        self._taken = self._dropped = self._results = self._unwritten = 0
        # What is wrong with the rule, and what with the connection.
        self._problems: dict[str, Words | None] = {}
        self._connected = LinkState.DISCONNECTED

    async def start(self, subscriptions: Sequence[Subscription]) -> None:
        await self._core.start()
        await self._core.rules.put(RuleSpec(RULE, self._setting["sql"], outputs=self._outputs()))
        results = self._core.subscribe("$rule/#", qos=0, queue_max=RESULTS_MAX)
        results.open()
        work = (self._feed(), self._watch(), self._act(results))
        name = f"edge rule {self._place.name}"
        self._tasks = [asyncio.create_task(each, name=name) for each in work]
        if self._setting["publish"]:
            await self._connect()
        else:
            self._linked(LinkState.CONNECTED, None)

    async def _connect(self) -> None:
        await self._cache.open()
        setting = self._setting
        client_id = await asyncio.to_thread(client_id_of, setting, self._place.folder)
        self._link = Link(
            broker_of(setting, client_id),
            replace(self._place, link=self._linked),
            self._cache,
            qos=setting["qos"],
            pause_s=setting["cache-sync-interval"] / 1000,
        )
        self._link.start()

    def _outputs(self) -> Sequence[OutputSpec]:
        found: list[OutputSpec] = []
        if self._setting["publish"]:
            topic, payload = self._setting["topic"], self._setting["payload"] or ""
            found.append(_told(_PUBLISHED + topic, payload))
        if self._setting["write"]:
            found.append(_told(_WRITTEN, ""))
        return found

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        await ended("a rule application", *tasks)
        await self._core.stop(grace_s=1.0)
        if self._link is not None:
            await self._link.stop()
        await self._cache.close()

    def take(self, report: Report, subscription: Subscription) -> None:
        self._taken += 1
        self._dropped += len(self._reports) == REPORTS_MAX
        self._reports.append(report)
        self._came.set()

    def subscribed(self, subscriptions: Sequence[Subscription]) -> None:
        """Every report comes with its group."""

    def linked(self, status: NodeStatus) -> None:
        """What a driver cannot read is in its reports."""

    def figures(self) -> Mapping[str, int | float]:
        link, cache = self._link, self._cache
        return {
            "send_msgs_total": link.sent if link is not None else 0,
            "send_msg_errors_total": (link.failed if link is not None else 0) + self._unwritten,
            "recv_msgs_total": self._taken,
            "send_bytes": link.sent_bytes if link is not None else 0,
            "cached_msgs": cache.waiting if link is not None else 0,
            "dropped_msgs_total": self._dropped + (cache.dropped if link is not None else 0),
            "rule_results_total": self._results,
        }

    # -- in --------------------------------------------------------------------------------

    async def _feed(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            while self._reports:
                report = self._reports.popleft()
                await self._core.publish(f"{report.node}/{report.group}", _payload(report))
                self._fed.set()

    async def _watch(self) -> None:
        """Whether the SQL fails; from the first look on at which it does not, it is well."""
        while True:
            await self._fed.wait()
            self._fed.clear()
            counted = (await self._core.rules.counters())[RULE]
            matched, failed = counted.matched, counted.failed_exception
            before, self._counted = self._counted, (matched, failed)
            matched, failed = matched - before[0], failed - before[1]
            if matched:
                self._tell("sql", _FAILS.format(failed=failed, matched=matched) if failed else None)
            # Reports may come a hundred times a second, and nobody reads that.
            await asyncio.sleep(LOOK_S)

    # -- out -------------------------------------------------------------------------------

    async def _act(self, results: Results) -> None:
        async for message in results:
            self._results += 1
            if message.topic == _WRITTEN:
                await self._write(message.payload)
            else:
                topic = message.topic.removeprefix(_PUBLISHED)
                self._cache.put(Message(self._cache.number(), topic, message.payload))

    async def _write(self, payload: bytes) -> None:
        try:
            answer = await requests.write(self._place.drivers, payload)
        except RookeryError as error:
            answer = {"error": 1, "message": error.text()}
        if answer["error"]:
            self._unwritten += 1
            reason = answer.get("message") or answer["error"]
            self._tell("write", _NOT_WRITTEN.format(reason=reason))
        else:
            self._tell("write", None)

    # -- how it is -------------------------------------------------------------------------

    def _linked(self, state: LinkState, words: Words | None) -> None:
        self._connected = state
        self._tell("link", words)

    def _tell(self, what: str, words: Words | None) -> None:
        """The first of what is wrong is shown; a rule that does not do what it should is not connected."""
        if words is not None and self._problems.get(what) is None:
            self._log.warning("%s", words.en)
        self._problems[what] = words
        wrong = next((found for found in self._problems.values() if found is not None), None)
        is_well = wrong is None and self._connected is LinkState.CONNECTED
        self._place.link(LinkState.CONNECTED if is_well else LinkState.DISCONNECTED, wrong)


def _told(topic: str, payload: str) -> Republish:
    return Republish(
        topic=topic, qos="0", retain="false", payload=payload, user_properties="",
        direct_dispatch=True,
    )  # fmt: skip


def _payload(report: Report) -> bytes:
    return dump(
        {
            "timestamp": report.timestamp_ms,
            "node": report.node,
            "group": report.group,
            "values": report.values,
            "errors": report.errors,
        }
    )
