"""Takes messages out of the database to be sent, and writes down what became of them.

A *lane* is one way of one channel. Whoever wants to send on it claims it first, for a time: one process at a
time sends there, in order, and if it dies another takes over when that time is up. What was sent and could not
be written down any more is sent again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from rookery.control.alarms.push.attempt import Attempt
from rookery.control.alarms.push.store import ChannelRow, DeliveryRow, Event, LaneRow, Medium, State
from rookery.control.alarms.store import MESSAGE_LENGTH_MAX
from rookery.storage.database import Database

CLAIM_MS = 90_000
"""Longer than any attempt takes."""
ATTEMPTS_MAX = 10
PAUSE_MAX_MS = 600_000
LANES_AT_ONCE = 16
LOCK = "alarm lanes"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A lane that is this process's for a time."""

    channel_id: str
    medium: Medium


@dataclass(frozen=True, slots=True)
class Pace:
    """How failures are met: after each the pause is twice as long."""

    first_ms: int = 5_000
    attempts_max: int = ATTEMPTS_MAX

    def pause_ms(self, attempts: int) -> int:
        """After so many attempts; not to the dot, so that those who failed together come apart."""
        longest = min(self.first_ms << min(attempts - 1, 20), PAUSE_MAX_MS)
        return round(longest * random.uniform(0.8, 1.2))  # noqa: S311 -- no secret


class Queue:
    """The messages of all projects."""

    def __init__(self, database: Database, process_id: str, pace: Pace) -> None:
        self._database = database
        self._process_id = process_id
        self._pace = pace

    async def take_over(self) -> None:
        """A database that one process has alone knows nobody else: what was claimed is free again."""
        if not self._database.is_sqlite:
            return
        async with self._database.write() as session:
            await session.execute(update(LaneRow).values(claimed_by=None, claimed_until=0))

    async def claim(self, now_ms: int) -> Sequence[Claimed]:
        """Lanes on which something is due and nobody sends; they are this process's now."""
        async with self._database.read() as session:
            if not await _due_lanes(session, now_ms):
                return ()
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            found = await _due_lanes(session, now_ms)
            for channel_id, medium in found:
                await self._take(session, channel_id, medium, now_ms)
        return [Claimed(channel_id, Medium(medium)) for channel_id, medium in found]

    async def _take(self, session: AsyncSession, channel_id: str, medium: str, now_ms: int) -> None:
        lane = await session.get(LaneRow, (channel_id, medium))
        if lane is None:
            lane = LaneRow(channel_id=channel_id, medium=medium, quiet_until=0)
            session.add(lane)
        lane.claimed_by, lane.claimed_until = self._process_id, now_ms + CLAIM_MS

    async def next_due(self, now_ms: int) -> int | None:
        """When something is due on a lane that is free then; none: nothing waits."""
        greatest = func.max if self._database.is_sqlite else func.greatest
        free_at: ColumnElement[int] = greatest(
            DeliveryRow.due_at,
            func.coalesce(_quiet_until(), 0),
            func.coalesce(LaneRow.claimed_until, 0),
        )
        async with self._database.read() as session:
            found = await session.scalar(
                select(func.min(free_at))
                .select_from(DeliveryRow)
                .join(ChannelRow, ChannelRow.id == DeliveryRow.channel_id)
                .outerjoin(LaneRow, _same_lane())
                .where(DeliveryRow.state == str(State.QUEUED))
            )
        return None if found is None else max(int(found), now_ms)

    async def release(self, lane: Claimed, quiet_until_ms: int) -> None:
        """Others may send there, but not before that time."""
        async with self._database.write() as session:
            row = await session.get(LaneRow, (lane.channel_id, str(lane.medium)))
            if row is not None and row.claimed_by == self._process_id:
                row.claimed_by, row.claimed_until = None, 0
                row.quiet_until = max(row.quiet_until, quiet_until_ms)

    async def finish(
        self, session: AsyncSession, ids: Sequence[str], attempt: Attempt, now_ms: int
    ) -> int:
        """Write down what became of an attempt; until when the lane is to be left alone."""
        quiet_ms = 0
        for row in await session.scalars(select(DeliveryRow).where(DeliveryRow.id.in_(ids))):
            row.attempts += 1
            row.status, row.duration_ms = attempt.status, attempt.duration_ms
            row.reason = attempt.reason[:MESSAGE_LENGTH_MAX]
            row.reason_zh = attempt.reason_zh[:MESSAGE_LENGTH_MAX]
            if attempt.is_sent:
                row.state, row.finished_at = str(State.SENT), now_ms
            elif attempt.is_final or row.attempts >= self._pace.attempts_max:
                row.state, row.finished_at = str(State.FAILED), now_ms
                await _drop_what_follows(session, row, now_ms)
            else:
                pause_ms = self._pace.pause_ms(row.attempts)
                pause_ms = max(pause_ms, round(attempt.retry_after_s * 1000))
                row.due_at = now_ms + pause_ms
                # Who does not answer is not asked more often because more is to be told.
                quiet_ms = max(quiet_ms, row.due_at)
        return quiet_ms


