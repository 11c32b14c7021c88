"""``/configuration/oidc``, ``/oidc`` for the page of the sign-in, and the path that a provider sends back to."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.requests import Request as WebRequest
from starlette.responses import RedirectResponse, Response

from rookery.control.accounts import texts as account_texts
from rookery.control.accounts.models import SignedInShown
from rookery.control.accounts.sign_in_api import shown as signed_in_shown
from rookery.control.accounts.store import User
from rookery.control.accounts.users import refuse_tokens
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.errors import InvalidError, MissingError, OutOfReachError, TakenError, Text
from rookery.control.oidc import settings, store, texts
from rookery.control.oidc.models import (
    AccountShown,
    BeginGiven,
    BegunShown,
    FinishGiven,
    OidcGiven,
    OidcShown,
)
from rookery.control.oidc.provider import describe, fetch_keys
from rookery.control.oidc.service import CALLBACK, Back
from rookery.control.rest.guard import open_to_all, people, requires
from rookery.control.rest.models import Items
from rookery.control.settings import address as access_address
from rookery.control.settings import store as kept
from rookery.control.settings.names import OIDC
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.peer import address_of
from rookery.web.rest import errors

Anybody = Annotated[Access | None, open_to_all()]
Sees = Annotated[Access, requires(Resource.SETTINGS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.SETTINGS, Level.EDIT)]
Person = Annotated[Access, people()]
EditsUsers = Annotated[Access, requires(Resource.USERS, Level.EDIT)]
PATH = f"/configuration/{OIDC}"
_AS_SAID = Text("{en}", "{zh}")
_RETURNED_MAX = 4096


def router(control: ControlContext) -> APIRouter:
    api = APIRouter()
    _settings(api, control)
    _test(api, control)
    _sign_in(api, control)
    _own(api, control)
    return api


async def callback(request: WebRequest) -> Response:
    """Where a provider sends a browser back to: the console's page takes it from there.

    What follows # is sent to no server.
    """
    query = request.query_params
    names = ("code", "state", "iss", "error", "error_description")
    told = {name: query[name][:_RETURNED_MAX] for name in names if name in query}
    return RedirectResponse(f"/#/oidc?{urlencode(told)}", 303)


def _settings(api: APIRouter, control: ControlContext) -> None:
    @api.get(PATH, summary="The OpenID provider", tags=["Settings"])
    async def shown(access: Sees) -> OidcShown:
        """Without the client's secret."""
        async with control.database.read() as session:
            found = await kept.value_of(session, OIDC) or {}
            address = await access_address.read(session)
        return OidcShown(
            is_set=bool(found),
            name=found.get("name", ""),
            issuer=found.get("issuer", ""),
            client_id=found.get("client_id", ""),
            is_secret_set=bool(found.get("client_secret")),
            scopes=found.get("scopes", settings.SCOPES),
            domains=found.get("domains", []),
            ca_certificate=found.get("ca_certificate", ""),
            redirect_uri=address + CALLBACK,
        )

    @api.put(PATH, status_code=204, summary="Set the OpenID provider", tags=["Settings"])
    async def change(access: Edits, given: OidcGiven) -> None:
        """Test it first. The secret is encrypted with a key that is not in the database."""
        # Whose provider it is can be anybody here.
        refuse_tokens(access)
        async with control.database.write() as session:
            before = await settings.read_for_change(session, control.vault)
            oidc = given.settings(before)
            await settings.write(session, control.vault, oidc, control.clock.now_ms())
            control.audit.record(
                session,
                access,
                Resource.SETTINGS,
                "update",
                object_id=OIDC,
                object_name=OIDC,
                before={} if before is None else before.plain(),
                after=oidc.plain(),
            )

    @api.delete(PATH, status_code=204, summary="Use no OpenID provider", tags=["Settings"])
    async def remove(access: Edits) -> None:
        """Whoever has no password here gets one by mail, or by an administrator."""
        async with control.database.write() as session:
            before = await settings.read_for_change(session, control.vault)
            if before is None:
                return
            await kept.drop(session, OIDC)
            control.audit.record(
                session,
                access,
                Resource.SETTINGS,
                "delete",
                object_id=OIDC,
                object_name=OIDC,
                before=before.plain(),
            )


