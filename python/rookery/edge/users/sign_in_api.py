"""``/login``, ``/logout``, ``/password`` and who one is."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from rookery.edge.context import EdgeContext
from rookery.edge.rest.guard import BEFORE_ALL, BEFORE_SIGN_IN
from rookery.edge.rest.models import DONE, Done
from rookery.edge.users.models import EdgeRole
from rookery.web.caller import ASSERTED
from rookery.web.models import Model, Row
from rookery.web.peer import address_of, is_direct
from rookery.web.rest import CurrentCaller

Name = Annotated[str, Field(max_length=256, description="The user.", examples=["admin"])]
Typed = Annotated[str, Field(max_length=1024, json_schema_extra={"format": "password"})]


class LoginGiven(Model):
    """Who wants in."""

    name: Name
    pass_: Annotated[Typed, Field(alias="pass", description="The password.", examples=["0000"])]


class TokenShown(Row):
    """What goes into `Authorization: Bearer …`."""

    token: str = Field(description="A JSON Web Token.", examples=["eyJhbGciOi…"])


class PasswordGiven(Model):
    """Another password for oneself."""

    old_pass: Annotated[Typed, Field(description="The present one.", examples=["0000"])]
    new_pass: Annotated[
        Typed,
        Field(
            description="8 to 64 characters, at least two of letters, digits and others.",
            examples=["plant-7-north"],
        ),
    ]


class MeShown(Row):
    """Who asks."""

    name: str = Field(description="The user.", examples=["admin"])
    role: EdgeRole = Field(description="What that one may.")
    must_change_password: bool = Field(
        description="Nothing else is allowed before that.", examples=[False]
    )
    via: Literal["token", "control"] = Field(
        default="token",
        description="How it was told: by a token, or by the control plane that adopted the service.",
        examples=["token"],
    )


class SessionShown(Row):
    """How these pages are reached."""

    via: Literal["control", "direct"] = Field(
        description="Through the control plane, which has said who asks, or directly: one signs in.",
        examples=["direct"],
    )


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(tags=["Sign-in"])

    @api.get("/session", summary="Whether one has to sign in", openapi_extra=BEFORE_SIGN_IN)
    async def session(request: Request) -> SessionShown:
        """A page asks this first."""
        return SessionShown(via="control" if ASSERTED in request.scope else "direct")

    @api.post("/login", summary="Sign in", openapi_extra=BEFORE_SIGN_IN)
    async def login(request: Request, given: LoginGiven) -> TokenShown:
        """Five wrong passwords within five minutes lock that user from that address for ten. The default
        password of `admin`, `0000`, is good on the machine itself, to choose another.
        """
        token = await edge.users.sign_in(
            given.name, given.pass_, address_of(request), is_near=is_direct(request)
        )
        return TokenShown(token=token)

    @api.post("/logout", summary="Sign out", openapi_extra=BEFORE_ALL)
    async def logout(caller: CurrentCaller) -> Done:
        """The token is not good any more."""
        await edge.users.sign_out(caller)
        return DONE

    @api.post("/password", summary="Change one's own password", openapi_extra=BEFORE_ALL)
    async def password(caller: CurrentCaller, given: PasswordGiven) -> TokenShown:
        """Every token of the user ends; the one that is answered takes their place."""
        token = await edge.users.change_own_password(caller, given.old_pass, given.new_pass)
        return TokenShown(token=token)

    @api.get("/me", summary="Who one is", openapi_extra=BEFORE_ALL)
    async def me(caller: CurrentCaller) -> MeShown:
        """And what one may."""
        role: EdgeRole = "administrator" if caller.role == "administrator" else "viewer"
        return MeShown(
            name=caller.name,
            role=role,
            must_change_password=caller.must_change_password,
            via="control" if caller.via == "control" else "token",
        )

    return api
