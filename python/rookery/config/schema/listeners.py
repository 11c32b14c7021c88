"""``listeners``: where clients connect."""

from __future__ import annotations

import re
from collections.abc import Callable

from rookery.config import values
from rookery.config.schema.model import (
    INFINITY,
    UNSET,
    Anything,
    BindAddress,
    Bool,
    ByteSize,
    CommaList,
    Custom,
    Duration,
    Field,
    Int,
    MapOf,
    OneOf,
    Rate,
    Struct,
    Text,
    inert,
    off,
)
from rookery.config.schema.tls import SERVER_TLS

# A table reads better with one field in two or three lines.
# fmt: off

CONNECTIONS_MAX = 100_000_000
SOCKET_BUFFER_MAX = 1 << 30
HEADER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}"
ERLANG_SOCKET = ("sockets are driven by the native core", "套接字由原生内核管理")


ACCESS_RULES_MAX = 10_000
KEEPALIVE = re.compile(r"(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,3})", re.ASCII)


def _list_of(check: Callable[[object], str]) -> Callable[[object], tuple[str, ...]]:
    def parse(raw: object) -> tuple[str, ...]:
        items = raw.split(",") if isinstance(raw, str) else raw
        if not isinstance(items, list) or len(items) > ACCESS_RULES_MAX:
            raise ValueError("not a list")
        return tuple(check(item) for item in items)

    return parse


def _access_rule(raw: object) -> str:
    try:
        return values.parse_access_rule(raw)
    except ValueError:
        raise ValueError('a rule is "allow" or "deny" and an address, a network or "all"') from None


def _network(raw: object) -> str:
    try:
        return values.parse_network(raw)
    except ValueError:
        raise ValueError("an address or a network such as 10.0.0.0/8 is expected") from None


def _keepalive(raw: object) -> tuple[int, int, int] | None:
    if raw == "none":
        return None
    match = KEEPALIVE.fullmatch(raw) if isinstance(raw, str) else None
    if match is None or not all(1 <= int(part) <= 32_767 for part in match.groups()):
        raise ValueError("not idle,interval,probes")
    return int(match[1]), int(match[2]), int(match[3])


def _enable_authn(raw: object) -> bool | str:
    return "quick_deny_anonymous" if raw == "quick_deny_anonymous" else Bool().parse(raw)


TCP_OPTIONS = Struct((
    inert("active_n", Int(-32_768, 32_767), 100, "Packets read per turn in EMQX.",
          "EMQX 每轮读取的报文数。", *ERLANG_SOCKET),
    Field("backlog", Int(1, 65_535), 1024,
          "Connections that the system keeps waiting for us.", "等待接受的连接队列长度。"),
    Field("send_timeout", Duration(low_ms=100), "15s",
          "A connection that takes no bytes for this long while some wait is closed.",
          "发送超时时间。", hot=True),
    inert("send_timeout_close", Bool(), True, "Close at send timeout.", "发送超时后关闭连接。",
          "a connection is always closed at send_timeout", "发送超时后总是关闭连接"),
    Field("recbuf", ByteSize(low=1024, high=SOCKET_BUFFER_MAX), UNSET,
          "Receive buffer of the system (SO_RCVBUF).", "系统接收缓冲区大小（SO_RCVBUF）。"),
    Field("sndbuf", ByteSize(low=1024, high=SOCKET_BUFFER_MAX), UNSET,
          "Send buffer of the system (SO_SNDBUF).", "系统发送缓冲区大小（SO_SNDBUF）。"),
    inert("buffer", ByteSize(), "4KB", "Read buffer in EMQX.", "EMQX 读缓冲区。", *ERLANG_SOCKET),
    Field("high_watermark", ByteSize(low=16_384), "1MB",
          "A connection with more unsent bytes gets no further QoS 0 messages.",
          "未发送字节超过该值的连接不再接收 QoS 0 消息。", hot=True),
    Field("nodelay", Bool(), True, "Small packets leave at once (TCP_NODELAY).", "启用 TCP_NODELAY。"),
    inert("reuseaddr", Bool(), True, "SO_REUSEADDR.", "SO_REUSEADDR。", *ERLANG_SOCKET),
    Field("keepalive", Custom('none or "idle,interval,probes"', _keepalive), "none",
          "TCP keep-alive: idle time and interval in seconds, number of probes.",
          "TCP keepalive：空闲秒数、间隔秒数、探测次数。"),
))

