"""Keeps figures of one sort of things, rolls them up, forgets them, and answers what they were."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.errors import InvalidError, Text
from rookery.control.metrics import store
from rookery.control.metrics.codec import pack, pack_sample, unpack
from rookery.control.metrics.series import BY_CODE
from rookery.control.metrics.store import Row, Shelf
from rookery.control.metrics.summary import Summaries
from rookery.control.metrics.tiers import (
    LATE_MS,
    SLOT_MS,
    Line,
    Plan,
    Tier,
    lines,
    plan,
    rolled,
    tiers,
)
from rookery.storage.database import Database

OWNERS_AT_ONCE = 500
"""So many are rolled up in one transaction."""
SPANS_AT_ONCE = 120
"""So many spans of time are caught up at a time, after a longer stop."""
HOLD = 1.5
"""A value holds for so many report intervals."""

BAD_SPAN = Text("the end has to come after the beginning", "结束时间须晚于开始时间")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        from_ms: From when on; None: see ``last_ms``.
        to_ms: Until when; None: now.
        last_ms: For how long before that, where no beginning is given.
        step_ms: How much time a point is of, at least.
        names: Which figures; empty: all.
        node: Of which node; empty: of the thing as a whole; ``*``: of everything.
    """

    from_ms: int | None = None
    to_ms: int | None = None
    last_ms: int = 3_600_000
    step_ms: int | None = None
    names: Sequence[str] = ()
    node: str = ""


EVERY_NODE = "*"


