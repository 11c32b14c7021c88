"""What can be done about organizations and projects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.errors import NOT_FOUND, MissingError, TakenError, Text, TooManyError
from rookery.control.tenancy import store, texts
from rookery.control.tenancy.permissions import Resource
from rookery.control.tenancy.store import Organization, Project
from rookery.storage.database import Database
from rookery.storage.ids import new_id

ORGS_MAX = 100
PROJECTS_OF_ORG_MAX = 100
PROJECTS_MAX = 1000

_T = TypeVar("_T")

InUse = Callable[[AsyncSession, str], Awaitable[bool]]


class TenancyService:
    """Organizations and projects."""

    def __init__(self, database: Database, clock: Clock, audit: AuditTrail) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._project_uses: list[InUse] = []

    def keeps_project(self, in_use: InUse) -> None:
        """A project is not deleted while ``in_use(session, project_id)``, as while it has clusters."""
        self._project_uses.append(in_use)

    async def create_org(self, access: Access, name: str) -> Organization:
        """Add an organization.

        Raises:
            TakenError: there is one of that name.
            TooManyError: there are as many as there may be.
        """
        org = Organization(id=new_id(), name=name, created_at=self._clock.now_ms())
        async with self._database.write() as session:
            await self._database.alone(session, "organizations")
            if await store.count_organizations(session) >= ORGS_MAX:
                raise TooManyError(texts.ORGS_MAX, most=ORGS_MAX)
            await _add(session, org, texts.ORG_TAKEN)
            self._audit.record(
                session,
                _in_org(access, org),
                Resource.ORGANIZATIONS,
                "create",
                object_id=org.id,
                object_name=org.name,
                after={"name": org.name},
            )
        return org

    async def rename_org(self, access: Access, name: str) -> Organization:
        """Give it another name.

        Raises:
            TakenError: there is one of that name.
        """
        async with self._database.write() as session:
            org = _present(await store.organization(session, access.org))
            before, org.name = org.name, name
            await _flush(session, texts.ORG_TAKEN, name)
            self._audit.record(
                session,
                access,
                Resource.ORGANIZATIONS,
                "update",
                object_id=org.id,
                object_name=name,
                before={"name": before},
                after={"name": name},
            )
        return org

    async def delete_org(self, access: Access) -> None:
        """Remove an organization, and who belongs to it.

        Raises:
            TakenError: it has projects.
        """
        async with self._database.write() as session:
            # Nobody makes a project in it meanwhile.
            org = _present(await session.get(Organization, access.org, with_for_update=True))
            if await store.count_projects(session, org.id):
                raise TakenError(texts.ORG_IN_USE, code="DEPENDENCY_EXISTS")
            await session.delete(org)
            self._audit.record(
                session,
                access,
                Resource.ORGANIZATIONS,
                "delete",
                object_id=org.id,
                object_name=org.name,
                before={"name": org.name},
            )

    async def create_project(self, access: Access, name: str) -> Project:
        """Add a project to the organization.

        Raises:
            TakenError: it has one of that name.
            TooManyError: there are as many as there may be.
        """
        project = Project(
            id=new_id(), org_id=access.org, name=name, created_at=self._clock.now_ms()
        )
        async with self._database.write() as session:
            # Two that are made at once would both count one too few.
            await self._database.alone(session, "projects")
            _present(await session.get(Organization, access.org, with_for_update=True))
            if await store.count_projects(session, access.org) >= PROJECTS_OF_ORG_MAX:
                raise TooManyError(texts.PROJECTS_MAX, most=PROJECTS_OF_ORG_MAX)
            if await store.count_projects(session) >= PROJECTS_MAX:
                raise TooManyError(texts.PROJECTS_ALL_MAX, most=PROJECTS_MAX)
            await _add(session, project, texts.PROJECT_TAKEN)
            self._audit.record(
                session,
                _in_project(access, project),
                Resource.PROJECTS,
                "create",
                object_id=project.id,
                object_name=project.name,
                after={"name": project.name},
            )
        return project

    async def rename_project(self, access: Access, name: str) -> Project:
        """Give it another name.

        Raises:
            TakenError: the organization has one of that name.
        """
        async with self._database.write() as session:
            project = _present(await store.project(session, access.org, access.project))
            before, project.name = project.name, name
            await _flush(session, texts.PROJECT_TAKEN, name)
            self._audit.record(
                session,
                access,
                Resource.PROJECTS,
                "update",
                object_id=project.id,
                object_name=name,
                before={"name": before},
                after={"name": name},
            )
        return project

    async def delete_project(self, access: Access) -> None:
        """Remove a project, and who belongs to it.

        Raises:
            TakenError: something is in it.
        """
        async with self._database.write() as session:
            # Nobody puts anything into it meanwhile.
            project = _present(await session.get(Project, access.project, with_for_update=True))
            for in_use in self._project_uses:
                if await in_use(session, project.id):
                    raise TakenError(texts.PROJECT_IN_USE, code="DEPENDENCY_EXISTS")
            await session.delete(project)
            self._audit.record(
                session,
                access,
                Resource.PROJECTS,
                "delete",
                object_id=project.id,
                object_name=project.name,
                before={"name": project.name},
            )


def _in_org(access: Access, org: Organization) -> Access:
    return Access(caller=access.caller, org_id=org.id, org_name=org.name)


def _in_project(access: Access, project: Project) -> Access:
    return Access(
        caller=access.caller,
        org_id=access.org_id,
        org_name=access.org_name,
        project_id=project.id,
        project_name=project.name,
    )


async def _add(session: AsyncSession, row: Organization | Project, taken: Text) -> None:
    session.add(row)
    await _flush(session, taken, row.name)


async def _flush(session: AsyncSession, taken: Text, name: str) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise TakenError(taken, name=name) from None


def _present(row: _T | None) -> _T:
    if row is None:
        raise MissingError(NOT_FOUND)
    return row
