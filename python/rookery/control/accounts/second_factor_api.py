"""``/profile/second-factor`` and ``/users/{user}/second-factor``."""

from __future__ import annotations

from typing import Annotated

import segno
from fastapi import APIRouter
from pydantic import Field

from rookery.control.accounts.users_models import CurrentPassword
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import people, requires
from rookery.control.rest.models import Given, Shown, Time
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.rest import errors

Person = Annotated[Access, people()]
# Whoever has to set one up first gets this far.
Early = Annotated[Access, people(before_all=True)]
Edits = Annotated[Access, requires(Resource.USERS, Level.EDIT)]
PATH = "/profile/second-factor"
_WRONG = errors("ERROR_PWD_NOT_MATCH", "LOGIN_LOCKED", "SERVICE_UNAVAILABLE")


class FactorShown(Shown):
    """Whether the caller has a second factor."""

    is_on: bool = Field(description="A code is asked for at the sign-in.", examples=[True])
    since: Time | None = Field(description="Since when; null: there is none.")
    recovery_codes: int = Field(description="Recovery codes that are left.", examples=[10])


class EnrolmentShown(Shown):
    """What an authenticator is told; shown once."""

    secret: str = Field(
        description="To be typed in.", examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"]
    )
    uri: str = Field(
        description="What the picture says.",
        examples=[
            "otpauth://totp/Rookery:ada%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Rookery"
        ],
    )
    picture: list[str] = Field(
        description="Rows of a QR code without its margin; 1 is dark.",
        examples=[["1111111", "1000001"]],
    )


class CodeGiven(Given):
    """What an authenticator shows."""

    code: Annotated[
        str,
        Field(max_length=16, description="Six digits, of the moment.", examples=["287082"]),
    ]


class ConfirmGiven(Given):
    """The password, again."""

    password: CurrentPassword = Field(description="One's own.", examples=["Correct-horse-9"])


class RecoveryShown(Shown):
    """Codes for whoever has lost the authenticator; shown once."""

    recovery_codes: list[str] = Field(
        description="Each works once, in place of a code.", examples=[["mzxw-6ytb-oi3d-gnbv"]]
    )


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Profile"])
    _enrolment(api, control)
    _afterwards(api, control)
    return api


def _enrolment(api: APIRouter, control: ControlContext) -> None:
    @api.get(PATH, summary="Whether one has a second factor")
    async def shown(access: Early) -> FactorShown:
        """And how many recovery codes are left."""
        return FactorShown.model_validate(await control.factors.standing(access.caller.id))

    @api.post(
        PATH,
        status_code=201,
        summary="Begin with a second factor",
        responses=errors("CONFLICT", "ERROR_PWD_NOT_MATCH", "LOGIN_LOCKED", "SERVICE_UNAVAILABLE"),
    )
    async def begin(access: Early, given: ConfirmGiven) -> EnrolmentShown:
        """A secret for an authenticator (TOTP). It is asked for once a code of it was confirmed."""
        made = await control.factors.begin(access, given.password)
        rows = segno.make_qr(made.uri, error="m").matrix
        picture = ["".join("1" if module else "0" for module in row) for row in rows]
        return EnrolmentShown(secret=made.secret, uri=made.uri, picture=picture)

    @api.post(
        PATH + "/confirm",
        summary="Confirm a second factor",
        responses=errors("LOGIN_LOCKED", "SERVICE_UNAVAILABLE"),
    )
    async def confirm(access: Early, given: CodeGiven) -> RecoveryShown:
        """From now on a code is asked for. Other sessions end."""
        return RecoveryShown(recovery_codes=await control.factors.confirm(access, given.code))


def _afterwards(api: APIRouter, control: ControlContext) -> None:
    @api.post(PATH + "/recovery-codes", summary="Other recovery codes", responses=_WRONG)
    async def renew(access: Person, given: ConfirmGiven) -> RecoveryShown:
        """Those before work no more."""
        codes = await control.factors.renew_codes(access, given.password)
        return RecoveryShown(recovery_codes=codes)

    @api.post(
        PATH + "/disable",
        status_code=204,
        summary="Do without a second factor",
        responses=_WRONG,
    )
    async def disable(access: Person, given: ConfirmGiven) -> None:
        """By who knows the password."""
        await control.factors.disable(access, given.password)

    @api.delete(
        "/users/{user}/second-factor",
        status_code=204,
        summary="Take away a user's second factor",
        responses=errors("USER_NOT_FOUND", "NOT_FOUND", "NOT_ALLOWED"),
    )
    async def reset(access: Edits, user: str) -> None:
        """For who has lost authenticator and recovery codes. The user is signed out everywhere."""
        await control.factors.reset(access, user)
