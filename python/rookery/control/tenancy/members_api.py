"""``/orgs/{org}/members`` and ``/orgs/{org}/projects/{project}/members``."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from rookery.control.accounts.users import NewUser
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.control.tenancy.members_models import (
    CandidateShown,
    MemberMade,
    MemberShown,
    OrgMemberGiven,
    ProjectMemberGiven,
    RoleGiven,
)
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.rest import errors

Sees = Annotated[Access, requires(Resource.USERS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.USERS, Level.EDIT)]
SortQuery = Annotated[Literal["email", "name", "createdAt"], Query(description="By which member.")]
CandidateSortQuery = Annotated[Literal["email", "name"], Query(description="By which member.")]
EmailQuery = Annotated[
    str | None, Query(max_length=254, description="What the address holds, whatever the case.")
]
ORG = "/orgs/{org}/members"
PROJECT = "/orgs/{org}/projects/{project}/members"
CANDIDATES = "/orgs/{org}/projects/{project}/candidates"
_CHANGES = errors("NOT_FOUND", "USER_NOT_FOUND", "ADDRESS_NOT_PROVEN")


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Members"])
    _shown(api, control)
    _of_org(api, control)
    _of_project(api, control)
    return api


def _shown(api: APIRouter, control: ControlContext) -> None:
    async def shown(
        access: Access, window: WindowQuery, sort: str, email: str | None
    ) -> Items[MemberShown]:
        rows, total = await control.members.list(access, window, sort, email)
        return Items(items=[MemberShown.model_validate(row) for row in rows], total=total)

    @api.get(ORG, summary="Members of an organization", responses=errors("NOT_FOUND"))
    async def of_org(
        access: Sees,
        org: str,
        window: WindowQuery,
        email: EmailQuery = None,
        sort: SortQuery = "email",
    ) -> Items[MemberShown]:
        """Administrators of the whole system belong to all and are not listed."""
        return await shown(access, window, sort, email)

    @api.get(PROJECT, summary="Members of a project", responses=errors("NOT_FOUND"))
    async def of_project(
        access: Sees,
        org: str,
        project: str,
        window: WindowQuery,
        email: EmailQuery = None,
        sort: SortQuery = "email",
    ) -> Items[MemberShown]:
        """Administrators of the organization belong to all its projects and are not listed."""
        return await shown(access, window, sort, email)

    @api.get(CANDIDATES, summary="Who may be added to a project", responses=errors("NOT_FOUND"))
    async def candidates(
        access: Edits,
        org: str,
        project: str,
        window: WindowQuery,
        email: EmailQuery = None,
        sort: CandidateSortQuery = "email",
    ) -> Items[CandidateShown]:
        """Members of the organization who are not in the project, with what tells them apart."""
        rows, total = await control.members.candidates(access, window, sort, email)
        return Items(items=[CandidateShown.model_validate(row) for row in rows], total=total)


def _of_org(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        ORG,
        status_code=201,
        summary="Add a member to an organization",
        responses=errors(
            "NOT_FOUND", "USER_NOT_FOUND", "ALREADY_EXISTS", "ADDRESS_NOT_PROVEN", "EXCEED_LIMIT"
        ),
    )
    async def add(access: Edits, org: str, given: OrgMemberGiven) -> MemberMade:
        """A user whose address is proven is added as he is; for one who is not there, give a password.

        An account that an administrator of an organization made counts in that organization alone until its
        address is proven: invite the address, or have an administrator of the system confirm it.
        """
        new = NewUser(
            email=given.email,
            password=given.password or "",
            name=given.name,
            language=given.language,
        )
        return MemberMade(user_id=await control.members.add_to_org(access, new, given.role))

    @api.put(
        ORG + "/{user}",
        status_code=204,
        summary="Change the role of a member",
        responses=_CHANGES,
    )
    async def change(access: Edits, org: str, user: str, given: RoleGiven) -> None:
        """Holds from the next request of that user on."""
        await control.members.change(access, user, given.role)

    @api.delete(
        ORG + "/{user}",
        status_code=204,
        summary="Remove a member from an organization",
        responses=errors("NOT_FOUND", "USER_NOT_FOUND", "NOT_ALLOWED"),
    )
    async def remove(access: Edits, org: str, user: str) -> None:
        """And from all its projects. The user itself stays."""
        await control.members.remove(access, user)


def _of_project(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        PROJECT,
        status_code=204,
        summary="Add a member to a project",
        responses=errors("NOT_FOUND", "USER_NOT_FOUND", "ALREADY_EXISTS", "ADDRESS_NOT_PROVEN"),
    )
    async def add(access: Edits, org: str, project: str, given: ProjectMemberGiven) -> None:
        """Who belongs to the organization."""
        await control.members.add_to_project(access, given.user_id, given.role)

    @api.put(
        PROJECT + "/{user}",
        status_code=204,
        summary="Change the role of a member in a project",
        responses=_CHANGES,
    )
    async def change(access: Edits, org: str, project: str, user: str, given: RoleGiven) -> None:
        """Holds from the next request of that user on."""
        await control.members.change(access, user, given.role)

    @api.delete(
        PROJECT + "/{user}",
        status_code=204,
        summary="Remove a member from a project",
        responses=errors("NOT_FOUND", "USER_NOT_FOUND", "NOT_ALLOWED"),
    )
    async def remove(access: Edits, org: str, project: str, user: str) -> None:
        """The user stays in the organization."""
        await control.members.remove(access, user)