class FigureKeeping:
    """Figures over time."""

    def __init__(
        self, database: Database, clock: Clock, shelf: Shelf, kept_ms: Sequence[int]
    ) -> None:
        self._database = database
        self._clock = clock
        self._shelf = shelf
        self.tiers = tiers(kept_ms)

    async def put(
        self,
        session: AsyncSession,
        counted: Iterable[tuple[str, int, Mapping[str, Mapping[int, float]]]],
    ) -> None:
        """Keep what was counted: whose it is, when, and the figures."""
        rows: dict[tuple[str, int], Row] = {}
        for owner_id, when_ms, sample in counted:
            at_ms = when_ms // SLOT_MS * SLOT_MS
            rows[owner_id, at_ms] = (owner_id, at_ms, pack_sample(sample))
        await store.put(session, self._shelf, self.tiers[0].number, list(rows.values()))

    # -- as time passes ------------------------------------------------------------------------

    async def roll_up(self) -> None:
        """Roll up what is complete, and forget what is old. Doing it twice changes nothing."""
        for finer, coarser in zip(self.tiers, self.tiers[1:], strict=False):
            await self._roll_up(finer, coarser)
        async with self._database.write() as session:
            now_ms = await self._now(session)
            for tier in self.tiers:
                await store.drop_before(session, self._shelf, tier.number, now_ms - tier.kept_ms)

    async def _roll_up(self, finer: Tier, coarser: Tier) -> None:
        async with self._database.read() as session:
            now_ms = await self._now(session)
            marks = await store.marks(session, self._shelf)
        complete_ms = marks.get(finer.number, 0) if finer.number else now_ms - LATE_MS
        until_ms = complete_ms // coarser.step_ms * coarser.step_ms
        begin_ms = marks.get(coarser.number, 0)
        for _ in range(SPANS_AT_ONCE):
            async with self._database.read() as session:
                first_ms = await store.first_at(session, self._shelf, finer.number, begin_ms)
            if first_ms is None or first_ms >= until_ms:
                begin_ms = max(begin_ms, until_ms)
                break
            begin_ms = first_ms // coarser.step_ms * coarser.step_ms
            await self._roll_up_span(finer, coarser, begin_ms)
            begin_ms += coarser.step_ms
        if begin_ms > marks.get(coarser.number, 0):
            async with self._database.write() as session:
                await store.put_mark(session, self._shelf, coarser.number, begin_ms)

    async def _roll_up_span(self, finer: Tier, coarser: Tier, begin_ms: int) -> None:
        after: tuple[str, int] | None = None
        most = OWNERS_AT_ONCE * (coarser.step_ms // min(finer.step_ms, SLOT_MS))
        while True:
            async with self._database.read() as session:
                rows = await store.rows_between(
                    session,
                    self._shelf,
                    finer.number,
                    begin_ms,
                    begin_ms + coarser.step_ms,
                    after=after,
                    limit=most,
                )
            whole = rows if len(rows) < most else _whole_owners(rows)
            made = await asyncio.to_thread(_rolled, whole, coarser.step_ms)
            async with self._database.write() as session:
                await store.put(session, self._shelf, coarser.number, made)
            if len(rows) < most:
                return
            after = (whole[-1][0], 0)

    # -- looking -------------------------------------------------------------------------------

    async def ask(
        self, session: AsyncSession, owner_id: str, interval_ms: int, question: Question
    ) -> tuple[Plan, Sequence[Line]]:
        """Figures of one, which reports that often.

        Raises:
            InvalidError: it ends before it begins.
        """
        now_ms = await self._now(session)
        to_ms = now_ms if question.to_ms is None else min(question.to_ms, now_ms)
        from_ms = to_ms - question.last_ms if question.from_ms is None else question.from_ms
        oldest_ms = now_ms - self.tiers[-1].kept_ms
        from_ms = max(from_ms, oldest_ms)
        if from_ms >= to_ms:
            raise InvalidError(BAD_SPAN)
        chosen = plan(self.tiers, from_ms, to_ms, now_ms, question.step_ms)
        hold_ms = max(round(interval_ms * HOLD), SLOT_MS)
        rows = await self._rows(session, owner_id, chosen, hold_ms)
        return chosen, await asyncio.to_thread(_lines, rows, chosen, question, hold_ms)

    async def _rows(
        self, session: AsyncSession, owner_id: str, chosen: Plan, hold_ms: int
    ) -> list[Row]:
        """Of the chosen tier as far as it is rolled up, the rest of finer ones."""
        marks = await store.marks(session, self._shelf)
        found: list[Row] = []
        begin_ms = chosen.from_ms - hold_ms
        for tier in reversed(self.tiers[: chosen.tier.number + 1]):
            is_finest = tier.number == 0
            end_ms = chosen.to_ms if is_finest else min(marks.get(tier.number, 0), chosen.to_ms)
            if end_ms > begin_ms:
                found += await store.rows_between(
                    session, self._shelf, tier.number, begin_ms, end_ms, owner_id
                )
                begin_ms = end_ms
        return found

    async def _now(self, session: AsyncSession) -> int:
        return await self._database.now_ms(session, self._clock.now_ms())


def _whole_owners(rows: Sequence[Row]) -> Sequence[Row]:
    """Without the last owner, of which there may be more; it comes first the next time."""
    last = rows[-1][0]
    whole = [row for row in rows if row[0] != last]
    return whole or rows


def _rolled(rows: Iterable[Row], step_ms: int) -> list[Row]:
    by_owner: dict[str, list[tuple[int, Summaries]]] = {}
    for owner_id, at_ms, data in rows:
        by_owner.setdefault(owner_id, []).append((at_ms, unpack(data)))
    return [
        (owner_id, at_ms, pack(summaries))
        for owner_id, found in by_owner.items()
        for at_ms, summaries in rolled(found, step_ms).items()
    ]


def _lines(rows: Sequence[Row], chosen: Plan, question: Question, hold_ms: int) -> Sequence[Line]:
    read = [(at_ms, unpack(data)) for _, at_ms, data in rows]
    names = set(question.names)
    codes = [code for code, series in BY_CODE.items() if not names or series.name in names]
    nodes = {node for _, figures in read for node in figures}
    wanted: Mapping[str, Sequence[int]] = {
        node: codes for node in nodes if question.node in (EVERY_NODE, node)
    }
    return lines(read, chosen, wanted, hold_ms)


def shown_lines(found: Iterable[Line]) -> list[dict[str, Any]]:
    """As the REST interface has them; ``least`` and ``most`` where they say more than the values."""
    shown = []
    for line in found:
        series = BY_CODE.get(line.code)
        if series is None:
            continue
        has_spread = any(item is not None and item.least != item.most for item in line.points)
        shown.append(
            {
                "name": series.name,
                "unit": series.unit,
                "node": line.node,
                "values": [None if item is None else _plain(item.mean) for item in line.points],
                "least": [None if item is None else _plain(item.least) for item in line.points]
                if has_spread
                else None,
                "most": [None if item is None else _plain(item.most) for item in line.points]
                if has_spread
                else None,
            }
        )
    return shown


def _plain(value: float) -> float:
    """Seven digits, which is what there is of it."""
    return float(f"{value:.7g}")
