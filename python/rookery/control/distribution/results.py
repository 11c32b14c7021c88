"""Writes what became of edge services, as many at a time as there are: two hundred of them are not two hundred
transactions. Who has a result written knows that it is when :meth:`Results.put` returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.distribution.store import (
    TEXT_LENGTH_MAX,
    DesiredRow,
    TargetRow,
    TargetState,
)
from rookery.control.edges.store import EdgeServiceRow
from rookery.storage.database import Database


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one edge service.

    Attributes:
        number: The version that it has now, where it succeeded; 0: none.
        english: Why it failed.
        chinese: The same.
    """

    delivery_id: str
    template_id: str
    service_id: str
    state: TargetState
    number: int = 0
    english: str = ""
    chinese: str = ""


class Results:
    """What waits to be written. Lives on one event loop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[tuple[Result, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, result: Result) -> None:
        """Have it written, with all that wait.

        Raises:
            UnavailableError: the database does not answer; nothing was written.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, written))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="results of deliveries")
        await written

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                async with self._database.write() as session:
                    await self._write(session, [result for result, _ in batch])
            except Exception as error:  # noqa: BLE001 - told to everybody who waits for it
                for _, written in batch:
                    if not written.done():
                        written.set_exception(error)
            else:
                for _, written in batch:
                    if not written.done():
                        written.set_result(None)

    async def _write(self, session: AsyncSession, results: Sequence[Result]) -> None:
        now_ms = self._clock.now_ms()
        good = [one for one in results if one.state is TargetState.SUCCEEDED]
        for delivery_id in {one.delivery_id for one in good}:
            service_ids = [one.service_id for one in good if one.delivery_id == delivery_id]
            await session.execute(
                update(TargetRow)
                .where(TargetRow.delivery_id == delivery_id)
                .where(TargetRow.service_id.in_(service_ids))
                .values(state=TargetState.SUCCEEDED, ended_at=now_ms)
            )
        for one in results:
            if one.state is not TargetState.SUCCEEDED:
                await session.execute(
                    update(TargetRow)
                    .where(TargetRow.delivery_id == one.delivery_id)
                    .where(TargetRow.service_id == one.service_id)
                    .values(
                        state=one.state,
                        message=one.english[:TEXT_LENGTH_MAX],
                        message_zh=one.chinese[:TEXT_LENGTH_MAX],
                        ended_at=now_ms,
                    )
                )
        for template_id in {one.template_id for one in good}:
            mine = [one for one in good if one.template_id == template_id]
            await _desire(session, template_id, mine, now_ms)


async def _desire(
    session: AsyncSession, template_id: str, results: Sequence[Result], now_ms: int
) -> None:
    """What these edge services have of a template from now on."""
    service_ids = [one.service_id for one in results]
    rows = await session.scalars(
        select(DesiredRow).where(
            DesiredRow.template_id == template_id, DesiredRow.service_id.in_(service_ids)
        )
    )
    known = {row.service_id: row for row in rows}
    there = set(
        await session.scalars(select(EdgeServiceRow.id).where(EdgeServiceRow.id.in_(service_ids)))
    )
    for one in results:
        row = known.get(one.service_id)
        if one.number == 0:
            if row is not None:
                await session.delete(row)
        elif row is not None:
            row.number, row.delivery_id, row.delivered_at = one.number, one.delivery_id, now_ms
        elif one.service_id in there:
            session.add(
                DesiredRow(
                    template_id=template_id,
                    service_id=one.service_id,
                    number=one.number,
                    delivery_id=one.delivery_id,
                    delivered_at=now_ms,
                )
            )
