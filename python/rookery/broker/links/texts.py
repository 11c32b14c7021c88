"""What people are told about a link: why it is not connected, and what to do about that.

The core says a code and what it is about; here are the words. What the other side misses is said as what
to do there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rookery.words import Words


class Reason(NamedTuple):
    """Why a link is not connected.

    Attributes:
        code: For programs; stays the same.
        words: What is so.
        hint: What to do about it, and on which side.
    """

    code: str
    words: Words
    hint: Words


STATES: Mapping[str, Words] = {
    "connected": Words("connected", "已连接"),
    "connecting": Words("connecting", "连接中"),
    "disconnected": Words("disconnected", "已断开"),
    "inconsistent": Words("inconsistent", "不一致"),
}

_KNOWN: Mapping[str, tuple[Words, Words]] = {
    "refused": (
        Words("nobody takes connections there", "对端拒绝连接"),
        Words(
            "check that server is the MQTT listener of {name} and that it runs",
            "请检查 server 是否为 {name} 的 MQTT 监听地址，以及该监听器是否已启动",
        ),
    ),
    "timed_out": (
        Words("nobody answered in time", "连接超时"),
        Words(
            "check the way to {name}: addresses, routes and firewalls on both sides",
            "请检查到 {name} 的网络：地址、路由与双方防火墙",
        ),
    ),
    "name_not_resolved": (
        Words("the name of its host is not known", "无法解析主机名"),
        Words(
            "check the host in server, and the DNS of this node",
            "请检查 server 中的主机名与本节点的 DNS",
        ),
    ),
    "tls": (
        Words("the encrypted connection does not stand", "TLS 握手失败"),
        Words(
            "check here cacertfile and the name in server, there the certificate of the listener; with "
            "mutual TLS also certfile here and the CA there",
            "请检查本端 cacertfile 与 server 中的域名，以及对端监听器的证书；双向认证时还需检查本端 certfile 与对端 CA",
        ),
    ),
    "bad_credentials": (
        Words("{name} refuses user name and password", "{name} 拒绝了用户名或密码"),
        Words(
            "on {name} a user has to be there as this link has it in username and password",
            "请在 {name} 上创建与本连接 username、password 一致的用户",
        ),
    ),
    "not_authorized": (
        Words("{name} does not let this cluster in as {own}", "{name} 不允许本集群以 {own} 接入"),
        Words(
            "{name} needs a link {own} that names this side in accept, or a rule of access that allows "
            "its clients $LINK/#; this side has to be authenticated there",
            "请在 {name} 上创建连接 {own} 并用 accept 指明本端，或添加允许其客户端访问 $LINK/# 的授权规则；"
            "本端须通过其认证",
        ),
    ),
    "unknown_cluster": (
        Words("{name} has no link to {own}", "{name} 上没有到 {own} 的连接"),
        Words(
            "create a link on {name} with name = {own} and this cluster as its server",
            "请在 {name} 上创建 name = {own} 的连接，server 指向本集群",
        ),
    ),
    "bad_remote_cluster_link_name": (
        Words("the cluster there is not called {name}", "对端集群名称不是 {name}"),
        Words(
            "the name of a link has to be cluster.name of the other side: look there with rookery ctl "
            "cluster status, and check server",
            "连接名称必须与对端的 cluster.name 一致：请在对端执行 rookery ctl cluster status 查看，并检查 server",
        ),
    ),
    "cluster_link_disabled": (
        Words("the link is disabled on {name}", "{name} 已禁用该连接"),
        Words(
            "enable the link {own} on {name}, or disable this one as well",
            "请在 {name} 上启用连接 {own}，或在本端也禁用",
        ),
    ),
    "protocol": (
        Words("the other side does not speak as a link should", "对端的应答不符合集群连接协议"),
        Words(
            "check that server leads to a Rookery or EMQX 5.8 cluster or newer",
            "请确认 server 指向 Rookery 或 EMQX 5.8 及以上版本的集群",
        ),
    ),
    "closed": (
        Words("the connection was closed", "连接被关闭"),
        Words(
            "the link connects again by itself; the log of {name} says why",
            "连接会自动重连；原因见 {name} 的日志",
        ),
    ),
    "disabled": (
        Words("disabled here", "已在本端禁用"),
        Words(
            "{name} goes on trying while its link {own} is enabled: disable it there as well",
            "{name} 上的连接 {own} 若未禁用，会持续重试：请在对端也禁用",
        ),
    ),
    "file": (
        Words("a file of the link cannot be used", "连接所用文件不可用"),
        Words("check the files named in ssl and password", "请检查 ssl 与 password 中的文件"),
    ),
    "no_answer": (
        Words("the node did not answer", "节点未应答"),
        Words("see rookery ctl cluster status", "请执行 rookery ctl cluster status 查看"),
    ),
}
_NO_HINT = Words("", "")


def reason_of(said: str, *, name: str, own: str) -> Reason:
    """What the core says (a code, a colon, a text), in words.

    Args:
        said: What it says.
        name: The other cluster.
        own: This cluster.
    """
    code, _, detail = said.partition(":")
    code, detail = code.strip(), detail.strip()
    known = _KNOWN.get(code)
    if known is None:
        return Reason(code or "unknown", Words(said, said), _NO_HINT)
    words, hint = (it.format(name=name, own=own) for it in known)
    if detail and code not in ("disabled", "no_answer"):
        words = Words(f"{words.en} ({detail})", f"{words.zh}（{detail}）")
    return Reason(code, words, hint)


def file_reason(words: Words) -> Reason:
    """A file that a link names cannot be used."""
    return Reason("file", words, _KNOWN["file"][1])
