"""Texts about the end of a TLS connection: English and Chinese. ``reason`` is the alert's name."""

from __future__ import annotations

TLS_TEXTS: dict[str, tuple[str, str]] = {
    "tls.certificate_required": (
        (
            "the broker wants a client certificate (TLS alert: {reason}); give one with --cert FILE "
            "--key FILE"
        ),
        "服务器要求客户端证书（TLS 告警：{reason}）；请用 --cert FILE --key FILE 指定",
    ),
    "tls.handshake_failure": (
        (
            "the broker refused the handshake (TLS alert: {reason}); it may want a client certificate "
            "(--cert FILE --key FILE), or has no TLS version or cipher suite in common with this side"
        ),
        (
            "服务器拒绝 TLS 握手（TLS 告警：{reason}）；可能需要客户端证书（--cert FILE --key FILE），"
            "或双方没有共同的 TLS 版本或密码套件"
        ),
    ),
    "tls.certificate_refused": (
        (
            "the broker does not accept the client certificate (TLS alert: {reason}); give one that an "
            "authority in the listener's cacertfile has signed, with all between them in the file of --cert"
        ),
        (
            "服务器不接受客户端证书（TLS 告警：{reason}）；请使用监听器 cacertfile 中的 CA 签发的证书，"
            "并在 --cert 文件中包含中间证书"
        ),
    ),
    "tls.certificate_expired": (
        (
            "the client certificate has expired or is not valid yet (TLS alert: {reason}); look with "
            "`openssl x509 -noout -dates -in FILE`, and at the clocks of both sides"
        ),
        (
            "客户端证书已过期或尚未生效（TLS 告警：{reason}）；请用 `openssl x509 -noout -dates -in FILE` "
            "检查，并核对双方时钟"
        ),
    ),
    "tls.certificate_revoked": (
        (
            "the client certificate is on the broker's revocation list (TLS alert: {reason}); give "
            "another with --cert FILE --key FILE"
        ),
        "客户端证书已被吊销（TLS 告警：{reason}）；请用 --cert FILE --key FILE 指定其他证书",
    ),
    "tls.protocol_version": (
        (
            "the broker speaks no TLS version that this side does (TLS alert: {reason}); see versions "
            "of the listener's ssl_options"
        ),
        "双方没有共同的 TLS 版本（TLS 告警：{reason}）；参见监听器 ssl_options 的 versions",
    ),
    "tls.unrecognized_name": (
        (
            "the broker has no certificate for that host name (TLS alert: {reason}); check the name "
            "after -h"
        ),
        "服务器没有该主机名的证书（TLS 告警：{reason}）；请检查 -h 后的名称",
    ),
    "tls.not_trusted": (
        (
            "the broker's certificate does not check: {reason}; name the CA that signed it with --cafile "
            "FILE, and the host as the certificate does with -h"
        ),
        "服务器证书验证失败：{reason}；请用 --cafile FILE 指定签发它的 CA，并用 -h 指定证书中的主机名",
    ),
    "tls.key_mismatch": (
        "the key in the file of --key does not belong to the certificate in the file of --cert",
        "--key 文件中的私钥与 --cert 文件中的证书不匹配",
    ),
    "tls.bad_pem": (
        (
            "a file does not hold what it should in PEM format: --cafile certificates, --cert a "
            "certificate, --key its private key (or both in the file of --cert)"
        ),
        "文件不是所需的 PEM 内容：--cafile 为 CA 证书，--cert 为证书，--key 为私钥（也可与证书同在 --cert 文件中）",
    ),
    "tls.no_tls": (
        (
            "what answers there is not TLS ({reason}); leave --tls and --cafile out, or name the port of "
            "a TLS listener with -p"
        ),
        "该端口不是 TLS（{reason}）；请去掉 --tls 与 --cafile，或用 -p 指定 TLS 监听器的端口",
    ),
}