WEBSOCKET = Struct((
    Field("mqtt_path", Text(r"/[^\s?#]{0,255}", "a path that begins with /"), "/mqtt",
          "Path of the upgrade request.", "WebSocket 路径。"),
    inert("mqtt_piggyback", OneOf(("single", "multiple")), "multiple",
          "Whether a frame may hold several packets.", "一个帧是否可携带多个报文。",
          "a frame may hold any number of packets, as MQTT demands", "按 MQTT 规范，一帧可携带任意多个报文"),
    Field("compress", Bool(), False, "Frames are compressed for clients that can read it.",
          "对支持的客户端启用压缩。"),
    inert("deflate_opts", Anything(), UNSET, "Tuning of compression in EMQX.", "EMQX 压缩参数。",
          "one setting fits MQTT's small frames", "使用适合 MQTT 小帧的固定参数"),
    Field("idle_timeout", Duration(low_ms=1000, words=INFINITY), "7200s",
          "A connection without a frame for this long is closed.", "空闲超时时间。"),
    Field("max_frame_size", ByteSize(low=64, words=INFINITY), "infinity",
          "Largest WebSocket frame.", "最大 WebSocket 帧长度。"),
    Field("fail_if_no_subprotocol", Bool(), True,
          "Requests that offer no known subprotocol are refused.", "未携带已知子协议时拒绝连接。"),
    Field("supported_subprotocols", CommaList(), "mqtt, mqtt-v3, mqtt-v3.1.1, mqtt-v5",
          "Subprotocols that are answered.", "支持的子协议。"),
    Field("check_origin_enable", Bool(), False,
          "Requests must carry one of check_origins.", "是否检查 Origin。"),
    Field("allow_origin_absence", Bool(), True,
          "Requests without Origin pass the check.", "检查时是否允许缺少 Origin。"),
    Field("check_origins", CommaList(), "http://localhost:18083, http://127.0.0.1:18083",
          "Origins that pass the check.", "允许的 Origin 列表。"),
    Field("proxy_address_header", Text(HEADER, "the name of a header"), "x-forwarded-for",
          "Header in which one of trusted_proxies names the client's address.",
          "trusted_proxies 中的代理传递客户端地址的头部。"),
    Field("proxy_port_header", Text(HEADER, "the name of a header"), "x-forwarded-port",
          "Header in which one of trusted_proxies names the client's port.",
          "trusted_proxies 中的代理传递客户端端口的头部。"),
    inert("validate_utf8", Bool(), True, "UTF-8 checks of text frames.", "文本帧 UTF-8 检查。",
          "MQTT uses binary frames", "MQTT 使用二进制帧"),
))

