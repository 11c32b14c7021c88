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
PeerCertField: TypeAlias = Literal["disabled", "cn", "dn", "crt", "pem", "md5"]
AclPermission: TypeAlias = Literal["allow", "deny"]
AclAction: TypeAlias = Literal["publish", "subscribe", "all"]
TopicAction: TypeAlias = Literal["publish", "subscribe"]
AclWhoKind: TypeAlias = Literal[
    "all", "ipaddr", "username", "clientid", "client_attr", "zone", "listener", "and", "or"
]
AclSourceKind: TypeAlias = Literal["rules", "ask"]
DenyAction: TypeAlias = Literal["ignore", "disconnect"]
BanKind: TypeAlias = Literal[
    "clientid", "username", "peerhost", "peerhost_net", "clientid_re", "username_re"
]

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
    peer_cert_as_username: PeerCertField = "disabled"
    peer_cert_as_clientid: PeerCertField = "disabled"


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
    ack_timeout_ms: int = 5000
    deletion_expiry_s: int = 7 * 86_400


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

    authenticate: bool = False
    authorize: bool = False
    publish: bool = False
    client_events: bool = False
    subscription_events: bool = False
    connect_events: bool = False
    session_events: bool = False
    subscribe: bool = False
    unsubscribe: bool = False
    puback: bool = False
    delivered: bool = False
    acked: bool = False
    dropped: bool = False
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
class TraceConfig:
    """A trace that runs. ``id`` is never used for another one."""

    id: int
    of: Literal["clientid", "topic", "ip_address"]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowSubsConfig:
    """``slow_subs``, switched on."""

    threshold_ms: int = 500
    expire_interval_ms: int = 300_000
    top_k_num: int = 10
    stats_type: Literal["whole", "internal", "response"] = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanConfig:
    """``opentelemetry.traces``, switched on.

    Messages whose sender wants a span get one; with ``trace_all`` also ``sample_ratio`` (0 to 1)
    of those that say nothing.
    """

    trace_all: bool = False
    sample_ratio: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveConfig:
    """What the core looks at closer; nothing costs nothing."""

    traces: tuple[TraceConfig, ...] = ()
    slow_subs: SlowSubsConfig | None = None
    spans: SpanConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AclTopic:
    """A Topic Filter of a rule.

    ``text`` may hold ``${username}``, ``${clientid}``, ``${cert_common_name}``,
    ``${client_attrs.NAME}`` and ``${zone}``: without a value, or with one that holds ``+``, ``#``
    or ``/``, the topic matches nothing. ``is_literal`` (EMQX: ``eq``) compares text with text.
    """

    text: str
    is_literal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AclWho:
    """Whom a rule is about.

    ``values`` are addresses or CIDRs of ``ipaddr``, names of ``username``, ``clientid``,
    ``client_attr`` (whose name is ``attr``), ``zone`` and ``listener``; one of them suffices. With
    ``is_regex`` they are regular expressions, searched and not anchored. ``members`` belong to
    ``and`` and ``or``.
    """

    kind: AclWhoKind = "all"
    values: tuple[str, ...] = ()
    is_regex: bool = False
    attr: str = ""
    members: tuple[AclWho, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AclRule:
    """One rule; the first that fits decides. ``all_topics`` takes ``$``-topics too, ``#`` does not."""

    permission: AclPermission
    who: AclWho = field(default_factory=AclWho)
    action: AclAction = "all"
    qos: tuple[int, ...] = (0, 1, 2)
    retain: bool | None = None
    topics: tuple[AclTopic, ...] = ()
    all_topics: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AclSource:
    """Rules of one origin, or the place from which on Python decides (``ask``)."""

    name: str
    kind: AclSourceKind = "rules"
    rules: tuple[AclRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationConfig:
    """``authorization.*``. The cache is one per connection and for answers of Python only:
    rules are looked up faster than a cache is.
    """

    sources: tuple[AclSource, ...] = ()
    no_match: AclPermission = "allow"
    deny_action: DenyAction = "ignore"
    cache_enable: bool = True
    cache_max_size: int = 32
    cache_ttl_ms: int = 60_000
    cache_excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """Somebody who may not connect; ``until_ms`` since 1970, none: for ever."""

    kind: BanKind
    who: str
    until_ms: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlappingConfig:
    """``flapping_detect.*``: more than ``max_count`` disconnects of a client identifier within
    ``window_ms`` are told; who bans it for ``ban_ms`` is Python.
    """

    enable: bool = False
    window_ms: int = 60_000
    max_count: int = 15
    ban_ms: int = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginBackoffConfig:
    """After ``failures`` refused logins of an address or a user name within ``window_ms`` the next
    ones are refused without asking for ``block_ms``, twice as long each time up to
    ``block_max_ms``. Loopback addresses are exempt.
    """

    enable: bool = True
    failures: int = 10
    window_ms: int = 60_000
    block_ms: int = 10_000
    block_max_ms: int = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """Everything that can be changed while the node runs.

    ``max_connections`` is the quota of the node; 0 means none. From ``crowded_from`` clients on an event
    says that it is nearly used up, and another when there are fewer than ``crowded_until``; 0 means
    never. ``acknowledge`` is what PUBACK and PUBREC promise of a message that durable sessions want, and
    ``unconfirmed`` what becomes of it when other nodes do not confirm. ``auth_methods`` are the methods of
    enhanced authentication that Python answers, such as ``SCRAM-SHA-256``.
    """

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
    acknowledge: Literal["durable", "memory"] = "durable"
    unconfirmed: Literal["keep_locally", "refuse"] = "keep_locally"
    sys_topics_open: bool = False
    authorization: AuthorizationConfig = field(default_factory=AuthorizationConfig)
    bans: tuple[Ban, ...] = ()
    flapping: FlappingConfig = field(default_factory=FlappingConfig)
    login_backoff: LoginBackoffConfig = field(default_factory=LoginBackoffConfig)
    max_connections: int = 0
    crowded_from: int = 0
    crowded_until: int = 0
    auth_methods: tuple[str, ...] = ()


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
    one. Rates are per second and 0 is no bound; a burst is what may pass at once, 0 is one
    second's worth. The rates of messages and bytes are of one client: above them reading waits.
    ``access_rules`` are ``allow`` or ``deny`` with an address, a network or ``all``, the first that
    matches decides.
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
