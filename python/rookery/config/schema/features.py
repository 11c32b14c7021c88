"""Retained and delayed messages, ``$SYS``, rewriting, automatic subscriptions, dashboard, alarms."""

from __future__ import annotations

import re

from rookery.config.schema.model import (
    INFINITY,
    REQUIRED,
    UNSET,
    Address,
    Anything,
    Bool,
    ByteSize,
    Custom,
    Duration,
    Field,
    FilePath,
    Int,
    ListOf,
    OneOf,
    Rate,
    SecretText,
    Struct,
    Text,
    inert,
    off,
)

# A table reads better with one field in two or three lines.
# fmt: off

REGEX_LONGEST = 4096

RETAINER = Struct((
    Field("enable", Bool(), True, "Whether retained messages are kept.", "是否启用保留消息。", hot=True),
    Field("msg_expiry_interval", Duration("s"), "0s",
          "Expiry of retained messages that carry none; 0s is never.",
          "保留消息过期时间，0s 表示永不过期。", hot=True),
    off("msg_expiry_interval_override", Duration("s", words={"disabled": None}), "disabled",
        "Expiry of every retained message, whatever it carries.", "覆盖所有保留消息的过期时间。"),
    inert("msg_clear_interval", Duration(), "0s", "How often EMQX removes expired ones.",
          "EMQX 清理过期消息的周期。", "expired messages are removed when they become due", "到期即清理"),
    inert("msg_clear_limit", Int(), 50_000, "How many at once.", "每次清理的数量。"),
    Field("max_payload_size", ByteSize(high=268_435_455), "1MB",
          "Largest payload kept.", "保留消息最大长度。", hot=True),
    Field("stop_publish_clear_msg", Bool(), False,
          "The empty message that removes a retained one is not passed on.",
          "清除保留消息的空消息不再派发。", hot=True),
    inert("delivery_rate", Rate(), "1000/s", "Retained messages per second in EMQX.",
          "EMQX 保留消息派发速率。", "replay is sliced and follows the client's speed",
          "按客户端速度分片派发"),
    Field("max_bytes", ByteSize(words=INFINITY), "infinity",
          "Most bytes of all retained messages.", "保留消息总字节上限。", hot=True),
    Field("backend", Struct((
        inert("type", OneOf(("built_in_database",)), "built_in_database", "Store.", "存储类型。"),
        inert("enable", Bool(), True, "Whether it is used.", "是否启用。"),
        inert("storage_type", OneOf(("ram", "disc", "disk")), "ram", "Memory or disk in EMQX.",
              "EMQX 存储位置。", "durability.enable decides whether they are on disk",
              "由 durability.enable 决定是否落盘"),
        Field("max_retained_messages", Int(0, 1_000_000_000), 0,
              "Most retained messages; 0 is no bound.", "保留消息数量上限，0 表示不限。", hot=True),
        inert("index_specs", Anything(), UNSET, "Indexes in EMQX.", "EMQX 索引。",
              "the topic tree needs none", "主题树无需额外索引"),
    )), {}, "Store of retained messages.", "保留消息存储。"),
    Field("cluster", Struct((
        Field("ack_timeout", Duration(high_ms=60_000), "5s",
              "How long PUBACK and PUBREC of a retained message wait until every connected node has it; "
              "0s: they do not.",
              "保留消息的 PUBACK、PUBREC 最多等待各在线节点确认多久，0s 表示不等待。", hot=True),
        Field("deletion_expiry", Duration("s", low_ms=60_000, high_ms=365 * 86_400_000), "7d",
              "How long it is remembered that a retained message was deleted; longer than a node may be away.",
              "保留消息删除记录的保留时长，应长于节点可能离线的时间。", hot=True),
    )), {}, "Retained messages on the nodes of a cluster.", "集群中的保留消息。"),
    inert("flow_control", Anything(), UNSET, "Pace of replay in EMQX.", "EMQX 流控。"),
    off("max_publish_rate", Rate(), "infinity", "Most retained messages stored.", "保留消息写入速率。"),
))

DELAYED = Struct((
    Field("enable", Bool(), True, "Whether $delayed/<seconds>/<topic> is honoured.",
          "是否启用延迟发布。", hot=True),
    Field("max_delayed_messages", Int(0, 1_000_000_000), 0,
          "Most messages that wait; 0 is no bound by number. Those and queues in memory share limits.queued_total_bytes.",
          "延迟消息数量上限，0 表示不限数量；其内存与会话队列共用 limits.queued_total_bytes 上限。", hot=True),
))

