"""What alarms say, in both languages: one entry for each kind of condition.

Whoever finds a condition says ``message("its key", name=value, …)`` and gives that to
:meth:`~rookery.broker.alarms.AlarmRegistry.activate`. The key and the values are kept with the alarm,
so that it is told in the language of whoever reads it, also after a restart. A key is stable: programs
test for it.

A value is text or a number, or a :class:`~rookery.words.Words` where it is in both languages itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from rookery.words import Words

Value: TypeAlias = str | int | float | Words

MESSAGES: Mapping[str, Words] = {
    "access_unchangeable": Words(
        "users, rules and bans of the built-in database hold as they are and cannot be changed: {error}",
        "内置数据库中的用户、规则与黑名单仍然有效，但暂时无法修改：{error}",
    ),
    "administrators_unavailable": Words(
        "users of the dashboard and API keys cannot be read, nobody can sign in: {error}",
        "无法读取控制台用户与 API 密钥，暂时无法登录：{error}",
    ),
    "action_down": Words("action {id} is {state}: {reason}", "动作 {id} {state}：{reason}"),
    "certificate_ended": Words(
        "the certificate in {field} of {listener} ended {when}: {file}",
        "{listener} 的 {field} 证书已于 {when} 过期：{file}",
    ),
    "certificate_ends": Words(
        "the certificate in {field} of {listener} ends in {days} days, {when}: {file}",
        "{listener} 的 {field} 证书将在 {days} 天后（{when}）过期：{file}",
    ),
    "certificate_reload_failed": Words(
        "the certificates of {listener} were not read again, the old ones hold: {error}",
        "{listener} 的证书未能重新加载，仍使用旧证书：{error}",
    ),
    "connection_quota": Words(
        "{connected} clients are connected, {most} may be: access.max_connections",
        "已有 {connected} 个客户端连接，上限为 {most}：access.max_connections",
    ),
    "connector_down": Words("connector {id} is {state}: {reason}", "连接器 {id} {state}：{reason}"),
    "events_dropped": Words(
        "events were dropped: the management plane is too slow", "管理面处理过慢，事件被丢弃"
    ),
    "link_down": Words(
        "cluster link {link} is {state}: {reason}", "集群连接 {link} {state}：{reason}"
    ),
    "link_plain": Words(
        "cluster link {link} goes to {address}, no address of a private network, without TLS: anybody "
        "on the way reads and changes its messages",
        "集群连接 {link} 未加密，而 {address} 不是私有网络地址，途经者可读取并篡改消息",
    ),
    "listener_failed": Words(
        "listener {listener} does not stand: {error}", "监听器 {listener} 未能打开：{error}"
    ),
    "cluster_no_quorum": Words(
        "{running} of {members} nodes of the cluster are heard, {needed} are needed: clients are served "
        "here, changes of settings, users, rules and plugins are refused",
        "集群 {members} 个节点中仅能联系到 {running} 个（需要 {needed} 个）：本节点继续服务客户端，"
        "对设置、用户、规则与插件的修改将被拒绝",
    ),
    "node_doubled": Words(
        "another process of {node} runs with a copy of this data directory: this one keeps out of the "
        "cluster",
        "另一个进程以本数据目录的副本运行 {node}：本进程不参与集群",
    ),
    "node_down": Words("{node} of the cluster is not heard any more", "集群节点 {node} 已失去联系"),
    "plugin_crashed": Words("plugin {plugin}: {error}", "插件 {plugin}：{error}"),
    "plugin_crashed_again": Words(
        "plugin {plugin}: {error} (failure {times} since it was started)",
        "插件 {plugin}：{error}（启动以来第 {times} 次故障）",
    ),
    "plugin_unreadable": Words(
        "plugin {plugin}: it cannot be read: {error}", "插件 {plugin} 无法读取：{error}"
    ),
    "rest_interface": Words(
        "the REST interface cannot be put together: {error}", "REST 接口无法启动：{error}"
    ),
    "revocation_list_ended": Words(
        "the revocation list in {field} of {listener} ended {when}: {file}",
        "{listener} 的 {field} 吊销列表已于 {when} 过期：{file}",
    ),
    "revocation_list_ends": Words(
        "the revocation list in {field} of {listener} ends in {days} days, {when}: {file}",
        "{listener} 的 {field} 吊销列表将在 {days} 天后（{when}）过期：{file}",
    ),
    "rules_unreadable": Words("rules are kept as they were: {error}", "授权规则保持不变：{error}"),
    "plugin_not_shared": Words(
        "{plugin} cannot be here as it is on the other nodes; it is tried again: {error}",
        "{plugin} 无法与其他节点保持一致，将继续重试：{error}",
    ),
    "service_down": Words("{service} cannot be asked: {reason}", "{service} 不可用：{reason}"),
    "settings_refused": Words(
        "{setting}, as it was changed on another node, cannot be used here; what held goes on: {error}",
        "其他节点修改的 {setting} 无法在本节点使用，仍保持原设置：{error}",
    ),
    "source_down": Words("source {id} is {state}: {reason}", "数据源 {id} {state}：{reason}"),
    "store_damaged": Words("{problem}", "持久化日志损坏：{problem}"),
    "store_full": Words(
        "the durable log refuses what needs room: {reason}",
        "持久化日志拒绝需要空间的写入：{reason}",
    ),
    "use_of_cpu": Words(
        "use of the processors is {usage}, at or above {limit}",
        "CPU 使用率为 {usage}，达到或超过 {limit}",
    ),
    "use_of_disk": Words(
        "use of the disk of {path} is {usage}, at or above {limit}",
        "{path} 所在磁盘使用率为 {usage}，达到或超过 {limit}",
    ),
    "use_of_files": Words(
        "share of the open files allowed is {usage}, at or above {limit}",
        "打开文件数占上限的 {usage}，达到或超过 {limit}",
    ),
    "use_of_memory": Words(
        "use of the machine's memory is {usage}, at or above {limit}",
        "系统内存使用率为 {usage}，达到或超过 {limit}",
    ),
    "use_of_process_memory": Words(
        "share of the memory in this process is {usage}, at or above {limit}",
        "本进程占用内存 {usage}，达到或超过 {limit}",
    ),
}
"""By key; ``{name}`` is where a value goes."""


@dataclass(frozen=True, slots=True)
class Message:
    """What an alarm says: the English text, and what the same is made of in other languages.

    Attributes:
        text: In English.
        key: Of :data:`MESSAGES`; empty where somebody else wrote the text.
        params: The values in it.
    """

    text: str
    key: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)


def message(key: str, **params: Value) -> Message:
    """What the condition ``key`` says with these values.

    Raises:
        KeyError: :data:`MESSAGES` has no such entry, or a value of it is missing.
    """
    return Message(MESSAGES[key].format(**params).en, key, params)


def in_language(said: Message, language: str) -> str:
    """The text in a language; in English where it is not known what it is made of."""
    words = MESSAGES.get(said.key)
    if language == "en" or words is None:
        return said.text
    try:
        return words.format(**said.params).text(language)
    except (KeyError, IndexError, ValueError):
        return said.text  # a later or earlier version wrote it with other values
