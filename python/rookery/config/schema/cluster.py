"""``cluster``: the nodes that answer as one broker."""

from __future__ import annotations

from rookery.config.schema.links import LINKS
from rookery.config.schema.model import (
    UNSET,
    Address,
    Anything,
    CommaList,
    Custom,
    Duration,
    Field,
    FilePath,
    OneOf,
    SecretText,
    Struct,
    Text,
    inert,
    off,
)
from rookery.config.schema.tls import CLIENT_TLS

# A table reads better with one field in two or three lines.
# fmt: off

STRATEGIES = ("manual", "static", "dns", "singleton")


def _strategy(raw: object) -> str:
    if raw in STRATEGIES:
        return str(raw)
    if raw in ("etcd", "k8s", "mcast"):
        raise ValueError("nodes are found by static or dns; in Kubernetes by dns with a headless service")
    raise ValueError("not a way of discovery")


def _record(raw: object) -> str:
    if raw in ("a", "aaaa"):
        return str(raw)
    if raw == "srv":
        raise ValueError("SRV records are not looked up; use a or aaaa")
    raise ValueError("not one of the words")


NATS = Struct((
    Field("mode", OneOf(("embedded", "external")), "embedded",
          "embedded: the node runs a NATS server beside itself; external: it uses one that is there.",
          "embedded：节点自带一个 NATS 服务进程；external：使用已有的 NATS。"),
    Field("listen", Address(), UNSET,
          "Where the NATS servers of other nodes reach this one; the host of node.name and port 6369. "
          "The port is the same on all nodes.",
          "其他节点的 NATS 连接本节点的地址，默认为 node.name 的主机与端口 6369；所有节点端口须相同。"),
    Field("path", FilePath(), UNSET,
          "nats-server 2.12 or newer; else that of the Python package, else the one on PATH.",
          "nats-server（2.12 或更高版本）路径；缺省依次使用 Python 软件包与 PATH 中的程序。"),
    Field("servers", CommaList(), [], "URLs of the NATS that is there (external).",
          "已有 NATS 的 URL（external）。"),
    Field("username", Text(longest=255), UNSET, "User name there.", "用户名。"),
    Field("password", SecretText(), UNSET, "Its password.", "密码。"),
    Field("token", SecretText(), UNSET, "Token instead of user name and password.",
          "令牌，替代用户名与密码。"),
    Field("ssl_options", CLIENT_TLS, {},
          "Encrypts what goes over NATS. embedded: certfile, keyfile and cacertfile are needed, and "
          "both sides show certificates.",
          "加密 NATS 连接。embedded 需要 certfile、keyfile 与 cacertfile，双方互验证书。"),
))

CLUSTER = Struct((
    Field("name", Text(r"[0-9A-Za-z][0-9A-Za-z_-]{0,253}", "letters, digits, _ and -"), "emqxcl",
          "Name of the cluster.", "集群名称。"),
    Field("discovery_strategy", Custom("one of " + ", ".join(STRATEGIES), _strategy), "manual",
          "How nodes find each other: manual is rookery ctl cluster join, static and dns join by "
          "themselves, singleton stays alone.",
          "节点发现方式：manual 使用 rookery ctl cluster join 加入，static 与 dns 自动加入，singleton 始终单节点。"),
    Field("static", Struct((
        Field("seeds", CommaList(), [], "Names of nodes to join, such as rookery@10.0.0.1.",
              "要加入的节点名，如 rookery@10.0.0.1。"),
    )), {}, "Discovery by a list.", "静态节点发现。"),
    Field("dns", Struct((
        Field("name", Text(longest=253), "",
              "Name whose addresses are those of the nodes; each is called as this one before its @.",
              "解析出各节点地址的域名，节点名 @ 之前的部分与本节点相同。"),
        Field("record_type", Custom("a (IPv4) or aaaa (IPv6)", _record), "a", "Kind of record.", "记录类型。"),
    )), {}, "Discovery by DNS.", "DNS 节点发现。"),
    Field("nats", NATS, {}, "What membership and state of the cluster stand on.",
          "集群成员与状态所依赖的 NATS。"),
    Field("lanes", Struct((
        Field("listen", Address(), UNSET,
              "Where other nodes send this one the messages of clients; the host of node.name and "
              "port 6370.",
              "其他节点向本节点转发客户端消息的地址，默认为 node.name 的主机与端口 6370。"),
        Field("ssl_options", CLIENT_TLS, {},
              "Encrypts messages between nodes: certfile, keyfile and cacertfile are needed, and both sides "
              "show certificates, for the host of their node.name. With embedded NATS it is on where "
              "cluster.nats.ssl_options is, with the same files.",
              "加密节点间消息：需要 certfile、keyfile 与 cacertfile，双方互验证书，证书须包含各自 node.name 的主机。"
              "使用 embedded NATS 时，启用 cluster.nats.ssl_options 即同时启用，证书相同。"),
    )), {}, "Messages between nodes.", "节点间消息通道。"),
    Field("takeover_timeout", Duration(low_ms=100, high_ms=60_000), "10s",
          "How long a client that connects waits for nodes that may have its session and do not "
          "answer; then it gets a new one.",
          "客户端连接时，等待可能持有其会话但未应答的节点的最长时间；超时后使用新会话。"),
    inert("autoclean", Anything(), "24h", "When EMQX forgets a node that is down.",
          "EMQX 移除停止节点的时间。",
          "a member stays one until it leaves or rookery ctl cluster force-leave takes it out",
          "成员一直保留，直到其离开或被 rookery ctl cluster force-leave 移除"),
    inert("autoheal", Anything(), True, "How EMQX ends a split.", "EMQX 网络分区自愈。",
          "nodes that see each other again are one cluster again by themselves",
          "节点恢复连通后自动合为一个集群"),
    *(inert(name, Anything(), default, "Clusters of EMQX.", "EMQX 集群参数。",
            "nodes speak NATS, not Erlang distribution", "节点间使用 NATS，而非 Erlang 分布式协议")
      for name, default in (
          ("core_nodes", UNSET), ("proto_dist", "inet_tcp"), ("description", UNSET),
          ("heartbeat_interval", UNSET), ("missed_heartbeats", UNSET),
          ("prevent_overlapping_partitions", UNSET), ("quic_lb_mode", UNSET),
      )),
    *(off(name, Anything(), {}, "Discovery.", "节点发现。") for name in ("etcd", "k8s", "mcast")),
    Field("links", LINKS, [], "Links to other clusters.", "集群连接。", hot=True),
))
