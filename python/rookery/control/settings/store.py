"""The table of settings: a JSON value by name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import Base


class SettingRow(Base):
    """One section."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]]
    updated_at: Mapped[int]


async def value_of(session: AsyncSession, name: str) -> dict[str, Any] | None:
    """A copy of what is kept under that name."""
    row = await session.get(SettingRow, name)
    return None if row is None else dict(row.value)


async def put(session: AsyncSession, name: str, value: dict[str, Any], now_ms: int) -> None:
    """Keep it, whatever was there."""
    row = await session.get(SettingRow, name)
    if row is None:
        session.add(SettingRow(name=name, value=value, updated_at=now_ms))
    else:
        row.value, row.updated_at = value, now_ms


async def drop(session: AsyncSession, name: str) -> None:
    row = await session.get(SettingRow, name)
    if row is not None:
        await session.delete(row)
