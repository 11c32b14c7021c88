"""Everything that a message needs beside its alarm: names, addresses, secrets."""

from __future__ import annotations

import json
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.alarms.push.messages import Origin
from rookery.control.alarms.push.presets import WebhookKind
from rookery.control.alarms.push.store import ChannelRow
from rookery.control.alarms.push.webhook import Webhook
from rookery.control.alarms.store import AlarmSettingsRow
from rookery.control.mail import settings as control_mail
from rookery.control.mail.settings import MailSettings
from rookery.control.settings import address
from rookery.control.tenancy.store import Organization, Project
from rookery.control.vault import Vault
from rookery.storage.database import Database
from rookery.types import Secret

WEBHOOK = "alarm webhook"
MAIL = "alarm mail password"


class Directory:
    """Looks it up."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def origin(self, session: AsyncSession, channel: ChannelRow) -> Origin:
        """Where the alarms of a channel are from."""
        project = await session.get(Project, channel.project_id)
        assert project is not None, "a channel goes with its project"
        org = await session.get(Organization, project.org_id)
        return Origin(
            org="" if org is None else org.name,
            project=project.name,
            address=await address.read(session),
            path=f"/w/{quote(project.org_id)}/{quote(project.id)}/alarms",
            channel=channel.name,
            language=channel.language,
        )

    def webhook(self, channel: ChannelRow) -> Webhook:
        """Whom to call.

        Raises:
            OutOfReachError: its secrets cannot be read.
        """
        return Webhook(
            kind=WebhookKind(channel.webhook_kind),
            url=Secret(self.opened(channel.webhook_url)),
            headers=json.loads(self.opened(channel.webhook_headers) or "{}"),
            secret=Secret(self.opened(channel.webhook_secret)),
            template=channel.webhook_template,
        )

    def opened(self, sealed: str) -> str:
        """A secret of a webhook."""
        return self._vault.unseal(sealed, WEBHOOK) if sealed else ""

    def sealed(self, text: str) -> str:
        """What may be kept of it."""
        return self._vault.seal(text, WEBHOOK) if text else ""

    async def mail(self, project_id: str) -> tuple[MailSettings | None, bool]:
        """The mail server of a project, and whether it is its own.

        Raises:
            OutOfReachError: its password cannot be read.
        """
        async with self._database.read() as session:
            own = await self.own_mail(session, project_id)
            if own is not None:
                return own, True
            return await control_mail.read(session, self._vault), False

    async def own_mail(self, session: AsyncSession, project_id: str) -> MailSettings | None:
        """The project's own, if it has one."""
        row = await session.get(AlarmSettingsRow, project_id)
        if row is None or not row.mail:
            return None
        sealed = row.mail_password
        password = self._vault.unseal(sealed, MAIL) if sealed else ""
        return MailSettings(**row.mail, password=Secret(password))

    def keep_mail(self, row: AlarmSettingsRow, mail: MailSettings | None) -> None:
        """Put it into the row; none: the one of the whole control plane."""
        row.mail, row.mail_password = {}, ""
        if mail is None:
            return
        row.mail = {
            "host": mail.host,
            "port": mail.port,
            "security": mail.security,
            "username": mail.username,
            "sender": mail.sender,
            "ca_certificate": mail.ca_certificate,
        }
        password = mail.password.reveal()
        row.mail_password = self._vault.seal(password, MAIL) if password else ""