async def _due_lanes(session: AsyncSession, now_ms: int) -> Sequence[tuple[str, str]]:
    rows = await session.execute(
        select(DeliveryRow.channel_id, DeliveryRow.medium)
        .join(ChannelRow, ChannelRow.id == DeliveryRow.channel_id)
        .outerjoin(LaneRow, _same_lane())
        .where(
            DeliveryRow.state == str(State.QUEUED),
            DeliveryRow.due_at <= now_ms,
            or_(
                LaneRow.channel_id.is_(None),
                and_(_quiet_until() <= now_ms, LaneRow.claimed_until <= now_ms),
            ),
        )
        .group_by(DeliveryRow.channel_id, DeliveryRow.medium)
        .order_by(func.min(DeliveryRow.due_at))
        .limit(LANES_AT_ONCE)
    )
    return [(channel_id, medium) for channel_id, medium in rows]


def _quiet_until() -> ColumnElement[int]:
    """That there is a storm is told at once, whatever was sent just before."""
    at_once = literal(0, BigInteger)
    return case((DeliveryRow.event == str(Event.STORM), at_once), else_=LaneRow.quiet_until)


def _same_lane() -> ColumnElement[bool]:
    return and_(LaneRow.channel_id == DeliveryRow.channel_id, LaneRow.medium == DeliveryRow.medium)


async def due_on(
    session: AsyncSession, lane: Claimed, now_ms: int, at_once: int
) -> Sequence[DeliveryRow]:
    """What is to be sent on a lane next, in the order in which it happened.

    That an alarm is over is not told before that it was there, if that still waits.
    """
    earlier = aliased(DeliveryRow)
    is_first_told = (
        select(earlier.id)
        .where(
            earlier.channel_id == DeliveryRow.channel_id,
            earlier.medium == DeliveryRow.medium,
            earlier.alarm_id == DeliveryRow.alarm_id,
            earlier.order < DeliveryRow.order,
            earlier.state == str(State.QUEUED),
            earlier.due_at > now_ms,
        )
        .exists()
    )
    rows = await session.scalars(
        select(DeliveryRow)
        .where(
            DeliveryRow.channel_id == lane.channel_id,
            DeliveryRow.medium == str(lane.medium),
            DeliveryRow.state == str(State.QUEUED),
            DeliveryRow.due_at <= now_ms,
            ~is_first_told,
        )
        .order_by(DeliveryRow.order)
        .limit(at_once)
    )
    return rows.all()


async def _drop_what_follows(session: AsyncSession, failed: DeliveryRow, now_ms: int) -> None:
    """Nobody who was not told of an alarm is told that it is over."""
    if failed.event != Event.FIRED or failed.alarm_id is None:
        return
    rows = await session.scalars(
        select(DeliveryRow).where(
            DeliveryRow.channel_id == failed.channel_id,
            DeliveryRow.medium == failed.medium,
            DeliveryRow.alarm_id == failed.alarm_id,
            DeliveryRow.event == str(Event.RESOLVED),
            DeliveryRow.state == str(State.QUEUED),
        )
    )
    for row in rows:
        row.state, row.finished_at = str(State.DROPPED), now_ms
        row.reason, row.reason_zh = failed.reason, failed.reason_zh
