"""``/configuration/mail``: the mail server, and its test."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from sqlalchemy import select

from rookery.control.accounts.users import refuse_tokens
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.mail import settings, store, texts
from rookery.control.mail.models import MailGiven, MailShown
from rookery.control.mail.store import OutboxRow
from rookery.control.rest.guard import requires
from rookery.control.settings import store as kept
from rookery.control.settings.names import MAIL
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

Sees = Annotated[Access, requires(Resource.SETTINGS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.SETTINGS, Level.EDIT)]
PATH = f"/configuration/{MAIL}"


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Settings"])
    _settings(api, control)
    _test(api, control)
    return api


def _settings(api: APIRouter, control: ControlContext) -> None:
    @api.get(PATH, summary="The mail server")
    async def shown(access: Sees) -> MailShown:
        """Without its password."""
        async with control.database.read() as session:
            found = await kept.value_of(session, MAIL) or {}
            waiting = await store.count(session)
            last = await session.scalar(
                select(OutboxRow.error)
                .where(OutboxRow.error != "")
                .order_by(OutboxRow.next_at.desc())
                .limit(1)
            )
        return MailShown(
            is_set=bool(found),
            host=found.get("host", ""),
            port=found.get("port", 587),
            security=found.get("security", "starttls"),
            username=found.get("username", ""),
            is_password_set=bool(found.get("password")),
            sender=found.get("sender", ""),
            ca_certificate=found.get("ca_certificate", ""),
            waiting=waiting,
            last_error=last or "",
        )

    @api.put(PATH, status_code=204, summary="Set the mail server")
    async def change(access: Edits, given: MailGiven) -> None:
        """Test it first. The password is encrypted with a key that is not in the database."""
        # Whose server it is reads the links that let people in.
        refuse_tokens(access)
        async with control.database.write() as session:
            before = await settings.read_for_change(session, control.vault)
            mail = given.settings(before)
            await settings.write(session, control.vault, mail, control.clock.now_ms())
            control.audit.record(
                session,
                access,
                Resource.SETTINGS,
                "update",
                object_id=MAIL,
                object_name=MAIL,
                before={} if before is None else before.plain(),
                after=mail.plain(),
            )
        control.outbox.nudge()

    @api.delete(PATH, status_code=204, summary="Use no mail server")
    async def remove(access: Edits) -> None:
        """Invitations are then links to be handed over, and nobody can reset a forgotten password."""
        async with control.database.write() as session:
            before = await settings.read_for_change(session, control.vault)
            if before is None:
                return
            await kept.drop(session, MAIL)
            control.audit.record(
                session,
                access,
                Resource.SETTINGS,
                "delete",
                object_id=MAIL,
                object_name=MAIL,
                before=before.plain(),
            )


def _test(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        PATH + "/test",
        status_code=204,
        summary="Test a mail server",
        responses=errors("TEST_FAILED"),
    )
    async def test(access: Edits, given: MailGiven, language: LanguageQuery) -> None:
        """Sends a message to the caller and keeps nothing. A refusal says which hop it was."""
        async with control.database.read() as session:
            before = await settings.read_for_change(session, control.vault)
        mail = given.settings(before)
        user = await control.users.user(access.caller.id)
        address = await control.access_address.get()
        subject, body = texts.TEST_SUBJECT, texts.TEST_BODY
        is_zh = language == "zh"
        await control.mailer.send_by(
            mail,
            [user.email],
            subject.zh if is_zh else subject.en,
            (body.zh if is_zh else body.en).format(address=address),
        )