def _test(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        PATH + "/test",
        status_code=204,
        summary="Test an OpenID provider",
        tags=["Settings"],
        responses=errors("TEST_FAILED"),
    )
    async def test(access: Edits, given: OidcGiven) -> None:
        """Asks it for its description and its keys, and keeps nothing.

        Whether it takes the client and its secret shows only when somebody signs in.
        """
        async with control.database.read() as session:
            before = await settings.read_for_change(session, control.vault)
        oidc = given.settings(before)
        try:
            await fetch_keys(oidc, await describe(oidc))
        except OutOfReachError as error:
            said = {"en": error.message, "zh": error.text("zh")}
            raise InvalidError(_AS_SAID, code="TEST_FAILED", **said) from None


def _sign_in(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        "/oidc/begin",
        summary="Begin to sign in elsewhere",
        tags=["Sign-in"],
        responses=errors("SERVICE_UNAVAILABLE"),
    )
    async def begin(_access: Anybody, given: BeginGiven) -> BegunShown:
        """For ten minutes, in this browser alone."""
        return BegunShown(url=await control.oidc.begin(given.binding))

    @api.post(
        "/oidc/finish",
        summary="Sign in with what a provider sent back",
        tags=["Sign-in"],
        responses=errors("BAD_USERNAME_OR_PWD", "FORBIDDEN", "SERVICE_UNAVAILABLE"),
    )
    async def finish(request: Request, _access: Anybody, given: FinishGiven) -> SignedInShown:
        """Works once. Whom the provider knows is asked for no second factor here."""
        back = Back(
            state=given.state,
            code=given.code,
            binding=given.binding,
            issuer=given.iss,
            address=address_of(request),
            user_agent=request.headers.get("user-agent", ""),
        )
        return signed_in_shown(await control.oidc.finish(back))

    @api.delete(
        "/users/{user}/accounts",
        status_code=204,
        summary="Undo the binding of a user to accounts elsewhere",
        tags=["Users"],
        responses=errors("USER_NOT_FOUND", "NOT_FOUND"),
    )
    async def unbind(access: EditsUsers, user: str) -> None:
        """The next sign-in with the user's verified address binds again."""
        async with control.database.write() as session:
            found = await session.get(User, user)
            if found is None:
                raise MissingError(account_texts.NO_USER, code="USER_NOT_FOUND")
            if not await store.unbind(session, user):
                raise MissingError(texts.NOT_BOUND)
            control.audit.record(
                session,
                access,
                Resource.USERS,
                "unbindAccount",
                object_id=user,
                object_name=found.email,
            )


def _own(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        "/profile/accounts", summary="Accounts elsewhere that one signs in with", tags=["Profile"]
    )
    async def accounts(access: Person) -> Items[AccountShown]:
        """Those that a provider showed to be one's own."""
        async with control.database.read() as session:
            rows = await store.identities_of(session, access.caller.id)
        items = [AccountShown.model_validate(row) for row in rows]
        return Items(items=items, total=len(items))

    @api.delete(
        "/profile/accounts",
        status_code=204,
        summary="Undo the binding of oneself to accounts elsewhere",
        tags=["Profile"],
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def unbind_own(access: Person) -> None:
        """Only with a password, which is the way in that is left."""
        async with control.database.write() as session:
            user = await session.get(User, access.caller.id)
            if user is None or not await store.issuers_of(session, user.id):
                raise MissingError(texts.NOT_BOUND)
            if not user.password_hash:
                raise TakenError(texts.NO_OTHER_WAY, code="CONFLICT")
            await store.unbind(session, user.id)
            control.audit.record(
                session,
                access,
                Resource.USERS,
                "unbindAccount",
                object_id=user.id,
                object_name=user.email,
            )
