"""Who wants to do what with which topic, as sources see it."""

from __future__ import annotations

from dataclasses import dataclass

from rookery.access.request import PROTOCOL_NAMES, split_peer
from rookery.native.config import TopicAction
from rookery.native.models import Client
from rookery.native.rows import AclSubject, AuthorizeRow

VARIABLES = frozenset({
    "clientid", "username", "peerhost", "cert_common_name", "cn", "cert_subject", "dn",
    "proto_name", "mountpoint", "zone", "listener", "action", "topic", "qos", "retain",
})  # fmt: skip
"""Placeholders of authorization; ``client_attrs.NAME`` comes on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthzRequest:
    """A PUBLISH or one filter of a SUBSCRIBE.

    Attributes:
        subject: Who.
        action: ``publish`` or ``subscribe``.
        topic: Topic Name, or Topic Filter without ``$share/…/``.
        qos: Of the PUBLISH, or asked for.
        retain: RETAIN of the PUBLISH.
        protocol_version: 3, 4 or 5.
        mountpoint: What stands before every topic of the client.
        cert_subject: Subject of its certificate.
    """

    subject: AclSubject
    action: TopicAction
    topic: str
    qos: int = 0
    retain: bool = False
    protocol_version: int = 5
    mountpoint: str = ""
    cert_subject: str | None = None

    @classmethod
    def from_row(cls, row: AuthorizeRow) -> AuthzRequest:
        """What an ``ask`` event of kind ``authorize`` holds."""
        _, _, is_publish, topic, qos, retain, _, client_row = row
        client = Client.from_row(client_row)
        return cls(
            subject=subject_of(client),
            action="publish" if is_publish else "subscribe",
            topic=topic,
            qos=qos,
            retain=retain,
            protocol_version=client.protocol_version,
            mountpoint=client.mountpoint,
            cert_subject=client.cert_subject,
        )

    def variable(self, name: str) -> str | None:
        """The value of a placeholder by EMQX's name; none when there is no such value."""
        subject = self.subject
        match name:
            case "clientid":
                return subject.client_id
            case "username":
                return subject.username
            case "peerhost":
                return subject.peerhost
            case "cert_common_name" | "cn":
                return subject.cert_common_name
            case "cert_subject" | "dn":
                return self.cert_subject
            case "proto_name":
                return PROTOCOL_NAMES.get(self.protocol_version, "MQTT")
            case "mountpoint":
                return self.mountpoint or None
            case "zone":
                return subject.zone
            case "listener":
                return subject.listener or None
            case "action":
                return self.action
            case "topic":
                return self.topic
            case "qos":
                return str(self.qos)
            case "retain":
                return "true" if self.retain else "false"
        attribute = name.removeprefix("client_attrs.")
        return None if attribute == name else dict(subject.client_attrs).get(attribute)


def subject_of(client: Client) -> AclSubject:
    """A client as the core's check takes it."""
    host, _ = split_peer(client.peer)
    return AclSubject(
        client_id=client.client_id,
        username=client.username,
        peerhost=host or None,
        listener=client.listener or "",
        zone=client.zone or "default",
        cert_common_name=client.cert_common_name,
        client_attrs=client.client_attrs,
        is_superuser=client.is_superuser,
    )
