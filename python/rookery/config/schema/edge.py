"""The section ``edge``: what an edge service is started with.

Devices, tags and applications are kept in its data directory and set on its pages.
"""

from __future__ import annotations

from rookery.config.schema.model import (
    UNSET,
    Address,
    Duration,
    Field,
    FilePath,
    ListOf,
    OneOf,
    SecretText,
    Struct,
    Text,
)

_TLS = Struct(
    (
        Field(
            "certfile",
            FilePath(),
            "",
            "Certificate of the port; without one it is made.",
            "端口使用的证书；未提供时自动生成。",
        ),
        Field("keyfile", FilePath(), "", "Its key.", "证书私钥。"),
        Field(
            "cacertfile",
            FilePath(),
            "",
            "The authority that signed it.",
            "签发该证书的 CA 证书。",
        ),
        Field(
            "names",
            ListOf(Text(r"[0-9A-Za-z.:_-]{1,253}", "a host name or address"), 32),
            [],
            "Names and addresses in a certificate that is made; without any those of the machine.",
            "自动生成的证书所包含的主机名与地址；留空则使用本机的名称与地址。",
        ),
        Field(
            "plain",
            OneOf(("local", "any")),
            "local",
            "From where HTTP is answered without encryption: this machine alone (others are sent to HTTPS), or "
            "anywhere.",
            "允许以明文 HTTP 访问的来源：local 仅本机（其他来源跳转到 HTTPS），any 任意来源。",
        ),
    )
)

SECTION = Struct(
    (
        Field(
            "data_dir",
            Text(r".{1,1024}", "a directory"),
            UNSET,
            "Where the edge service keeps its configuration and its data.",
            "边缘服务的数据目录。",
        ),
        Field(
            "bind",
            Address(),
            "0.0.0.0:8085",
            "Port of the pages and of the REST interface, HTTPS and HTTP alike. Other machines are answered only "
            "when the administrator has chosen a password.",
            "管理页面与 REST 接口的监听地址，HTTPS 与 HTTP 共用。管理员设置密码之前，仅接受本机访问。",
        ),
        Field("tls", _TLS, {}, "Encryption of the port.", "端口加密。"),
        Field(
            "admin_password",
            SecretText(),
            "",
            "Password of the user admin at the first start; without one it is 0000, which is good for nothing but "
            "choosing another.",
            "首次启动时 admin 用户的密码；未设置时为 0000，登录后必须先修改密码。",
        ),
        Field(
            "token_lifetime",
            Duration(low_ms=60_000, high_ms=30 * 86_400_000),
            86_400_000,
            "How long a sign-in lasts.",
            "登录令牌的有效期。",
        ),
        Field(
            "log",
            Struct(
                (
                    Field(
                        "level",
                        OneOf(("debug", "info", "notice", "warning", "error")),
                        "info",
                        "Least severe level written.",
                        "日志级别。",
                    ),
                )
            ),
            {},
            "What is printed.",
            "日志。",
        ),
    )
)

EDGE = Struct((Field("edge", SECTION, {}, "The edge service.", "边缘服务。"),))
