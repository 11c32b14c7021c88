"""What the native core is told: plain values, whole, replaced at once.

Every class here is the Python side of a Rust struct and has its field names; a contract test
compares them. Nothing is checked here: :mod:`rookery.config` has checked the values and made
them whole, the core refuses what only it can judge.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from rookery.native.plain import dataclass

SharedStrategy: TypeAlias = Literal[
    "round_robin", "random", "sticky", "local", "hash_clientid", "hash_topic"
]
RewriteAction: TypeAlias = Literal["publish", "subscribe", "all"]
Admission: TypeAlias = Literal["loopback", "everyone", "ask"]
ListenerType: TypeAlias = Literal["tcp", "ssl", "ws", "wss"]
Verify: TypeAlias = Literal["verify_none", "verify_peer"]
TlsVersion: TypeAlias = Literal["tlsv1.2", "tlsv1.3"]
SyncPolicy: TypeAlias = Literal["always", "interval", "never"]

SESSION_EXPIRY_NEVER_S = 0xFFFF_FFFF
"""MQTT-5.0 section 3.1.2.11.2: a session with this interval does not expire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttConfig:
    """``mqtt.*`` of one zone."""

    idle_timeout_ms: int = 15_000
    max_packet_size: int = 1 << 20
    max_clientid_len: int = 65_535
    max_topic_levels: int = 128
    max_topic_alias: int = 65_535
    max_qos_allowed: int = 2
    retain_available: bool = True
    wildcard_subscription: bool = True
    shared_subscription: bool = True
    exclusive_subscription: bool = False
    ignore_loop_deliver: bool = False
    strict_mode: bool = False
    response_information: str = ""
    server_keepalive_s: int | None = None
    keepalive_multiplier: float = 1.5
    use_username_as_clientid: bool = False
    session_expiry_interval_s: int = 7200
    max_session_expiry_interval_s: int = SESSION_EXPIRY_NEVER_S
    message_expiry_interval_s: int = 0
    max_awaiting_rel: int = 100
    await_rel_timeout_ms: int = 300_000
    mqueue_store_qos0: bool = True
    max_mqueue_len: int = 1000
    mqueue_priorities: tuple[tuple[str, int], ...] = ()
    mqueue_default_lowest: bool = True
    max_inflight: int = 32
    max_subscriptions: int = 0
    upgrade_qos: bool = False
    retry_interval_ms: int = 0
    clientid_override: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneConfig:
    """A named, complete set of ``mqtt.*`` settings; listeners point at one."""

    name: str = "default"
    mqtt: MqttConfig = field(default_factory=MqttConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainerConfig:
    """``retainer.*``; 0 means no bound or never."""

    enable: bool = True
    msg_expiry_interval_s: int = 0
    max_payload_size: int = 1 << 20
    max_retained_messages: int = 0
    stop_publish_clear_msg: bool = False
    max_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedConfig:
    """``delayed.*``."""

    enable: bool = True
    max_delayed_messages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteRule:
    """One entry of ``rewrite``."""

    action: RewriteAction
    source_topic: str
    re: str
    dest_topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoSubscribe:
    """One entry of ``auto_subscribe.topics``."""

    topic: str
    qos: int = 0
    rh: int = 0
    rap: bool = False
    nl: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsConfig:
    """Bounds on the memory of the whole node."""

    outbox_high_water_bytes: int = 1 << 20
    outbox_total_bytes: int = 1 << 30
    send_timeout_ms: int = 15_000
    unauthenticated_connections: int = 8192
    unauthenticated_bytes: int = 64 << 20
    queued_total_bytes: int = 1 << 30
    deferred_packets: int = 128
    filters_per_packet: int = 20_000
    user_properties: int = 1024
    sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSwitches:
    """What the core asks and tells, because somebody registered for it."""

    authorize: bool = False
    publish: bool = False
    client_events: bool = False
    subscription_events: bool = False
    unanswered_allows: bool = False
    deadline_ms: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeConfig:
    """``sys_topics.sys_event_messages``."""

    connected: bool = True
    disconnected: bool = True
    subscribed: bool = False
    unsubscribed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """Everything that can be changed while the node runs."""

    node_name: str = "rookery@127.0.0.1"
    zones: tuple[ZoneConfig, ...] = (ZoneConfig(),)
    shared_strategy: SharedStrategy = "round_robin"
    retainer: RetainerConfig = field(default_factory=RetainerConfig)
    delayed: DelayedConfig = field(default_factory=DelayedConfig)
    rewrite: tuple[RewriteRule, ...] = ()
    auto_subscribe: tuple[AutoSubscribe, ...] = ()
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    admission: Admission = "loopback"
    hooks: HookSwitches = field(default_factory=HookSwitches)
    notices: NoticeConfig = field(default_factory=NoticeConfig)
    durable: bool = False
    sys_topics_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketConfig:
    """``listeners.ws.<name>.websocket``.

    ``idle_timeout_ms`` 0 is never. ``check_origins`` none: every Origin passes. The proxy headers
    count only from one of the listener's ``trusted_proxies``; their names are in lower case.
    """

    path: str = "/mqtt"
    subprotocols: tuple[str, ...] = ("mqtt", "mqtt-v3", "mqtt-v3.1.1", "mqtt-v5")
    require_subprotocol: bool = True
    max_frame_size: int = 0
    compress: bool = False
    idle_timeout_ms: int = 7_200_000
    check_origins: tuple[str, ...] | None = None
    allow_origin_absence: bool = True
    proxy_address_header: str = "x-forwarded-for"
    proxy_port_header: str = "x-forwarded-port"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """``listeners.ssl.<name>.ssl_options``; files are absolute paths of PEM files.

    ``ciphers`` are names of OpenSSL or IANA, empty is all; ``sni`` are server name, certificate
    file and key file.
    """

    certfile: str
    keyfile: str
    cacertfile: str | None = None
    password: str | None = field(default=None, repr=False)
    verify: Verify = "verify_none"
    fail_if_no_peer_cert: bool = False
    depth: int = 6
    versions: tuple[TlsVersion, ...] = ("tlsv1.3", "tlsv1.2")
    ciphers: tuple[str, ...] = ()
    crlfile: str | None = None
    handshake_timeout_ms: int = 15_000
    sni: tuple[tuple[str, str, str], ...] = ()
    session_tickets: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerConfig:
    """One listener.

    ``bind`` is ``address:port``, ``[address]:port`` for IPv6, or ``unix:/path``; port 0 is a free
    one. Rates are per second and 0 is no bound; a burst is what may pass at once, 0 is one second's worth. The rates of
    messages and bytes are of one client: above them reading waits. ``access_rules`` are
    ``allow`` or ``deny`` with an address, a network or ``all``, the first that matches decides.
    ``trusted_proxies`` are networks. ``keepalive`` is idle seconds, interval seconds, probes.
    """

    id: str = "tcp:default"
    kind: ListenerType = "tcp"
    bind: str = "127.0.0.1:0"
    zone: str = "default"
    mountpoint: str = ""
    max_connections: int = 0
    backlog: int = 1024
    nodelay: bool = True
    keepalive: tuple[int, int, int] | None = None
    recv_buffer_bytes: int = 0
    send_buffer_bytes: int = 0
    enable_authn: bool = True  # False: everyone who reaches this listener is admitted unasked
    quick_deny_anonymous: bool = False  # who shows no user name or certificate is refused unasked
    access_rules: tuple[str, ...] = ("allow all",)
    proxy_protocol: bool = False
    proxy_protocol_timeout_ms: int = 3000
    trusted_proxies: tuple[str, ...] = ()
    max_conn_rate: float = 0.0
    max_conn_burst: int = 0
    messages_rate: float = 0.0
    messages_burst: int = 0
    bytes_rate: float = 0.0
    bytes_burst: int = 0
    websocket: WebSocketConfig | None = None  # present exactly when ``kind`` is "ws" or "wss"
    tls: TlsConfig | None = None  # present exactly when ``kind`` is "ssl" or "wss"


@dataclass(frozen=True, slots=True, kw_only=True)
class DurabilityConfig:
    """``durability.*``; without ``dir`` nothing survives the node."""

    dir: Path | None = None
    sync: SyncPolicy = "interval"
    sync_interval_ms: int = 100
    max_disk_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """A node's settings."""

    broker: BrokerConfig = field(default_factory=BrokerConfig)
    listeners: tuple[ListenerConfig, ...] = (ListenerConfig(),)
    workers: int = 0
    durability: DurabilityConfig = field(default_factory=DurabilityConfig)