SYS_TOPICS = Struct((
    Field("sys_msg_interval", Duration("s", low_ms=1000, words={"disabled": None}), "1m",
          "How often version, metrics and the like are published.", "系统消息发布周期。", hot=True),
    Field("sys_heartbeat_interval", Duration("s", low_ms=1000, words={"disabled": None}), "30s",
          "How often uptime and time are published.", "心跳消息发布周期。", hot=True),
    Field("sys_event_messages", Struct((
        Field("client_connected", Bool(), True, "A client connected.", "客户端上线。", hot=True),
        Field("client_disconnected", Bool(), True, "A client disconnected.", "客户端下线。", hot=True),
        Field("client_subscribed", Bool(), False, "A client subscribed.", "客户端订阅。", hot=True),
        Field("client_unsubscribed", Bool(), False, "A client unsubscribed.", "客户端取消订阅。",
              hot=True),
    )), {}, "Which notices of clients are published.", "发布哪些客户端事件。"),
))


def _regex(raw: object) -> str:
    if not isinstance(raw, str) or len(raw) > REGEX_LONGEST:
        raise ValueError("not a regular expression", "不是正则表达式")
    try:
        re.compile(raw)
    except re.error as error:
        from rookery.native.regex_texts_zh import in_chinese  # noqa: PLC0415

        said = str(error)
        raise ValueError(
            f"not a regular expression: {said}", f"不是正则表达式：{in_chinese(said)}"
        ) from None
    return raw


TOPIC = Text(r"[^\0]{1,65535}", "a topic")

LEVEL = r"[^+#/\0]*"
FILTER = Text(rf"(?=[^\0]{{1,65535}}$)(?:(?:{LEVEL}|\+)/)*(?:{LEVEL}|[+#])", "a topic filter")

REWRITE_RULE = Struct((
    Field("action", OneOf(("all", "publish", "subscribe")), "all",
          "Which packets it is for.", "适用的报文。"),
    Field("source_topic", FILTER, REQUIRED, "Filter that the topic must match.", "源主题过滤器。"),
    Field("dest_topic", TOPIC, REQUIRED,
          "The result, with $1 … for groups and ${clientid}, ${username}.", "目标主题。"),
    Field("re", Custom("a regular expression", _regex), REQUIRED,
          "Regular expression on the topic; one that does not match stays as it is.", "正则表达式。"),
))

AUTO_SUBSCRIBE = Struct((
    Field("topics", ListOf(Struct((
        Field("topic", FILTER, REQUIRED, "Topic filter, with ${clientid}, ${username}, ${host}, ${port}.",
              "主题过滤器，可含占位符。"),
        Field("qos", Int(0, 2), 0, "Maximum QoS.", "最大 QoS。"),
        Field("rh", Int(0, 2), 0, "Retain handling.", "Retain Handling。"),
        Field("rap", Int(0, 1), 0, "Retain as published.", "Retain As Published。"),
        Field("nl", Int(0, 1), 0, "No local.", "No Local。"),
    ))), [], "Subscriptions made for every client after CONNECT.", "客户端连接后自动建立的订阅。",
          hot=True),
))

TOPIC_METRIC = Struct((
    Field("topic", Text(r"[^+#\0]{1,65535}", "a topic name without wildcards"), REQUIRED,
          "Topic name without wildcards.", "不含通配符的主题名。"),
))

_HTTP = (
    inert("num_acceptors", Int(), UNSET, "Accepting processes in EMQX.", "EMQX 接收进程数。"),
    Field("max_connections", Int(1, 100_000), 512, "Most connections.", "最大连接数。"),
    inert("backlog", Int(), 1024, "Connections that wait.", "等待队列长度。"),
    inert("send_timeout", Duration(), "10s", "Deadline of writes.", "发送超时。"),
    inert("inet6", Bool(), False, "IPv6 in EMQX.", "IPv6。", "bind to an IPv6 address", "请绑定 IPv6 地址"),
    inert("ipv6_v6only", Bool(), False, "IPv6 only.", "仅 IPv6。"),
    off("proxy_header", Bool(), False, "A proxy announces the client's address.",
        "启用 PROXY protocol。"),
)

_HTTPS_TLS = Struct((
    Field("certfile", FilePath(), UNSET, "Certificate chain, PEM; `rookery tls init` makes one.",
          "证书链（PEM），可用 `rookery tls init` 生成。"),
    Field("keyfile", FilePath(), UNSET, "Private key, PEM.", "私钥文件（PEM）。"),
    Field("password", SecretText(), UNSET, "Password of the key file.", "私钥密码。"),
    Field("cacertfile", FilePath(), UNSET, "CA certificates that sign browsers and programs.",
          "用于校验客户端证书的 CA 证书文件。"),
    Field("verify", OneOf(("verify_none", "verify_peer")), "verify_none",
          "Whether a certificate is asked for, which then must check.", "是否校验客户端证书。"),
    *(inert(name, Anything(), UNSET, "An option of TLS in EMQX.", "EMQX 的 TLS 选项。",
            "TLS 1.2 and 1.3 with the suites of OpenSSL's default", "使用 TLS 1.2 与 1.3 及 OpenSSL 默认套件")
      for name in ("versions", "ciphers", "depth", "secure_renegotiate", "reuse_sessions",
                   "hibernate_after", "honor_cipher_order", "client_renegotiation", "log_level",
                   "handshake_timeout", "fail_if_no_peer_cert", "gc_after_handshake", "dhfile",
                   "user_lookup_fun", "partial_chain", "ocsp", "enable_crl_check")),
))

