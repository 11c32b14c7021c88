"""Sends what waits: woken by who put it there, by the time of the next attempt, and by a sweep."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.alarms.catalogue import Kind
from rookery.control.alarms.findings import Finding
from rookery.control.alarms.ledger import Ledger, Subject, check_of, count
from rookery.control.alarms.project import LOCK, Project
from rookery.control.alarms.push.attempt import Attempt
from rookery.control.alarms.push.directory import Directory
from rookery.control.alarms.push.mails import AT_ONCE, GAP_MS, Mails
from rookery.control.alarms.push.messages import Origin, Told, told_of
from rookery.control.alarms.push.queue import Claimed, Queue, due_on
from rookery.control.alarms.push.store import ChannelRow, DeliveryRow, Event, Medium
from rookery.control.alarms.push.webhook import Caller
from rookery.control.alarms.store import AlarmCheckRow, current_by_key, rules_of
from rookery.control.alarms.telling import Telling
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control.alarms")

LOOK_S = 15.0
"""What another process left behind is found after so long."""
CHANNEL = "channel"


class Sender:
    """Sends messages of all projects, several lanes at a time. Lives on one event loop."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        queue: Queue,
        directory: Directory,
        mails: Mails,
        caller: Caller,
        ledger: Ledger,
        telling: Telling,
    ) -> None:
        self._database = database
        self._clock = clock
        self._queue = queue
        self._directory = directory
        self._mails = mails
        self._caller = caller
        self._ledger = ledger
        self._telling = telling
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin on the running loop."""
        await self._queue.take_over()
        self._task = asyncio.create_task(self._run(), name="alarm messages")

    async def close(self) -> None:
        """Stop between two attempts or in one: then it is made again. May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            await ended("pushing alarms", task)
        await self._caller.close()

    def wake(self) -> None:
        """There may be something to be sent."""
        self._news.set()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            pause_s = LOOK_S
            try:
                pause_s = await self._turn()
            except RookeryError as error:
                _log.warning("messages are sent later: %s", error)
            except Exception:  # noqa: BLE001 -- one failure must not end the sending for good
                _log.exception("messages are sent later")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._news.wait()

    async def _turn(self) -> float:
        """Send what is due; how long nothing will be."""
        while lanes := await self._queue.claim(await self._now_ms()):
            async with asyncio.TaskGroup() as group:
                for lane in lanes:
                    group.create_task(self._on_lane(lane))
        now_ms = await self._now_ms()
        next_ms = await self._queue.next_due(now_ms)
        if next_ms is None:
            return LOOK_S
        return min(max((next_ms - now_ms) / 1000, 0.05), LOOK_S)

    async def _now_ms(self) -> int:
        async with self._database.read() as session:
            return await self._database.now_ms(session, self._clock.now_ms())

    async def _on_lane(self, lane: Claimed) -> None:
        quiet_ms = 0
        try:
            quiet_ms = await self._send_due(lane)
        except RookeryError as error:
            _log.warning("a message of an alarm is sent later: %s", error)
            quiet_ms = await self._now_ms() + round(LOOK_S * 1000)
        finally:
            with contextlib.suppress(RookeryError):
                await self._queue.release(lane, quiet_ms)

    async def _send_due(self, lane: Claimed) -> int:
        """One message with all that goes into it; until when the lane is left alone."""
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            channel = await session.get(ChannelRow, lane.channel_id)
            if channel is None:
                return 0
            at_once = self._at_once(lane.medium, channel)
            rows = await due_on(session, lane, now_ms, at_once)
            if not rows:
                return 0
            origin = await self._directory.origin(session, channel)
        told = [told_of(Event(row.event), row.content, origin) for row in rows]
        attempt = await self.attempt(channel, lane.medium, told, origin, rows[0].id)
        return await self._write_down(channel, lane.medium, rows, attempt)

    def _at_once(self, medium: Medium, channel: ChannelRow) -> int:
        return AT_ONCE if medium is Medium.MAIL else self._directory.webhook(channel).at_once

    def _gap_ms(self, medium: Medium, channel: ChannelRow) -> int:
        return GAP_MS if medium is Medium.MAIL else self._directory.webhook(channel).gap_ms

    async def attempt(
        self,
        channel: ChannelRow,
        medium: Medium,
        told: Sequence[Told],
        origin: Origin,
        delivery_id: str,
    ) -> Attempt:
        """Send it once."""
        began_s = self._clock.monotonic_s()
        if medium is Medium.MAIL:
            mail, is_own = await self._directory.mail(channel.project_id)
            found = await self._mails.send(mail, channel.recipients, told, origin, is_own=is_own)
        else:
            webhook = self._directory.webhook(channel)
            found = await self._caller.call(webhook, told, origin, delivery_id)
        duration_ms = round((self._clock.monotonic_s() - began_s) * 1000)
        return replace(found, duration_ms=duration_ms)

    async def _write_down(
        self, channel: ChannelRow, medium: Medium, rows: Sequence[DeliveryRow], attempt: Attempt
    ) -> int:
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            quiet_ms = await self._queue.finish(session, [row.id for row in rows], attempt, now_ms)
            await self._watch(session, channel, medium, attempt, now_ms)
        self._telling.changed([channel.project_id])
        return max(quiet_ms, now_ms + self._gap_ms(medium, channel))

    async def _watch(
        self,
        session: AsyncSession,
        channel: ChannelRow,
        medium: Medium,
        attempt: Attempt,
        now_ms: int,
    ) -> None:
        """That a way does not work is an alarm too."""
        kind = Kind.MAIL_FAILED if medium is Medium.MAIL else Kind.WEBHOOK_FAILED
        rule = (await rules_of(session, [channel.project_id]))[channel.project_id][kind]
        subject = Subject(f"{kind}:{channel.id}", kind, CHANNEL, channel.id, channel.name)
        pair = (channel.project_id, subject.key)
        row = await session.get(AlarmCheckRow, pair)
        project = await Project.load(session, channel.project_id, now_ms)
        if not rule.is_enabled or not project.settings.is_enabled:
            return
        values = {
            "channel": channel.name,
            "reason": attempt.reason,
            "reason_zh": attempt.reason_zh,
        }
        before = check_of(row)
        # Two attempts within a millisecond are two all the same.
        at_ms = max(now_ms, before.at_ms + 1)
        counted = count(
            subject, rule, Finding(kind, not attempt.is_sent, at_ms, values=values), before
        )
        if not counted.has_changed:
            return
        current = (await current_by_key(session, [pair])).get(pair)
        await self._ledger.settle(session, project, counted, row, current, now_ms)
