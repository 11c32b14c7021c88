"""``/users``: for administrators of the whole system."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Select, select

from rookery.control.accounts.second_factor import has_factor
from rookery.control.accounts.store import User
from rookery.control.accounts.users import NewUser, UserChange
from rookery.control.accounts.users_models import (
    ConfirmGiven,
    PasswordGiven,
    UserChangeGiven,
    UserDetail,
    UserGiven,
    UserListed,
    UserPlace,
    UserShown,
)
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import WindowQuery, like, page
from rookery.control.rest.models import Items
from rookery.control.tenancy import listing
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.rest import errors

Sees = Annotated[Access, requires(Resource.USERS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.USERS, Level.EDIT)]
SortQuery = Annotated[
    Literal["email", "name", "createdAt", "lastLoginAt"], Query(description="By which member.")
]
EmailQuery = Annotated[
    str | None, Query(max_length=254, description="What the address holds, whatever the case.")
]
NameQuery = Annotated[
    str | None, Query(max_length=100, description="What the name holds, whatever the case.")
]
AdminQuery = Annotated[
    bool | None, Query(alias="isAdmin", description="Only administrators of the system, or none.")
]
ProvenQuery = Annotated[
    bool | None, Query(alias="isProven", description="Only those whose address is proven, or not.")
]
EnabledQuery = Annotated[
    bool | None, Query(alias="isEnabled", description="Only who may sign in, or may not.")
]
_COLUMNS = {
    "email": User.email,
    "name": User.name,
    "createdAt": User.created_at,
    "lastLoginAt": User.last_login_at,
}
_CHANGES = errors("USER_NOT_FOUND", "NOT_ALLOWED", "CONFLICT", "ADDRESS_NOT_PROVEN")


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Users"])
    _shown(api, control)
    _changes(api, control)
    _access(api, control)
    return api


def _shown(api: APIRouter, control: ControlContext) -> None:
    @api.get("/users", summary="Users")
    async def users(
        access: Sees,
        window: WindowQuery,
        email: EmailQuery = None,
        name: NameQuery = None,
        is_admin: AdminQuery = None,
        is_enabled: EnabledQuery = None,
        is_proven: ProvenQuery = None,
        sort: SortQuery = "email",
    ) -> Items[UserListed]:
        """All of them; members of one organization are below it."""
        query: Select[*tuple[Any, ...]] = select(
            User.id,
            User.email,
            User.name,
            User.is_admin,
            User.is_enabled,
            User.proven_at,
            User.language,
            User.created_at,
            User.last_login_at,
            has_factor(User.id).label("has_second_factor"),
        )
        if email:
            query = query.where(like(User.email, email))
        if name:
            query = query.where(like(User.name, name))
        if is_admin is not None:
            query = query.where(User.is_admin.is_(is_admin))
        if is_enabled is not None:
            query = query.where(User.is_enabled.is_(is_enabled))
        if is_proven is not None:
            query = query.where(User.proven_at.is_not(None) == is_proven)
        async with control.database.read() as session:
            rows, total = await page(session, query, window, sort, _COLUMNS)
        return Items(items=[UserListed.model_validate(row) for row in rows], total=total)

    @api.get("/users/{user}", summary="A user", responses=errors("USER_NOT_FOUND"))
    async def user_of(access: Sees, user: str) -> UserDetail:
        """With everything that one belongs to."""
        found = await control.users.user(user)
        async with control.database.read() as session:
            places = await listing.places_of(session, user)
        standing = await control.factors.standing(user)
        shown = UserShown.model_validate(found)
        return UserDetail(
            **dict(shown),
            has_second_factor=standing.is_on,
            places=[UserPlace.model_validate(row) for row in places],
        )


def _changes(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        "/users",
        status_code=201,
        summary="Add a user",
        responses=errors("ALREADY_EXISTS", "EXCEED_LIMIT", "SERVICE_UNAVAILABLE"),
    )
    async def create(access: Edits, given: UserGiven) -> UserShown:
        """With a password that the user is told, and changes."""
        new = NewUser(
            email=given.email,
            password=given.password,
            name=given.name,
            is_admin=given.is_admin,
            language=given.language,
            must_change_password=given.must_change_password,
        )
        return UserShown.model_validate(await control.users.create(access, new))

    @api.put("/users/{user}", summary="Change a user", responses=_CHANGES)
    async def update(access: Edits, user: str, given: UserChangeGiven) -> UserShown:
        """An enabled administrator always stays; nobody disables or demotes himself."""
        change = UserChange(
            name=given.name,
            is_admin=given.is_admin,
            is_enabled=given.is_enabled,
            language=given.language,
        )
        return UserShown.model_validate(await control.users.update(access, user, change))

    @api.delete("/users/{user}", status_code=204, summary="Remove a user", responses=_CHANGES)
    async def delete(access: Edits, user: str) -> None:
        """With memberships, sessions and API tokens; what that user did stays in the audit."""
        await control.users.delete(access, user)


def _access(api: APIRouter, control: ControlContext) -> None:
    @api.put(
        "/users/{user}/password",
        status_code=204,
        summary="Give a user another password",
        responses=errors("USER_NOT_FOUND", "SERVICE_UNAVAILABLE"),
    )
    async def password(access: Edits, user: str, given: PasswordGiven) -> None:
        """The user is signed out everywhere, and no longer locked out."""
        await control.users.set_password(
            access, user, given.password, must_change=given.must_change
        )

    @api.put(
        "/users/{user}/confirmation",
        status_code=204,
        summary="Confirm whose address a user has",
        responses=errors("USER_NOT_FOUND", "CONFLICT", "SERVICE_UNAVAILABLE"),
    )
    async def confirm(access: Edits, user: str, given: ConfirmGiven) -> None:
        """Where no mail can prove it. The user is given this password; what whoever made the account may know
        ends: the password before, sessions, API tokens, the second factor.
        """
        await control.users.confirm(access, user, given.password, must_change=given.must_change)

    @api.delete(
        "/users/{user}/sessions",
        status_code=204,
        summary="Sign a user out everywhere",
        responses=errors("USER_NOT_FOUND"),
    )
    async def sessions(access: Edits, user: str) -> None:
        """At once, in all processes."""
        await control.users.end_sessions(access, user)