DASHBOARD = Struct((
    Field("listeners", Struct((
        Field("http", Struct((
            Field("bind", Address("127.0.0.1", zero_closes=True), "127.0.0.1:18083",
                  "Address of status, API and dashboard; a bare port binds to this machine only, 0 "
                  "opens nothing.",
                  "状态、API 与控制台监听地址；只写端口时仅本机可访问，0 表示不监听。"),
            *_HTTP,
        )), {}, "HTTP.", "HTTP。"),
        Field("https", Struct((
            Field("bind", Address("127.0.0.1", zero_closes=True), "0",
                  "Address of the same over TLS; 0 opens nothing.", "HTTPS 监听地址，0 表示不监听。"),
            *_HTTP,
            Field("ssl_options", _HTTPS_TLS, {}, "TLS.", "TLS 选项。"),
        )), {}, "HTTPS.", "HTTPS。"),
    )), {}, "Where it listens.", "监听器。"),
    Field("default_username", Text(r"[ -~]{1,100}", "1 to 100 printable characters"), "admin",
          "Name of the first user.", "首个用户的用户名。"),
    Field("default_password", SecretText(), "public",
          "Password of the first user. One that may not be a user's password, as the default, works "
          "on the node's machine alone and only to choose another.",
          "首个用户的初始密码。若不符合密码规则（如默认值），仅可在节点本机用于修改密码。"),
    Field("token_expired_time", Duration(low_ms=1000, high_ms=86_400_000), "60m",
          "How long a token holds without being used.", "令牌在不使用时的有效期。", hot=True),
    Field("swagger_support", Bool(), True, "Whether /api-docs is served.", "是否提供 /api-docs。", hot=True),
    *(inert(name, kind, default, "Dashboard.", "控制台。", why, why_zh)
      for name, kind, default, why, why_zh in (
          ("cors", Bool(), False, "pages of other origins are always refused", "始终拒绝其他来源的页面"),
          ("i18n_lang", Text(), UNSET, "the language is that of the browser", "语言由浏览器决定"),
          ("sample_interval", Anything(), UNSET, "samples are taken every ten seconds", "固定每 10 秒采样"),
          ("bootstrap_users_file", Text(), UNSET, "use rookery ctl admins add", "请使用 rookery ctl admins add"),
          ("unsuccessful_login_max_attempts", Anything(), UNSET,
           "five within five minutes, always", "固定为 5 分钟内 5 次"),
          ("password_expired_time", Anything(), UNSET, "passwords do not expire", "密码不过期"),
          ("default_mfa", Anything(), UNSET, "there is no second factor in this version", "本版本不支持多因素认证"),
          ("hwmark_expire_time", Anything(), UNSET, "marks are kept while the node runs", "峰值在节点运行期间保留"),
      )),
    off("sso", Anything(), {}, "Single sign-on.", "单点登录。"),
))

MANAGEMENT = Struct((
    Field("listener", Struct((
        Field("http", Struct((
            Field("enable", Bool(), False,
                  "Whether /api/v3 is served as EMQX 3 did, on a port of its own.",
                  "是否在单独的端口提供 EMQX 3 风格的 /api/v3。"),
            Field("bind", Address("127.0.0.1"), "127.0.0.1:8080",
                  "Address of /api/v3; a bare port binds to this machine only.",
                  "/api/v3 监听地址；只写端口时仅本机可访问。"),
            *_HTTP,
        )), {}, "HTTP.", "HTTP。"),
    )), {}, "Where it listens.", "监听器。"),
))

def _alarm_actions(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(item in ("log", "publish") for item in raw):
        raise ValueError("not alarm actions")
    return tuple(raw)


ALARM = Struct((
    Field("actions", Custom("a list of log and publish", _alarm_actions),
          ["log", "publish"], "What happens when an alarm changes.", "告警动作。", hot=True),
    Field("size_limit", Int(1, 3000), 1000, "Past alarms kept.", "保留的历史告警数。", hot=True),
    Field("validity_period", Duration("s", low_ms=1000), "24h", "How long past alarms are kept.",
          "历史告警保留时间。", hot=True),
))
