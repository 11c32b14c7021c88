"""``/configuration/…``: what is set for the whole control plane while it runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from rookery.control.accounts.store import PASSWORDS_BEFORE_MAX
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import requires
from rookery.control.rest.models import Given, Shown
from rookery.control.settings import address, store, user_management
from rookery.control.settings.names import ACCESS_ADDRESS, USER_MANAGEMENT
from rookery.control.settings.user_management import INVITATION_S, RESET_S, UserManagement
from rookery.control.settings.words import Url
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

Sees = Annotated[Access, requires(Resource.SETTINGS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.SETTINGS, Level.EDIT)]
_DAY_S = 24 * 3600
Minutes = Annotated[int, Field(ge=1, le=24 * 60, examples=[30])]


class AddressGiven(Given):
    """Where this control plane is."""

    url: Url


class AddressShown(Shown):
    """Where this control plane is."""

    url: str = Field(description="Empty: not set.", examples=["https://control.example.com:8082"])
    certificate_problem: str = Field(
        description="Why agents would refuse the certificate that was brought; empty: they do not.",
        examples=[""],
    )


class UserManagementShown(Shown):
    """How long somebody stays signed in, and what a password has to be."""

    access_token_minutes: Minutes = Field(description="How long an access token lasts.")
    refresh_token_days: int = Field(
        ge=1, le=90, description="How long an unused session lasts.", examples=[7]
    )
    password_length_min: int = Field(
        ge=8, le=64, description="Least characters of a new password.", examples=[8]
    )

    password_age_days: int = Field(
        default=0,
        ge=0,
        le=730,
        description="After so many days a password has to be changed; 0: never.",
        examples=[0],
    )
    password_history: int = Field(
        default=0,
        ge=0,
        le=PASSWORDS_BEFORE_MAX,
        description="So many of the last passwords may not be chosen again; 0: any may.",
        examples=[3],
    )
    invitation_hours: int = Field(
        default=INVITATION_S // 3600,
        ge=1,
        le=168,
        description="How long an invitation works.",
        examples=[24],
    )
    reset_minutes: int = Field(
        default=RESET_S // 60,
        ge=5,
        le=1440,
        description="How long a link for a forgotten password works.",
        examples=[30],
    )
    is_second_factor_required: bool = Field(
        default=False,
        description="Administrators of the system have to set up a second factor before anything else.",
        examples=[False],
    )


class UserManagementGiven(UserManagementShown):
    """The same."""

    model_config = Given.model_config


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Settings"], prefix="/configuration")
    _address(api, control)
    _user_management(api, control)
    return api


def _address(api: APIRouter, control: ControlContext) -> None:
    path = f"/{ACCESS_ADDRESS}"

    @api.get(path, summary="The access address")
    async def shown(access: Sees, language: LanguageQuery) -> AddressShown:
        """What agents are told to connect to, and what links in messages begin with."""
        url = await control.access_address.get()
        problem = await control.server_certificate.misfit(url, language)
        return AddressShown(url=url, certificate_problem=problem)

    @api.put(path, status_code=204, summary="Set the access address")
    async def change(access: Edits, given: AddressGiven) -> None:
        """Test it first. Agents that are registered already keep the one that they have.

        A certificate that was made by the control plane is made again for that address.
        """
        url = given.url.rstrip("/")
        await control.server_certificate.fit(url)
        async with control.database.write() as session:
            before = await address.read(session)
            await store.put(session, ACCESS_ADDRESS, {"url": url}, control.clock.now_ms())
            _tell(control, session, access, ACCESS_ADDRESS, {"url": before}, {"url": url})

    @api.post(
        path + "/test",
        status_code=204,
        summary="Test an access address",
        responses=errors("TEST_FAILED"),
    )
    async def test(access: Edits, given: AddressGiven) -> None:
        """The control plane asks itself there; nothing is kept."""
        await control.access_address.test(given.url.rstrip("/"))


def _user_management(api: APIRouter, control: ControlContext) -> None:
    path = f"/{USER_MANAGEMENT}"

    @api.get(path, summary="Rules for passwords and sessions")
    async def shown(access: Sees) -> UserManagementShown:
        """As they hold for whoever signs in or chooses a password."""
        async with control.database.read() as session:
            return _shown(await user_management.read(session))

    @api.put(path, status_code=204, summary="Change the rules for passwords and sessions")
    async def change(access: Edits, given: UserManagementGiven) -> None:
        """Sessions that run keep their times until they are refreshed."""
        rules = UserManagement(
            access_token_s=given.access_token_minutes * 60,
            refresh_token_s=given.refresh_token_days * _DAY_S,
            password_length_min=given.password_length_min,
            password_age_s=given.password_age_days * _DAY_S,
            password_history=given.password_history,
            invitation_s=given.invitation_hours * 3600,
            reset_s=given.reset_minutes * 60,
            is_factor_required=given.is_second_factor_required,
        )
        async with control.database.write() as session:
            before = await user_management.read(session)
            await user_management.write(session, rules, control.clock.now_ms())
            _tell(control, session, access, USER_MANAGEMENT, _plain(before), _plain(rules))


def _shown(rules: UserManagement) -> UserManagementShown:
    return UserManagementShown(
        access_token_minutes=rules.access_token_s // 60,
        refresh_token_days=rules.refresh_token_s // _DAY_S,
        password_length_min=rules.password_length_min,
        password_age_days=rules.password_age_s // _DAY_S,
        password_history=rules.password_history,
        invitation_hours=rules.invitation_s // 3600,
        reset_minutes=rules.reset_s // 60,
        is_second_factor_required=rules.is_factor_required,
    )


def _plain(rules: UserManagement) -> dict[str, Any]:
    # By the names that an administrator knows; "token" or "password" in one would hide its value.
    return {
        "accessMinutes": rules.access_token_s // 60,
        "refreshDays": rules.refresh_token_s // _DAY_S,
        "lengthMin": rules.password_length_min,
        "ageDays": rules.password_age_s // _DAY_S,
        "lastOnes": rules.password_history,
        "invitationHours": rules.invitation_s // 3600,
        "resetMinutes": rules.reset_s // 60,
        "isSecondFactorRequired": rules.is_factor_required,
    }


def _tell(
    control: ControlContext,
    session: Any,
    access: Access,
    name: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    control.audit.record(
        session,
        access,
        Resource.SETTINGS,
        "update",
        object_id=name,
        object_name=name,
        before=before,
        after=after,
    )
