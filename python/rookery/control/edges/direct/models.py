"""What is said about an edge service at an address."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rookery.control.alarms.push.network import Targets, check_literal
from rookery.control.edges.direct import texts
from rookery.control.edges.direct.store import ADDRESS_LENGTH_MAX
from rookery.control.errors import InvalidError

TEXT_LENGTH_MAX = 256
PORT = 8085
"""Of an edge service whose address names none."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HOST = re.compile(r"[^\s\x00-\x20\x7f/@?#\\]+")


@dataclass(frozen=True, slots=True)
class Direct:
    """Where it is, and as whom control signs in there.

    Attributes:
        address: ``https://10.0.0.7:8085``.
        password: None: the one that is kept.
        certificate_sha256: Of the certificate that it has to show; empty: one that this machine trusts.
    """

    address: str
    username: str = "admin"
    password: str | None = field(default=None, repr=False)
    certificate_sha256: str = ""

    def checked(self, targets: Targets) -> Direct:
        """The same, as it is stored.

        Raises:
            InvalidError: something may not be so.
        """
        address = address_of(self.address, targets)
        username = self.username.strip()
        for text in (username, username if self.password is None else self.password):
            if not 1 <= len(text) <= TEXT_LENGTH_MAX or not text.isprintable():
                raise InvalidError(texts.BAD_USERNAME, most=TEXT_LENGTH_MAX)
        # As OpenSSL and browsers write it.
        sha256 = self.certificate_sha256.replace(":", "").replace(" ", "").lower()
        if sha256 and not _SHA256.fullmatch(sha256):
            raise InvalidError(texts.BAD_CERTIFICATE)
        if sha256 and not address.startswith("https://"):
            raise InvalidError(texts.NEEDS_HTTPS)
        return Direct(address, username, self.password, sha256)


def address_of(given: str, targets: Targets) -> str:
    """An address as it is kept: scheme, host, port.

    Raises:
        InvalidError: it is none, or one that edge services are not reached at.
    """
    text = given.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvalidError(texts.BAD_ADDRESS) from None
    host = parts.hostname or ""
    is_plain = parts.path in ("", "/") and not any(mark in text for mark in "?#@\\")
    is_http = parts.scheme in ("http", "https")
    if not (is_http and is_plain and _HOST.fullmatch(host)) or port == 0:
        raise InvalidError(texts.BAD_ADDRESS)
    check_literal(host, targets)
    shown = f"[{host}]" if ":" in host else host
    address = f"{parts.scheme}://{shown}:{PORT if port is None else port}"
    if len(address) > ADDRESS_LENGTH_MAX:
        raise InvalidError(texts.BAD_ADDRESS)
    return address
