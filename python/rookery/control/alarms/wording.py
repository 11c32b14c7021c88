"""What alarms are called and what they say, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.control.alarms.catalogue import KINDS, Kind, Severity
from rookery.control.clusters.state import Condition
from rookery.control.clusters.texts import text_of
from rookery.control.errors import Text

NAMES: Mapping[Kind, Text] = {
    Kind.CLUSTER_UNREACHABLE: Text("Cluster unreachable", "集群状态异常"),
    Kind.AGENT_LOST: Text("Agent lost", "代理离线"),
    Kind.NODE_UNREACHABLE: Text("Node unreachable", "节点连接异常"),
    Kind.NODES_DOWN: Text("Nodes down", "节点异常"),
    Kind.RELAY_UNREACHABLE: Text("Relay unreachable", "中继连接异常"),
    Kind.METRICS_UNAVAILABLE: Text("Metrics unavailable", "指标获取失败"),
    Kind.LOGS_UNAVAILABLE: Text("Logs unavailable", "日志获取失败"),
    Kind.CLOCK_SKEWED: Text("Clock skewed", "时钟偏差"),
    Kind.CONNECTIONS_HIGH: Text("Connections near the limit", "连接数接近上限"),
    Kind.CONNECTIONS_FULL: Text("Connections at the limit", "连接数达到上限"),
    Kind.MEMORY_HIGH: Text("Memory use high", "内存使用率过高"),
    Kind.MEMORY_FULL: Text("Memory nearly full", "内存即将耗尽"),
    Kind.LOAD_HIGH: Text("CPU load high", "CPU 负载过高"),
    Kind.RULE_ABNORMAL: Text("Rule abnormal", "规则异常"),
    Kind.CONNECTOR_ABNORMAL: Text("Connector abnormal", "连接器异常"),
    Kind.ACTION_ABNORMAL: Text("Action abnormal", "动作异常"),
    Kind.SOURCE_ABNORMAL: Text("Source abnormal", "数据源异常"),
    Kind.EDGE_OFFLINE: Text("Edge service offline", "边缘服务离线"),
    Kind.EDGE_RESTARTED: Text("Edge service restarted", "边缘服务重启"),
    Kind.EDGE_DRIVER_ABNORMAL: Text("Edge driver abnormal", "边缘数采驱动节点异常"),
    Kind.EDGE_RULE_ABNORMAL: Text("Edge rule abnormal", "边缘流处理规则异常"),
    Kind.MAIL_FAILED: Text("Sending mail failed", "邮件发送失败"),
    Kind.WEBHOOK_FAILED: Text("Webhook failed", "Webhook 发送失败"),
    Kind.CUSTOM: Text("Custom alarm", "自定义告警"),
}
SEVERITIES: Mapping[Severity, Text] = {
    Severity.NORMAL: Text("Normal", "一般"),
    Severity.CRITICAL: Text("Critical", "严重"),
}
_OBJECTS: Mapping[Kind, Text] = {
    Kind.RULE_ABNORMAL: Text("Rules that do not run: {names}", "未运行的规则：{names}"),
    Kind.CONNECTOR_ABNORMAL: Text("Connectors not connected: {names}", "未连接的连接器：{names}"),
    Kind.ACTION_ABNORMAL: Text("Actions not connected: {names}", "未连接的动作：{names}"),
    Kind.SOURCE_ABNORMAL: Text("Sources not connected: {names}", "未连接的数据源：{names}"),
    Kind.EDGE_DRIVER_ABNORMAL: Text(
        "Drivers or applications not connected: {names}", "未连接的驱动或应用节点：{names}"
    ),
    Kind.EDGE_RULE_ABNORMAL: Text("Rules that do not work: {names}", "异常的流处理规则：{names}"),
}
_CONNECTIONS = Text(
    "{connections} of {limit} connections ({percent} %)",
    "连接数 {connections}/{limit}（{percent}%）",
)
_MEMORY = Text("{node}: {memory} % of the memory is used", "{node}：内存使用率 {memory}%")
_LOAD = Text("{node}: CPU load {load} (1 min)", "{node}：CPU 负载 {load}（1 分钟）")
_SILENT = Text("Not connected, or not heard for {age_s} s", "未连接，或已 {age_s} 秒未上报")
_PUSH = Text("{channel}: {reason}", "{channel}：{reason}")
_MORE = Text("{names} and {more} more", "{names} 等 {count} 个")


def say(text: Text, language: str, **values: object) -> str:
    """A sentence in a language. What is put in stays as it is, braces and all."""
    return (text.zh if language == "zh" else text.en).format(**values)


def name_of(kind: str, language: str) -> str:
    """What a kind is called; one that a later version stored as it is written."""
    known = NAMES.get(KINDS[kind]) if kind in KINDS else None
    return kind if known is None else say(known, language)


def message_of(kind: str, values: Mapping[str, Any], language: str) -> str:
    """What an alarm says."""
    if "text" in values:
        return str(values["text"])
    if "condition" in values:
        condition = Condition.from_json(values["condition"])
        return name_of(kind, language) if condition is None else text_of(condition, language)
    if "names" in values and kind in KINDS and KINDS[kind] in _OBJECTS:
        return say(_OBJECTS[KINDS[kind]], language, names=_names(values, language))
    if "percent" in values:
        return say(_CONNECTIONS, language, **values)
    if "memory" in values:
        return say(_MEMORY, language, **values)
    if "load" in values:
        return say(_LOAD, language, **values)
    if "age_s" in values:
        return say(_SILENT, language, **values)
    if "channel" in values:
        reason = values.get("reason_zh" if language == "zh" else "reason", "")
        return say(_PUSH, language, channel=values["channel"], reason=reason)
    return name_of(kind, language)


def _names(values: Mapping[str, Any], language: str) -> str:
    names = [str(name) for name in values["names"]]
    shown = ("、" if language == "zh" else ", ").join(names)
    count = int(values.get("count", len(names)))
    if count <= len(names):
        return shown
    return say(_MORE, language, names=shown, more=count - len(names), count=count)
