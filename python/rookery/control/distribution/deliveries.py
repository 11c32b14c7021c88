"""What people do with deliveries: begun, stopped, taken back, looked at.

**Bounds.** :data:`OPEN_MAX` of a project at once, one of each template; ``TARGETS_MAX`` edge services of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.distribution import render, store, texts
from rookery.control.distribution.aim import TARGETS_MAX, Aim, prepared
from rookery.control.distribution.sealed import Sealed
from rookery.control.distribution.store import (
    NAME_LENGTH_MAX,
    OPEN,
    DeliveryRow,
    DeliveryState,
    TargetRow,
    TargetState,
    TemplateRow,
)
from rookery.control.distribution.templates import AUDITED, template_of
from rookery.control.errors import InvalidError, MissingError, TakenError, TooManyError
from rookery.control.rest.lists import Window, page
from rookery.storage.database import Database
from rookery.storage.ids import new_id

OPEN_MAX = 10
DEADLINE_S, DEADLINE_S_MIN, DEADLINE_S_MAX = 600, 1, 7 * 86_400


@dataclass(frozen=True, slots=True)
class Pace:
    """How a delivery goes.

    Attributes:
        wave_size: So many edge services at a time.
        failures_max: So many failures in a wave end it; none: it goes on.
        deadline_s: So long a wave waits for edge services that are away.
    """

    wave_size: int = TARGETS_MAX
    failures_max: int | None = 1
    deadline_s: int = DEADLINE_S


class Deliveries:
    """Use cases of people. :class:`rookery.control.distribution.work.Work` does the carrying."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        sealed: Sealed,
        begun: Callable[[str], None],
    ) -> None:
        """``begun`` is called with the id of a delivery that began, or was told to stop."""
        self._database = database
        self._clock = clock
        self._audit = audit
        self._sealed = sealed
        self._begun = begun

    # -- begin and end -------------------------------------------------------------------------

    async def deliver(
        self, access: Access, template_id: str, number: int, aim: Aim, pace: Pace
    ) -> str:
        """Begin; its id. Values are checked first, for all of them.

        Raises:
            InvalidError: nobody is meant, too many, or a value is missing or wrong.
            MissingError: there is no such template or version.
            TakenError: another delivery of the template is under way.
            TooManyError: many of the project are.
        """
        found = await prepared(self._database, self._sealed, access, template_id, number, aim)
        for row in found.targets:
            try:
                render.typed_values(found.draft.parameters, aim.of(row.id))
            except InvalidError as error:
                raise _of_service(row.name, error) from None
        targets = [(row.id, row.name, self._sealed.values(aim.of(row.id))) for row in found.targets]
        async with self._database.write() as session:
            template = await template_of(session, access, template_id)
            await self._refuse_more(session, access, template)
            delivery = self._new(access, template, found.number, pace)
            await self._begin(session, access, delivery, targets)
            after = {"delivery": delivery.id, "version": found.number, "targets": len(targets)}
            self._tell(session, access, template, "deliver", after)
        self._begun(delivery.id)
        return delivery.id

    async def roll_back(self, access: Access, delivery_id: str) -> str:
        """Give the edge services where it succeeded what they had before; the id of that delivery.

        Raises:
            MissingError: there is none.
            TakenError: it, or another of the template, is under way; or it succeeded nowhere.
            TooManyError: many of the project are.
        """
        async with self._database.write() as session:
            origin, template = await _delivery_of(session, access, delivery_id)
            await self._refuse_more(session, access, template)
            if origin.rollback_of is not None:
                raise TakenError(texts.IS_ROLLBACK, code="CONFLICT")
            targets = [
                (target.service_id, target.service_name, self._sealed.values({}))
                for target in await store.targets_of(session, delivery_id)
                if target.state == TargetState.SUCCEEDED
            ]
            if not targets:
                raise TakenError(texts.NOTHING_TO_TAKE_BACK, code="CONFLICT")
            pace = Pace(origin.wave_size, None, origin.deadline_s)
            delivery = self._new(access, template, origin.number, pace)
            delivery.rollback_of = origin.id
            await self._begin(session, access, delivery, targets)
            after = {"delivery": delivery.id, "of": origin.id, "targets": len(targets)}
            self._tell(session, access, template, "rollBack", after)
        self._begun(delivery.id)
        return delivery.id

    async def stop(self, access: Access, delivery_id: str) -> None:
        """Begin no further edge service, and wait for none that is away; what is under way ends by itself.

        Raises:
            MissingError: there is none.
            TakenError: it is over.
        """
        async with self._database.write() as session:
            delivery, template = await _delivery_of(session, access, delivery_id)
            if delivery.state not in OPEN:
                raise TakenError(texts.NOT_RUNNING, code="CONFLICT")
            delivery.state = DeliveryState.STOPPING
            self._tell(session, access, template, "stop", {"delivery": delivery.id})
        self._begun(delivery_id)

    # -- looking -------------------------------------------------------------------------------

    async def list(
        self, access: Access, template_id: str, window: Window
    ) -> tuple[Sequence[tuple[DeliveryRow, str, Mapping[str, int]]], int]:
        """Those of a project or of one template, with its name and how many targets are in which state."""
        query: Any = select(DeliveryRow, TemplateRow.name)
        query = query.join(TemplateRow, TemplateRow.id == DeliveryRow.template_id)
        query = query.where(DeliveryRow.project_id == access.project)
        if template_id:
            query = query.where(DeliveryRow.template_id == template_id)
        async with self._database.read() as session:
            columns = {"createdAt": DeliveryRow.created_at}
            rows, total = await page(session, query, window, "createdAt", columns)
            counts = await store.counts_of(session, [row.id for row, _ in rows])
            return [(row, name, counts.get(row.id, {})) for row, name in rows], total

    async def get(
        self, access: Access, delivery_id: str
    ) -> tuple[DeliveryRow, str, Sequence[TargetRow]]:
        """One, the name of its template and its targets.

        Raises:
            MissingError: there is none.
        """
        async with self._database.read() as session:
            row, template = await _delivery_of(session, access, delivery_id)
            return row, template.name, await store.targets_of(session, delivery_id)

    # -- inside --------------------------------------------------------------------------------

    async def _refuse_more(
        self, session: AsyncSession, access: Access, template: TemplateRow
    ) -> None:
        await self._database.alone(session, f"edge deliveries {access.project}")
        found = await store.open_of(session, access.project)
        for one in found:
            if one.template_id == template.id:
                raise TakenError(texts.BUSY, code="CONFLICT", id=one.id)
        if len(found) >= OPEN_MAX:
            raise TooManyError(texts.TOO_MANY_OPEN, most=OPEN_MAX)

    def _new(self, access: Access, template: TemplateRow, number: int, pace: Pace) -> DeliveryRow:
        return DeliveryRow(
            id=new_id(),
            project_id=access.project,
            template_id=template.id,
            number=number,
            rollback_of=None,
            state=DeliveryState.RUNNING,
            wave_size=pace.wave_size,
            failures_max=pace.failures_max,
            deadline_s=pace.deadline_s,
            wave=0,
            wave_at=None,
            created_at=self._clock.now_ms(),
            created_by=access.caller.name[:254],
            ended_at=None,
            claimed_by=None,
            claimed_until=0,
        )

    async def _begin(
        self,
        session: AsyncSession,
        access: Access,
        delivery: DeliveryRow,
        targets: Sequence[tuple[str, str, str]],
    ) -> None:
        session.add(delivery)
        await session.flush()
        session.add_all(
            TargetRow(
                delivery_id=delivery.id,
                service_id=service_id,
                service_name=name[:NAME_LENGTH_MAX],
                wave=index // delivery.wave_size + 1,
                state=TargetState.WAITING,
                message="",
                message_zh="",
                sealed=sealed,
                ended_at=None,
            )
            for index, (service_id, name, sealed) in enumerate(targets)
        )
        await session.flush()
        await store.forget_old(session, access.project)

    def _tell(
        self,
        session: AsyncSession,
        access: Access,
        template: TemplateRow,
        operation: str,
        after: Mapping[str, object],
    ) -> None:
        self._audit.record(
            session,
            access,
            AUDITED,
            operation,
            object_id=template.id,
            object_name=template.name,
            after=after,
        )


def _of_service(name: str, error: InvalidError) -> InvalidError:
    made = InvalidError(texts.OF_SERVICE, service=name, reason=error.message)
    made.message_zh = texts.OF_SERVICE.zh.format(service=name, reason=error.text("zh"))
    return made


async def _delivery_of(
    session: AsyncSession, access: Access, delivery_id: str
) -> tuple[DeliveryRow, TemplateRow]:
    row = await session.get(DeliveryRow, delivery_id)
    template = None if row is None else await session.get(TemplateRow, row.template_id)
    if row is None or template is None or row.project_id != access.project:
        raise MissingError(texts.NO_DELIVERY)
    return row, template
