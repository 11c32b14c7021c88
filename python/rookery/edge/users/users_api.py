"""``/users``: who may use this edge service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from rookery.edge.context import EdgeContext
from rookery.edge.rest.guard import FOR_ADMINISTRATORS
from rookery.edge.rest.models import DONE, Done
from rookery.edge.users.models import EdgeRole, User
from rookery.edge.users.service import NAME_MAX
from rookery.edge.users.sign_in_api import Typed
from rookery.web.models import Model, Row

NewName = Annotated[
    str, Field(min_length=1, max_length=NAME_MAX, description="The user.", examples=["ada"])
]
NewPassword = Annotated[
    Typed,
    Field(
        description="8 to 64 characters, at least two of letters, digits and others. It has to be changed at the "
        "first sign-in.",
        examples=["plant-7-north"],
    ),
]


class UserShown(Row):
    """A user."""

    name: str = Field(description="The user.", examples=["ada"])
    role: EdgeRole = Field(description="What that one may.")
    created_at: str = Field(description="Since when.", examples=["2026-01-31T08:00:00Z"])
    must_change_password: bool = Field(
        description="The password was chosen by somebody else.", examples=[False]
    )


class UserGiven(Model):
    """A new user."""

    name: NewName
    password: NewPassword
    role: EdgeRole = Field(default="viewer", description="What that one may.")


class RoleGiven(Model):
    """Another role."""

    role: EdgeRole = Field(description="What that one may.")


class ResetGiven(Model):
    """Another password for somebody else."""

    password: NewPassword


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(tags=["Users"])

    @api.get("/users", summary="Users", openapi_extra=FOR_ADMINISTRATORS)
    async def users() -> Sequence[UserShown]:
        """All of them, by name."""
        return [_shown(user) for user in edge.users.all()]

    @api.post("/users", summary="Add a user")
    async def add(given: UserGiven) -> Done:
        """The password has to be changed at the first sign-in."""
        await edge.users.create(given.name, given.password, given.role)
        return DONE

    @api.put("/users/{name}", summary="Change the role of a user")
    async def change(name: str, given: RoleGiven) -> Done:
        """Holds at once. One administrator has to stay."""
        await edge.users.set_role(name, given.role)
        return DONE

    @api.delete("/users/{name}", summary="Remove a user")
    async def remove(name: str) -> Done:
        """Whoever is signed in as that user is signed out. One administrator has to stay."""
        await edge.users.delete(name)
        return DONE

    @api.put("/users/{name}/password", summary="Reset the password of a user")
    async def reset(name: str, given: ResetGiven) -> Done:
        """It has to be changed at the next sign-in; whoever is signed in as that user is signed out."""
        await edge.users.reset_password(name, given.password, must_change=True)
        return DONE

    return api


def _shown(user: User) -> UserShown:
    at = datetime.fromtimestamp(user.created_at_ms / 1000, UTC)
    return UserShown(
        name=user.name,
        role=user.role,
        created_at=at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        must_change_password=user.must_change,
    )
