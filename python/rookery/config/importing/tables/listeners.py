"""``listener.*``: where clients connect."""

from __future__ import annotations

from rookery.config.importing import conversions as to
from rookery.config.importing.model import Convert, Outcome, Row, Words
from rookery.config.importing.tables import notes

# A table reads better with one row in one or two lines.
# fmt: off

RENEGOTIATION = Words("renegotiation is not part of this TLS library", "TLS 库不支持重新协商")
ORDER = Words("the server's order decides", "以服务端顺序为准")
DEFLATE = Words("compression has no parameters here", "压缩无参数可设")
OCSP = Words("OCSP stapling is not available: use a CRL file", "不支持 OCSP stapling，请使用 CRL 文件")

# Key, path below the listener, conversion.
EVERY: tuple[tuple[str, str, Convert], ...] = (
    ("max_connections", "max_connections", to.zero_is("infinity", to.whole)),
    ("max_conn_rate", "max_conn_rate", to.per_second),
    ("rate_limit", "bytes_rate", to.rate),
    ("zone", "zone", to.text),
    ("mountpoint", "mountpoint", to.template),
    ("proxy_protocol", "proxy_protocol", to.flag),
    ("proxy_protocol_timeout", "proxy_protocol_timeout", to.duration),
    ("backlog", "tcp_options.backlog", to.whole),
    ("send_timeout", "tcp_options.send_timeout", to.duration),
    ("high_watermark", "tcp_options.high_watermark", to.size),
    ("recbuf", "tcp_options.recbuf", to.size),
    ("sndbuf", "tcp_options.sndbuf", to.size),
    ("nodelay", "tcp_options.nodelay", to.flag),
    ("tcp_options.keepalive", "tcp_options.keepalive", to.text),
)
SOCKETS = ("active_n", "buffer", "tune_buffer", "reuseaddr",
           "send_timeout_close")
WEBSOCKET: tuple[tuple[str, str, Convert], ...] = (
    ("mqtt_path", "mqtt_path", to.text),
    ("compress", "compress", to.flag),
    ("idle_timeout", "idle_timeout", to.zero_is("infinity", to.duration)),
    ("max_frame_size", "max_frame_size", to.zero_is("infinity", to.size)),
    ("verify_protocol_header", "fail_if_no_subprotocol", to.flag),
    ("fail_if_no_subprotocol", "fail_if_no_subprotocol", to.flag),
    ("supported_subprotocols", "supported_subprotocols", to.text),
    ("check_origin_enable", "check_origin_enable", to.flag),
    ("allow_origin_absence", "allow_origin_absence", to.flag),
    ("check_origins", "check_origins", to.text),
    ("proxy_address_header", "proxy_address_header", to.text),
    ("proxy_port_header", "proxy_port_header", to.text),
)
TLS: tuple[tuple[str, str, Convert], ...] = (
    ("cacertfile", "cacertfile", to.file_path),
    ("certfile", "certfile", to.file_path),
    ("keyfile", "keyfile", to.file_path),
    ("key_password", "password", to.text),
    ("password", "password", to.text),
    ("verify", "verify", to.text),
    ("fail_if_no_peer_cert", "fail_if_no_peer_cert", to.flag),
    ("depth", "depth", to.depth),
    ("tls_versions", "versions", to.versions),
    ("handshake_timeout", "handshake_timeout", to.duration),
    ("ciphers", "ciphers", to.ciphers),
    ("reuse_sessions", "reuse_sessions", to.flag),
    ("crlfile", "crlfile", to.file_path),
)
TLS_WITHOUT: tuple[tuple[str, Words, Outcome], ...] = (
    ("psk_ciphers", notes.NO_PSK, Outcome.UNSUPPORTED),
    ("dhfile", notes.CURVES, Outcome.NOT_NEEDED),
    ("secure_renegotiate", RENEGOTIATION, Outcome.NOT_NEEDED),
    ("client_renegotiation", RENEGOTIATION, Outcome.NOT_NEEDED),
    ("honor_cipher_order", ORDER, Outcome.NOT_NEEDED),
    ("gc_after_handshake", notes.ERLANG, Outcome.NOT_NEEDED),
    ("enable_ocsp_stapling", OCSP, Outcome.UNSUPPORTED),
    ("enable_crl_check", OCSP, Outcome.UNSUPPORTED),
)


def _listener(kind: str) -> tuple[Row, ...]:
    old, new = f"listener.{kind}.$name", f"listeners.{kind}.$name"
    is_secure = kind in {"ssl", "wss"}
    rows = [
        Row(old, f"{new}.bind", to.bind),
        *(Row(f"{old}.{key}", f"{new}.{path}", convert) for key, path, convert in EVERY),
        *(Row(f"{old}.{key}", note=notes.SOCKETS, outcome=Outcome.NOT_NEEDED) for key in SOCKETS),
        Row(f"{old}.acceptors", note=notes.WORKERS, outcome=Outcome.NOT_NEEDED),
        Row(f"{old}.access.$n", feature="listeners"),
        Row(f"{old}.peer_cert_as_username", feature="listeners"),
        Row(f"{old}.peer_cert_as_clientid", feature="listeners"),
        Row(f"{old}.enable_quick_deny_anonymous", convert=to.flag, feature="listeners"),
    ]
    if kind in {"ws", "wss"}:
        rows += [
            *(Row(f"{old}.{key}", f"{new}.websocket.{path}", convert)
              for key, path, convert in WEBSOCKET),
            Row(f"{old}.mqtt_piggyback", note=Words(
                "a frame may hold any number of packets", "一个帧可携带任意多个报文"),
                outcome=Outcome.NOT_NEEDED),
            Row(f"{old}.deflate_opts.*", note=DEFLATE, outcome=Outcome.NOT_NEEDED),
        ]
    if is_secure:
        rows += [
            *(Row(f"{old}.{key}", f"{new}.ssl_options.{path}", convert) for key, path, convert in TLS),
            *(Row(f"{old}.{key}", note=why, outcome=outcome) for key, why, outcome in TLS_WITHOUT),
        ]
    return tuple(rows)


LISTENERS: tuple[Row, ...] = (
    *(row for kind in ("tcp", "ssl", "ws", "wss") for row in _listener(kind)),
    Row("listener.quic.*", note=Words("QUIC is not available", "不支持 QUIC")),
)
