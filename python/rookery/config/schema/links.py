"""``cluster.links``: standing connections to other clusters.

What is wrong with a name, an address or topics is found here for files and for the REST interface
alike: :class:`WrongLink` says it with the word that EMQX has for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rookery.config.schema.model import (
    INFINITY,
    REQUIRED,
    UNSET,
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
    SecretText,
    Struct,
    Text,
    WrongMember,
    inert,
)
from rookery.words import Words

# A table reads better with one field in two or three lines.
# fmt: off

LINKS_MAX = 256
SERVERS_MAX = 16
TOPICS_MAX = 10_000
NAME_MAX = 254
TOPIC_BYTES_MAX = 65_535
PORTS = {"mqtt": 1883, "mqtts": 8883}
NAME_ALLOWED = "1 to 254 letters, digits, _ and -, the first a letter or a digit"
SERVER_ALLOWED = 'host:port, or several with commas, such as "10.0.0.1:1883,10.0.0.2:1883" or "mqtts://eu.example.com"'
TOPICS_ALLOWED = 'a list of topic filters such as ["global/#", "fwd/#"]'

_NAME = re.compile(r"[0-9a-zA-Z][-0-9a-zA-Z_]*")
_HOST = re.compile(r"\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})")
_OWN = "$LINK/"
_SHARES = ("$share/", "$queue/", "$exclusive/")


class WrongLink(WrongMember):
    """Something in a link with a word for programs.

    Attributes:
        code: EMQX's word for it, such as ``redundant_topics``.
        named: What it is about, by the name that EMQX gives it.
    """

    def __init__(
        self, code: str, words: Words, *, found: Any, allowed: str, named: Mapping[str, Any]
    ) -> None:
        reasons = {"en": words.en, "zh": words.zh}
        super().__init__("value", (), found=found, allowed=allowed, reasons=reasons)
        self.code = code
        self.named = named
        self.words = words


class Servers(NamedTuple):
    """Where the other cluster takes MQTT: addresses to try in turn, and whether over TLS for sure."""

    addresses: tuple[tuple[str, int], ...]
    is_tls: bool


def check_name(raw: object) -> str:
    """The name of another cluster.

    Raises:
        WrongLink: it is none.
    """
    if not isinstance(raw, str):
        raise _wrong_name(raw, "Name must be text", "名称应为文本")
    if not raw:
        raise _wrong_name(raw, "Name cannot be empty string", "名称不能为空")
    if len(raw.encode()) > NAME_MAX:
        raise _wrong_name(raw, "Name length must be less than 255", "名称长度须小于 255")
    if not _NAME.fullmatch(raw):
        raise _wrong_name(
            raw,
            "Invalid name format. The name must begin with a letter or number (0-9, a-z, A-Z) and can "
            "only include letters, numbers, hyphens, and underscores.",
            "名称格式无效：须以字母或数字开头，只能包含字母、数字、连字符与下划线",
        )
    return raw


def _wrong_name(raw: object, en: str, zh: str) -> WrongLink:
    return WrongLink("bad_name", Words(en, zh), found=raw, allowed=NAME_ALLOWED, named={"name": raw})


def check_server(raw: object) -> Servers:
    """Addresses of the other cluster.

    Raises:
        WrongLink: they are none.
    """
    items = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise _wrong_server(raw, "not an address", "不是地址")
    texts = [item.strip() for item in items if item.strip()]
    if not 0 < len(texts) <= SERVERS_MAX:
        raise _wrong_server(raw, f"1 to {SERVERS_MAX} addresses are expected", f"应为 1 至 {SERVERS_MAX} 个地址")
    schemes = {_scheme(text, raw) for text in texts}
    if len(schemes) > 1:
        raise _wrong_server(raw, "either all addresses have mqtts:// or none", "所有地址须同时使用 mqtts:// 或都不使用")
    return Servers(tuple(_address(text, raw) for text in texts), schemes == {"mqtts"})


def _scheme(text: str, raw: object) -> str:
    scheme, separator, _ = text.partition("://")
    if not separator:
        return "mqtt"
    if scheme.lower() not in PORTS:
        words = Words(f"{scheme[:32]}:// is not supported; use mqtt:// or mqtts://",
                      f"不支持 {scheme[:32]}://，请使用 mqtt:// 或 mqtts://")
        named = {"scheme": scheme[:32]}
        raise WrongLink("unsupported_scheme", words, found=raw, allowed=SERVER_ALLOWED, named=named)
    return scheme.lower()


def _address(text: str, raw: object) -> tuple[str, int]:
    scheme, separator, rest = text.partition("://")
    usual = PORTS[scheme.lower()] if separator else PORTS["mqtt"]
    host, colon, port = (rest if separator else text).rstrip("/").rpartition(":")
    if not colon or (port.endswith("]") and "]" not in host):
        host, port = rest.rstrip("/") if separator else text, str(usual)
    if not _HOST.fullmatch(host):
        raise _wrong_server(raw, "not a host name or an IP address; IPv6 is written [::1]:1883",
                            "不是主机名或 IP 地址；IPv6 写作 [::1]:1883")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65_535):
        raise _wrong_server(raw, "the port must be a number from 1 to 65535", "端口应为 1 到 65535 的数字")
    return host.strip("[]"), int(port)


def _wrong_server(raw: object, en: str, zh: str) -> WrongLink:
    named = {"server": raw if isinstance(raw, str) else str(raw)[:60]}
    return WrongLink("invalid_server", Words(en, zh), found=raw, allowed=SERVER_ALLOWED, named=named)


def check_topics(raw: object) -> list[str]:
    """What this cluster wants of another one.

    Raises:
        WrongLink: it is no list of topic filters, or one of them takes what another takes anyway.
    """
    if not isinstance(raw, list) or len(raw) > TOPICS_MAX:
        raise _wrong_topics("invalid_topics", raw, [], "a list is expected", "应为列表")
    if bad := [item for item in raw if not _is_filter(item)]:
        raise _wrong_topics("invalid_topics", raw, bad, "not topic filters: {topics}", "不是主题过滤器：{topics}")
    if own := [item for item in raw if item.startswith(_OWN)]:
        raise _wrong_topics("topic_not_allowed", raw, own, "{topics} is what links speak over",
                            "{topics} 是集群连接自身使用的主题")
    if again := redundant(raw):
        raise _wrong_topics("redundant_topics", raw, again, "{topics}: another one of the list takes the same",
                            "{topics}：已被列表中的其他主题包含")
    return list(raw)


def _wrong_topics(code: str, raw: object, topics: Sequence[Any], en: str, zh: str) -> WrongLink:
    shown = [str(topic)[:200] for topic in topics][:20]
    words = Words(en, zh).format(topics=", ".join(shown))
    return WrongLink(code, words, found=raw, allowed=TOPICS_ALLOWED, named={"topics": shown})


def _is_filter(item: object) -> bool:
    if not isinstance(item, str) or not 0 < len(item.encode("utf-8", "replace")) <= TOPIC_BYTES_MAX:
        return False
    if "\0" in item or item.startswith(_SHARES):
        return False
    levels = item.split("/")
    return "#" not in levels[:-1] and all(
        level in ("+", "#") or not {"+", "#"}.intersection(level) for level in levels
    )


def redundant(topics: Sequence[str]) -> list[str]:
    """Filters that others of the list cover; of two that are the same the second one."""
    trie: dict[Any, Any] = {}
    split = [topic.split("/") for topic in topics]
    for number, levels in enumerate(split):
        node = trie
        for level in levels:
            node = node.setdefault(level, {})
        node.setdefault(_END, number)
    return [topics[number] for number, levels in enumerate(split) if _is_covered(trie, levels, number)]


_END = None
"""Where a filter ends in the trie: whose it is. Levels are text."""


def _is_covered(trie: dict[Any, Any], levels: Sequence[str], number: int) -> bool:
    """Whether another filter of the trie takes all that this one takes."""
    waiting = [(trie, 0)]
    while waiting:
        node, depth = waiting.pop()
        may_be_wild = depth > 0 or not levels[0].startswith("$")
        if may_be_wild and node.get("#", {}).get(_END, number) != number:
            return True
        if depth == len(levels):
            if node.get(_END, number) != number:
                return True
            continue
        wanted = {levels[depth], "+"} if may_be_wild else {levels[depth]}
        if levels[depth] != "#":
            waiting += [(node[level], depth + 1) for level in wanted if level in node]
    return False


def _host_name(raw: object) -> str:
    if raw == "disable":
        raise ValueError("a certificate is always checked against a name; for none at all set verify = verify_none",
                         "证书总会校验域名；如不校验证书，请设置 verify = verify_none")
    if not isinstance(raw, str) or not _HOST.fullmatch(raw):
        raise ValueError("not a host name", "不是域名")
    return raw


TLS_INERT = ("rustls in the native core decides it", "由原生内核中的 rustls 决定")

LINK_TLS = Struct((
    Field("enable", Bool(), False, "Whether the link is encrypted.", "是否启用 TLS。"),
    Field("verify", OneOf(("verify_peer", "verify_none")), "verify_peer",
          "Whether the certificate of the other cluster must check.", "是否校验远程集群的证书。"),
    Field("cacertfile", FilePath(pem=True), UNSET,
          "CA certificates, a file or the text itself; else those of the system.",
          "CA 证书文件或其内容，缺省使用系统证书。"),
    Field("certfile", FilePath(pem=True), UNSET,
          "Certificate that is shown, a file or the text itself.", "客户端证书文件或其内容。"),
    Field("keyfile", FilePath(pem=True), UNSET,
          "Its private key, a file or the text itself; else it stands in certfile.",
          "客户端私钥文件或其内容，缺省取自 certfile。"),
    Field("password", SecretText(), UNSET, "Password of the key.", "私钥密码。"),
    Field("server_name_indication", Custom("a host name", _host_name), UNSET,
          "Name that is asked for and checked instead of the host's.", "请求并校验的域名，替代主机名。"),
    *(inert(name, Anything(), UNSET, "An option of TLS in EMQX.", "EMQX 的 TLS 选项。", *TLS_INERT)
      for name in ("versions", "ciphers", "depth", "secure_renegotiate", "reuse_sessions",
                   "hibernate_after", "user_lookup_fun", "log_level", "partial_chain",
                   "middlebox_comp_mode", "verify_peer_ext_key_usage", "managed_certs", "cacerts")),
))

WORKERS = ("each connection of pool_size is its own worker", "pool_size 的每个连接即为一个 worker")
BUFFERS = ("messages go out as they come, their PUBACK is awaited", "消息即到即发，并等待其 PUBACK")
WINDOW = ("max_inflight is the window", "窗口即 max_inflight")
CHECKS = ("a connection that ends is seen at once, one that is silent after 4.5 s",
          "连接断开会立即发现，无响应的连接 4.5 秒后发现")

RESOURCE_OPTS = Struct((
    Field("health_check_interval", Duration(low_ms=1000, high_ms=3_600_000), "15s",
          "How often a connection that stands with another address than its own looks whether that one "
          "answers again, to go back to it. Dead connections are noticed after 4.5 s whatever this says.",
          "连接因故使用其他地址时，检查其原地址是否恢复并切回的间隔。无论此值为何，失效的连接都会在 4.5 秒后发现。"),
    Field("start_timeout", Duration(low_ms=100, high_ms=600_000), "5s",
          "How long a connection may take to stand.", "建立连接的超时时间。"),
    Field("request_ttl", Duration(low_ms=1, words=INFINITY), "45s",
          "After that a message that waits is given up; infinity is never.",
          "消息等待发送的最长时间，超出则丢弃；infinity 表示不限。"),
    Field("max_buffer_bytes", ByteSize(1 << 10, 1 << 40), "256MB",
          "Most bytes that wait on a node; what comes then is dropped.", "单个节点缓存的最大字节数，超出的消息被丢弃。"),
    Field("dispatch_strategy", OneOf(("per_clientid", "random")), "per_clientid",
          "per_clientid keeps the order of each publisher, random any.",
          "per_clientid 保证同一发布者的消息顺序，random 不保证。"),
    inert("worker_pool_size", Int(1, 1024), 16, "Workers in EMQX.", "EMQX worker 数量。", *WORKERS),
    inert("inflight_window", Int(1), 100, "Window in EMQX.", "EMQX 请求窗口。", *WINDOW),
    inert("health_check_interval_jitter", Duration(), "0ms", "Jitter of checks in EMQX.",
          "EMQX 健康检查抖动。", *CHECKS),
    inert("health_check_timeout", Duration(), "60s", "Deadline of a check in EMQX.",
          "EMQX 健康检查超时。", *CHECKS),
    *(inert(name, Anything(), UNSET, "An option of buffers in EMQX.", "EMQX 缓存选项。", *BUFFERS)
      for name in ("query_mode", "start_after_created", "batch_size", "batch_time", "buffer_mode",
                   "buffer_seg_bytes", "auto_restart_interval", "resume_interval",
                   "metrics_flush_interval", "enable_batch", "enable_queue", "expected_rate")),
))

ACCEPT = Struct((
    Field("username", Text(longest=65_535), UNSET, "User name of the other cluster's clients here.",
          "远程集群客户端在本集群使用的用户名。"),
    Field("cert_cn", Text(longest=255), UNSET, "Common name of their certificate.", "其客户端证书的 CN。"),
    Field("clientid_prefix", Text(longest=255), UNSET, "What their client identifiers begin with.",
          "其客户端 ID 的前缀。"),
))

STORE = Struct((
    Field("enable", Bool(), True,
          "Whether messages with QoS 1 and 2 are on disk before they are acknowledged, until the other cluster has "
          "them. Both clusters have to be Rookery and say so.",
          "QoS 1 与 QoS 2 的消息是否在确认之前写入磁盘，直到远程集群收到。须两侧均为 Rookery 且均已启用。"),
    Field("max_bytes", ByteSize(1 << 20, 1 << 44), "1GB",
          "Most bytes on disk, on each node; the oldest messages give way.",
          "每个节点的磁盘用量上限，超出时丢弃最旧的消息。"),
    Field("max_age", Duration(low_ms=1000), "7d",
          "What was kept for longer is dropped.", "消息的最长保存时间，超出则丢弃。"),
))

EXTENSIONS = Struct((
    Field("store", STORE, {}, "Messages of an outage.", "中断期间的消息。"),
    Field("retained", Bool(), True,
          "Whether retained messages of the linked topics are told when the link comes up, and what "
          "comes with RETAIN is retained here as well. Both clusters have to be Rookery and say so.",
          "连接建立时是否同步所连接主题的保留消息，并在本集群保留经连接到达的保留消息。须两侧均为 Rookery 且均已启用。"),
    Field("rules", Bool(), False,
          "Whether rules and message.publish hooks of this cluster see messages that come over the "
          "link, origin_link being its name. What rules make of them crosses no link.",
          "本集群的规则与 message.publish 钩子是否处理经连接到达的消息（origin_link 为连接名称）；由此产生的消息不再经任何连接转发。"),
))

LINK = Struct((
    Field("name", Custom(NAME_ALLOWED, check_name), REQUIRED,
          "Name of the other cluster: its cluster.name.", "远程集群名称，即其 cluster.name。"),
    Field("enable", Bool(), True, "Whether the link runs.", "是否启用。"),
    Field("server", Custom(SERVER_ALLOWED, check_server), REQUIRED,
          "Where the other cluster takes MQTT; several addresses are tried in turn. The port is 1883, "
          "after mqtts:// 8883.",
          "远程集群的 MQTT 监听地址，多个地址依次尝试；默认端口 1883，mqtts:// 为 8883。"),
    Field("clientid", Text(longest=200), UNSET,
          "What the client identifiers of the link begin with; else cluster.name.",
          "连接所用客户端 ID 的前缀，缺省为 cluster.name。"),
    Field("username", Text(longest=65_535), UNSET, "User name there.", "用户名。"),
    Field("password", SecretText(), UNSET, "Its password, or file:///path of a file that holds it.",
          "密码，或以 file:///path 指向保存密码的文件。"),
    Field("ssl", LINK_TLS, {}, "TLS of the link.", "TLS 选项。"),
    Field("topics", Custom(TOPICS_ALLOWED, check_topics), REQUIRED,
          "What this cluster wants of the other one; an empty list is nothing.",
          "本集群希望从远程集群接收的主题过滤器，空列表表示不接收。"),
    Field("pool_size", Int(1, 1024), 8, "Connections that messages go over, on each node.",
          "每个节点用于转发消息的连接数。"),
    Field("retry_interval", Duration(low_ms=1000, high_ms=3_600_000), "15s",
          "After that a message without PUBACK is sent again.", "未收到 PUBACK 时的重发间隔。"),
    Field("max_inflight", Int(0, 65_535), 32, "Most messages without PUBACK on a connection; 0 is no bound.",
          "每个连接未确认消息的上限，0 表示不限。"),
    Field("resource_opts", RESOURCE_OPTS, {}, "Buffers and checks.", "缓存与健康检查。"),
    Field("accept", ACCEPT, {},
          "Who may speak for the other cluster here: whoever fits all that is written. Without any "
          "of it a rule of access that names $LINK has to allow it.",
          "谁可以代表远程集群接入：须满足所有已填写的条件；均未填写时，须有写明 $LINK 的授权规则允许。"),
    Field("extensions", EXTENSIONS, {}, "What goes beyond EMQX's protocol.", "EMQX 协议之外的扩展。"),
    inert("tcp_opts", Anything(), UNSET, "Socket options in EMQX.", "EMQX 套接字选项。",
          "the core sets what a link needs", "由内核自行设置"),
    inert("ps_actor_incarnation", Int(), 0, "A counter of EMQX.", "EMQX 内部计数。",
          "routes of durable sessions are those of the node", "持久会话的路由由节点统一维护"),
))

LINKS = ListOf(LINK, LINKS_MAX)
