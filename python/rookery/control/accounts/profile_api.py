"""``/profile``: everybody about himself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from rookery.control.accounts import texts
from rookery.control.accounts.models import SessionShown
from rookery.control.accounts.users_models import (
    OwnPasswordGiven,
    ProfileGiven,
    UserDetail,
    UserPlace,
    UserShown,
)
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.errors import MissingError
from rookery.control.rest.guard import people, signed_in
from rookery.control.rest.models import Items
from rookery.control.tenancy import listing
from rookery.web.rest import errors

Known = Annotated[Access, signed_in(before_all=True)]
Person = Annotated[Access, people()]
Early = Annotated[Access, people(before_all=True)]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Profile"])
    _own(api, control)
    _sessions(api, control)
    return api


def _own(api: APIRouter, control: ControlContext) -> None:
    @api.get("/profile", summary="Who asks")
    async def profile(access: Known) -> UserDetail:
        """Of an API token, its owner."""
        found = await control.users.user(access.caller.id)
        async with control.database.read() as session:
            places = await listing.places_of(session, access.caller.id)
        standing = await control.factors.standing(access.caller.id)
        shown = UserShown.model_validate(found)
        return UserDetail(
            **dict(shown),
            has_second_factor=standing.is_on,
            must_do=access.caller.must,
            places=[UserPlace.model_validate(row) for row in places],
        )

    @api.put("/profile", status_code=204, summary="Change one's name or language")
    async def change(access: Person, given: ProfileGiven) -> None:
        """The e-mail address stays."""
        await control.users.update_own(access, given.name, given.language)

    @api.put(
        "/profile/password",
        status_code=204,
        summary="Change one's password",
        responses=errors("ERROR_PWD_NOT_MATCH", "LOGIN_LOCKED", "SERVICE_UNAVAILABLE"),
    )
    async def password(access: Early, given: OwnPasswordGiven) -> None:
        """Other sessions end, this one goes on."""
        await control.users.change_own_password(access, given.old_password, given.new_password)


def _sessions(api: APIRouter, control: ControlContext) -> None:
    @api.get("/profile/sessions", summary="Where one is signed in")
    async def sessions(access: Person) -> Items[SessionShown]:
        """At most 50; the one used last comes first."""
        rows = await control.sessions.sessions_of(access.caller.id)
        items = [
            SessionShown(
                id=row.id,
                address=row.address,
                user_agent=row.user_agent,
                created_at=row.created_at,
                used_at=row.used_at,
                expires_at=row.refresh_until_at,
                is_current=row.id == access.caller.session_id,
            )
            for row in rows
        ]
        return Items(items=items, total=len(items))

    @api.delete("/profile/sessions", status_code=204, summary="Sign out everywhere else")
    async def end_others(access: Person) -> None:
        """Only the session that asks goes on."""
        await control.sessions.end_others(access)

    @api.delete(
        "/profile/sessions/{session}",
        status_code=204,
        summary="Sign out elsewhere",
        responses=errors("NOT_FOUND"),
    )
    async def end(access: Person, session: str) -> None:
        """Both its tokens end at once."""
        if not await control.sessions.end(access, session):
            raise MissingError(texts.NO_SESSION)
