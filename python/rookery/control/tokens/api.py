"""``/tokens``: everybody's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, StringConstraints

from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import people
from rookery.control.rest.models import Given, Id, Items, Shown, Time
from rookery.control.tokens.service import NewToken
from rookery.web.rest import errors

Person = Annotated[Access, people()]
AccessWord = Annotated[
    Literal["read", "write"],
    Field(description="`read` changes nothing, whatever the owner may.", examples=["read"]),
]
Name = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=100, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
    Field(description="What it is for.", examples=["monitoring"]),
]


class TokenGiven(Given):
    """A token to be."""

    name: Name
    access: AccessWord = "read"
    expires_at: AwareDatetime = Field(
        description="When it ends: within a year.", examples=["2027-01-31T08:00:00Z"]
    )
    org_id: Id | None = Field(default=None, description="Only there; else wherever the owner may.")
    project_id: Id | None = Field(default=None, description="Only there, a project of `orgId`.")


class TokenShown(Shown):
    """A token without its secret."""

    id: Id
    name: str = Field(description="What it is for.", examples=["monitoring"])
    access: AccessWord
    org_id: Id | None = Field(description="Only there.")
    project_id: Id | None = Field(description="Only there.")
    created_at: Time = Field(description="Since when.")
    expires_at: Time = Field(description="When it ends.")
    used_at: Time | None = Field(description="When it was used last, to the minute; null: never.")


class TokenMade(TokenShown):
    """A token, this once with its secret."""

    token: str = Field(
        description="Send it as `Authorization: Bearer …`. It is shown this once.",
        examples=["rkt_kP4hFqJ8wLr3ZtCe7UamQ6dV0TnB2sYx"],
    )


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["API tokens"])

    @api.get("/tokens", summary="One's own API tokens")
    async def tokens(access: Person) -> Items[TokenShown]:
        """At most 50, by name."""
        rows = await control.tokens.list(access)
        return Items(items=[TokenShown.model_validate(row) for row in rows], total=len(rows))

    @api.post(
        "/tokens",
        status_code=201,
        summary="Make an API token",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS", "EXCEED_LIMIT"),
    )
    async def create(access: Person, given: TokenGiven) -> TokenMade:
        """It may never do more than its owner, and may not sign in, make tokens or change a profile."""
        new = NewToken(
            name=given.name,
            access=given.access,
            expires_at_ms=_ms(given.expires_at),
            org_id=given.org_id,
            project_id=given.project_id,
        )
        row, token = await control.tokens.create(access, new)
        shown = TokenShown.model_validate(row)
        return TokenMade(**dict(shown), token=token)

    @api.delete(
        "/tokens/{token}",
        status_code=204,
        summary="Revoke an API token",
        responses=errors("NOT_FOUND"),
    )
    async def delete(access: Person, token: str) -> None:
        """It works no more, in no process."""
        await control.tokens.delete(access, token)

    return api


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
