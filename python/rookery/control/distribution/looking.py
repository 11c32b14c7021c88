"""What a delivery would do, asked of every edge service; and how far each is from what it was given."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from rookery.clock import Clock
from rookery.control.caller import Access
from rookery.control.distribution import render
from rookery.control.distribution.aim import Aim, Prepared, prepared
from rookery.control.distribution.carrier import Asking, Carrier, RefusedError
from rookery.control.distribution.sealed import Sealed
from rookery.control.distribution.store import DesiredRow
from rookery.control.distribution.templates import template_of
from rookery.control.edges.state import heard_since, presence
from rookery.control.edges.store import EdgeAgentRow, EdgeServiceRow
from rookery.control.errors import InvalidError
from rookery.errors import RookeryError
from rookery.storage.database import Database

AT_ONCE = 32
"""Edge services that are asked at a time."""
CHECK_S = 10.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What a delivery would do to one edge service.

    Attributes:
        state: ``ready``, ``invalid`` (a value, or the edge service does not take it) or ``unreachable``.
        nodes: As the edge service tells them.
    """

    service_id: str
    service_name: str
    state: str
    message: str = ""
    nodes: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one edge service is from what it was given.

    Attributes:
        state: ``same``; ``changed`` there since; ``other``, another version or none is there; ``waiting``, it has
            not reported since.
        reported: The version that is there, by its last report; none: it reported none.
    """

    service_id: str
    service_name: str
    number: int
    delivered_at: int
    state: str
    presence: str
    reported: int | None
    reported_at: int | None


class Looking:
    """Use cases of people; nothing changes."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sealed: Sealed,
        asking: Asking,
        *,
        report_interval_s: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sealed = sealed
        self._asking = asking
        self._interval_ms = round(report_interval_s * 1000)

    async def preview(
        self, access: Access, template_id: str, number: int, aim: Aim, language: str
    ) -> Sequence[Tried]:
        """What it would do, edge service by edge service.

        Raises:
            InvalidError: nobody is meant, or too many.
            MissingError: there is no such template or version.
        """
        found = await prepared(self._database, self._sealed, access, template_id, number, aim)
        places = asyncio.Semaphore(AT_ONCE)

        async def one(row: EdgeServiceRow) -> Tried:
            async with places:
                return await self._tried(row, found, aim.of(row.id), language)

        return await asyncio.gather(*(one(row) for row in found.targets))

    async def _tried(
        self, row: EdgeServiceRow, found: Prepared, values: Mapping[str, str], language: str
    ) -> Tried:
        try:
            document = await asyncio.to_thread(
                render.rendered, found.document, found.draft.parameters, values
            )
            carrier = Carrier(self._asking, row.id, CHECK_S)
            nodes = await carrier.check(found.template.id, document)
        except (InvalidError, RefusedError) as error:
            return Tried(row.id, row.name, "invalid", error.text(language))
        except RookeryError as error:
            return Tried(row.id, row.name, "unreachable", error.text(language))
        return Tried(row.id, row.name, "ready", nodes=nodes)

    async def drift(self, access: Access, template_id: str) -> Sequence[Drift]:
        """What each edge service was given, held against what it reported last.

        Raises:
            MissingError: there is no such template.
        """
        async with self._database.read() as session:
            await template_of(session, access, template_id)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            since_ms = heard_since(now_ms, self._interval_ms)
            rows = await session.execute(
                select(DesiredRow, EdgeServiceRow, EdgeAgentRow, presence(since_ms))
                .join(EdgeServiceRow, EdgeServiceRow.id == DesiredRow.service_id)
                .outerjoin(EdgeAgentRow, EdgeAgentRow.id == EdgeServiceRow.agent_id)
                .where(DesiredRow.template_id == template_id)
                .where(EdgeServiceRow.project_id == access.project)
                .order_by(EdgeServiceRow.name)
            )
            return [_drift(desired, service, agent, seen) for desired, service, agent, seen in rows]


def _drift(
    desired: DesiredRow, service: EdgeServiceRow, agent: EdgeAgentRow | None, seen: str
) -> Drift:
    told = [] if agent is None else agent.deliveries or []
    found = next((one for one in told if one.get("template") == desired.template_id), None)
    reported_at = None if agent is None else agent.reported_at
    if found is not None and found.get("delivery") == desired.delivery_id:
        state = "changed" if found.get("isChanged") else "same"
    elif reported_at is None or reported_at <= desired.delivered_at:
        state = "waiting"
    else:
        state = "other"
    return Drift(
        service.id,
        service.name,
        desired.number,
        desired.delivered_at,
        state,
        "unknown" if agent is None else seen,
        None if found is None else int(found.get("version") or 0),
        reported_at,
    )