def _common(port: int) -> tuple[Field, ...]:
    return (
        Field("enable", Bool(), True, "Whether the listener is open.", "是否启用。", hot=True),
        Field("bind", BindAddress(), f"0.0.0.0:{port}",
              "Address and port, or a Unix socket.", "监听地址和端口，或 Unix 套接字。", hot=True),
        inert("acceptors", Int(1, 65_535), 16, "Accepting processes in EMQX.", "EMQX 接收进程数。",
              "every worker accepts; see node.workers", "每个工作线程都接受连接，见 node.workers"),
        Field("max_connections", Int(1, CONNECTIONS_MAX, INFINITY), "infinity",
              "Most connections of this listener; more are closed at once.",
              "最大连接数，超出的连接会被立即关闭。", hot=True),
        Field("mountpoint", Text(), "", "Prefix of all topics of its clients.", "主题挂载点。"),
        Field("zone", Text(r"[A-Za-z0-9_-]{1,255}", "the name of a zone"), "default",
              "Zone whose mqtt settings its clients have.", "所属区域。"),
        Field("enable_authn", Custom("true, false or quick_deny_anonymous", _enable_authn), True,
              "Whether clients of this listener are authenticated: true, false (everyone gets in "
              "here) or quick_deny_anonymous (who shows no credentials is refused at once).",
              "是否对该监听器上的客户端进行认证：true、false（所有人均可接入）或 "
              "quick_deny_anonymous（未携带凭据者立即拒绝）。", hot=True),
        off("authentication", MapOf(Anything(), r"[^\0]{1,255}", "text"), [],
            "A chain of this listener alone; the chain at the root is for all listeners.",
            "监听器专用认证链；请使用对所有监听器生效的根级 authentication。"),
        Field("access_rules", Custom(
            'a list such as ["allow 10.0.0.0/8", "deny all"]', _list_of(_access_rule)),
            ["allow all"], "Addresses that may connect; the first rule that matches decides, and where none does "
            "a list that allows somebody refuses.",
            "允许连接的地址，首条匹配的规则生效；均不匹配时，含有 allow 的列表拒绝连接。", hot=True),
        Field("proxy_protocol", Bool(), False,
              "A balancer announces the client's address (PROXY protocol 1 or 2); who does not is "
              "closed.", "负载均衡以 PROXY protocol（v1 或 v2）传递客户端地址，缺少时关闭连接。", hot=True),
        Field("proxy_protocol_timeout", Duration(low_ms=100, high_ms=600_000), "3s",
              "Deadline of that announcement.", "PROXY protocol 超时。", hot=True),
        Field("trusted_proxies", Custom('a list such as ["10.0.0.0/8"]', _list_of(_network)), [],
              "Addresses of balancers whose PROXY header or X-Forwarded-For counts.",
              "可信负载均衡的地址，仅其 PROXY 头或 X-Forwarded-For 有效。", hot=True),
        Field("max_conn_rate", Rate(), "infinity",
              "Most new connections; more wait to be accepted.", "新建连接速率上限，超出时等待。", hot=True),
        Field("messages_rate", Rate(), "infinity",
              "Most messages of one client; above it reading waits, nothing is lost.",
              "单客户端消息速率上限，超出时暂停读取，不丢失消息。", hot=True),
        Field("bytes_rate", Rate(), "infinity",
              "Most bytes of one client; above it reading waits, nothing is lost.",
              "单客户端流量上限，超出时暂停读取，不丢失数据。", hot=True),
        Field("max_conn_burst", Rate(), UNSET, "Connections at once on top of the rate.",
              "在速率之外允许的突发连接数。", hot=True),
        Field("messages_burst", Rate(), UNSET, "Messages at once on top of the rate.",
              "在速率之外允许的突发消息数。", hot=True),
        Field("bytes_burst", Rate(), UNSET, "Bytes at once on top of the rate.",
              "在速率之外允许的突发字节数。", hot=True),
        Field("tcp_options", TCP_OPTIONS, {}, "Options of the sockets.", "TCP 选项。"),
    )


_SSL = Field("ssl_options", SERVER_TLS, {}, "TLS.", "TLS 选项。")
_WS = Field("websocket", WEBSOCKET, {}, "WebSocket.", "WebSocket 选项。")

TCP = Struct(_common(1883))
WEBSOCKET_LISTENER = Struct((*_common(8083), _WS))
SSL = Struct((*_common(8883), _SSL))
SECURE_WEBSOCKET = Struct((*_common(8084), _WS, _SSL))
QUIC = Struct((*_common(14_567), _SSL, *(
    off(name, Anything(), UNSET, "QUIC.", "QUIC。")
    for name in ("ciphers", "idle_timeout", "handshake_idle_timeout", "keep_alive_interval",
                 "certfile", "keyfile")
)))

LISTENERS = Struct((
    Field("tcp", MapOf(TCP, entries={"default": {}}), {}, "MQTT over TCP.", "TCP 监听器。"),
    Field("ws", MapOf(WEBSOCKET_LISTENER, entries={"default": {}}), {},
          "MQTT over WebSocket.", "WebSocket 监听器。"),
    Field("ssl", MapOf(SSL), {}, "MQTT over TLS.", "TLS 监听器。"),
    Field("wss", MapOf(SECURE_WEBSOCKET), {}, "MQTT over secure WebSocket.", "WSS 监听器。"),
    off("quic", MapOf(QUIC), {}, "MQTT over QUIC.", "QUIC 监听器。"),
))
