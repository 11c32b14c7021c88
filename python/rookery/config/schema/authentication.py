"""``authentication``: the chain of providers that decides who a client is.

One form per mechanism and backend, as in EMQX 5. What a provider's service may cost the node is
bounded by keys of our own: ``max_inflight``, ``breaker``, ``on_error``.
"""

from __future__ import annotations

from rookery.config.schema.model import (
    REQUIRED,
    UNSET,
    Anything,
    Bool,
    CommaList,
    Custom,
    Duration,
    Field,
    FilePath,
    Forms,
    Int,
    ListOf,
    MapOf,
    OneOf,
    SecretText,
    Struct,
    Text,
    inert,
    off,
)
from rookery.config.schema.tls import CLIENT_TLS

# A table reads better with one field in two or three lines.
# fmt: off

PROVIDERS_MAX = 32
POOL_MAX = 1024
HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}"
SERVER = r"[^\s,/]{1,262}"
EXPRESSION_MAX = 4096
# Only compared with, never made: what they protect is as good as readable.
WEAK = ("md5", "sha")
ANSWER = "Deadline of an answer; more than four fifths of access.hook_timeout counts as those."
ANSWER_ZH = "请求超时；超过 access.hook_timeout 的五分之四时按五分之四计。"


def enable() -> Field:
    """Whether an entry is asked at all."""
    return Field("enable", Bool(), True, "Whether it is asked.", "是否启用。", hot=True)


def bounded() -> tuple[Field, ...]:
    """What an outside service may cost."""
    return (
        Field("on_error", OneOf(("ignore", "deny")), "ignore",
              "When the service fails or takes too long: ignore asks the next one, deny refuses.",
              "服务失败或超时时：ignore 交给下一个，deny 拒绝。", hot=True),
        Field("max_inflight", Int(1, 100_000), 1024,
              "Most questions under way; above it a question fails at once.",
              "同时进行的请求上限，超出时立即按失败处理。", hot=True),
        Field("breaker", Struct((
            Field("failures", Int(1, 10_000), 5, "Failures in a row that open it.",
                  "连续失败多少次后熔断。", hot=True),
            Field("reset_timeout", Duration(low_ms=100, high_ms=3_600_000), "10s",
                  "How long nothing is asked then.", "熔断持续时间。", hot=True),
        )), {}, "A service that fails is left alone for a while.", "熔断器。"),
        Field("ssl", CLIENT_TLS, {}, "TLS to the service.", "到服务的 TLS 选项。"),
    )


def pool() -> Field:
    """How many connections to a database."""
    return Field("pool_size", Int(1, POOL_MAX), 8, "Connections to the database.", "连接池大小。", hot=True)


def http_fields(timeout: str) -> tuple[Field, ...]:
    """How an HTTP service is asked."""
    return (
        Field("method", OneOf(("get", "post")), REQUIRED, "Method.", "请求方法。", hot=True),
        Field("url", Text(r"https?://\S{1,4096}", "a URL that begins with http:// or https://"), REQUIRED,
              "Where to ask, with placeholders.", "请求地址，可含占位符。", hot=True),
        Field("headers", MapOf(Text(longest=8192), HEADER_NAME, "the name of a header"), {},
              "Headers.", "请求头。", hot=True),
        Field("body", MapOf(Text(), r"[^\0]{1,255}", "text"), {},
              "What is sent, with placeholders: JSON or a form, as content-type says.",
              "请求内容，可含占位符，按 content-type 以 JSON 或表单发送。", hot=True),
        Field("request_timeout", Duration(low_ms=10, high_ms=600_000), timeout, ANSWER, ANSWER_ZH, hot=True),
        Field("connect_timeout", Duration(low_ms=10, high_ms=600_000), "15s",
              "Deadline of a connection, within that of the answer.", "连接超时，包含在请求超时之内。", hot=True),
        inert("enable_pipelining", Anything(), 100, "Requests ahead of answers in EMQX.", "EMQX 流水线请求数。",
              "a connection carries one request at a time", "每个连接同时只处理一个请求"),
        inert("max_inactive", Duration(), "10s", "Life of idle connections in EMQX.",
              "EMQX 空闲连接保留时间。"),
        inert("pool_size", Int(1, POOL_MAX), 8, "Connections to the service in EMQX.", "EMQX 连接池大小。",
              "a question has a connection of its own; max_inflight bounds them",
              "每个请求使用独立连接，上限为 max_inflight"),
        *bounded(),
    )


