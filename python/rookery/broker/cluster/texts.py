"""What the cluster says to people: English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rookery.errors import RookeryError
from rookery.words import Words

_INSTALL = "pip install 'rookery[cluster]'"

TEXTS: Mapping[str, Words] = {
    "foreign-dir": Words(
        "{folder} belongs to node {found}, not {name}: start with --set node.name={found} or use "
        "another --data-dir; to go on under the new name, run `rookery ctl cluster force-leave "
        "{found}` on another member and remove {folder}",
        "{folder} 属于节点 {found}，而不是 {name}：请使用 --set node.name={found} 启动或换一个 --data-dir；"
        "若要改名，请在其他成员上执行 `rookery ctl cluster force-leave {found}`，然后删除 {folder}",
    ),
    "unreadable": Words(
        "{folder} cannot be used: {error}; restore it from a backup, or remove the folder and join "
        "again",
        "{folder} 无法使用：{error}；请从备份恢复，或删除该目录后重新加入集群",
    ),
    "no-server": Words(
        "a cluster needs nats-server 2.12 or newer: " + _INSTALL + ", put nats-server on PATH, "
        "name it in cluster.nats.path, or set cluster.nats.mode = external",
        "集群需要 2.12 或更高版本的 nats-server：" + _INSTALL + "，或将 nats-server 放入 PATH，"
        "或在 cluster.nats.path 中指定，或设置 cluster.nats.mode = external",
    ),
    "no-client": Words(
        "a cluster needs the Python package nats-py: " + _INSTALL,
        "集群需要 Python 软件包 nats-py：" + _INSTALL,
    ),
    "old-server": Words(
        "{path} is version {version}; a cluster needs {need} or newer: " + _INSTALL,
        "{path} 的版本为 {version}，集群需要 {need} 或更高版本：" + _INSTALL,
    ),
    "bad-server": Words(
        "{path} is no nats-server that can be run: {error}",
        "{path} 不是可运行的 nats-server：{error}",
    ),
    "bad-address": Words(
        "{address}, where other nodes of the cluster reach this one: {error}; write an address of "
        "this machine after @ in node.name, or another in cluster.nats.listen or "
        "cluster.lanes.listen",
        "{address}（集群其他节点访问本节点的地址）：{error}；请在 node.name 的 @ 之后写本机地址，"
        "或修改 cluster.nats.listen、cluster.lanes.listen",
    ),
    "route-tls": Words(
        "cluster.nats.ssl_options needs certfile, keyfile and cacertfile: both sides of a route "
        "show a certificate",
        "cluster.nats.ssl_options 需要 certfile、keyfile 与 cacertfile：节点间连接双方均需出示证书",
    ),
    "lane-tls": Words(
        "cluster.lanes.ssl_options needs certfile, keyfile and cacertfile: nodes show each other a "
        "certificate",
        "cluster.lanes.ssl_options 需要 certfile、keyfile 与 cacertfile：节点之间互验证书",
    ),
    "client-tls": Words(
        "cluster.nats.ssl_options cannot be used: {error}",
        "cluster.nats.ssl_options 无法使用：{error}",
    ),
    "weak-cookie": Words(
        "node.cookie keeps nobody out: it has to have {least} characters or more and may not be one "
        "that is published; make one with `openssl rand -hex 32` and give all nodes the same",
        "node.cookie 不安全：至少 {least} 个字符，且不能是公开的默认值；请用 `openssl rand -hex 32` 生成，"
        "并在所有节点上设置相同的值",
    ),
    "no-cookie": Words(
        "this node has no node.cookie: set the same secret on every node of the cluster, such as one "
        "of `openssl rand -hex 32`, and start it again",
        "本节点未设置 node.cookie：请在集群所有节点上设置相同的密钥（如 `openssl rand -hex 32` 的输出）并重启",
    ),
    "singleton": Words(
        "this node stays alone: cluster.discovery_strategy = singleton",
        "本节点为单节点运行：cluster.discovery_strategy = singleton",
    ),
    "witness": Words(
        "{name} is a witness that is in no cluster yet: join a node, and have the witness join it too",
        "{name} 是尚未加入集群的见证节点：请加入其他节点，并让见证节点也加入该集群",
    ),
    "witness-nats": Words(
        "a witness runs a NATS server for a cluster whose nodes run theirs: with cluster.nats.mode = "
        "external there is nothing for it to do",
        "见证节点为内置 NATS 的集群运行一个 NATS 服务器；cluster.nats.mode = external 时无需见证节点",
    ),
    "no-name": Words(
        "{name} is no node name: NAME@HOST is meant, such as rookery@10.0.0.2",
        "{name} 不是节点名，应为 NAME@HOST，如 rookery@10.0.0.2",
    ),
    "self": Words("{name} is this node", "{name} 就是本节点"),
    "same-address": Words(
        "{name} would be reached at {address}, which is this node's own address: give each node an "
        "address of its own after @ in node.name",
        "{name} 的地址 {address} 与本节点相同：请在 node.name 的 @ 之后为每个节点写各自的地址",
    ),
    "member": Words(
        "this node is in a cluster with {others}: `rookery ctl cluster leave` first",
        "本节点已与 {others} 组成集群：请先执行 `rookery ctl cluster leave`",
    ),
    "already": Words("{name} is a member already", "{name} 已是集群成员"),
    "alone": Words("this node is in no cluster", "本节点不在集群中"),
    "unknown": Words("{name} is no member of the cluster", "{name} 不是集群成员"),
    "leave-self": Words(
        "{name} is this node: `rookery ctl cluster leave`",
        "{name} 是本节点：请使用 `rookery ctl cluster leave`",
    ),
    "name-taken": Words(
        "the cluster has a member {name} with another data directory: give this node another name, "
        "or run `rookery ctl cluster force-leave {name}` on a member first if that one is gone for "
        "good",
        "集群中已有使用其他数据目录的成员 {name}：请为本节点换一个名称；若该成员不再恢复，"
        "请先在任一成员上执行 `rookery ctl cluster force-leave {name}`",
    ),
    "not-joined": Words(
        "{name} was invited and did not join in time; its log says why",
        "已邀请 {name}，但其未在时限内加入，原因见其日志",
    ),
    "full": Words("a cluster has at most {most} nodes", "集群最多 {most} 个节点"),
    "joining": Words(
        "{name} is joining or leaving a cluster itself: try again",
        "{name} 正在加入或离开集群，请稍后重试",
    ),
    "unreached": Words(
        "{name} was not reached at {address} within {seconds} s{why}: it has to run with the same "
        "node.cookie and cluster.name, and its port must be open to this machine",
        "在 {seconds} 秒内未能通过 {address} 连接到 {name}{why}：对方须正在运行，node.cookie 与 cluster.name "
        "须相同，且端口对本机开放",
    ),
    "unreached-cookie": Words(" (it refused the cookie)", "（对方拒绝了 cookie）"),
    "unreached-name": Words(" (it is of a cluster of another name)", "（对方集群名称不同）"),
    "nobody-told": Words(
        "no other member can be reached, so none would know that this node left: try again when one "
        "runs, or `rookery ctl cluster force-leave` the others from here",
        "无法连接任何其他成员，它们将不知道本节点已离开：请在其他成员恢复后重试，"
        "或在本节点上对其他成员执行 `rookery ctl cluster force-leave`",
    ),
    "not-sensible": Words(
        "{name} answered with a list of members that this node is not on",
        "{name} 返回的成员列表中没有本节点",
    ),
    "not-ready": Words(
        "nothing was changed: this node is not in step with its cluster ({why}); clients are served "
        "meanwhile. `rookery ctl cluster status` shows the nodes: more than half of them have to run "
        "(of two: both)",
        "未做任何修改：本节点尚未与集群同步（{why}），客户端服务不受影响。请用 `rookery ctl cluster status` "
        "查看节点状态：须有半数以上节点在运行（两节点集群须全部运行）",
    ),
    "too-few": Words(
        "nothing was changed: too few nodes of the cluster are heard; clients are served meanwhile. "
        "`rookery ctl cluster status` shows the nodes: more than half of them have to run (of two: both)",
        "未做任何修改：可达的集群节点过少，客户端服务不受影响。请用 `rookery ctl cluster status` "
        "查看节点状态：须有半数以上节点在运行（两节点集群须全部运行）",
    ),
    "not-confirmed": Words(
        "the cluster did not confirm the change in time: look whether it was made before you try again",
        "集群未在时限内确认该修改：重试前请先查看修改是否已生效",
    ),
    "doubled": Words(
        "another process of node {name} runs with a copy of this data directory: stop one of the two, "
        "and give the copy another name and an empty data directory",
        "另一个进程以本数据目录的副本运行节点 {name}：请停止其中之一，并为副本设置其他名称与空数据目录",
    ),
}

_E = TypeVar("_E", bound=RookeryError)


def words(key: str, **values: object) -> Words:
    """That text with the values put in."""
    return TEXTS[key].format(**values)


def refusal(kind: type[_E], key: str, **values: object) -> _E:
    """An error that says that text."""
    text = words(key, **values)
    return kind(text.en, message_zh=text.zh)
