"""Push configurations of a project, their test, and the log of what was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from yarl import URL

from rookery.clock import Clock
from rookery.control.accounts.emails import checked_email
from rookery.control.alarms import texts
from rookery.control.alarms.names import flush_named
from rookery.control.alarms.project import LOCK
from rookery.control.alarms.push.attempt import Attempt
from rookery.control.alarms.push.directory import Directory
from rookery.control.alarms.push.messages import told_of
from rookery.control.alarms.push.network import Targets, check_literal
from rookery.control.alarms.push.outbox import media_of
from rookery.control.alarms.push.presets import WebhookKind
from rookery.control.alarms.push.sender import Sender
from rookery.control.alarms.push.store import ChannelRow, DeliveryRow, Event, Medium, State
from rookery.control.alarms.push.template import checked
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.errors import InvalidError, MissingError, TakenError, TooManyError
from rookery.control.rest.lists import Window
from rookery.control.tenancy.permissions import Resource
from rookery.storage.database import Database
from rookery.storage.ids import new_id

CHANNELS_MAX = 50
URL_LENGTH_MAX = 2048
HEADERS_MAX = 20
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\t\x20-\x7e]{0,1022}[\x21-\x7e])?")
# What the connection and we ourselves say.
_NOT_YOURS = frozenset(
    {
        *("host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade"),
        *("keep-alive", "te", "trailer", "expect", "proxy-authorization", "user-agent"),
        *("x-rookery-timestamp", "x-rookery-signature", "x-rookery-delivery", "x-rookery-event"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookWanted:
    """A webhook as somebody wants it.

    Attributes:
        kind: Who is called.
        url: Where; none: as before.
        headers: Sent along; a value of none is the one that is kept.
        secret: What bodies are signed with; none: as before, empty: they are not.
        template: The body; empty: the usual one.
    """

    kind: WebhookKind
    url: str | None
    headers: Mapping[str, str | None]
    secret: str | None
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelWanted:
    """A push configuration as somebody wants it."""

    name: str
    is_enabled: bool
    language: str
    pushes_clusters: bool
    labels: Sequence[str]
    recipients: Sequence[str]
    webhook: WebhookWanted | None


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which messages."""

    state: str | None = None
    channel_id: str | None = None
    alarm_id: str | None = None


