"""How the agent is set up, and what is wrong with settings that cannot be."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import ssl
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rookery.contracts.agent_edge import DEFAULT_USERNAME
from rookery.edge.agent import texts
from rookery.errors import BadRequestError
from rookery.words import Words

TEXT_MAX = 256
PEM_BYTES_MAX = 64 * 1024
PORT_MAX = 65_535
_ADDRESS = re.compile(
    r"(?:(tcp|ssl|mqtt|mqtts)://)?(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]?#]{1,253}):(\d{1,5})/?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SECURE = frozenset({"ssl", "mqtts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What was saved.

    Attributes:
        register_id: The service's own name for itself; made once.
        certificate: Of this client, PEM, with
        private_key: its key.
        authority: Who signs the relay's certificate, PEM; empty: whoever the machine trusts.
    """

    is_enabled: bool = False
    is_tls: bool = False
    host: str = ""
    port: int = 0
    username: str = DEFAULT_USERNAME
    password: str = field(default="", repr=False)
    description: str = ""
    register_id: str = ""
    certificate: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    authority: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """``host:port``; empty when there is none."""
        if not self.host:
            return ""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{shown}:{self.port}"

    @property
    def url(self) -> str:
        """The same with the scheme that Neuron's users know."""
        return f"{'ssl' if self.is_tls else 'tcp'}://{self.address}" if self.host else ""

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Any) -> AgentSettings:
        """What was kept; a member of a later version is left out."""
        known = {name: kept[name] for name in cls.__slots__ if name in (kept or {})}
        made = cls(**known)
        return made if made.register_id else replace(made, register_id=new_register_id())

    def context(self) -> ssl.SSLContext | None:
        """TLS as it is set; none without.

        Raises:
            BadRequestError: a file cannot be used.
        """
        if not self.is_tls:
            return None
        field_ = "rootCARaw"
        try:
            self.authority.encode("ascii")
            context = ssl.create_default_context(cadata=self.authority or None)
            field_ = "certificationRaw"
            if self.certificate:
                with tempfile.TemporaryDirectory(prefix="rookery-") as folder:
                    cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
                    cert.write_text(self.certificate)
                    key.write_text(self.private_key)
                    # Without a function OpenSSL would ask the terminal.
                    context.load_cert_chain(cert, key, password=lambda: "")
        except (ssl.SSLError, ValueError, OSError) as error:
            reason = getattr(error, "reason", None) or str(error)
            raise wrong(texts.BAD_FILE, field=field_, reason=_plain(str(reason))) from None
        return context


def new_register_id() -> str:
    """A name that no other service has."""
    return f"{secrets.token_hex(4)}-{secrets.token_hex(8)}"


def parse_address(given: str) -> tuple[str, int, bool | None]:
    """Host, port, and whether it says that it is TLS.

    Raises:
        BadRequestError: it is no address.
    """
    found = _ADDRESS.fullmatch(given.strip())
    port = int(found[3]) if found else 0
    if found is None or not 0 < port <= PORT_MAX:
        raise wrong(texts.BAD_ADDRESS, given=given.strip()[:100])
    scheme = found[1]
    return found[2].strip("[]"), port, None if scheme is None else scheme in _SECURE


def pem_of(name: str, given: str) -> str:
    """The text of a PEM file that came as base64.

    Raises:
        BadRequestError: it is none.
    """
    if not given:
        return ""
    try:
        text = base64.b64decode("".join(given.split()), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise wrong(texts.NOT_BASE64, field=name) from None
    if len(text) > PEM_BYTES_MAX or "-----BEGIN " not in text:
        raise wrong(texts.NOT_BASE64, field=name)
    return text


def checked(wanted: AgentSettings) -> AgentSettings:
    """The same, if it can be.

    Raises:
        BadRequestError: it cannot; says which member and why.
    """
    for name in ("username", "password", "description"):
        if _CONTROL.search(getattr(wanted, name)):
            raise wrong(texts.CONTROLS, field=name)
    if bool(wanted.certificate) != bool(wanted.private_key):
        raise wrong(texts.BOTH_OF_PAIR)
    if wanted.is_enabled and not wanted.host:
        raise wrong(texts.NO_ADDRESS)
    if wanted.is_enabled and not (wanted.username and wanted.password):
        raise wrong(texts.NO_ACCOUNT)
    wanted.context()
    return wanted


def wrong(words: Words, **values: object) -> BadRequestError:
    """The error that says so in both languages."""
    said = words.format(**values)
    return BadRequestError(said.en, message_zh=said.zh)


def _plain(reason: str) -> str:
    return reason.lower().replace("_", " ")[:200]
