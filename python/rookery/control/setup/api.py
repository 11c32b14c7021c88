"""``/setup``: open until there is an administrator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from rookery.access.lockout import is_loopback
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import open_to_all
from rookery.control.setup.models import AddressTestGiven, SetupGiven, SetupState
from rookery.web.peer import address_of, is_direct
from rookery.web.rest import errors

Anybody = Annotated[Access | None, open_to_all()]


def is_near(request: Request) -> bool:
    """Whether this was asked on the machine itself, by no page of another name and by no proxy."""
    return is_loopback(address_of(request)) and is_direct(request)


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Setup"])

    @api.get("/setup", summary="Whether anything is left to set up")
    async def state(request: Request, _access: Anybody) -> SetupState:
        """Until the first administrator is made, the console shows a wizard."""
        finished = await control.setup.is_finished()
        return SetupState(is_finished=finished, needs_code=not finished and not is_near(request))

    @api.post(
        "/setup",
        status_code=204,
        summary="Make the first administrator",
        responses=errors("FORBIDDEN", "LOGIN_LOCKED", "CONFLICT"),
    )
    async def finish(request: Request, _access: Anybody, given: SetupGiven) -> None:
        """Works once. There is no default password."""
        address = address_of(request)
        await control.setup.check_code(given.code, address, is_near=is_near(request))
        access_address = given.access_address.rstrip("/")
        await control.server_certificate.fit(access_address)
        await control.setup.finish(
            email=given.email,
            password=given.password,
            name=given.name,
            access_address=access_address,
            language=given.language,
            address=address,
        )

    @api.post(
        "/setup/test-address",
        status_code=204,
        summary="Test an access address before the set-up is finished",
        responses=errors("FORBIDDEN", "LOGIN_LOCKED", "CONFLICT", "TEST_FAILED"),
    )
    async def test(request: Request, _access: Anybody, given: AddressTestGiven) -> None:
        """The control plane asks itself there; nothing is kept."""
        address = address_of(request)
        await control.setup.check_code(given.code, address, is_near=is_near(request))
        await control.access_address.test(given.access_address.rstrip("/"))

    return api
