"""The root of the schema."""

from __future__ import annotations

from rookery.config.schema.access import ACCESS, FLAPPING_DETECT, LICENSE
from rookery.config.schema.authentication import AUTHENTICATION
from rookery.config.schema.authorization import AUTHORIZATION
from rookery.config.schema.cluster import CLUSTER
from rookery.config.schema.features import (
    ALARM,
    AUTO_SUBSCRIBE,
    DASHBOARD,
    DELAYED,
    MANAGEMENT,
    RETAINER,
    REWRITE_RULE,
    SYS_TOPICS,
    TOPIC_METRIC,
)
from rookery.config.schema.integration import ACTIONS, CONNECTORS, RULE_ENGINE, SOURCES
from rookery.config.schema.listeners import LISTENERS
from rookery.config.schema.model import (
    UNSET,
    Anything,
    Bool,
    Custom,
    Duration,
    Field,
    FilePath,
    ListOf,
    MapOf,
    Status,
    Struct,
    Type,
    inert,
    off,
)
from rookery.config.schema.monitoring import PROMETHEUS, SYSMON
from rookery.config.schema.mqtt import MQTT, ZONE_MQTT
from rookery.config.schema.node import (
    CONN_CONGESTION,
    DURABILITY,
    DURABLE_SESSIONS,
    FORCE_GC,
    FORCE_SHUTDOWN,
    LIMITS,
    LOG,
    NODE,
    RPC,
    STATS,
)
from rookery.config.schema.observing import OPENTELEMETRY, SLOW_SUBS
from rookery.config.schema.plugins import PLUGINS

# A table reads better with one field in two or three lines.
# fmt: off

ZONE = Struct((
    Field("mqtt", ZONE_MQTT, {}, "As mqtt; what is absent comes from there.",
          "同 mqtt，未设置的项取全局值。"),
    *(inert(name, Anything(), UNSET, "As the key of that name at the root.", "同名根配置。",
            "only mqtt may differ between zones", "区域仅支持 mqtt 配置")
      for name in ("force_gc", "conn_congestion", "stats", "durable_sessions")),
    inert("force_shutdown", Anything(), UNSET, "As the key of that name at the root.", "同名根配置。",
          "it holds for the whole node, not for a zone: set force_shutdown at the root",
          "对整个节点生效而非单个区域：请设置根级的 force_shutdown"),
    off("flapping_detect", Anything(), {}, "Ban of clients that come and go.", "抖动检测。"),
))

# A feature whose entries run unless switched off: any entry counts.
ENTRIES = MapOf(Anything(), r"[^\0]{1,255}", "text")
# A feature that is off unless switched on: only enable = true or a filled list counts.
SETTINGS = Anything()

LATER: tuple[tuple[str, Type, object, str, str], ...] = (
    ("bridges", MapOf(ENTRIES), {}, "Data bridges of EMQX 5.0; use connectors and actions.",
     "EMQX 5.0 数据桥接，请使用 connectors 与 actions。"),
    ("gateway", ENTRIES, {}, "Gateways.", "网关。"),
    ("exhook", SETTINGS, {}, "External hooks.", "外部钩子。"),
    ("file_transfer", SETTINGS, {}, "File transfer.", "文件传输。"),
    ("schema_registry", Anything(("schemas",)), {}, "Schemas.", "Schema 注册。"),
    ("schema_validation", SETTINGS, {}, "Validation of payloads.", "Schema 校验。"),
    ("message_transformation", SETTINGS, {}, "Transformation of messages.", "消息转换。"),
    ("overload_protection", SETTINGS, {}, "Overload protection.", "过载保护。"),
    ("crl_cache", SETTINGS, {}, "Revocation lists.", "CRL 缓存。"),
    ("limiter", ENTRIES, {}, "Limiters.", "限速器。"),
    ("multi_tenancy", SETTINGS, {}, "Namespaces.", "多租户。"),
    ("mq", Anything(("queues",)), {}, "Message queues.", "消息队列。"),
    ("ai", Anything(("providers", "completion_profiles")), {}, "Completion providers.", "AI 服务。"),
)


def _sharing_broker() -> Struct:
    moved = {
        "shared_subscription_strategy": "round_robin",
        "shared_subscription_initial_sticky_pick": "random",
    }
    return Struct((
        *(Field(name, Anything(), default, "Moved.", "已移动。", status=Status.REFUSED,
                instead=f"use mqtt.{name}", instead_zh=f"请使用 mqtt.{name}")
          for name, default in moved.items()),
        *(inert(name, Anything(), UNSET, "Routing in EMQX.", "EMQX 路由。")
          for name in ("enable_session_registry", "session_history_retain",
                       "session_locking_strategy", "route_batch_clean", "perf", "routing",
                       "shared_dispatch_ack_enabled", "shared_subscription_group")),
    ))


def _no_psk(raw: object) -> bool:
    if Bool().parse(raw):
        raise ValueError("pre-shared keys are not available; use client certificates")
    return False


