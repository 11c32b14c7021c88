"""TLS options: of listeners, where EMQX's keys meet what rustls can do, and of clients.

What rustls cannot do is refused with the reason and what to use instead: a connection that is less
protected than somebody wrote down would be worse than none.
"""

from __future__ import annotations

from rookery.config.schema.model import (
    REQUIRED,
    UNSET,
    Anything,
    Bool,
    Custom,
    Duration,
    Field,
    FilePath,
    MapOf,
    OneOf,
    SecretText,
    Struct,
    Text,
    inert,
    off,
    refused,
)

# A table reads better with one field in two or three lines.
# fmt: off

DEPTH_DEFAULT = 10
DEPTH_MAX = 6
SUITES_MAX = 32
VERSIONS = ("tlsv1.3", "tlsv1.2")
OLD_VERSIONS = ("tlsv1.1", "tlsv1", "sslv3", "dtlsv1.2", "dtlsv1")
SUITES = (
    "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305",
)
RENEGOTIATION = ("a connection is never renegotiated", "连接从不重新协商")
ERLANG_TLS = ("TLS runs in the native core", "TLS 由原生内核实现")


def _depth(raw: object) -> int:
    if isinstance(raw, str) and raw.isascii() and raw.isdigit():
        raw = int(raw[:4])
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 0:
        raise ValueError("not a depth")
    if raw > DEPTH_MAX and raw != DEPTH_DEFAULT:
        raise ValueError("chains of more than 6 intermediate certificates are never accepted")
    return min(raw, DEPTH_MAX)


def _words(raw: object) -> list[str]:
    items = raw.replace(":", ",").split(",") if isinstance(raw, str) else raw
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError("not a list of words")
    return [item.strip() for item in items if item.strip()]


def _versions(raw: object) -> tuple[str, ...]:
    words = _words(raw)
    if any(word in OLD_VERSIONS for word in words):
        raise ValueError("TLS 1.1 and older are broken and not offered; use tlsv1.2 and tlsv1.3")
    if not words or any(word not in VERSIONS for word in words):
        raise ValueError("not a version of TLS")
    return tuple(word for word in VERSIONS if word in words)


def _ciphers(raw: object) -> tuple[str, ...]:
    words = [word.upper() for word in _words(raw)]
    if len(words) > SUITES_MAX or any(word.startswith(("PSK", "RSA-PSK", "DHE-PSK")) for word in words):
        raise ValueError("pre-shared keys are not available; use client certificates")
    if any(word not in SUITES for word in words):
        raise ValueError("only suites with forward secrecy and AEAD are offered")
    return tuple(dict.fromkeys(words))


def _no_crl_points(raw: object) -> bool:
    if Bool().parse(raw):
        raise ValueError("lists are not fetched from distribution points; use crlfile")
    return False


OCSP = Struct((
    off("enable_ocsp_stapling", Bool(), False, "OCSP stapling.", "启用 OCSP stapling。"),
    off("responder_url", Text(), UNSET, "URL of the responder.", "OCSP 响应者地址。"),
    off("issuer_pem", Text(), UNSET, "Certificate of the issuer.", "签发者证书。"),
    off("refresh_interval", Duration(), "5m", "Time between queries.", "刷新间隔。"),
    off("refresh_http_timeout", Duration(), "15s", "Deadline of a query.", "请求超时。"),
))

SNI = Struct((
    Field("certfile", FilePath(), REQUIRED, "Certificate chain for that name.", "该域名的证书文件。",
          hot=True),
    Field("keyfile", FilePath(), REQUIRED, "Private key for that name.", "该域名的私钥文件。", hot=True),
))

