"""Carries deliveries out, wave by wave.

One process at a time is at a delivery: a claim in the database, extended while it is, keeps others away. When it
dies another takes the delivery up where it was. An edge service that was being asked is asked again then: it tells
a delivery that it has by its id, and does nothing twice. One that is away is asked again as soon as it is back,
wherever it connects, until its wave is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, or_, select, true, update

from rookery.clock import Clock
from rookery.control.distribution import render, store, texts
from rookery.control.distribution.carrier import Asking, Carrier, RefusedError, Version
from rookery.control.distribution.render import Document
from rookery.control.distribution.results import Result, Results
from rookery.control.distribution.sealed import Draft, Sealed
from rookery.control.distribution.store import (
    BAD,
    OPEN,
    UNDONE,
    DeliveryRow,
    DeliveryState,
    TargetRow,
    TargetState,
    TemplateRow,
    VersionRow,
)
from rookery.control.edges.store import EdgeServiceRow
from rookery.control.errors import InvalidError, MissingError, TakenError, Text
from rookery.control.processes.once import Once
from rookery.control.processes.signals import Signals
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control.distribution")

MOVED = "edge deliveries"
"""What processes tell each other: a delivery that began or was told to stop."""
AT_ONCE = 32
"""Edge services that one process asks at a time."""
CLAIM_MS = 30_000
LOOK_S = 15.0
AGAIN_S = 1.0
"""After a failure of the database."""
RETRY_S, RETRY_S_MAX = 10.0, 60.0
"""How long one that could not be asked rests, unless it is heard of before."""


@dataclass(slots=True)
class _Run:
    """A delivery that this process is at."""

    delivery_id: str
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    is_stopping: bool = False
    # By agent: set when it is back.
    resting: dict[str, asyncio.Event] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    """What every edge service of a delivery is told."""

    delivery: DeliveryRow
    version: Version
    draft: Draft
    document: Document


class Work:
    """Runs while the control plane does."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        process_id: str,
        once: Once,
        signals: Signals,
        sealed: Sealed,
        asking: Asking,
    ) -> None:
        self._database = database
        self._clock = clock
        self._process_id = process_id
        self._signals = signals
        self._sealed = sealed
        self._asking = asking
        self._results = Results(database, clock)
        self._runs: dict[str, _Run] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._is_closing = False
        once.every("edge deliveries", LOOK_S, self.take_up)
        signals.on(MOVED, self._moved)
        signals.on_gap(self._wake_all)

    async def open(self) -> None:
        """Take deliveries from now on, those first that an earlier run left."""
        self._is_closing = False
        try:
            await self.take_up()
        except RookeryError as error:
            _log.warning("deliveries are taken up later: %s", error)

    async def close(self) -> None:
        """Leave what is under way to the next process. May be called twice."""
        self._is_closing = True
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        await ended("distributing archives", *tasks)

    def begun(self, delivery_id: str) -> None:
        """A delivery began or was told to stop, here."""
        run = self._runs.get(delivery_id)
        if run is None:
            self._begin(delivery_id)
        else:
            run.woken.set()
        self._signals.tell(MOVED, delivery_id)

    def ready(self, agent_id: str) -> None:
        """An edge service can be asked again."""
        for run in self._runs.values():
            event = run.resting.get(agent_id)
            if event is not None:
                event.set()

    async def take_up(self) -> None:
        """Begin those that nobody is at."""
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            query = select(DeliveryRow.id).where(DeliveryRow.state.in_(OPEN), self._is_free(now_ms))
            found = (await session.scalars(query)).all()
        for delivery_id in found:
            if delivery_id not in self._runs:
                self._begin(delivery_id)

    # -- the runs ------------------------------------------------------------------------------

    def _begin(self, delivery_id: str) -> None:
        if self._is_closing:
            return
        run = self._runs[delivery_id] = _Run(delivery_id)
        run.task = asyncio.create_task(self._run(run), name=f"delivery {delivery_id}")
        run.task.add_done_callback(lambda task: self._ended(delivery_id, task))

    def _ended(self, delivery_id: str, task: asyncio.Task[None]) -> None:
        self._runs.pop(delivery_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a delivery failed and is taken up again", exc_info=error)

    def _moved(self, delivery_id: str) -> None:
        run = self._runs.get(delivery_id)
        if run is not None:
            run.woken.set()

    def _wake_all(self) -> None:
        for run in self._runs.values():
            run.woken.set()
            for event in run.resting.values():
                event.set()

    async def _run(self, run: _Run) -> None:
        if not await self._claim(run.delivery_id):
            return
        aside = [
            asyncio.create_task(self._keep_claim(run)),
            asyncio.create_task(self._watch(run)),
        ]
        try:
            await self._waves(run)
        except* RookeryError as errors:
            first = errors.exceptions[0]
            _log.warning("delivery %s is taken up again: %s", run.delivery_id, first)
        finally:
            await ended("distributing archives", *aside)
            await self._release(run.delivery_id)

    async def _watch(self, run: _Run) -> None:
        """Notice that somebody stops it."""
        while True:
            await run.woken.wait()
            run.woken.clear()
            try:
                async with self._database.read() as session:
                    row = await session.get(DeliveryRow, run.delivery_id)
            except RookeryError as error:
                _log.warning("delivery %s: %s", run.delivery_id, error)
                await asyncio.sleep(AGAIN_S)
                run.woken.set()
                continue
            if row is not None and row.state == DeliveryState.STOPPING:
                run.is_stopping = True
                for event in run.resting.values():
                    event.set()

    async def _waves(self, run: _Run) -> None:
        while True:
            async with self._database.read() as session:
                delivery = await session.get(DeliveryRow, run.delivery_id)
                targets = await store.targets_of(session, run.delivery_id)
            if delivery is None or delivery.state not in OPEN:
                return
            left = [one for one in targets if one.state in UNDONE]
            if not left:
                await self._end(run.delivery_id)
                return
            if delivery.state == DeliveryState.STOPPING:
                await self._skip(delivery, left, texts.STOPPED_BEFORE)
                continue
            wave = left[0].wave
            bad = sum(one.wave == wave - 1 and one.state in BAD for one in targets)
            if delivery.failures_max is not None and bad >= delivery.failures_max:
                await self._skip(
                    delivery, left, texts.STOPPED_BY_FAILURES, count=bad, wave=wave - 1
                )
                continue
            await self._wave(run, delivery, [one for one in left if one.wave == wave])

    async def _wave(self, run: _Run, delivery: DeliveryRow, targets: Sequence[TargetRow]) -> None:
        wave = targets[0].wave
        job = await self._job(delivery)
        async with self._database.write() as session:
            row = await session.get(DeliveryRow, delivery.id)
            if row is None or row.state != DeliveryState.RUNNING:
                return
            if row.wave < wave:
                row.wave, row.wave_at = wave, self._clock.now_ms()
                await session.execute(
                    update(TargetRow)
                    .where(TargetRow.delivery_id == row.id, TargetRow.wave == wave)
                    .where(TargetRow.state == TargetState.WAITING)
                    .values(state=TargetState.RUNNING)
                )
            until_ms = (row.wave_at or 0) + row.deadline_s * 1000
            service_ids = [target.service_id for target in targets]
            found = await session.execute(
                select(EdgeServiceRow.id, EdgeServiceRow.agent_id).where(
                    EdgeServiceRow.id.in_(service_ids)
                )
            )
            agents = {service_id: agent_id or service_id for service_id, agent_id in found}
        async with asyncio.TaskGroup() as group:
            for target in targets:
                agent_id = agents.get(target.service_id, target.service_id)
                group.create_task(self._target(run, job, target, agent_id, until_ms))

    async def _job(self, delivery: DeliveryRow) -> _Job:
        async with self._database.read() as session:
            template = await session.get(TemplateRow, delivery.template_id)
            version = await session.get(VersionRow, (delivery.template_id, delivery.number))
        if template is None or version is None:
            raise MissingError(texts.NO_TEMPLATE)
        told = Version(template=template.id, name=template.name, number=version.number)
        if delivery.rollback_of is not None:
            return _Job(delivery, told, Draft("", ()), {})
        draft = self._sealed.opened_draft(version.sealed)
        document = await asyncio.to_thread(render.read, draft.content, draft.parameters)
        return _Job(delivery, told, draft, document)

    # -- one edge service ----------------------------------------------------------------------

    async def _target(
        self, run: _Run, job: _Job, target: TargetRow, agent_id: str, until_ms: int
    ) -> None:
        back = run.resting[agent_id] = asyncio.Event()
        rest_s = RETRY_S
        try:
            while True:
                back.clear()
                async with self._places:
                    if run.is_stopping:
                        return
                    error = await self._try(job, target)
                if error is None:
                    return
                left_s = (until_ms - self._clock.now_ms()) / 1000
                if left_s <= 0:
                    await self._failed(job, target, TargetState.EXPIRED, *_expired(error))
                    return
                # Who stops it sets the same event.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(rest_s, left_s)):
                        await back.wait()
                rest_s = min(rest_s * 2, RETRY_S_MAX)
        finally:
            run.resting.pop(agent_id, None)

    async def _try(self, job: _Job, target: TargetRow) -> RookeryError | None:
        """Have it done, or know that it cannot be; else why it has to be tried again."""
        try:
            number = await self._carry(job, target)
        except (InvalidError, RefusedError, MissingError, TakenError) as error:
            await self._failed(job, target, TargetState.FAILED, error.text("en"), error.text("zh"))
            return None
        except RookeryError as error:
            return error
        ids = (job.delivery.id, job.delivery.template_id, target.service_id)
        await self._results.put(Result(*ids, TargetState.SUCCEEDED, number))
        return None

    async def _carry(self, job: _Job, target: TargetRow) -> int:
        """The version that the edge service has then; 0: none."""
        carrier = Carrier(self._asking, target.service_id)
        delivery = job.delivery
        if delivery.rollback_of is not None:
            return await carrier.roll_back(delivery.id, job.version.template, delivery.rollback_of)
        values = self._sealed.opened_values(target.sealed)
        document = await asyncio.to_thread(
            render.rendered, job.document, job.draft.parameters, values
        )
        await carrier.deliver(delivery.id, job.version, document)
        return job.version.number

    async def _failed(
        self, job: _Job, target: TargetRow, state: TargetState, english: str, chinese: str
    ) -> None:
        ids = (job.delivery.id, job.delivery.template_id, target.service_id)
        await self._results.put(Result(*ids, state, english=english, chinese=chinese))
        _log.info("delivery %s: %s: %s", job.delivery.id, target.service_name, english)

    # -- in the database -----------------------------------------------------------------------

    def _is_free(self, now_ms: int) -> ColumnElement[bool]:
        # With SQLite there is one process: who had it is gone.
        if self._database.is_sqlite:
            return true()
        return or_(DeliveryRow.claimed_by.is_(None), DeliveryRow.claimed_until < now_ms)

    async def _claim(self, delivery_id: str) -> bool:
        """Whether it is open and this process's, for a while."""
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            mine = DeliveryRow.claimed_by == self._process_id
            done = await session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.id == delivery_id, DeliveryRow.state.in_(OPEN))
                .where(or_(mine, self._is_free(now_ms)))
                .values(claimed_by=self._process_id, claimed_until=now_ms + CLAIM_MS)
            )
        return bool(getattr(done, "rowcount", 0))

    async def _keep_claim(self, run: _Run) -> None:
        while True:
            await asyncio.sleep(CLAIM_MS / 3000)
            try:
                is_mine = await self._claim(run.delivery_id)
            except RookeryError as error:
                _log.warning("the claim on delivery %s: %s", run.delivery_id, error)
                continue
            if not is_mine and run.task is not None:
                # It is over, or another process took it, which thought this one dead.
                run.task.cancel()
                return

    async def _release(self, delivery_id: str) -> None:
        try:
            async with self._database.write() as session:
                await session.execute(
                    update(DeliveryRow)
                    .where(DeliveryRow.id == delivery_id)
                    .where(DeliveryRow.claimed_by == self._process_id)
                    .values(claimed_by=None, claimed_until=0)
                )
        except RookeryError as error:
            _log.warning("the claim on delivery %s ends by itself: %s", delivery_id, error)

    async def _skip(
        self, delivery: DeliveryRow, left: Sequence[TargetRow], text: Text, **values: object
    ) -> None:
        async with self._database.write() as session:
            await session.execute(
                update(TargetRow)
                .where(TargetRow.delivery_id == delivery.id)
                .where(TargetRow.service_id.in_([one.service_id for one in left]))
                .where(TargetRow.state.in_(UNDONE))
                .values(
                    state=TargetState.SKIPPED,
                    message=text.en.format(**values),
                    message_zh=text.zh.format(**values),
                    ended_at=self._clock.now_ms(),
                )
            )

    async def _end(self, delivery_id: str) -> None:
        async with self._database.write() as session:
            row = await session.get(DeliveryRow, delivery_id)
            if row is None or row.state not in OPEN:
                return
            counts = (await store.counts_of(session, [delivery_id])).get(delivery_id, {})
            if counts.get(TargetState.SKIPPED) and row.state == DeliveryState.STOPPING:
                row.state = DeliveryState.STOPPED
            elif counts.get(TargetState.SKIPPED) or any(counts.get(state) for state in BAD):
                row.state = DeliveryState.FAILED
            else:
                row.state = DeliveryState.SUCCEEDED
            row.ended_at = self._clock.now_ms()


def _expired(error: RookeryError) -> tuple[str, str]:
    return (
        texts.EXPIRED.en.format(reason=error.text("en")),
        texts.EXPIRED.zh.format(reason=error.text("zh")),
    )
