"""``/invitations`` of the system, those of an organization, and what the links lead to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy import Select, select

from rookery.control.accounts.invitations import Made
from rookery.control.accounts.invitations_models import (
    AcceptGiven,
    InvitationGiven,
    InvitationMade,
    InvitationShown,
    LinkGiven,
    OpenedShown,
    OrgInvitationGiven,
)
from rookery.control.accounts.links import Invitation
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import open_to_all, requires
from rookery.control.rest.lists import WindowQuery, like, page
from rookery.control.rest.models import Items
from rookery.control.tenancy.permissions import Level, Resource
from rookery.control.tenancy.store import Organization, Project
from rookery.web.peer import address_of
from rookery.web.rest import errors

Anybody = Annotated[Access | None, open_to_all()]
Sees = Annotated[Access, requires(Resource.USERS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.USERS, Level.EDIT)]
SortQuery = Annotated[
    Literal["email", "createdAt", "expiresAt"], Query(description="By which member.")
]
EmailQuery = Annotated[
    str | None, Query(max_length=254, description="What the address holds, whatever the case.")
]
_COLUMNS = {
    "email": Invitation.email,
    "createdAt": Invitation.created_at,
    "expiresAt": Invitation.expires_at,
}
_OF_SYSTEM = "/invitations"
_OF_ORG = "/orgs/{org}/invitations"
_REFUSALS = errors(
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "ADDRESS_NOT_PROVEN",
    "CONFLICT",
    "EXCEED_LIMIT",
    "SERVICE_UNAVAILABLE",
)


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Invitations"])
    _of_system(api, control)
    _of_org(api, control)
    _links(api, control)
    return api


async def _page(
    control: ControlContext, access: Access, window: WindowQuery, sort: str, email: str | None
) -> Items[InvitationShown]:
    query: Select[*tuple[Any, ...]] = (
        select(
            *(column for column in Invitation.__table__.columns if column.name != "token_hash"),
            Organization.name.label("org_name"),
            Project.name.label("project_name"),
        )
        .outerjoin(Organization, Organization.id == Invitation.org_id)
        .outerjoin(Project, Project.id == Invitation.project_id)
    )
    if access.org_id is not None:
        query = query.where(Invitation.org_id == access.org_id, Invitation.is_admin.is_(False))
    if email:
        query = query.where(like(Invitation.email, email))
    async with control.database.read() as session:
        rows, total = await page(session, query, window, sort, _COLUMNS)
    return Items(items=[InvitationShown.model_validate(row) for row in rows], total=total)


def _made(made: Sequence[Made]) -> Items[InvitationMade]:
    items = [_one(one) for one in made]
    return Items(items=items, total=len(items))


def _one(made: Made) -> InvitationMade:
    return InvitationMade(
        id=made.row.id, email=made.row.email, expires_at=made.row.expires_at, link=made.link
    )


def _of_system(api: APIRouter, control: ControlContext) -> None:
    @api.get(_OF_SYSTEM, summary="Who is invited")
    async def invitations(
        access: Sees, window: WindowQuery, email: EmailQuery = None, sort: SortQuery = "email"
    ) -> Items[InvitationShown]:
        """To whatever place; those that have expired are there for a month."""
        return await _page(control, access, window, sort, email)

    @api.post(_OF_SYSTEM, status_code=201, summary="Invite people", responses=_REFUSALS)
    async def invite(access: Edits, given: InvitationGiven) -> Items[InvitationMade]:
        """By mail; without a mail server the answer has links to hand over."""
        return _made(
            await control.invitations.invite(access, given.emails, given.language, given.roles())
        )

    @api.post(
        _OF_SYSTEM + "/{invitation}/renew",
        summary="Send an invitation again",
        responses=errors("NOT_FOUND", "SERVICE_UNAVAILABLE"),
    )
    async def renew(access: Edits, invitation: str) -> InvitationMade:
        """With another link; the one before ends."""
        return _one(await control.invitations.renew(access, invitation))

    @api.delete(
        _OF_SYSTEM + "/{invitation}",
        status_code=204,
        summary="Revoke an invitation",
        responses=errors("NOT_FOUND"),
    )
    async def revoke(access: Edits, invitation: str) -> None:
        """Its link works no more."""
        await control.invitations.revoke(access, invitation)


def _of_org(api: APIRouter, control: ControlContext) -> None:
    @api.get(_OF_ORG, summary="Whom an organization invited", responses=errors("NOT_FOUND"))
    async def invitations(
        access: Sees,
        org: str,
        window: WindowQuery,
        email: EmailQuery = None,
        sort: SortQuery = "email",
    ) -> Items[InvitationShown]:
        """To itself, or to one of its projects."""
        return await _page(control, access, window, sort, email)

    @api.post(
        _OF_ORG, status_code=201, summary="Invite people to an organization", responses=_REFUSALS
    )
    async def invite(access: Edits, org: str, given: OrgInvitationGiven) -> Items[InvitationMade]:
        """By mail; without a mail server the answer has links to hand over."""
        roles = given.roles(access.org)
        return _made(await control.invitations.invite(access, given.emails, given.language, roles))

    @api.post(
        _OF_ORG + "/{invitation}/renew",
        summary="Send an invitation of an organization again",
        responses=errors("NOT_FOUND", "SERVICE_UNAVAILABLE"),
    )
    async def renew(access: Edits, org: str, invitation: str) -> InvitationMade:
        """With another link; the one before ends."""
        return _one(await control.invitations.renew(access, invitation))

    @api.delete(
        _OF_ORG + "/{invitation}",
        status_code=204,
        summary="Revoke an invitation of an organization",
        responses=errors("NOT_FOUND"),
    )
    async def revoke(access: Edits, org: str, invitation: str) -> None:
        """Its link works no more."""
        await control.invitations.revoke(access, invitation)


def _links(api: APIRouter, control: ControlContext) -> None:
    @api.post("/invitation", summary="What an invitation is for")
    async def look(_access: Anybody, given: LinkGiven) -> OpenedShown:
        """For the page that the link leads to."""
        return OpenedShown.model_validate(await control.invitations.look(given.token))

    @api.post(
        "/invitation/accept",
        status_code=204,
        summary="Accept an invitation",
        responses=errors(
            "ALREADY_EXISTS",
            "ADDRESS_NOT_PROVEN",
            "CONFLICT",
            "EXCEED_LIMIT",
            "SERVICE_UNAVAILABLE",
        ),
    )
    async def accept(request: Request, _access: Anybody, given: AcceptGiven) -> None:
        """Works once. Then sign in.

        A link that was mailed proves whose address it is; of an account that somebody made for it before,
        everything ends that its maker could have kept.
        """
        await control.invitations.accept(
            given.token, given.name, given.password, given.language, address_of(request)
        )
