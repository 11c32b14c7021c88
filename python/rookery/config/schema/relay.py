"""What the relay of a control plane is started with: where agents dial in, and its certificates."""

from __future__ import annotations

from rookery.config.schema.model import (
    Address,
    Anything,
    Bool,
    Field,
    FilePath,
    Int,
    ListOf,
    SecretText,
    Struct,
    Text,
    inert,
)

_SAME_PROCESS = (
    "the control plane and its relay are one process",
    "控制面与其中继服务在同一进程中",
)

TLS = Struct(
    (
        Field(
            "enable",
            Bool(),
            True,
            "Whether agents can connect with TLS at all; also NANOMQ_TLS_ENABLE in the environment.",
            "是否开启 TLS 监听；亦可使用环境变量 NANOMQ_TLS_ENABLE。",
        ),
        Field(
            "certfile",
            FilePath(),
            "",
            "Certificate of the relay, PEM; without one that of the console's port, which is made. Read "
            "again when the file changes.",
            "中继服务的证书（PEM）；未提供时使用控制台端口的证书（自动生成）。文件变化时自动重新读取。",
        ),
        Field("keyfile", FilePath(), "", "Its private key, PEM.", "证书私钥（PEM）。"),
        Field("password", SecretText(), "", "Password of the key file.", "私钥密码。"),
        Field(
            "cacertfile",
            FilePath(),
            "",
            "CA certificates that sign agents; without any the authority of the console's certificate.",
            "用于校验代理的 CA 证书；未提供时使用控制台证书的 CA。",
        ),
        Field(
            "verify_peer",
            Bool(),
            False,
            "Agents are asked for a certificate, and one that is shown must check.",
            "是否校验代理的客户端证书。",
        ),
        Field(
            "fail_if_no_peer_cert",
            Bool(),
            False,
            "With verify_peer: agents without a certificate are refused, those of clusters too, which have none.",
            "verify_peer 开启时，拒绝未提供证书的代理；集群代理没有证书，也会被拒绝。",
        ),
    )
)

RELAY = Struct(
    (
        Field(
            "tcp",
            Address(zero_closes=True),
            "0.0.0.0:31883",
            "Where agents connect without encryption; 0 closes it.",
            "代理以明文方式连接的监听地址；0 表示关闭。",
        ),
        Field(
            "tls",
            Address(zero_closes=True),
            "0.0.0.0:38883",
            "Where agents connect with TLS; 0 closes it.",
            "代理以 TLS 方式连接的监听地址；0 表示关闭。",
        ),
        Field(
            "ssl_options",
            TLS,
            {},
            "Certificates of the port with TLS.",
            "TLS 监听的证书。",
        ),
        Field(
            "advertised",
            ListOf(
                Text(r"mqtts?://[0-9A-Za-z.:_\[\]-]{1,253}:\d{1,5}", "mqtts://HOST:PORT"),
                16,
            ),
            [],
            "Where agents are told to reach the relays, best first, such as "
            "mqtts://relay.example.com:38883; without any: the host of the access address and "
            "the ports of this process.",
            "告知代理的中继地址，按优先顺序，例如 mqtts://relay.example.com:38883；留空则使用访问地址的"
            "主机名与本进程的端口。",
        ),
        Field(
            "workers",
            Int(1, 64),
            1,
            "Threads that serve agents.",
            "处理代理连接的线程数。",
        ),
    )
)

CLIENT = Struct(
    (
        Field(
            "useSSL",
            Bool(),
            True,
            "Whether the control plane looks at its relay through the port with TLS.",
            "控制面是否经 TLS 端口检查其中继服务。",
        ),
        Field(
            "addr",
            Text(r"(|[0-9A-Za-z._\[\]:-]{1,259})", "HOST:PORT"),
            "",
            "The name that the relay's certificate has to hold; none: it is not compared.",
            "中继证书应包含的名称；留空则不比较名称。",
        ),
        Field(
            "verifyCertificate",
            Bool(),
            True,
            "Whether the relay's certificate must check.",
            "是否校验中继服务的证书。",
        ),
        Field(
            "cacertFile",
            FilePath(),
            "",
            "The CA that edges are given to trust; without one the authority of the relay's certificate.",
            "提供给边缘服务的 CA 证书；未提供时使用中继证书的 CA。",
        ),
        Field(
            "certFile",
            FilePath(),
            "",
            "The client certificate that edges are given; without one it is made.",
            "提供给边缘服务的客户端证书；未提供时自动生成。",
        ),
        Field("keyFile", FilePath(), "", "Its private key.", "客户端证书的私钥。"),
        Field(
            "connectTimeout",
            Int(1, 120),
            8,
            "Seconds that the relay may take to answer.",
            "连接中继服务的超时时间（秒）。",
        ),
        inert("username", Anything(), "", "User name of the link in ECP.", "ECP 中的用户名。",
              *_SAME_PROCESS),
        inert("password", SecretText(), "", "Password of the link in ECP.", "ECP 中的密码。",
              *_SAME_PROCESS),
        inert("maxReconnectInterval", Anything(), 3, "Longest wait between attempts in ECP.",
              "ECP 中的最大重连间隔。", *_SAME_PROCESS),
        inert("cleanSession", Anything(), True, "Clean sessions in ECP.", "ECP 中的 cleanSession。",
              *_SAME_PROCESS),
    )
)  # fmt: skip
"""As the client settings block of the document about ECP has it."""
