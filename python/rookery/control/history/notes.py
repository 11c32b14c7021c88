"""Writes single events: of what people and agents do, and of what follows from reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.history.events import Event, Kind
from rookery.control.history.store import SUBJECT_LENGTH_MAX, EventRow


async def note_registration(session: AsyncSession, cluster_id: str, at_ms: int, host: str) -> None:
    """An agent registered: the first one, or one after another."""
    before = await session.scalar(
        select(EventRow.id)
        .where(
            EventRow.cluster_id == cluster_id,
            EventRow.kind.in_([str(Kind.REGISTERED), str(Kind.RE_REGISTERED)]),
        )
        .limit(1)
    )
    kind = Kind.REGISTERED if before is None else Kind.RE_REGISTERED
    note(session, cluster_id, at_ms, kind, {"host": host})


def note(
    session: AsyncSession,
    cluster_id: str,
    at_ms: int,
    kind: Kind,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down what somebody did to a cluster."""
    add(session, cluster_id, at_ms, Event(kind, details=details or {}))


def add(session: AsyncSession, cluster_id: str, at_ms: int, event: Event) -> None:
    session.add(
        EventRow(
            cluster_id=cluster_id,
            at=at_ms,
            kind=str(event.kind),
            subject=event.subject[:SUBJECT_LENGTH_MAX],
            details=dict(event.details),
        )
    )
