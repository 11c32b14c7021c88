"""What the operations of accounts take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rookery.control.rest.models import Given, Id, Shown, Time

TokenText = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class SignInGiven(Given):
    """Who wants to sign in."""

    email: Annotated[
        str,
        StringConstraints(min_length=1, max_length=254),
        Field(description="The e-mail address.", examples=["ada@example.com"]),
    ]
    password: Annotated[
        str,
        StringConstraints(min_length=1, max_length=64),
        Field(description="The password.", examples=["Correct-horse-9"]),
    ]
    code: Annotated[
        str | None,
        StringConstraints(max_length=32),
        Field(
            description="Of the authenticator, or a recovery code; null: there is none, or it is asked for.",
            examples=["287082"],
        ),
    ] = None


class WaysShown(Shown):
    """How somebody gets in."""

    can_reset_password: bool = Field(
        description="A forgotten password can be set by mail.", examples=[True]
    )
    provider: str = Field(
        description="Who else may say who somebody is (OpenID); empty: nobody.",
        examples=["Company account"],
    )
    access_address: str = Field(
        description="Where a browser has to be for that.",
        examples=["https://control.example.com:8082"],
    )


class RefreshGiven(Given):
    """What goes on with a session."""

    refresh_token: TokenText = Field(
        description="What signing in gave.", examples=["mQ6dV0TnB2sYxkP4hFqJ8wLr3ZtCe7Ua"]
    )


class SignedInShown(Shown):
    """What somebody who signed in gets."""

    access_token: str = Field(
        description="Send it as `Authorization: Bearer …`.",
        examples=["kP4hFqJ8wLr3ZtCe7UamQ6dV0TnB2sYx"],
    )
    refresh_token: str = Field(
        description="For `POST /refresh`.", examples=["mQ6dV0TnB2sYxkP4hFqJ8wLr3ZtCe7Ua"]
    )
    expires_in: int = Field(description="Seconds until the access token ends.", examples=[1800])
    refresh_expires_in: int = Field(
        description="Seconds until the refresh token ends, unless it is used.", examples=[604800]
    )
    token_type: Literal["Bearer"] = Field(
        default="Bearer",
        description="How to send it.",
    )
    admin: bool = Field(description="An administrator of the whole system.", examples=[True])


class ProjectRoles(Shown):
    """What the caller is in one project."""

    id: Id
    name: str = Field(description="The project.", examples=["Plant 1"])
    roles: list[str] = Field(description="Roles in it.", examples=[["projectAdmin"]])


class OrgRoles(Shown):
    """What the caller is in one organization."""

    id: Id
    name: str = Field(description="The organization.", examples=["Factory East"])
    roles: list[str] = Field(description="Roles in it.", examples=[["orgAdmin"]])
    projects: list[ProjectRoles] = Field(description="Its projects that the caller may see.")


class RolesShown(Shown):
    """What the caller is where."""

    roles: list[str] = Field(description="In the whole system.", examples=[["systemAdmin"]])
    orgs: list[OrgRoles] = Field(description="By organization.")


class SessionShown(Shown):
    """Somebody who is signed in somewhere."""

    id: Id
    address: str = Field(description="From where it was used last.", examples=["192.0.2.7"])
    user_agent: str = Field(description="What was used.", examples=["Mozilla/5.0 Firefox/145.0"])
    created_at: Time = Field(description="When it began.")
    used_at: Time = Field(description="When it was used last, to the minute.")
    expires_at: Time = Field(description="When it ends, unless it is used.")
    is_current: bool = Field(description="The one that asks.", examples=[True])
