"""``listeners``: where clients connect."""

from __future__ import annotations

from rookery.config.schema.model import (
    INFINITY,
    UNSET,
    Address,
    Anything,
    Bool,
    ByteSize,
    CommaList,
    Custom,
    Duration,
    Field,
    Int,
    ListOf,
    MapOf,
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

CONNECTIONS_MAX = 100_000_000
NOT_APPLIED = ("not applied in this version", "本版本不生效")
ERLANG_SOCKET = ("sockets are driven by the native core", "套接字由原生内核管理")


def _open_to_all(raw: object) -> tuple[str, ...]:
    if raw in (["allow all"], "allow all"):
        return ("allow all",)
    raise ValueError("access rules are not available in this version")


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
    inert("recbuf", ByteSize(low=1024), UNSET,
          "Receive buffer of the system (SO_RCVBUF).", "系统接收缓冲区大小。", *NOT_APPLIED),
    inert("sndbuf", ByteSize(low=1024), UNSET,
          "Send buffer of the system (SO_SNDBUF).", "系统发送缓冲区大小。", *NOT_APPLIED),
    inert("buffer", ByteSize(), "4KB", "Read buffer in EMQX.", "EMQX 读缓冲区。", *ERLANG_SOCKET),
    Field("high_watermark", ByteSize(low=16_384), "1MB",
          "A connection with more unsent bytes gets no further QoS 0 messages.",
          "未发送字节超过该值的连接不再接收 QoS 0 消息。", hot=True),
    Field("nodelay", Bool(), True, "Small packets leave at once (TCP_NODELAY).", "启用 TCP_NODELAY。"),
    inert("reuseaddr", Bool(), True, "SO_REUSEADDR.", "SO_REUSEADDR。", *ERLANG_SOCKET),
    inert("keepalive", Text(r"none|\d{1,5},\d{1,5},\d{1,3}", 'none or "idle,interval,probes"'), "none",
          "TCP keep-alive: idle time and interval in seconds, number of probes.",
          "TCP keepalive：空闲秒数、间隔秒数、探测次数。", *NOT_APPLIED),
))

WEBSOCKET = Struct((
    Field("mqtt_path", Text(r"/[^\s?#]{0,255}", "a path that begins with /"), "/mqtt",
          "Path of the upgrade request.", "WebSocket 路径。"),
    inert("mqtt_piggyback", OneOf(("single", "multiple")), "multiple",
          "Whether a frame may hold several packets.", "一个帧是否可携带多个报文。",
          "a frame may hold any number of packets, as MQTT demands", "按 MQTT 规范，一帧可携带任意多个报文"),
    off("compress", Bool(), False, "Compressed frames.", "启用压缩。"),
    inert("idle_timeout", Duration(low_ms=1000, words=INFINITY), "7200s",
          "A connection without a frame for this long is closed.", "空闲超时时间。", *NOT_APPLIED),
    Field("max_frame_size", ByteSize(low=64, words=INFINITY), "infinity",
          "Largest WebSocket frame.", "最大 WebSocket 帧长度。"),
    Field("fail_if_no_subprotocol", Bool(), True,
          "Requests that offer no known subprotocol are refused.", "未携带已知子协议时拒绝连接。"),
    Field("supported_subprotocols", CommaList(), "mqtt, mqtt-v3, mqtt-v3.1.1, mqtt-v5",
          "Subprotocols that are answered.", "支持的子协议。"),
    off("check_origin_enable", Bool(), False,
          "Requests must carry one of check_origins.", "是否检查 Origin。"),
    inert("allow_origin_absence", Bool(), True,
          "Requests without Origin pass the check.", "检查时是否允许缺少 Origin。"),
    inert("check_origins", CommaList(), "http://localhost:18083, http://127.0.0.1:18083",
          "Origins that pass the check.", "允许的 Origin 列表。"),
    inert("proxy_address_header", Text(), "x-forwarded-for",
          "Header in which a proxy names the client's address.", "代理传递客户端地址的头部。", *NOT_APPLIED),
    inert("proxy_port_header", Text(), "x-forwarded-port",
          "Header in which a proxy names the client's port.", "代理传递客户端端口的头部。", *NOT_APPLIED),
    inert("validate_utf8", Bool(), True, "UTF-8 checks of text frames.", "文本帧 UTF-8 检查。",
          "MQTT uses binary frames", "MQTT 使用二进制帧"),
))

OCSP = Struct((
    off("enable_ocsp_stapling", Bool(), False, "OCSP stapling.", "启用 OCSP stapling。"),
    off("responder_url", Text(), UNSET, "URL of the responder.", "OCSP 响应者地址。"),
    off("issuer_pem", Text(), UNSET, "Certificate of the issuer.", "签发者证书。"),
    off("refresh_interval", Duration(), "5m", "Time between queries.", "刷新间隔。"),
    off("refresh_http_timeout", Duration(), "15s", "Deadline of a query.", "请求超时。"),
))