def postgresql_fields() -> tuple[Field, ...]:
    """How PostgreSQL is asked."""
    return (
        Field("server", Text(SERVER, "host:port"), REQUIRED, "Host and port; 5432.", "服务器地址，默认端口 5432。",
              hot=True),
        Field("database", Text(longest=255), REQUIRED, "Database.", "数据库。", hot=True),
        Field("username", Text(longest=255), UNSET, "User.", "用户名。", hot=True),
        Field("password", SecretText(), UNSET, "Password.", "密码。", hot=True),
        Field("query", Text(r"(?s).{1,65535}", "a query"), REQUIRED,
              "Query, with placeholders that are sent as parameters.", "查询语句，占位符作为参数发送。", hot=True),
        Field("request_timeout", Duration(low_ms=10, high_ms=600_000), "5s", ANSWER, ANSWER_ZH, hot=True),
        inert("disable_prepared_statements", Bool(), False, "Prepared statements in EMQX.", "EMQX 预编译语句。"),
        inert("auto_reconnect", Anything(), UNSET, "Reconnect in EMQX.", "EMQX 自动重连。",
              "connections are always made again", "总是自动重连"),
        pool(),
        *bounded(),
    )


def redis_fields() -> tuple[Field, ...]:
    """How Redis is asked."""
    return (
        Field("redis_type", OneOf(("single", "sentinel", "cluster")), "single", "Kind of deployment.",
              "部署方式。", hot=True),
        Field("server", Text(SERVER, "host:port"), UNSET, "Host and port of a single server; 6379.",
              "单机地址，默认端口 6379。", hot=True),
        Field("servers", CommaList(), UNSET, "Hosts and ports of a cluster or of sentinels.",
              "集群或哨兵的地址列表。", hot=True),
        Field("sentinel", Text(longest=255), UNSET, "Name of the master that sentinels know.",
              "哨兵监控的主节点名称。", hot=True),
        Field("database", Int(0, 65_535), 0, "Number of the database.", "数据库编号。", hot=True),
        Field("username", Text(longest=255), UNSET, "User.", "用户名。", hot=True),
        Field("password", SecretText(), UNSET, "Password.", "密码。", hot=True),
        Field("cmd", Text(r"(?s).{1,65535}", "a command"), REQUIRED, "Command, with placeholders.",
              "查询命令，可含占位符。", hot=True),
        Field("request_timeout", Duration(low_ms=10, high_ms=600_000), "5s", ANSWER, ANSWER_ZH, hot=True),
        inert("auto_reconnect", Anything(), UNSET, "Reconnect in EMQX.", "EMQX 自动重连。",
              "connections are always made again", "总是自动重连"),
        pool(),
        *bounded(),
    )


def _hashing(*, default: str) -> Field:
    simple = (
        Field("salt_position", OneOf(("prefix", "suffix", "disable")), "prefix",
              "Where the salt stands.", "盐值位置。"),
    )
    name = Field("name", Text(), REQUIRED, "Algorithm.", "算法。")
    return Field("password_hash_algorithm", Forms(("name",), {
        "argon2id": Struct((
            name,
            Field("memory", Int(8, 4_194_304), 19_456, "Memory in KiB.", "内存（KiB）。"),
            Field("iterations", Int(1, 1000), 2, "Passes.", "迭代次数。"),
            Field("parallelism", Int(1, 64), 1, "Lanes.", "并行度。"),
        )),
        "bcrypt": Struct((name, Field("salt_rounds", Int(4, 16), 10, "Work factor.", "计算强度。"))),
        "pbkdf2": Struct((
            name,
            Field("mac_fun", OneOf(("sha256", "sha512", "sha384", "sha224", "sha", "md5")), REQUIRED,
                  "Hash function.", "哈希函数。"),
            Field("iterations", Int(1, 10_000_000), REQUIRED, "Iterations.", "迭代次数。"),
            Field("dk_length", Int(1, 1024), UNSET, "Length of the key in bytes.", "密钥长度（字节）。"),
        )),
        **{word: Struct((name, *simple)) for word in ("sha256", "sha512", "plain", *WEAK)},
    }), {"name": default}, "How passwords are hashed.", "密码哈希算法。", hot=True)


def _names(mechanism: str, backend: str | None = None) -> tuple[Field, ...]:
    fields = [Field("mechanism", OneOf((mechanism,)), REQUIRED, "Kind of proof.", "认证方式。")]
    if backend is not None:
        fields.append(Field("backend", OneOf((backend,)), REQUIRED, "Where it is looked up.", "数据源。"))
    return (*fields, enable(), off("precondition", Text(), "", "Whom it is asked for.", "前置条件。"))


def _expressions(raw: object) -> tuple[str, ...]:
    items = [raw] if isinstance(raw, str) else raw
    if not isinstance(items, list) or not items or not all(
        isinstance(item, str) and 0 < len(item) <= EXPRESSION_MAX for item in items
    ):
        raise ValueError("not an expression")
    return tuple(items)


BUILT_IN = Struct((
    *_names("password_based", "built_in_database"),
    Field("user_id_type", OneOf(("username", "clientid")), "username",
          "What a user is found by.", "用户标识类型。", hot=True),
    _hashing(default="argon2id"),
    Field("bootstrap_file", FilePath(), "",
          "Users that are added when the node starts, CSV or JSON; who is there stays as he is.",
          "启动时导入的用户文件（CSV 或 JSON），已有用户不变。"),
    Field("bootstrap_type", OneOf(("plain", "hash")), "plain",
          "Whether it holds passwords or hashes.", "文件包含明文密码或哈希。"),
))

