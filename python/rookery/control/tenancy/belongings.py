"""What belongs to a project, has a name that is one of a kind there, and labels: clusters and edge services alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.storage.base import Base

R = TypeVar("R", bound=Base)


class Belongings(Generic[R]):
    """Those of one kind: a table with ``id``, ``project_id`` and ``name``, and one of their labels."""

    def __init__(self, table: type[R], labels: type[Base], key: str) -> None:
        """``key`` is the column of ``labels`` that names what has the label."""
        self._table = table
        self._row: Any = table
        self._labels: Any = labels
        self._key_name = key
        self._key: Any = getattr(labels, key)

    async def one(self, session: AsyncSession, project_id: str, object_id: str) -> R | None:
        """One, if it is of that project."""
        found: Any = await session.get(self._table, object_id)
        return found if found is not None and found.project_id == project_id else None

    async def is_name_taken(
        self, session: AsyncSession, project_id: str, name: str, *, but: str = ""
    ) -> bool:
        """Whether another one of the project is called so."""
        row = self._row
        query = select(row.id).where(row.project_id == project_id, row.name == name, row.id != but)
        return await session.scalar(query) is not None

    async def count(self, session: AsyncSession, project_id: str) -> int:
        """How many a project has."""
        query = select(func.count()).select_from(self._table)
        return await session.scalar(query.where(self._row.project_id == project_id)) or 0

    async def are_there(self, session: AsyncSession, project_id: str) -> bool:
        """Whether a project has any."""
        return await self.count(session, project_id) > 0

    async def labels_of(self, session: AsyncSession, ids: Sequence[str]) -> dict[str, list[str]]:
        """The labels of each, in order."""
        found: dict[str, list[str]] = {}
        labels = self._labels
        rows = await session.execute(
            select(self._key, labels.label).where(self._key.in_(ids)).order_by(labels.label)
        )
        for object_id, label in rows:
            found.setdefault(object_id, []).append(label)
        return found

    async def put_labels(
        self, session: AsyncSession, object_id: str, labels: Sequence[str]
    ) -> None:
        """Give one these labels and no others."""
        await session.execute(delete(self._labels).where(self._key == object_id))
        session.add_all(
            self._labels(**{self._key_name: object_id, "label": label}) for label in labels
        )

    def with_labels(self, labels: Sequence[str]) -> list[ColumnElement[bool]]:
        """What says that one has all of these."""
        table = self._labels
        return [self._row.id.in_(select(self._key).where(table.label == label)) for label in labels]

    async def labels_in(self, session: AsyncSession, project_id: str, most: int) -> Sequence[str]:
        """Labels that there are in a project, in order."""
        query = (
            select(self._labels.label)
            .join(self._table, self._row.id == self._key)
            .where(self._row.project_id == project_id)
            .distinct()
            .order_by(self._labels.label)
            .limit(most)
        )
        return (await session.scalars(query)).all()
