"""``authorization``: what a client may publish and subscribe, from sources that are asked in order."""

from __future__ import annotations

from rookery.config.schema.authentication import (
    enable,
    http_fields,
    postgresql_fields,
    redis_fields,
)
from rookery.config.schema.model import (
    REQUIRED,
    UNSET,
    Anything,
    Bool,
    CommaList,
    Duration,
    Field,
    FilePath,
    Forms,
    Int,
    ListOf,
    OneOf,
    Struct,
    Text,
    inert,
)

# A table reads better with one field in two or three lines.
# fmt: off

SOURCES_MAX = 32
RULES_TEXT_MAX = 16 << 20


def _named(kind: str) -> tuple[Field, ...]:
    return (Field("type", OneOf((kind,)), REQUIRED, "Kind of source.", "数据源类型。"), enable())


SOURCE = Forms(("type",), {
    "file": Struct((
        *_named("file"),
        Field("path", FilePath(), UNSET, "File of rules in the syntax of acl.conf; read anew when it changes.",
              "acl.conf 语法的规则文件，变化时自动重新读取。", hot=True),
        Field("rules", Text(longest=RULES_TEXT_MAX), UNSET, "The rules themselves instead of a file.",
              "直接写入规则文本，代替文件。", hot=True),
    )),
    "built_in_database": Struct((
        *_named("built_in_database"),
        Field("max_rules", Int(1, 10_000), 100, "Most rules of one user or client.",
              "单个用户或客户端的规则上限。", hot=True),
    )),
    "http": Struct((*_named("http"), *http_fields("30s"))),
    "postgresql": Struct((*_named("postgresql"), *postgresql_fields())),
    "redis": Struct((*_named("redis"), *redis_fields())),
}, absent=("mysql", "mongodb", "ldap", "client_info", "cockroachdb"))

AUTHORIZATION = Struct((
    Field("no_match", OneOf(("allow", "deny")), "allow", "When no rule matches.", "无规则匹配时的处理。",
          hot=True),
    Field("deny_action", OneOf(("ignore", "disconnect")), "ignore",
          "What a client meets that is denied something: it is told so where MQTT allows, or disconnected.",
          "拒绝时的动作：按 MQTT 协议应答，或断开连接。", hot=True),
    Field("cache", Struct((
        Field("enable", Bool(), True, "Whether answers are remembered.", "是否启用。", hot=True),
        Field("max_size", Int(1, 1_048_576), 32, "Most answers of one client.", "单客户端缓存条数。", hot=True),
        Field("ttl", Duration("s", low_ms=1000, high_ms=86_400_000), "1m", "How long one holds.",
              "缓存有效期。", hot=True),
        Field("excludes", CommaList(), [], "Topic filters that are always asked for.",
              "不缓存的主题过滤器。", hot=True),
    )), {}, "Answers that every client's connection remembers.", "每个客户端连接的授权缓存。"),
    Field("sources", ListOf(SOURCE, SOURCES_MAX), [], "Sources of rules, asked in order; the first "
          "that has an answer decides.", "授权数据源，依次查询，首个有结果的生效。", hot=True),
    inert("node_cache", Anything(), UNSET, "Answers that the node remembers in EMQX.", "EMQX 节点级缓存。",
          "every connection has its own cache", "每个连接各自缓存"),
    inert("ignore_backend_failures", Anything(), UNSET, "What failures of sources mean in EMQX.",
          "EMQX 数据源失败时的处理。", "on_error of each source decides", "由各数据源的 on_error 决定"),
    inert("builtin_record_count_refresh_interval", Anything(), UNSET, "A figure of EMQX.", "EMQX 统计参数。"),
))
