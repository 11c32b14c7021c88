"""The part of a node's settings that stays in Python; the rest is :mod:`rookery.native.config`.

Units stand last in the names; 0 is *never* or *no bound* where a field says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from rookery.native.config import SlowSubsConfig, SpanConfig

from rookery.types import Secret


class SysTopicsConfig(NamedTuple):
    """``sys_topics``, except which clients' notices the core makes."""

    msg_interval_s: int  # 0 is never
    heartbeat_interval_s: int  # 0 is never


class LogHandlerConfig(NamedTuple):
    """``log.console`` or ``log.file``."""

    enable: bool
    level: str
    formatter: str  # text or json
    path: Path | None  # absolute; None on the console
    rotation_count: int
    rotation_bytes: int  # 0 is no rotation
    time_offset: str  # system, utc or +08:00
    is_epoch: bool  # times are microseconds since 1970


class LogConfig(NamedTuple):
    """``log``."""

    console: LogHandlerConfig
    file: LogHandlerConfig
    throttle_s: int  # 0 is never


class OtelConfig(NamedTuple):
    """``opentelemetry``, with traces switched on."""

    endpoint: str
    headers: Mapping[str, str]
    spans: SpanConfig
    queue_max: int
    delay_s: float
    timeout_s: float


class AlarmConfig(NamedTuple):
    """``alarm``."""

    actions: tuple[str, ...]
    size_limit: int
    validity_period_s: int


class Watermark(NamedTuple):
    """When an alarm of ``sysmon`` begins and ends; shares of one."""

    interval_s: int  # 0 is never
    high: float
    low: float


class SysmonConfig(NamedTuple):
    """``sysmon.os``."""

    cpu: Watermark
    sysmem: Watermark
    procmem: Watermark
    fd: Watermark
    disk: Watermark


class PushGatewayConfig(NamedTuple):
    """``prometheus.push_gateway``, when it is enabled."""

    url: str
    interval_s: int
    headers: Mapping[str, Secret]
    job_name: str


class PrometheusConfig(NamedTuple):
    """``prometheus``."""

    enable_basic_auth: bool
    push_gateway: PushGatewayConfig | None


class PasswordCacheConfig(NamedTuple):
    """``access.password_cache``."""

    enable: bool
    max_size: int
    ttl_s: float  # 0 is no end
    over_restart: bool


class AccessConfig(NamedTuple):
    """Who is asked about clients, and what is asked of whom, in the words of the schema.

    Providers and sources are objects with EMQX's keys and parsed values (durations in
    milliseconds, secrets as :class:`~rookery.types.Secret`, files as absolute paths); those that
    are switched off are left out.
    """

    authentication: tuple[dict[str, Any], ...]
    sources: tuple[dict[str, Any], ...]
    client_attrs_init: Mapping[str, tuple[dict[str, Any], ...]]  # by zone; only zones with some
    anonymous: str  # access.anonymous: who gets in while there is no provider
    max_connections: int  # 0 is no bound
    answer_timeout_s: float
    password_cache: PasswordCacheConfig


class HttpsConfig(NamedTuple):
    """``dashboard.listeners.https.ssl_options``."""

    certfile: Path
    keyfile: Path
    password: Secret | None
    cacertfile: Path | None
    verify_peer: bool


class HttpConfig(NamedTuple):
    """``dashboard.listeners.http`` or ``https``."""

    host: str
    port: int  # 0 is any free port
    max_connections: int
    tls: HttpsConfig | None = None


class DashboardConfig(NamedTuple):
    """``dashboard`` without its listeners, and ``api_key``."""

    default_username: str
    default_password: Secret
    token_expired_time_s: float
    swagger_support: bool
    bootstrap_file: Path | None


class NatsTls(NamedTuple):
    """``cluster.nats.ssl_options`` or ``cluster.lanes.ssl_options``, where it is switched on."""

    certfile: Path | None
    keyfile: Path | None
    cacertfile: Path | None


class NatsSettings(NamedTuple):
    """``cluster.nats``."""

    mode: str  # embedded or external
    listen: tuple[str, int]
    path: str | None
    servers: tuple[str, ...]
    username: str | None
    password: Secret | None
    token: Secret | None
    tls: NatsTls | None


class ClusterConfig(NamedTuple):
    """``cluster`` and ``node.cookie``."""

    name: str
    cookie: Secret | None
    strategy: str  # manual, static, dns or singleton
    seeds: tuple[str, ...]
    dns_name: str
    dns_record: str  # a or aaaa
    nats: NatsSettings
    lanes: tuple[str, int]
    takeover_timeout_s: float
    lanes_tls: NatsTls | None  # None: as nats.tls of embedded NATS


class ManagementConfig(NamedTuple):
    """Everything around the core."""

    node_name: str
    cluster_name: str
    cluster: ClusterConfig
    data_dir: Path
    http: HttpConfig | None  # None opens nothing
    https: HttpConfig | None
    http_v3: HttpConfig | None  # management.listener.http; None opens nothing
    dashboard: DashboardConfig
    sys_topics: SysTopicsConfig
    log: LogConfig
    slow_subs: SlowSubsConfig | None  # None is off
    otel: OtelConfig | None  # None is off
    alarm: AlarmConfig
    access: AccessConfig
    sysmon: SysmonConfig
    prometheus: PrometheusConfig
