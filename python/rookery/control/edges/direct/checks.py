"""Asks edge services at addresses how they are, as often as agents of the others report.

One that does not answer three times is offline, as one whose agent is silent; why is written down at once.

**Bounds.** :data:`AT_ONCE` are asked at a time, each for :data:`ONE_S` at most.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sqlalchemy import update

from rookery.contracts.agent_edge import EdgeReport
from rookery.control.clusters.intake import Intake
from rookery.control.edges.direct import store, texts
from rookery.control.edges.direct.store import REASON_LENGTH_MAX, DirectEdgeRow
from rookery.control.edges.direct.way import DirectWay
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database
from rookery.words import Words

_log = logging.getLogger("rookery.control.edges")

AT_ONCE = 128
ONE_S = 20.0


class DirectChecks:
    """Lives on the event loop of the intake."""

    def __init__(self, database: Database, way: DirectWay, intake: Intake[EdgeReport]) -> None:
        self._database = database
        self._way = way
        self._intake = intake
        self._asking: set[asyncio.Task[None]] = set()

    async def look(self) -> None:
        """Ask all of them."""
        async with self._database.read() as session:
            rows = await store.all_of(session)
        await self._ask_all(rows)

    def soon(self, rows: Sequence[DirectEdgeRow]) -> None:
        """Ask some at once: somebody looks at them."""
        task = asyncio.create_task(self._ask_all(rows), name="direct edges")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def close(self) -> None:
        """May be called twice."""
        await ended("asking edge services", *self._asking)

    async def _ask_all(self, rows: Sequence[DirectEdgeRow]) -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(row: DirectEdgeRow) -> None:
            async with room:
                await self._ask(row)

        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(one(row))

    async def _ask(self, row: DirectEdgeRow) -> None:
        said = await self._problem_of(row)
        problem, problem_zh = said.en[:REASON_LENGTH_MAX], said.zh[:REASON_LENGTH_MAX]
        if (row.problem, row.problem_zh) == (problem, problem_zh):
            return
        try:
            async with self._database.write() as session:
                await session.execute(
                    update(DirectEdgeRow)
                    .where(DirectEdgeRow.service_id == row.service_id)
                    .values(problem=problem, problem_zh=problem_zh)
                )
        except RookeryError as error:
            _log.warning("why %s cannot be asked is told later: %s", row.address, error)

    async def _problem_of(self, row: DirectEdgeRow) -> Words:
        """Why it could not be asked; empty: it could."""
        try:
            async with asyncio.timeout(ONE_S):
                report = await self._way.report(self._way.place_of(row))
        except RookeryError as error:
            return Words(error.text("en"), error.text("zh"))
        except TimeoutError:
            return Words(*texts.NO_ANSWER).format(address=row.address)
        # That it answered is its connection.
        self._intake.report(row.agent_id, report, through_relay=True)
        return Words("", "")
