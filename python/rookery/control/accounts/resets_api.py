"""``/password-reset``: a forgotten password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from rookery.control.accounts.invitations_models import LinkGiven
from rookery.control.accounts.words import Email, NewPassword
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import open_to_all
from rookery.control.rest.models import Given, Shown
from rookery.web.peer import address_of
from rookery.web.rest import errors

Anybody = Annotated[Access | None, open_to_all()]


class ResetGiven(Given):
    """Who forgot a password."""

    email: Email


class ResetShown(Shown):
    """Whose password a link sets."""

    email: str = Field(description="The user.", examples=["ada@example.com"])


class ResetFinish(LinkGiven):
    """Another password."""

    password: NewPassword


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Sign-in"])

    @api.post(
        "/password-reset",
        status_code=202,
        summary="Ask for a link to set another password",
        responses=errors("CONFLICT", "SERVICE_UNAVAILABLE"),
    )
    async def request(request: Request, _access: Anybody, given: ResetGiven) -> None:
        """The answer is the same whether the address is anybody's or not; a user's gets a message.

        At most one a minute, and five an hour.
        """
        await control.resets.request(given.email, address_of(request))

    @api.post("/password-reset/look", summary="Whose password a link sets")
    async def look(_access: Anybody, given: LinkGiven) -> ResetShown:
        """For the page that the link leads to."""
        return ResetShown(email=await control.resets.look(given.token))

    @api.post(
        "/password-reset/finish",
        status_code=204,
        summary="Set another password by a link",
        responses=errors("SERVICE_UNAVAILABLE"),
    )
    async def finish(request: Request, _access: Anybody, given: ResetFinish) -> None:
        """Works once. The user is signed out everywhere; a second factor stays."""
        await control.resets.finish(given.token, given.password, address_of(request))

    return api