HTTP = Struct((*_names("password_based", "http"), *http_fields("5s")))
POSTGRESQL = Struct((
    *_names("password_based", "postgresql"), _hashing(default="sha256"), *postgresql_fields(),
))
REDIS = Struct((*_names("password_based", "redis"), _hashing(default="sha256"), *redis_fields()))

JWT = Struct((
    *_names("jwt"),
    Field("from", OneOf(("password", "username")), "password", "Where the token is.", "令牌所在字段。", hot=True),
    Field("use_jwks", Bool(), False, "Keys come from an endpoint.", "是否从 JWKS 端点获取公钥。", hot=True),
    Field("algorithm", OneOf(("hmac-based", "public-key")), UNSET, "Kind of signature.", "签名算法类型。",
          hot=True),
    Field("secret", SecretText(), UNSET, "Key of hmac-based.", "HMAC 密钥。", hot=True),
    Field("secret_base64_encoded", Bool(), False, "Whether the secret is written in Base64.",
          "密钥是否为 Base64 编码。", hot=True),
    Field("public_key", FilePath(), UNSET, "File with the key of public-key, or its text.",
          "公钥文件或其内容。", hot=True),
    Field("endpoint", Text(r"https?://\S{1,4096}", "a URL that begins with http:// or https://"), UNSET,
          "Where the keys are.", "JWKS 端点。", hot=True),
    Field("refresh_interval", Duration("s", low_ms=1000, high_ms=86_400_000), "300s",
          "How often keys are fetched.", "公钥刷新间隔。", hot=True),
    Field("headers", MapOf(Text(longest=8192), HEADER_NAME, "the name of a header"), {},
          "Headers for the endpoint.", "请求头。", hot=True),
    inert("pool_size", Int(1, POOL_MAX), 8, "Connections to the endpoint.", "连接池大小。",
          "one connection fetches the keys", "使用单个连接获取公钥"),
    Field("ssl", CLIENT_TLS, {}, "TLS to the endpoint.", "到端点的 TLS 选项。"),
    Field("verify_claims", MapOf(Text(), r"[^\0]{1,255}", "text"), {},
          "Claims and the values that they must have, with ${clientid}, ${username}.",
          "必须匹配的声明，可含 ${clientid}、${username}。", hot=True),
    Field("acl_claim_name", Text(longest=255), "acl", "Claim that holds rules.", "包含授权规则的声明。", hot=True),
    Field("disconnect_after_expire", Bool(), True,
          "Clients are disconnected when their token expires.", "令牌过期后断开连接。", hot=True),
))

CLIENT_INFO = Struct((
    *_names("cinfo"),
    Field("checks", ListOf(Struct((
        Field("is_match", Custom("an expression or a list of them", _expressions), REQUIRED,
              "All of them must be true.", "需全部为 true 的表达式。"),
        Field("result", OneOf(("allow", "deny", "ignore")), REQUIRED, "What follows.", "结果。"),
    )), 1000), REQUIRED, "Asked in order; the first that matches decides.", "依次检查，首条匹配的生效。",
          hot=True),
))

SCRAM = Struct((
    *_names("scram", "built_in_database"),
    Field("algorithm", OneOf(("sha256", "sha512")), "sha256", "Hash function.", "哈希函数。", hot=True),
    Field("iteration_count", Int(4096, 10_000_000), 4096, "Iterations of new users.", "新用户的迭代次数。",
          hot=True),
))

X509 = Struct((
    *_names("x509"),
    Field("require", OneOf(("any", "cn", "username", "clientid")), "any",
          "Which certificate is enough: any that was verified, one with a common name, or one whose "
          "common name is the user name or the client identifier.",
          "接受何种证书：任意已校验的证书、含 CN 的证书，或 CN 等于用户名或 Client ID 的证书。", hot=True),
))

PROVIDER = Forms(("mechanism", "backend"), {
    "password_based:built_in_database": BUILT_IN,
    "password_based:http": HTTP,
    "password_based:postgresql": POSTGRESQL,
    "password_based:redis": REDIS,
    "jwt": JWT,
    "cinfo": CLIENT_INFO,
    "scram:built_in_database": SCRAM,
    "x509": X509,
}, absent=(
    "password_based:mysql", "password_based:mongodb", "password_based:ldap",
    "password_based:cockroachdb", "scram:http", "gssapi", "gcp_device", "jwt:jwt", "cinfo:cinfo",
))

AUTHENTICATION = ListOf(PROVIDER, PROVIDERS_MAX, single=True)

CLIENT_ATTRS_INIT = ListOf(Struct((
    Field("expression", Text(r"(?s).{1,4096}", "an expression"), REQUIRED,
          "Expression over the client, such as nth(1, tokens(clientid, '-')).",
          "基于客户端信息的表达式，如 nth(1, tokens(clientid, '-'))。"),
    Field("set_as_attr", Text(r"[A-Za-z0-9_-]{1,255}", "letters, digits, _ and -"), REQUIRED,
          "Attribute that gets the value.", "写入的属性名。"),
)), 64)