class ChannelService:
    """What administrators do about pushes."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        directory: Directory,
        sender: Sender,
        targets: Targets,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._directory = directory
        self._sender = sender
        self._targets = targets

    async def list(self, access: Access) -> Sequence[ChannelRow]:
        """All of the project, by name."""
        async with self._database.read() as session:
            rows = await session.scalars(
                select(ChannelRow)
                .where(ChannelRow.project_id == access.project)
                .order_by(ChannelRow.name)
            )
            return rows.all()

    async def get(self, access: Access, channel_id: str) -> ChannelRow:
        """One.

        Raises:
            MissingError: the project has none of that id.
        """
        async with self._database.read() as session:
            return await _channel(session, access, channel_id)

    async def create(self, access: Access, wanted: ChannelWanted) -> ChannelRow:
        """Add one.

        Raises:
            InvalidError: it cannot be used.
            TakenError: there is one of that name.
            TooManyError: there are as many as there may be.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            query = select(func.count()).select_from(ChannelRow)
            found = await session.scalar(query.where(ChannelRow.project_id == access.project))
            if (found or 0) >= CHANNELS_MAX:
                raise TooManyError(texts.CHANNELS_MAX, most=CHANNELS_MAX)
            row = ChannelRow(
                id=new_id(), project_id=access.project, created_at=self._clock.now_ms(),
                webhook_kind="", webhook_url="", webhook_host="", webhook_headers="",
                webhook_header_names=[], webhook_secret="", webhook_template="",
            )  # fmt: skip
            self._fill(row, wanted)
            session.add(row)
            await flush_named(session, wanted.name)
            self._record(session, access, "createChannel", row, after=_plain(row))
        return row

    async def put(self, access: Access, channel_id: str, wanted: ChannelWanted) -> ChannelRow:
        """Change one. What waits on a way that it has no more is not sent.

        Raises:
            MissingError: the project has none of that id.
            InvalidError: it cannot be used.
            TakenError: there is another of that name.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await _channel(session, access, channel_id)
            before = _plain(row)
            self._fill(row, wanted)
            await flush_named(session, wanted.name)
            kept = [str(medium) for medium in media_of(row)] if row.is_enabled else []
            await self._drop_waiting(session, row, but=kept)
            self._record(session, access, "updateChannel", row, before=before, after=_plain(row))
        return row

    async def delete(self, access: Access, channel_id: str) -> None:
        """Tell nobody by it any more; the log stays.

        Raises:
            MissingError: the project has none of that id.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await _channel(session, access, channel_id)
            await self._drop_waiting(session, row)
            await session.delete(row)
            self._record(session, access, "deleteChannel", row, before=_plain(row))

    async def test(self, access: Access, channel_id: str, medium: Medium) -> Attempt:
        """Send a test now and once; what came of it. The log has it too.

        Raises:
            MissingError: the project has none of that id.
            InvalidError: it does not tell by that way.
        """
        async with self._database.read() as session:
            channel = await _channel(session, access, channel_id)
            origin = await self._directory.origin(session, channel)
        if medium not in media_of(channel):
            raise InvalidError(texts.NO_SUCH_WAY, medium=medium)
        now_ms = self._clock.now_ms()
        content = {"startsAt": now_ms, "severity": "normal"}
        row = DeliveryRow(
            id=new_id(), project_id=channel.project_id, channel_id=channel.id,
            channel_name=channel.name, medium=str(medium), event=str(Event.TEST), alarm_id=None,
            order=now_ms * 1000, content=content, created_at=now_ms, due_at=now_ms, attempts=1,
        )  # fmt: skip
        told = told_of(Event.TEST, content, origin)
        attempt = await self._sender.attempt(channel, medium, [told], origin, row.id)
        row.state = str(State.SENT if attempt.is_sent else State.FAILED)
        row.status, row.duration_ms = attempt.status, attempt.duration_ms
        row.reason, row.reason_zh = attempt.reason[:1000], attempt.reason_zh[:1000]
        row.finished_at = self._clock.now_ms()
        async with self._database.write() as session:
            session.add(row)
            self._record(session, access, "testChannel", channel, after={"isSent": attempt.is_sent})
        return attempt

    # -- what was sent --------------------------------------------------------------------------

    async def deliveries(
        self, access: Access, query: DeliveryQuery, window: Window
    ) -> tuple[Sequence[DeliveryRow], int]:
        """The log, newest first as usual."""
        conditions = [DeliveryRow.project_id == access.project]
        for column, wanted in (
            (DeliveryRow.state, query.state),
            (DeliveryRow.channel_id, query.channel_id),
            (DeliveryRow.alarm_id, query.alarm_id),
        ):
            if wanted is not None:
                conditions.append(column == wanted)
        order = DeliveryRow.order.desc() if window.order == "desc" else DeliveryRow.order.asc()
        async with self._database.read() as session:
            count = select(func.count()).select_from(DeliveryRow).where(*conditions)
            total = await session.scalar(count)
            rows = await session.scalars(
                select(DeliveryRow)
                .where(*conditions)
                .order_by(order, DeliveryRow.id)
                .offset(window.offset)
                .limit(window.size)
            )
            return rows.all(), total or 0

    async def retry(self, access: Access, delivery_id: str) -> None:
        """Send a message again that was given up.

        Raises:
            MissingError: there is none of that id, or its configuration is gone.
            TakenError: it waits to be sent already.
        """
        async with self._database.write() as session:
            row = await session.get(DeliveryRow, delivery_id)
            if row is None or row.project_id != access.project or row.event == Event.TEST:
                raise MissingError(texts.NO_DELIVERY)
            channel = await session.get(ChannelRow, row.channel_id)
            if channel is None or Medium(row.medium) not in media_of(channel):
                raise MissingError(texts.NO_DELIVERY)
            if row.state == State.QUEUED:
                raise TakenError(texts.STILL_WAITS, code="CONFLICT")
            row.state, row.attempts, row.finished_at = str(State.QUEUED), 0, None
            row.due_at = await self._database.now_ms(session, self._clock.now_ms())
            self._record(session, access, "retryDelivery", channel)
        self._sender.wake()

    # -- inside ---------------------------------------------------------------------------------

    def _fill(self, row: ChannelRow, wanted: ChannelWanted) -> None:
        if not wanted.recipients and wanted.webhook is None:
            raise InvalidError(texts.NO_WAY)
        row.name, row.is_enabled, row.language = wanted.name, wanted.is_enabled, wanted.language
        row.pushes_clusters = wanted.pushes_clusters
        row.labels = sorted(set(wanted.labels))
        row.recipients = sorted({checked_email(each) for each in wanted.recipients})
        if wanted.webhook is None:
            row.webhook_kind = row.webhook_url = row.webhook_host = ""
            row.webhook_headers = row.webhook_secret = row.webhook_template = ""
            row.webhook_header_names = []
        else:
            self._fill_webhook(row, wanted.webhook)

    def _fill_webhook(self, row: ChannelRow, wanted: WebhookWanted) -> None:
        is_elsewhere = False
        if wanted.url is not None:
            host = _checked_url(wanted.url, wanted.kind, self._targets)
            is_elsewhere = bool(row.webhook_host) and row.webhook_host != host
            row.webhook_url, row.webhook_host = self._directory.sealed(wanted.url), host
        elif not row.webhook_url:
            raise InvalidError(texts.NO_URL)
        headers = self._headers(row, wanted, is_elsewhere=is_elsewhere)
        row.webhook_headers = self._directory.sealed(json.dumps(headers)) if headers else ""
        row.webhook_header_names = sorted(headers)
        if wanted.secret is not None:
            row.webhook_secret = self._directory.sealed(wanted.secret)
        elif is_elsewhere and row.webhook_secret:
            raise InvalidError(texts.SECRETS_AGAIN)
        row.webhook_kind = str(wanted.kind)
        row.webhook_template = checked(wanted.template) if wanted.template.strip() else ""

    def _headers(
        self, row: ChannelRow, wanted: WebhookWanted, *, is_elsewhere: bool
    ) -> dict[str, str]:
        kept = json.loads(self._directory.opened(row.webhook_headers) or "{}")
        headers: dict[str, str] = {}
        for name, value in wanted.headers.items():
            if value is None and is_elsewhere:
                raise InvalidError(texts.SECRETS_AGAIN)
            found = kept.get(name) if value is None else value
            is_good = _HEADER_NAME.fullmatch(name) and name.lower() not in _NOT_YOURS
            if not is_good or found is None or not _HEADER_VALUE.fullmatch(found):
                raise InvalidError(texts.BAD_HEADER, name=name)
            headers[name] = found
        return headers

    async def _drop_waiting(
        self, session: AsyncSession, row: ChannelRow, *, but: Sequence[str] = ()
    ) -> None:
        await session.execute(
            update(DeliveryRow)
            .where(
                DeliveryRow.channel_id == row.id,
                DeliveryRow.state == str(State.QUEUED),
                DeliveryRow.medium.not_in(list(but)),
            )
            .values(state=str(State.DROPPED), finished_at=self._clock.now_ms())
        )

    def _record(
        self,
        session: AsyncSession,
        access: Access,
        operation: str,
        row: ChannelRow,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        self._audit.record(
            session,
            access,
            Resource.ALARMS,
            operation,
            object_id=row.id,
            object_name=row.name,
            before=before,
            after=after,
        )


async def drop_deliveries(session: AsyncSession, before_ms: int) -> None:
    """Forget what became of messages long ago."""
    await session.execute(
        delete(DeliveryRow).where(
            DeliveryRow.finished_at.is_not(None), DeliveryRow.finished_at < before_ms
        )
    )


def _checked_url(text: str, kind: WebhookKind, targets: Targets) -> str:
    """The host, and the port where it is said."""
    try:
        url = URL(text, encoded=True)
        is_good = (
            url.scheme in ("http", "https")
            and bool(url.host)
            and url.user is None
            and url.password is None
            and not url.fragment
            and len(text) <= URL_LENGTH_MAX
            and text.isascii()
            and not re.search(r"[\x00-\x20\x7f]", text)
        )
        host = url.host_port_subcomponent or ""
    except ValueError:
        raise InvalidError(texts.BAD_URL) from None
    if not is_good:
        raise InvalidError(texts.BAD_URL)
    if kind is not WebhookKind.JSON and url.scheme != "https" and targets is not Targets.ANY:
        raise InvalidError(texts.PRESET_HTTPS)
    check_literal(url.host or "", targets)
    return f"{url.scheme}://{host}"[:300]


async def _channel(session: AsyncSession, access: Access, channel_id: str) -> ChannelRow:
    row = await session.get(ChannelRow, channel_id)
    if row is None or row.project_id != access.project:
        raise MissingError(texts.NO_CHANNEL)
    return row


def _plain(row: ChannelRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "isEnabled": row.is_enabled,
        "language": row.language,
        "pushesClusters": row.pushes_clusters,
        "labels": list(row.labels),
        "recipients": list(row.recipients),
        "webhook": row.webhook_kind,
        "host": row.webhook_host,
        "headers": ", ".join(row.webhook_header_names),
        "template": row.webhook_template,
        "isSigned": bool(row.webhook_secret),
    }
