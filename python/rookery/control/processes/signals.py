"""Tells the other processes of a database what happened in this one.

    signals.on("clusters", take)           # before it opens; called with the item
    signals.tell("clusters", "4f0c… 9a1b…")

An item names something; what is true of it is in the database. Notices can be lost, when the
database was away or too much happened at once: who registered with :meth:`Signals.on_gap` looks at
everything then. With SQLite there is one process and nobody to tell.

**Bounds.** :data:`PENDING_MAX` items wait to be told; beyond that all of them become one *gap*.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable, Iterator

from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database
from rookery.storage.notices import NOTICE_BYTES_MAX, NoticeLink, listening

_log = logging.getLogger("rookery.control")

CHANNEL = "rookery_control"
PENDING_MAX = 20_000
ITEM_BYTES_MAX = 512
PROBE_S = 15.0
RETRY_S = 3.0
_GAP = "gap"
_HEAD_BYTES = 128

Take = Callable[[str], None]


class Signals:
    """What goes from one process to the others. Lives on one event loop."""

    def __init__(self, database: Database, process_id: str) -> None:
        self._database = database
        self._process_id = process_id
        self._takers: dict[str, list[Take]] = {}
        self._gap_takers: list[Callable[[], None]] = []
        # In order, each once.
        self._pending: dict[tuple[str, str], None] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_listening = asyncio.Event()
        self.counters = {"signals.sent": 0, "signals.heard": 0, "signals.gaps": 0}

    def on(self, topic: str, take: Take) -> None:
        """Call ``take`` with each item that another process tells; it does not wait."""
        self._takers.setdefault(topic, []).append(take)

    def on_gap(self, take: Callable[[], None]) -> None:
        """Call ``take`` when something may not have been heard."""
        self._gap_takers.append(take)

    def tell(self, topic: str, item: str) -> None:
        """Tell the other processes, soon. After the transaction in which it became true."""
        if self._task is None:
            return
        assert len(item) <= ITEM_BYTES_MAX, item[:80]
        if len(self._pending) >= PENDING_MAX:
            self._pending.clear()
            topic = item = _GAP
        self._pending[topic, item] = None
        self._news.set()

    async def open(self) -> None:
        """Begin on the running loop; it goes on without the database and waits for it."""
        if self._database.is_sqlite:
            return
        self._task = asyncio.create_task(self._run(), name="signals between processes")

    async def close(self) -> None:
        """May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            await ended("signals between processes", task)

    # -- inside --------------------------------------------------------------------------------

    async def _run(self) -> None:
        is_first = True
        while True:
            try:
                async with listening(self._database.url, CHANNEL, self._heard) as link:
                    if not is_first:
                        self._gap()
                    is_first = False
                    await self._pass_on(link)
            except RookeryError as error:
                _log.warning("other processes are told nothing for a moment: %s", error)
            except Exception:  # noqa: BLE001 -- one failure must not end it for good
                _log.exception("signals between processes failed and begin anew")
            is_first = False
            await asyncio.sleep(random.uniform(RETRY_S / 2, RETRY_S))  # noqa: S311

    async def _pass_on(self, link: NoticeLink) -> None:
        while not link.lost.is_set():
            try:
                async with asyncio.timeout(PROBE_S):
                    await _first(self._news.wait(), link.lost.wait())
            except TimeoutError:
                await link.probe()
                continue
            self._news.clear()
            pending, self._pending = self._pending, {}
            try:
                for notice in notices(self._process_id, pending):
                    await link.say(notice)
            except RookeryError:
                self._pending = pending | self._pending
                self._news.set()
                raise
            self.counters["signals.sent"] += len(pending)

    def _heard(self, notice: str) -> None:
        try:
            said = json.loads(notice)
            sender, topic, items = said["from"], said["topic"], said["items"]
        except (ValueError, TypeError, KeyError):
            _log.warning("a notice that cannot be read")
            return
        if sender == self._process_id:
            return
        if topic == _GAP:
            self._gap()
            return
        for item in items:
            self.counters["signals.heard"] += 1
            for take in self._takers.get(topic, ()):
                take(str(item))

    def _gap(self) -> None:
        self.counters["signals.gaps"] += 1
        for take in self._gap_takers:
            take()


def notices(process_id: str, pending: dict[tuple[str, str], None]) -> Iterator[str]:
    """What is told, in as few notices as hold it."""
    by_topic: dict[str, list[str]] = {}
    for topic, item in pending:
        by_topic.setdefault(topic, []).append(item)
    for topic, items in by_topic.items():
        part: list[str] = []
        room = NOTICE_BYTES_MAX - _HEAD_BYTES
        for item in items:
            size = len(json.dumps(item)) + 2
            if part and size > room:
                yield _notice(process_id, topic, part)
                part, room = [], NOTICE_BYTES_MAX - _HEAD_BYTES
            part.append(item)
            room -= size
        yield _notice(process_id, topic, part)


def _notice(process_id: str, topic: str, items: list[str]) -> str:
    return json.dumps({"from": process_id, "topic": topic, "items": items})


async def _first(*waits: object) -> None:
    """Until one of these is over."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
