"""What people do with templates: made, given further versions, looked at, deleted.

**Bounds.** :data:`TEMPLATES_MAX` of a project, :data:`VERSIONS_MAX` of each, :data:`CONTENT_LENGTH_MAX` and
:data:`PARAMETERS_MAX` of a version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.config.secrets import HIDDEN
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.distribution import render, texts
from rookery.control.distribution.sealed import Draft, Sealed
from rookery.control.distribution.store import OPEN, DeliveryRow, TemplateRow, VersionRow
from rookery.control.errors import InvalidError, MissingError, TakenError, TooManyError
from rookery.control.rest.lists import Window, like, page
from rookery.storage.database import Database
from rookery.storage.ids import new_id

TEMPLATES_MAX = 200
VERSIONS_MAX = 200
PARAMETERS_MAX = 50
CONTENT_LENGTH_MAX = 1 << 20
SORTS = {
    "name": TemplateRow.name,
    "createdAt": TemplateRow.created_at,
    "changedAt": TemplateRow.changed_at,
}
AUDITED = "edgeTemplates"
"""As what the audit knows them."""


class Templates:
    """Use cases of people."""

    def __init__(self, database: Database, clock: Clock, audit: AuditTrail, sealed: Sealed) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._sealed = sealed

    async def list(
        self, access: Access, search: str, sort: str, window: Window
    ) -> tuple[Sequence[TemplateRow], int]:
        """Those of a project, and how many there are."""
        query: Select[Any] = select(TemplateRow)
        query = query.where(TemplateRow.project_id == access.project)
        if search:
            query = query.where(like(TemplateRow.name, search))
        async with self._database.read() as session:
            rows, total = await page(session, query, window, sort, SORTS)
            return [row[0] for row in rows], total

    async def get(
        self, access: Access, template_id: str
    ) -> tuple[TemplateRow, Sequence[VersionRow]]:
        """One, and its versions from the newest on.

        Raises:
            MissingError: there is none in this project.
        """
        async with self._database.read() as session:
            row = await template_of(session, access, template_id)
            query = select(VersionRow).where(VersionRow.template_id == row.id)
            found = await session.scalars(query.order_by(VersionRow.number.desc()))
            return row, found.all()

    async def content(self, access: Access, template_id: str, number: int) -> str:
        """What a version holds; 0: the newest.

        Raises:
            MissingError: there is none.
            OutOfReachError: it cannot be opened here.
        """
        async with self._database.read() as session:
            row = await template_of(session, access, template_id)
            version = await version_of(session, row, number)
        return self._sealed.opened_draft(version.sealed).content

    async def create(
        self, access: Access, name: str, description: str, draft: Draft, note: str
    ) -> str:
        """Make one with its first version; its id.

        Raises:
            InvalidError: the content is no configuration, or does not fit the parameters.
            TakenError: the name is.
            TooManyError: the project has many.
        """
        draft = _revealed(draft, Draft("", ()))
        await asyncio.to_thread(render.read, draft.content, draft.parameters)
        now_ms = self._clock.now_ms()
        async with self._database.write() as session:
            await self._database.alone(session, f"edge templates {access.project}")
            await self._refuse_name(session, access, name)
            count = await session.scalar(
                select(func.count())
                .select_from(TemplateRow)
                .where(TemplateRow.project_id == access.project)
            )
            if (count or 0) >= TEMPLATES_MAX:
                raise TooManyError(texts.TOO_MANY_TEMPLATES, most=TEMPLATES_MAX)
            row = TemplateRow(
                id=new_id(),
                org_id=access.org,
                project_id=access.project,
                name=name,
                description=description,
                newest=0,
                created_at=now_ms,
                changed_at=now_ms,
            )
            session.add(row)
            await session.flush()
            self._add(session, access, row, draft, note)
            self._tell(session, access, row, "create", after={"name": name, "version": 1})
            return row.id

    async def add_version(self, access: Access, template_id: str, draft: Draft, note: str) -> int:
        """Give it a further version; its number. A secret default that is hidden stays what it was.

        Raises:
            InvalidError: as above.
            MissingError: there is no such template.
            TooManyError: it has many.
        """
        async with self._database.read() as session:
            row = await template_of(session, access, template_id)
            newest = await version_of(session, row, 0)
        draft = _revealed(draft, self._sealed.opened_draft(newest.sealed))
        await asyncio.to_thread(render.read, draft.content, draft.parameters)
        async with self._database.write() as session:
            await self._database.alone(session, f"edge templates {access.project}")
            row = await template_of(session, access, template_id)
            if row.newest >= VERSIONS_MAX:
                raise TooManyError(texts.TOO_MANY_VERSIONS, most=VERSIONS_MAX)
            before = {"version": row.newest}
            self._add(session, access, row, draft, note)
            after = {"version": row.newest}
            self._tell(session, access, row, "update", before=before, after=after)
            return row.newest

    async def rename(self, access: Access, template_id: str, name: str, description: str) -> None:
        """Change what it is called.

        Raises:
            MissingError: there is none.
            TakenError: the name is.
        """
        async with self._database.write() as session:
            row = await template_of(session, access, template_id)
            await self._refuse_name(session, access, name, but=row.id)
            before = {"name": row.name, "description": row.description}
            row.name, row.description, row.changed_at = name, description, self._clock.now_ms()
            after = {"name": name, "description": description}
            self._tell(session, access, row, "update", before=before, after=after)

    async def delete(self, access: Access, template_id: str) -> None:
        """Forget it with its deliveries. What edge services have of it stays there.

        Raises:
            MissingError: there is none.
            TakenError: a delivery of it is under way.
        """
        async with self._database.write() as session:
            row = await template_of(session, access, template_id)
            busy = await session.scalar(
                select(DeliveryRow.id).where(
                    DeliveryRow.template_id == row.id, DeliveryRow.state.in_(OPEN)
                )
            )
            if busy is not None:
                raise TakenError(texts.BUSY, code="CONFLICT", id=busy)
            await session.delete(row)
            self._tell(session, access, row, "delete", before={"name": row.name})

    # -- inside --------------------------------------------------------------------------------

    async def _refuse_name(
        self, session: AsyncSession, access: Access, name: str, *, but: str = ""
    ) -> None:
        found = await session.scalar(
            select(TemplateRow.id).where(
                TemplateRow.project_id == access.project,
                TemplateRow.name == name,
                TemplateRow.id != but,
            )
        )
        if found is not None:
            raise TakenError(texts.NAME_TAKEN, name=name)

    def _add(
        self, session: AsyncSession, access: Access, row: TemplateRow, draft: Draft, note: str
    ) -> None:
        row.newest += 1
        row.changed_at = self._clock.now_ms()
        session.add(
            VersionRow(
                template_id=row.id,
                number=row.newest,
                sealed=self._sealed.draft(draft),
                parameters=[parameter.shown() for parameter in draft.parameters],
                note=note,
                created_at=row.changed_at,
                created_by=access.caller.name[:254],
            )
        )

    def _tell(
        self,
        session: AsyncSession,
        access: Access,
        row: TemplateRow,
        operation: str,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
    ) -> None:
        self._audit.record(
            session,
            access,
            AUDITED,
            operation,
            object_id=row.id,
            object_name=row.name,
            before=before,
            after=after,
        )


def _revealed(draft: Draft, before: Draft) -> Draft:
    """With the defaults that were hidden.

    Raises:
        InvalidError: there is none to stay.
    """
    known = {one.name: one.default for one in before.parameters if one.is_secret}
    parameters = []
    for one in draft.parameters:
        if one.is_secret and one.default == HIDDEN:
            if known.get(one.name) is None:
                raise InvalidError(texts.HIDDEN_DEFAULT, name=one.name)
            parameters.append(replace(one, default=known[one.name]))
        else:
            parameters.append(one)
    return replace(draft, parameters=parameters)


async def template_of(session: AsyncSession, access: Access, template_id: str) -> TemplateRow:
    """One of the project.

    Raises:
        MissingError: there is none.
    """
    row = await session.get(TemplateRow, template_id)
    if row is None or row.project_id != access.project:
        raise MissingError(texts.NO_TEMPLATE)
    return row


async def version_of(session: AsyncSession, row: TemplateRow, number: int) -> VersionRow:
    """One of its versions; 0 is the newest.

    Raises:
        MissingError: there is none.
    """
    found = await session.get(VersionRow, (row.id, number or row.newest))
    if found is None:
        raise MissingError(texts.NO_VERSION, number=number)
    return found
