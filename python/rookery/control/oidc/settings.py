"""The provider: what is set, and how it is kept."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.access.lockout import is_loopback
from rookery.control.errors import InvalidError, OutOfReachError
from rookery.control.oidc import texts
from rookery.control.outward import context_with
from rookery.control.settings import store
from rookery.control.settings.names import OIDC
from rookery.control.vault import Vault
from rookery.types import Secret
from rookery.web.addresses import parts_of

PURPOSE = "oidc client secret"
SCOPES = "openid email profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """A provider.

    Attributes:
        name: What the button says.
        client_secret: Empty: a public client, PKCE alone.
        domains: Of e-mail addresses that may sign in; none: all may.
        ca_certificate: PEM of the authority that is trusted besides those of the system; empty: none.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: Secret
    scopes: str = SCOPES
    domains: tuple[str, ...] = field(default=())
    ca_certificate: str = ""

    def check(self) -> None:
        """Refuse what cannot work, or would give the secret away.

        Raises:
            InvalidError: says what.
        """
        if not is_private(self.issuer):
            raise InvalidError(texts.PLAIN)
        self.context()

    def context(self) -> ssl.SSLContext:
        """What certificates are verified with.

        Raises:
            InvalidError: the authority is none.
        """
        return context_with(self.ca_certificate)

    def with_kept(self, secret: str | None, kept: OidcSettings | None) -> OidcSettings:
        """With a secret that was given, or none for the one that is kept.

        Raises:
            InvalidError: the one that is kept was given for another issuer or client.
        """
        if secret is not None:
            return replace(self, client_secret=Secret(secret))
        if kept is None or not kept.client_secret:
            return replace(self, client_secret=Secret(""))
        if self.destination != kept.destination:
            raise InvalidError(texts.SECRET_AGAIN)
        return replace(self, client_secret=kept.client_secret)

    @property
    def destination(self) -> tuple[str, ...]:
        """Who gets to see the secret."""
        return (self.issuer, self.client_id, self.ca_certificate)

    def plain(self) -> dict[str, Any]:
        """As the audit tells it; without the secret."""
        return {
            "name": self.name,
            "issuer": self.issuer,
            "clientId": self.client_id,
            "scopes": self.scopes,
            "domains": list(self.domains),
            "caCertificate": self.ca_certificate,
        }


def is_private(url: str) -> bool:
    """Whether what is sent there is nobody else's to read."""
    parts = parts_of(url)
    host = parts.hostname or ""
    return parts.scheme == "https" or (
        parts.scheme == "http" and (host == "localhost" or (host != "" and is_loopback(host)))
    )


async def read(session: AsyncSession, vault: Vault) -> OidcSettings | None:
    """The provider that is set.

    Raises:
        OutOfReachError: its secret cannot be read.
    """
    kept = await store.value_of(session, OIDC)
    if kept is None:
        return None
    sealed = kept.pop("client_secret")
    kept["domains"] = tuple(kept["domains"])
    return OidcSettings(
        **kept, client_secret=Secret(vault.unseal(sealed, PURPOSE) if sealed else "")
    )


async def read_for_change(session: AsyncSession, vault: Vault) -> OidcSettings | None:
    """The same, for whoever enters another: a secret that cannot be read any more is none."""
    try:
        return await read(session, vault)
    except OutOfReachError:
        kept = await store.value_of(session, OIDC) or {}
        return OidcSettings(
            **{**kept, "domains": tuple(kept["domains"]), "client_secret": Secret("")}
        )


async def write(session: AsyncSession, vault: Vault, oidc: OidcSettings, now_ms: int) -> None:
    """Keep it.

    Raises:
        OutOfReachError: its secret cannot be sealed.
    """
    secret = oidc.client_secret.reveal()
    value = {
        "name": oidc.name,
        "issuer": oidc.issuer,
        "client_id": oidc.client_id,
        "client_secret": vault.seal(secret, PURPOSE) if secret else "",
        "scopes": oidc.scopes,
        "domains": list(oidc.domains),
        "ca_certificate": oidc.ca_certificate,
    }
    await store.put(session, OIDC, value, now_ms)
