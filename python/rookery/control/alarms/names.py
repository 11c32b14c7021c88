"""Names that stand once in a project."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.alarms import texts
from rookery.control.errors import TakenError


async def flush_named(session: AsyncSession, name: str) -> None:
    """Write what was changed under ``name``.

    Raises:
        TakenError: there is another of that name.
    """
    try:
        await session.flush()
    except IntegrityError:
        raise TakenError(texts.NAME_TAKEN, name=name) from None
