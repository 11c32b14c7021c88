"""``/login``, ``/refresh``, ``/logout`` and ``/roles``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Request

from rookery.control.accounts.models import (
    OrgRoles,
    ProjectRoles,
    RefreshGiven,
    RolesShown,
    SignedInShown,
    SignInGiven,
    WaysShown,
)
from rookery.control.accounts.sessions import SignedIn
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import open_to_all, people, signed_in
from rookery.control.settings import address as access_address
from rookery.control.settings import store as settings
from rookery.control.settings.names import MAIL, OIDC
from rookery.control.tenancy import listing
from rookery.control.tenancy.grants import Grants
from rookery.control.tenancy.store import Organization, Project
from rookery.web.peer import address_of
from rookery.web.rest import errors

Anybody = Annotated[Access | None, open_to_all()]
Person = Annotated[Access, people(before_all=True)]
Known = Annotated[Access, signed_in(before_all=True)]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Sign-in"])
    _sign_in(api, control)
    _roles(api, control)
    return api


def _sign_in(api: APIRouter, control: ControlContext) -> None:
    @api.get("/sign-in", summary="Which ways in there are")
    async def ways(_access: Anybody) -> WaysShown:
        """For the page that asks for a password."""
        async with control.database.read() as session:
            provider = await settings.value_of(session, OIDC) or {}
            address = await access_address.read(session)
            can_reset = await settings.value_of(session, MAIL) is not None
        return WaysShown(
            can_reset_password=can_reset,
            provider=provider.get("name", ""),
            access_address=address if provider else "",
        )

    @api.post(
        "/login",
        summary="Sign in",
        responses=errors(
            "BAD_USERNAME_OR_PWD",
            "SECOND_FACTOR_REQUIRED",
            "BAD_SECOND_FACTOR",
            "LOGIN_LOCKED",
            "SERVICE_UNAVAILABLE",
        ),
    )
    async def login(request: Request, _access: Anybody, given: SignInGiven) -> SignedInShown:
        """Five wrong passwords or codes within five minutes lock that user from that address for ten.

        Whoever has a second factor is refused with `SECOND_FACTOR_REQUIRED` without a code; send the same
        again with one.
        """
        agent = request.headers.get("user-agent", "")
        address = address_of(request)
        signed_in = await control.sessions.sign_in(
            given.email, given.password, address, agent, given.code
        )
        return shown(signed_in)

    @api.post(
        "/refresh",
        summary="Another access token",
        responses=errors("BAD_TOKEN", "TOKEN_TIME_OUT"),
    )
    async def refresh(request: Request, _access: Anybody, given: RefreshGiven) -> SignedInShown:
        """The one before ends. The refresh token stays, and lasts as long again."""
        return shown(await control.sessions.refresh(given.refresh_token, address_of(request)))

    @api.post("/logout", status_code=204, summary="Sign out")
    async def logout(access: Person) -> None:
        """Both tokens end at once."""
        await control.sessions.end(access, access.caller.session_id)


def _roles(api: APIRouter, control: ControlContext) -> None:
    @api.get("/roles", summary="What the caller is where")
    async def roles(access: Known) -> RolesShown:
        """Organizations and projects with their names, as a menu shows them."""
        grants = access.caller.grants
        system = grants.in_system()
        async with control.database.read() as session:
            orgs, projects = await listing.everything(session, grants)
        return RolesShown(
            roles=[] if system is None else [system.role.value],
            orgs=[_org_roles(grants, org, projects) for org in orgs],
        )


def _org_roles(grants: Grants, org: Organization, projects: Sequence[Project]) -> OrgRoles:
    standing = grants.in_org(org.id)
    is_here = standing is not None and not standing.from_below
    below = []
    for project in projects:
        if project.org_id == org.id:
            there = grants.in_project(org.id, project.id)
            names = [] if there is None else [there.role.value]
            below.append(ProjectRoles(id=project.id, name=project.name, roles=names))
    return OrgRoles(
        id=org.id,
        name=org.name,
        roles=[standing.role.value] if standing is not None and is_here else [],
        projects=below,
    )


def shown(signed_in: SignedIn) -> SignedInShown:
    """As the interface gives it."""
    return SignedInShown(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        expires_in=signed_in.expires_in_s,
        refresh_expires_in=signed_in.refresh_expires_in_s,
        admin=signed_in.is_admin,
    )
