"""Who wants to connect, as providers see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from rookery.native.models import Client
from rookery.native.rows import AuthDetailRow, EventRow

ConversationKey: TypeAlias = tuple[int, int, int]
"""Shard, slot and generation of a connection: the same in all steps of an exchange."""

PROTOCOL_NAMES = {3: "MQIsdp", 4: "MQTT", 5: "MQTT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRequest:
    """A CONNECT, or one step of enhanced authentication (MQTT-5.0 section 4.12).

    Attributes:
        client_id: Client Identifier.
        username: User Name, if it sent one.
        password: Password; never shown.
        peer_host: Address it comes from, without the port.
        peer_port: Its port.
        sock_port: Port of the listener.
        listener: Such as ``ssl:default``.
        zone: Zone of the listener.
        mountpoint: What stands before every topic of it.
        protocol_version: 3 (MQTT 3.1), 4 (3.1.1) or 5 (5.0).
        keep_alive_s: Keep Alive, seconds.
        cert_common_name: CN of its verified certificate, or of the one a trusted PROXY header tells.
        cert_subject: Distinguished name of its certificate's subject.
        cert_der: The certificate itself, where this node has it.
        client_attrs: Attributes that it has already.
        method: Authentication Method of enhanced authentication.
        data: Authentication Data; never shown.
        is_step: Whether this continues an exchange.
        conversation: The connection, for exchanges of several steps.
    """

    client_id: str
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    peer_host: str = ""
    peer_port: int = 0
    sock_port: int = 0
    listener: str = ""
    zone: str = "default"
    mountpoint: str = ""
    protocol_version: int = 5
    keep_alive_s: int = 0
    cert_common_name: str | None = None
    cert_subject: str | None = None
    cert_der: bytes | None = field(default=None, repr=False)
    client_attrs: tuple[tuple[str, str], ...] = ()
    method: str | None = None
    data: bytes | None = field(default=None, repr=False)
    is_step: bool = False
    conversation: ConversationKey = (0, 0, 0)

    @classmethod
    def from_event(cls, row: EventRow) -> AuthRequest:
        """What an ``ask`` event of kind ``authenticate`` or ``auth_continue`` holds."""
        _, ask_id, kind, client_row, password, detail = row
        return cls.from_rows(
            Client.from_row(client_row),
            password,
            detail,
            is_step=kind == "auth_continue",
            conversation=ask_id[:3],
        )

    @classmethod
    def from_rows(
        cls,
        client: Client,
        password: bytes | None,
        detail: AuthDetailRow,
        *,
        is_step: bool = False,
        conversation: ConversationKey = (0, 0, 0),
    ) -> AuthRequest:
        sock_port, certificate, method, data = detail
        host, port = split_peer(client.peer)
        return cls(
            client_id=client.client_id,
            username=client.username,
            password=password,
            peer_host=host,
            peer_port=port,
            sock_port=sock_port,
            listener=client.listener or "",
            zone=client.zone or "default",
            mountpoint=client.mountpoint,
            protocol_version=client.protocol_version,
            keep_alive_s=client.keep_alive_s or 0,
            cert_common_name=certificate[0] if certificate else client.cert_common_name,
            cert_subject=certificate[1] if certificate else client.cert_subject,
            cert_der=certificate[2] if certificate else None,
            client_attrs=client.client_attrs,
            method=method,
            data=data,
            is_step=is_step,
            conversation=conversation,
        )

    def variable(self, name: str) -> str | bytes | None:
        """The value of a placeholder by EMQX's name; none when there is no such value."""
        match name:
            case "clientid":
                return self.client_id
            case "username":
                return self.username
            case "password":
                return self.password
            case "peerhost":
                return self.peer_host or None
            case "peerport":
                return str(self.peer_port) if self.peer_port else None
            case "sockport":
                return str(self.sock_port) if self.sock_port else None
            case "cert_common_name" | "cn":
                return self.cert_common_name
            case "cert_subject" | "dn":
                return self.cert_subject
            case "cert_pem":
                return _pem(self.cert_der) if self.cert_der else None
            case "proto_name":
                return PROTOCOL_NAMES.get(self.protocol_version, "MQTT")
            case "proto_ver":
                return str(self.protocol_version)
            case "mountpoint" | "zone" | "listener":
                return getattr(self, name) or None
        attribute = name.removeprefix("client_attrs.")
        if attribute == name:
            return None
        return dict(self.client_attrs).get(attribute)


def _pem(der: bytes) -> str:
    from ssl import DER_cert_to_PEM_cert  # noqa: PLC0415 - loaded by those who ask for it

    return DER_cert_to_PEM_cert(der)


VARIABLES = frozenset({
    "clientid", "username", "password", "peerhost", "peerport", "sockport", "cert_common_name",
    "cn", "cert_subject", "dn", "cert_pem", "proto_name", "proto_ver", "mountpoint", "zone",
    "listener",
})  # fmt: skip
"""Placeholders of authentication; ``client_attrs.NAME`` comes on top."""


def split_peer(peer: str | None) -> tuple[str, int]:
    """``address:port`` and ``[address]:port`` in two; a peer without an address is ``("", 0)``."""
    host, colon, port = (peer or "").rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        return (peer or "").strip("[]"), 0
    return host.strip("[]"), int(port)
