"""The mail server: what is set, and how it is kept."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.errors import InvalidError, OutOfReachError
from rookery.control.mail import texts
from rookery.control.outward import context_with
from rookery.control.settings import store
from rookery.control.settings.names import MAIL
from rookery.control.vault import Vault
from rookery.types import Secret

Security: TypeAlias = Literal["starttls", "tls", "none"]
PURPOSE = "mail password"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """A mail server.

    Attributes:
        security: ``tls`` from the first byte (465), ``starttls`` (587, 25), or ``none``.
        username: Empty: nobody signs in there.
        sender: From whom messages are.
        ca_certificate: PEM of the authority that is trusted besides those of the system; empty: none.
    """

    host: str
    port: int
    security: Security
    username: str
    password: Secret
    sender: str
    ca_certificate: str = ""

    def check(self) -> None:
        """Refuse what cannot work, or would give the password away.

        Raises:
            InvalidError: says what.
        """
        if self.security == "none" and self.username and not self._is_here():
            raise InvalidError(texts.PLAIN_PASSWORD)
        self.context()

    def _is_here(self) -> bool:
        return self.host in {"localhost", "127.0.0.1", "::1"}

    def context(self) -> ssl.SSLContext:
        """What certificates are verified with.

        Raises:
            InvalidError: the authority is none.
        """
        return context_with(self.ca_certificate)

    def with_kept(self, password: str | None, kept: MailSettings | None) -> MailSettings:
        """With a password that was given, or none for the one that is kept.

        Raises:
            InvalidError: the one that is kept was given for another server or user; whoever may change
                settings is not to have it sent elsewhere.
        """
        if password is not None:
            return replace(self, password=Secret(password))
        if kept is None or not kept.password.reveal():
            return replace(self, password=Secret(""))
        if self.destination != kept.destination:
            raise InvalidError(texts.PASSWORD_AGAIN)
        return replace(self, password=kept.password)

    @property
    def destination(self) -> tuple[str, ...]:
        """Who gets to see the password."""
        return (self.host, str(self.port), self.security, self.username, self.ca_certificate)

    def plain(self) -> dict[str, Any]:
        """As the audit tells it; without the password."""
        return {
            "host": self.host,
            "port": self.port,
            "security": self.security,
            "username": self.username,
            "sender": self.sender,
            "caCertificate": self.ca_certificate,
            "isPasswordSet": bool(self.password.reveal()),
        }


async def is_set(session: AsyncSession) -> bool:
    """Whether there is a mail server."""
    return await store.value_of(session, MAIL) is not None


async def read(session: AsyncSession, vault: Vault) -> MailSettings | None:
    """The mail server that is set.

    Raises:
        OutOfReachError: its password cannot be read.
    """
    kept = await store.value_of(session, MAIL)
    if kept is None:
        return None
    sealed = kept.pop("password")
    return MailSettings(**kept, password=Secret(vault.unseal(sealed, PURPOSE) if sealed else ""))


async def read_for_change(session: AsyncSession, vault: Vault) -> MailSettings | None:
    """The same, for whoever enters another: a password that cannot be read any more is none."""
    try:
        return await read(session, vault)
    except OutOfReachError:
        kept = await store.value_of(session, MAIL) or {}
        return MailSettings(**{**kept, "password": Secret("")})


async def write(session: AsyncSession, vault: Vault, mail: MailSettings, now_ms: int) -> None:
    """Keep it.

    Raises:
        OutOfReachError: its password cannot be sealed.
    """
    password = mail.password.reveal()
    value = {
        "host": mail.host,
        "port": mail.port,
        "security": mail.security,
        "username": mail.username,
        "password": vault.seal(password, PURPOSE) if password else "",
        "sender": mail.sender,
        "ca_certificate": mail.ca_certificate,
    }
    await store.put(session, MAIL, value, now_ms)