SERVER_TLS = Struct((
    Field("certfile", FilePath(), UNSET,
          "Certificate chain of the server, PEM; `rookery tls init` makes one.",
          "服务端证书链（PEM），可用 `rookery tls init` 生成。", hot=True),
    Field("keyfile", FilePath(), UNSET, "Private key of the server, PEM.", "服务端私钥文件（PEM）。",
          hot=True),
    Field("password", SecretText(), UNSET, "Password of the key file.", "私钥密码。", hot=True),
    Field("cacertfile", FilePath(), UNSET, "CA certificates that sign clients.", "用于校验客户端的 CA 证书文件。",
          hot=True),
    Field("verify", OneOf(("verify_none", "verify_peer")), "verify_none",
          "Whether clients are asked for a certificate, which then must check.", "是否校验客户端证书。",
          hot=True),
    Field("fail_if_no_peer_cert", Bool(), False,
          "With verify_peer: clients without certificate are refused.",
          "verify_peer 时，客户端未提供证书则拒绝。", hot=True),
    Field("depth", Custom("a whole number, 0 to 6", _depth), DEPTH_DEFAULT,
          "Most intermediate certificates in a client's chain; the default of EMQX counts as 6.",
          "客户端证书链中间证书的最大数量，EMQX 默认值 10 按 6 处理。", hot=True),
    Field("crlfile", FilePath(), UNSET, "Revoked certificates, PEM; read anew when it changes.",
          "证书吊销列表（PEM），文件变化时自动重新读取。", hot=True),
    Field("versions", Custom("a list of tlsv1.3 and tlsv1.2", _versions), list(VERSIONS),
          "Versions of TLS.", "TLS 版本。", hot=True),
    Field("ciphers", Custom("a list of cipher suites", _ciphers), [],
          "Cipher suites, by their OpenSSL names; empty is all.", "密码套件（OpenSSL 名称），空表示全部。",
          hot=True),
    Field("handshake_timeout", Duration(low_ms=100, high_ms=600_000), "15s",
          "Deadline of the handshake.", "握手超时。", hot=True),
    Field("reuse_sessions", Bool(), True, "Clients may resume sessions with a ticket.",
          "是否允许以会话票据恢复会话。", hot=True),
    Field("sni", MapOf(SNI, r"(\*\.)?[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){0,31}", "a host name"), {},
          "Further certificates by the host name that the client asks for.",
          "按客户端请求的域名选择的其他证书。", hot=True),
    inert("honor_cipher_order", Bool(), True, "The server's order decides.", "以服务端顺序为准。",
          "the server's order always decides", "总是以服务端顺序为准"),
    inert("client_renegotiation", Bool(), True, "Renegotiation.", "允许重新协商。", *RENEGOTIATION),
    inert("secure_renegotiate", Bool(), True, "Secure renegotiation.", "安全重新协商。",
          *RENEGOTIATION),
    inert("hibernate_after", Duration(), "5s", "Sleep of idle TLS processes in EMQX.",
          "EMQX TLS 进程休眠。", *ERLANG_TLS),
    inert("log_level", Text(), "notice", "Log level of TLS in EMQX.", "EMQX TLS 日志级别。", *ERLANG_TLS),
    inert("gc_after_handshake", Bool(), False, "Collect garbage after handshakes in EMQX.",
          "EMQX 握手后回收内存。", *ERLANG_TLS),
    refused("user_lookup_fun", "PSK look-up.", "PSK 查询。",
            "pre-shared keys are not available; use client certificates", "不支持 PSK，请使用客户端证书"),
    refused("dhfile", "Diffie-Hellman parameters.", "DH 参数文件。",
            "key exchange is by elliptic curves only; leave it out", "仅支持椭圆曲线密钥交换，请删除该项"),
    Field("enable_crl_check", Custom("false", _no_crl_points), False,
          "Revocation lists by distribution point in EMQX.", "EMQX 按分发点检查吊销列表。"),
    off("partial_chain", Anything(), False, "Trust intermediate certificates.", "信任中间证书。"),
    off("verify_peer_ext_key_usage", Anything(), UNSET, "Extended key usage of clients.",
        "客户端扩展密钥用途。"),
    off("ocsp", OCSP, {}, "OCSP stapling.", "OCSP stapling。"),
))


CLIENT_TLS = Struct((
    Field("enable", Bool(), False, "Whether the connection is encrypted.", "是否启用 TLS。"),
    Field("verify", OneOf(("verify_peer", "verify_none")), "verify_peer",
          "Whether the server's certificate must check.", "是否校验服务端证书。"),
    Field("cacertfile", FilePath(), UNSET, "CA certificates; else those of the system.",
          "CA 证书文件，缺省使用系统证书。"),
    Field("certfile", FilePath(), UNSET, "Certificate that is shown.", "客户端证书文件。"),
    Field("keyfile", FilePath(), UNSET, "Its private key.", "客户端私钥文件。"),
    Field("password", SecretText(), UNSET, "Password of the key file.", "私钥密码。"),
    Field("server_name_indication", Text(longest=255), UNSET,
          "Name that is asked for and checked instead of the host's; disable asks for none and checks none.",
          "请求并校验的域名，替代主机名；disable 表示不发送也不校验。"),
    *(inert(name, Anything(), UNSET, "An option of TLS in EMQX.", "EMQX 的 TLS 选项。",
            "the defaults of OpenSSL hold", "使用 OpenSSL 默认值")
      for name in ("versions", "ciphers", "depth", "secure_renegotiate", "reuse_sessions",
                   "hibernate_after", "user_lookup_fun", "log_level", "partial_chain",
                   "middlebox_comp_mode", "verify_peer_ext_key_usage", "managed_certs")),
))
