"""The section ``control``: what a control plane is started with.

What is changed while it runs is kept in its database and set in the console.
"""

from __future__ import annotations

from rookery.config.schema.model import (
    UNSET,
    Address,
    Duration,
    Field,
    FilePath,
    Int,
    ListOf,
    OneOf,
    SecretText,
    Struct,
    Text,
)

SECTION = Struct(
    (
        Field(
            "data_dir",
            Text(r".{1,1024}", "a directory"),
            UNSET,
            "Where the control plane keeps its data.",
            "控制面的数据目录。",
        ),
        Field(
            "bind",
            Address(),
            "0.0.0.0:8082",
            "Port of the console and of the REST interface; HTTPS, and HTTP from this machine alone.",
            "控制台与 REST 接口的监听地址；HTTPS，本机亦可使用 HTTP。",
        ),
        Field(
            "database",
            SecretText(),
            "",
            "Address of a database, such as postgresql://USER:PASSWORD@HOST/DATABASE; none: a SQLite file "
            "in the data directory. Several control planes may share one PostgreSQL.",
            "数据库地址，例如 postgresql://USER:PASSWORD@HOST/DATABASE；留空则使用数据目录中的 SQLite 文件。"
            "多个控制面进程可共用一个 PostgreSQL。",
        ),
        Field(
            "tls",
            Struct(
                (
                    Field(
                        "certfile",
                        FilePath(),
                        "",
                        "Certificate of the ports; without one it is made.",
                        "端口使用的证书；未提供时自动生成。",
                    ),
                    Field("keyfile", FilePath(), "", "Its key.", "证书私钥。"),
                    Field(
                        "cacertfile",
                        FilePath(),
                        "",
                        "The authority that agents are told to trust.",
                        "代理所信任的 CA 证书。",
                    ),
                    Field(
                        "names",
                        ListOf(Text(r"[0-9A-Za-z.:_-]{1,253}", "a host name or address"), 32),
                        [],
                        "Names and addresses in a certificate that is made; without any those of the machine.",
                        "自动生成的证书所包含的主机名与地址；留空则使用本机的名称与地址。",
                    ),
                )
            ),
            {},
            "Certificates.",
            "证书。",
        ),
        Field(
            "relay",
            Struct(
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
                        "workers",
                        Int(1, 64),
                        1,
                        "Threads that serve agents.",
                        "处理代理连接的线程数。",
                    ),
                )
            ),
            {},
            "The MQTT broker that agents dial into.",
            "代理接入的 MQTT 中继服务。",
        ),
        Field(
            "agents",
            Struct(
                (
                    Field(
                        "report_interval",
                        Duration(low_ms=1000, high_ms=3_600_000),
                        15_000,
                        "How often an agent reports on its cluster; three reports that do not come "
                        "make it abnormal.",
                        "代理上报集群状态的间隔；连续三次未上报，集群变为异常。",
                    ),
                )
            ),
            {},
            "Agents of clusters.",
            "集群代理。",
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

CONTROL = Struct((Field("control", SECTION, {}, "The control plane.", "控制面。"),))
