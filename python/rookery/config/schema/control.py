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
    ListOf,
    OneOf,
    SecretText,
    Struct,
    Text,
)
from rookery.config.schema.relay import CLIENT, RELAY

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
            RELAY,
            {},
            "The MQTT broker that agents dial into.",
            "代理接入的 MQTT 中继服务。",
        ),
        Field(
            "mqtt",
            CLIENT,
            {},
            "How the control plane sees its relay, and the certificates that edges are given.",
            "控制面访问中继服务的方式，以及提供给边缘服务的证书。",
        ),
        Field(
            "peers",
            Struct(
                (
                    Field(
                        "bind",
                        Address(zero_closes=True),
                        "0.0.0.0:0",
                        "Where other control processes of the same PostgreSQL reach this one, for agents that "
                        "are connected here; 0.0.0.0: the address that the database sees, port 0: a free one. "
                        "0 closes it.",
                        "同一 PostgreSQL 的其他控制面进程访问本进程（其上连接的代理）的监听地址；0.0.0.0 表示数据库"
                        "所见的地址，端口 0 表示任意空闲端口。0 表示关闭。",
                    ),
                    Field(
                        "address",
                        Text(r"(|[0-9A-Za-z.:_\[\]-]{1,253}:\d{1,5})", "HOST:PORT"),
                        "",
                        "What they are told of it, where that is another address.",
                        "告知其他进程的地址（与监听地址不同时填写）。",
                    ),
                )
            ),
            {},
            "Several control processes side by side.",
            "多个控制面进程并行运行。",
        ),
        Field(
            "doors",
            Struct(
                (
                    Field(
                        "ports",
                        Text(r"(|\d{1,5}-\d{1,5})", "FIRST-LAST"),
                        "8100-8131",
                        "Ports at which dashboards of clusters are shown through the tunnel, one for each "
                        "cluster, opened when they are wanted; empty: not at all.",
                        "经隧道展示集群 Dashboard 的端口范围，每个集群占用一个，按需开启；留空表示不开放。",
                    ),
                )
            ),
            {},
            "Dashboards of clusters that browsers cannot reach.",
            "浏览器无法直接访问的集群的 Dashboard。",
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
            "edges",
            Struct(
                (
                    Field(
                        "targets",
                        OneOf(("private", "public", "any")),
                        "private",
                        "Where edge services may be that control reaches at an address: private networks and "
                        "the internet, the internet alone, or anywhere, this machine included.",
                        "直连的边缘服务允许的地址：private 为内网与公网，public 仅公网，any 为任意地址（包括本机）。",
                    ),
                )
            ),
            {},
            "Edge services.",
            "边缘服务。",
        ),
        Field(
            "metrics",
            Struct(
                (
                    Field(
                        "keep_15s",
                        Duration(low_ms=3_600_000, high_ms=7 * 86_400_000),
                        6 * 3_600_000,
                        "How long every single report is kept.",
                        "逐次上报的指标数据的保留时间。",
                    ),
                    Field(
                        "keep_1m",
                        Duration(low_ms=86_400_000, high_ms=60 * 86_400_000),
                        2 * 86_400_000,
                        "How long a value for each minute is kept.",
                        "按分钟汇总的指标数据的保留时间。",
                    ),
                    Field(
                        "keep_10m",
                        Duration(low_ms=8 * 86_400_000, high_ms=400 * 86_400_000),
                        8 * 86_400_000,
                        "How long a value for each ten minutes is kept.",
                        "按十分钟汇总的指标数据的保留时间。",
                    ),
                )
            ),
            {},
            "What clusters counted over time.",
            "集群历史指标。",
        ),
        Field(
            "alarms",
            Struct(
                (
                    Field(
                        "check_interval",
                        Duration(low_ms=1000, high_ms=3_600_000),
                        15_000,
                        "How often clusters that say nothing are looked at.",
                        "检查无上报集群的间隔。",
                    ),
                    Field(
                        "targets",
                        OneOf(("private", "public", "any")),
                        "private",
                        "Where webhooks and mail servers of projects may be: private networks and the "
                        "internet, the internet alone, or anywhere, this machine included.",
                        "项目的 Webhook 与邮件服务器允许的地址：private 为内网与公网，public 仅公网，"
                        "any 为任意地址（包括本机）。",
                    ),
                    Field(
                        "retry",
                        Duration(low_ms=100, high_ms=600_000),
                        5000,
                        "How long after a failed attempt a message is sent again; twice as long after each.",
                        "推送失败后的重试间隔，每次失败后加倍。",
                    ),
                )
            ),
            {},
            "Alarms.",
            "告警。",
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