SSL_OPTIONS = Struct((
    off("cacertfile", Text(), UNSET, "CA certificates that sign clients.", "CA 证书文件。"),
    off("certfile", Text(), UNSET, "Certificate chain of the server.", "服务端证书文件。"),
    off("keyfile", Text(), UNSET, "Private key of the server.", "服务端私钥文件。"),
    off("password", SecretText(), UNSET, "Password of the key file.", "私钥密码。"),
    off("verify", OneOf(("verify_none", "verify_peer")), "verify_none",
        "Whether clients must show a certificate that checks.", "是否校验客户端证书。"),
    off("fail_if_no_peer_cert", Bool(), False,
        "Clients without certificate are refused.", "客户端未提供证书时拒绝。"),
    off("depth", Int(0, 255), 10, "Longest chain.", "证书链最大深度。"),
    off("versions", ListOf(Text()), ["tlsv1.3", "tlsv1.2"], "TLS versions.", "TLS 版本。"),
    off("ciphers", Anything(), [], "Cipher suites.", "密码套件。"),
    off("handshake_timeout", Duration(), "15s", "Deadline of the handshake.", "握手超时。"),
    off("honor_cipher_order", Bool(), True, "The server's order decides.", "以服务端顺序为准。"),
    off("client_renegotiation", Bool(), True, "Renegotiation.", "允许重新协商。"),
    off("secure_renegotiate", Bool(), True, "Secure renegotiation.", "安全重新协商。"),
    off("reuse_sessions", Bool(), True, "Session resumption.", "会话复用。"),
    off("hibernate_after", Duration(), "5s", "Sleep of idle TLS processes in EMQX.",
        "EMQX TLS 进程休眠。"),
    off("user_lookup_fun", Text(), UNSET, "PSK look-up.", "PSK 查询。"),
    off("dhfile", Text(), UNSET, "Diffie-Hellman parameters.", "DH 参数文件。"),
    off("log_level", Text(), "notice", "Log level of TLS.", "TLS 日志级别。"),
    off("enable_crl_check", Bool(), False, "Check revocation lists.", "检查证书吊销列表。"),
    off("gc_after_handshake", Bool(), False, "Collect garbage after handshakes in EMQX.",
        "EMQX 握手后回收内存。"),
    off("partial_chain", Anything(), False, "Trust intermediate certificates.", "信任中间证书。"),
    off("verify_peer_ext_key_usage", Anything(), UNSET, "Extended key usage of clients.",
        "客户端扩展密钥用途。"),
    off("ocsp", OCSP, {}, "OCSP stapling.", "OCSP stapling。"),
))


def _common(port: int) -> tuple[Field, ...]:
    return (
        Field("enable", Bool(), True, "Whether the listener is open.", "是否启用。", hot=True),
        Field("bind", Address(), f"0.0.0.0:{port}", "Address and port.", "监听地址和端口。"),
        inert("acceptors", Int(1, 65_535), 16, "Accepting processes in EMQX.", "EMQX 接收进程数。",
              "every worker accepts; see node.workers", "每个工作线程都接受连接，见 node.workers"),
        Field("max_connections", Int(1, CONNECTIONS_MAX, INFINITY), "infinity",
              "Most connections of this listener; more are closed at once.",
              "最大连接数，超出的连接会被立即关闭。", hot=True),
        Field("mountpoint", Text(), "", "Prefix of all topics of its clients.", "主题挂载点。"),
        Field("zone", Text(r"[A-Za-z0-9_-]{1,255}", "the name of a zone"), "default",
              "Zone whose mqtt settings its clients have.", "所属区域。"),
        inert("enable_authn", Custom("true", _enable_authn), True,
              "Whether clients of this listener are authenticated.", "是否对该监听器上的客户端进行认证。"),
        off("authentication", MapOf(Anything(), r"[^\0]{1,255}", "text"), [],
            "A chain of this listener alone.", "监听器专用认证链。"),
        off("access_rules", Custom('["allow all"]', _open_to_all), ["allow all"],
            "Addresses that may connect.", "访问控制规则。"),
        off("proxy_protocol", Bool(), False, "A proxy announces the client's address.",
            "启用 PROXY protocol。"),
        inert("proxy_protocol_timeout", Duration(), "3s", "Deadline of that announcement.",
              "PROXY protocol 超时。", "proxy_protocol is not available in this version",
              "本版本不支持 proxy_protocol"),
        off("max_conn_rate", Rate(), "infinity", "Most new connections.", "新建连接速率上限。"),
        off("messages_rate", Rate(), "infinity", "Most messages of one client.",
            "单客户端消息速率上限。"),
        off("bytes_rate", Rate(), "infinity", "Most bytes of one client.",
            "单客户端流量上限。"),
        off("max_conn_burst", Anything(), UNSET, "Extra connections for a while.", "连接突发量。"),
        off("messages_burst", Anything(), UNSET, "Extra messages for a while.", "消息突发量。"),
        off("bytes_burst", Anything(), UNSET, "Extra bytes for a while.", "流量突发量。"),
        Field("tcp_options", TCP_OPTIONS, {}, "Options of the sockets.", "TCP 选项。"),
    )


def _enable_authn(raw: object) -> bool:
    if raw == "quick_deny_anonymous":
        raise ValueError("quick_deny_anonymous is not available in this version")
    if not Bool().parse(raw):
        raise ValueError("use access.anonymous = everyone, for all listeners")
    return True


_SSL = Field("ssl_options", SSL_OPTIONS, {}, "TLS.", "TLS 选项。")
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
    off("ssl", MapOf(SSL), {}, "MQTT over TLS.", "TLS 监听器。"),
    off("wss", MapOf(SECURE_WEBSOCKET), {}, "MQTT over secure WebSocket.", "WSS 监听器。"),
    off("quic", MapOf(QUIC), {}, "MQTT over QUIC.", "QUIC 监听器。"),
))
