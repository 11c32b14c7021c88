"""Sends a message now, with the server that is set or with another."""

from __future__ import annotations

from collections.abc import Sequence

from rookery.clock import Clock
from rookery.control.mail import settings, texts
from rookery.control.mail.errors import MailError
from rookery.control.mail.message import compose
from rookery.control.mail.settings import MailSettings
from rookery.control.mail.smtp import deliver
from rookery.control.vault import Vault
from rookery.storage.database import Database


class Mailer:
    """Whoever calls waits for the server and is told why it refuses; :class:`Outbox` keeps and retries."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault

    async def is_set(self) -> bool:
        """Whether there is a mail server."""
        async with self._database.read() as session:
            return await settings.is_set(session)

    async def send(
        self, recipients: Sequence[str], subject: str, text: str, html: str | None = None
    ) -> None:
        """Send by the mail server of the control plane.

        Raises:
            MailError: there is none, or it was not sent; says which hop failed.
            OutOfReachError: its password cannot be read.
        """
        async with self._database.read() as session:
            mail = await settings.read(session, self._vault)
        if mail is None:
            raise MailError(texts.NOT_SET)
        await self.send_by(mail, recipients, subject, text, html)

    async def send_by(
        self,
        mail: MailSettings,
        recipients: Sequence[str],
        subject: str,
        text: str,
        html: str | None = None,
    ) -> None:
        """The same by another server.

        Raises:
            MailError: it was not sent; says which hop failed.
        """
        message = compose(self._clock, mail.sender, recipients, subject, text, html)
        await deliver(mail, recipients, message)
