"""The settings of the pool, as they are kept."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.quota.rules import Pool
from rookery.control.settings import store

SETTING = "quota"


async def read(session: AsyncSession) -> Pool:
    """As it is set."""
    kept = await store.value_of(session, SETTING)
    return Pool(**kept) if kept is not None else Pool()


async def write(session: AsyncSession, pool: Pool, now_ms: int) -> None:
    """Set it."""
    await store.put(session, SETTING, to_json(pool), now_ms)


def to_json(pool: Pool) -> dict[str, Any]:
    """How it is kept."""
    return asdict(pool)
