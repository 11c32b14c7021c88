"""TLS towards services and databases: EMQX's ``ssl`` block of a client."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rookery.access.errors import SettingError, Words
from rookery.access.system_words import words_of_error
from rookery.types import Secret

DISABLED = "disable"
"""EMQX's word for no name at all."""

_BAD_FILE = Words("ssl.{name}: {path}: {reason}", "ssl.{name}：{path}：{reason}")
_BAD_ENTRY = Words(
    "ssl.{name}: {path}: certificate {number}, from line {line} on, cannot be read: {reason}",
    "ssl.{name}：{path}：第 {number} 个证书（第 {line} 行起）无法读取：{reason}",
)
_NO_ENTRY = Words(
    "ssl.{name}: {path}: holds no certificate in PEM format",
    "ssl.{name}：{path}：没有 PEM 格式的证书",
)
# One that was cut off has no end: the next one, or the end of the file, ends it.
_ENTRY = re.compile(
    r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----"
    r"(?:(?!-----BEGIN ).)*?(?:-----END [A-Z0-9 ]+-----|(?=-----BEGIN )|\Z)",
    re.DOTALL,
)


class _NamedContext(ssl.SSLContext):
    """Asks for another name than that of the address, and checks that one.

    Attributes:
        server_name: That name; empty asks for none.
    """

    server_name = ""

    def wrap_bio(self, incoming: Any, outgoing: Any, *more: Any, **named: Any) -> ssl.SSLObject:
        """As it is called by event loops, whatever client library opened the connection."""
        named["server_hostname"] = self.server_name or None
        return super().wrap_bio(incoming, outgoing, *more, **named)

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        """As it is called by libraries that have sockets of their own."""
        named["server_hostname"] = self.server_name or None
        return super().wrap_socket(*arguments, **named)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """``ssl``.

    Attributes:
        enable: Whether TLS is spoken.
        verify: Whether the service's certificate is verified. EMQX does not unless told to.
        cacertfile: Who may sign it; none: what the system trusts.
        certfile: Our own certificate, where the service wants one.
        keyfile: Its key.
        password: The key's password.
        server_name_indication: The name that the certificate must have, if not that of the address.
            ``disable`` sends none, and none is checked.
    """

    enable: bool = False
    verify: Literal["verify_peer", "verify_none"] = "verify_peer"
    cacertfile: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    password: Secret | None = None
    server_name_indication: str | None = None

    def context(self) -> ssl.SSLContext:
        """Read the files.

        Raises:
            SettingError: one cannot be used.
        """
        name, path = "cacertfile", self.cacertfile
        try:
            context = self._trusting()
            name, path = "certfile", self.certfile
            if self.certfile is not None:
                password = self.password
                context.load_cert_chain(
                    self.certfile,
                    self.keyfile,
                    # Without a function OpenSSL would ask the terminal.
                    password=lambda: password.reveal() if password else "",
                )
        except (OSError, ssl.SSLError) as error:
            if name == "certfile" and self.keyfile is not None and _is_readable(path):
                name, path = "keyfile", self.keyfile
            raise SettingError(_why(name, path, error)) from error
        if self.verify == "verify_none":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _trusting(self) -> ssl.SSLContext:
        """A context that knows who may sign, and which name is asked for."""
        cafile = str(self.cacertfile) if self.cacertfile else None
        context = ssl.create_default_context(cafile=cafile)
        name = self.server_name_indication
        if name is None:
            return context
        named = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        named.verify_flags = context.verify_flags
        if cafile is None:
            named.load_default_certs()
        else:
            named.load_verify_locations(cafile)
        if name == DISABLED:
            named.check_hostname = False
        else:
            named.server_name = name
        return named


def _is_readable(path: Path | None) -> bool:
    """Whether a file holds certificates and each of them can be read."""
    try:
        text = path.read_text(encoding="ascii", errors="replace") if path is not None else ""
    except OSError:
        return False
    entries = list(_ENTRY.finditer(text))
    return bool(entries) and not any(_unreadable(entries))


def _why(name: str, path: Path | None, error: OSError) -> Words:
    """Which file cannot be used and, of a file with several certificates, which of them."""
    if isinstance(error, ssl.SSLError) and path is not None and name != "keyfile":
        text = path.read_text(encoding="ascii", errors="replace")
        entries = list(_ENTRY.finditer(text))
        if not entries:
            return _NO_ENTRY.format(name=name, path=path)
        for number, line, reason in _unreadable(entries):
            return _BAD_ENTRY.format(name=name, path=path, number=number, line=line, reason=reason)
    return _BAD_FILE.format(name=name, path=path, reason=words_of_error(error))


def _unreadable(entries: list[re.Match[str]]) -> Iterator[tuple[int, int, Words]]:
    """Number, first line and what is wrong, of each that cannot be read."""
    for number, entry in enumerate(entries, start=1):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=entry[0])
        except (ssl.SSLError, ValueError) as error:
            yield number, entry.string.count("\n", 0, entry.start()) + 1, words_of_error(error)
