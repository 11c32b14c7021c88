"""Links to other clusters, as the core has to know them.

The list is given whole and is what runs from then on. Connections, routes and messages are the core's;
where the list comes from, and what people are told about a link, is decided above.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

LinkState: TypeAlias = Literal["connected", "connecting", "disconnected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTls:
    """How a link is encrypted.

    Attributes:
        ca_pem: Certificates that the other side's must come from; none: those of the system.
        cert_pem: The certificate that is shown, with those between it and its authority.
        key_pem: Its private key, without a password.
        verify: Whether the other side's certificate must check.
        server_name: What is asked for and checked instead of the host; none: the host.
    """

    ca_pem: bytes | None = None
    cert_pem: bytes | None = None
    key_pem: bytes | None = field(default=None, repr=False)
    verify: bool = True
    server_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link to another cluster.

    Attributes:
        name: Name of that cluster.
        enable: Whether it runs. One that does not is known all the same: the other side is told so.
        servers: Hosts and ports, tried in turn.
        client_id: What client identifiers begin with.
        username: None: no user name is sent.
        password: None: no password is sent.
        tls: None: nothing is encrypted.
        topics: Topic filters that this cluster wants.
        pool_size: Connections that messages go over.
        retry_interval_ms: After that a message without PUBACK is sent again.
        max_inflight: Most messages without PUBACK on a connection.
        buffer_bytes_max: Most bytes that wait.
        request_ttl_ms: After that a message that waits is given up; none: never.
        connect_timeout_ms: How long a connection may take to stand.
        health_check_interval_ms: How often a connection is looked at.
        order_by_client: Messages of one publisher keep their order.
        accept_username: Who may speak for that cluster: clients of this user name.
        accept_cert_cn: Clients whose certificate has this common name.
        accept_clientid_prefix: Clients whose identifier begins so.
        show_to_rules: Rules and hooks see what comes over it.
        sync_retained: Both clusters retain what either does, if the other one agrees.
        store_bytes_max: Most bytes that are kept on disk while it is down, if the other one agrees;
            0: none.
        store_age_ms: What was kept for longer is dropped.
    """

    name: str
    enable: bool
    servers: list[tuple[str, int]]
    client_id: str
    username: str | None
    password: bytes | None = field(repr=False)
    tls: LinkTls | None
    topics: list[str]
    pool_size: int
    retry_interval_ms: int
    max_inflight: int
    buffer_bytes_max: int
    request_ttl_ms: int | None
    connect_timeout_ms: int
    health_check_interval_ms: int
    order_by_client: bool
    accept_username: str | None
    accept_cert_cn: str | None
    accept_clientid_prefix: str | None
    show_to_rules: bool = False
    sync_retained: bool = False
    store_bytes_max: int = 0
    store_age_ms: int = 86_400_000


class LinkStatus(NamedTuple):
    """How it stands with a link on this node.

    Attributes:
        status: Of the connections that messages go over.
        reason: Why it is not connected: a code, a colon, a text. The codes are ``refused``,
            ``timed_out``, ``name_not_resolved``, ``tls``, ``bad_credentials``, ``not_authorized``,
            ``unknown_cluster``, ``bad_remote_cluster_link_name``, ``cluster_link_disabled``,
            ``protocol``, ``closed`` and ``disabled``.
        since_ms: Since when, milliseconds since 1970.
        replication: State of the connection that tells the other side what is wanted here.
        server: The address in use.
        pool_connected: Connections for messages that stand.
        routes: Topic filters that the other side wants.
        sent_routes: Topic filters that the other side was told.
        matched: Messages that the other side wants.
        success: Messages that it took.
        failed: Messages that it refused.
        dropped: Messages that were given up.
        retried: Messages that were sent again.
        queuing: Messages that wait.
        inflight: Messages under way.
        queued_bytes: Bytes that wait.
        received: Messages from the other side.
        refused: Messages from the other side that nobody asked for.
        stored: Messages on disk: those that wait, and those that were sent and not acknowledged.
        store: Whether messages are kept on disk while the link is down: ``agreed``,
            ``not_agreed``, or ``failed``, a colon, a text; none: they are not to be.
        stored_bytes: Bytes of the files that they are in.
        stored_since_ms: When the oldest of them came, milliseconds since 1970; none: there is none.
    """

    name: str
    status: LinkState
    reason: str | None
    since_ms: int
    replication: str
    server: str | None
    pool_connected: int
    routes: int
    sent_routes: int
    matched: int
    success: int
    failed: int
    dropped: int
    retried: int
    queuing: int
    inflight: int
    queued_bytes: int
    received: int
    refused: int
    stored: int = 0
    store: str | None = None
    stored_bytes: int = 0
    stored_since_ms: int | None = None