ROOT = Struct((
    Field("node", NODE, {}, "The node.", "节点。"),
    Field("cluster", CLUSTER, {}, "The cluster.", "集群。"),
    Field("listeners", LISTENERS, {}, "Where clients connect.", "监听器。"),
    Field("mqtt", MQTT, {}, "What clients may do.", "MQTT 协议参数。"),
    Field("zones", MapOf(ZONE), {}, "Settings of mqtt by name; listeners point at one.", "区域。"),
    Field("access", ACCESS, {}, "Who gets in.", "接入控制。"),
    Field("limits", LIMITS, {}, "Bounds on memory of the whole node.", "节点内存与数量上限。"),
    Field("durability", DURABILITY, {}, "What survives, and how surely.", "持久化。"),
    Field("durable_sessions", DURABLE_SESSIONS, {}, "Durable sessions of EMQX.", "EMQX 持久会话。"),
    inert("durable_storage", Anything(), UNSET, "Durable storage of EMQX.", "EMQX 持久存储。",
          "see durability", "见 durability"),
    Field("retainer", RETAINER, {}, "Retained messages.", "保留消息。"),
    Field("delayed", DELAYED, {}, "Delayed publish.", "延迟发布。"),
    Field("rewrite", ListOf(REWRITE_RULE, 1000), [], "Topic rewrite; the first rule that matches decides.",
          "主题重写，首条匹配的规则生效。", hot=True),
    Field("auto_subscribe", AUTO_SUBSCRIBE, {}, "Automatic subscriptions.", "自动订阅。"),
    Field("topic_metrics", ListOf(TOPIC_METRIC, 512), [], "Topics whose messages are counted.",
          "统计消息数量的主题。", hot=True),
    Field("force_shutdown", FORCE_SHUTDOWN, {}, "Clients with too much backlog.", "强制断开。"),
    Field("force_gc", FORCE_GC, {}, "Garbage collection in EMQX.", "EMQX 内存回收。"),
    Field("sys_topics", SYS_TOPICS, {}, "Messages under $SYS.", "系统主题。"),
    Field("log", LOG, {}, "Logs.", "日志。"),
    Field("slow_subs", SLOW_SUBS, {}, "Slow subscriptions.", "慢订阅统计。"),
    Field("opentelemetry", OPENTELEMETRY, {}, "OpenTelemetry.", "OpenTelemetry。"),
    Field("dashboard", DASHBOARD, {}, "Status, API and dashboard.", "状态、API 与控制台。"),
    Field("management", MANAGEMENT, {}, "The interface of EMQX 3.", "EMQX 3 管理接口。"),
    Field("alarm", ALARM, {}, "Alarms.", "告警。"),
    Field("authentication", AUTHENTICATION, [],
          "Who clients are: providers, asked in order.", "认证：依次查询的认证器。", hot=True),
    Field("authorization", AUTHORIZATION, {}, "What clients may do with which topic.", "授权。"),
    Field("flapping_detect", FLAPPING_DETECT, {}, "Ban of clients that come and go.", "抖动检测。"),
    Field("plugins", PLUGINS, {}, "Plugins.", "插件。"),
    Field("psk_authentication", Struct((
        Field("enable", Custom("false", _no_psk), False, "Pre-shared keys of TLS.", "PSK 认证。"),
        *(inert(name, Anything(), UNSET, "Pre-shared keys of TLS.", "PSK 认证。")
          for name in ("init_file", "separator", "chunk_size")),
    )), {}, "Pre-shared keys of TLS.", "PSK 认证。"),
    Field("sysmon", SYSMON, {}, "Monitoring of the machine.", "系统监控。"),
    Field("stats", STATS, {}, "Statistics.", "统计。"),
    Field("conn_congestion", CONN_CONGESTION, {}, "Alarms for slow connections.", "连接拥塞。"),
    Field("rpc", RPC, {}, "Calls between nodes in EMQX.", "EMQX 节点间调用。"),
    Field("broker", _sharing_broker(), {}, "Routing in EMQX.", "EMQX 路由。"),
    Field("telemetry", Struct((
        inert("enable", Anything(), False, "Reports to the makers of EMQX.", "EMQX 遥测。",
              "Rookery reports to nobody", "Rookery 不上报任何数据"),
    )), {}, "Reports to the makers of EMQX.", "EMQX 遥测。"),
    Field("api_key", Struct((
        Field("bootstrap_file", FilePath(), "",
              "File of API keys that are there from the first start: KEY:SECRET or KEY:SECRET:ROLE in "
              "a line.", "API 密钥初始化文件，每行为 KEY:SECRET 或 KEY:SECRET:ROLE。"),
    )), {}, "API keys.", "API 密钥。"),
    Field("license", LICENSE, {}, "Watermarks of the connection quota.", "连接数配额告警水位。"),
    Field("prometheus", PROMETHEUS, {}, "Metrics for Prometheus.", "Prometheus 指标。"),
    Field("pem_cache", Struct((inert("interval", Duration(), "2m", "How long one is kept.", "缓存时间。"),)), {},
          "Cache of certificates in EMQX.", "EMQX 证书缓存。"),
    Field("rule_engine", RULE_ENGINE, {}, "Rules.", "规则引擎。"),
    Field("connectors", CONNECTORS, {}, "Connections to services, by type and name.",
          "到外部服务的连接，按类型与名称。", hot=True),
    Field("actions", ACTIONS, {}, "What rules send through connectors, by type and name.",
          "规则经连接器发送数据的动作，按类型与名称。", hot=True),
    Field("sources", SOURCES, {}, "What connectors bring in for rules, by type and name.",
          "连接器为规则引入数据的数据源，按类型与名称。", hot=True),
    *(off(name, kind, default, en, zh) for name, kind, default, en, zh in LATER),
))
