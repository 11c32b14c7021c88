"""What is said to people about conditions, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from rookery.control.clusters.state import Condition, ConditionType

_TEXTS: Mapping[ConditionType, tuple[str, str]] = {
    ConditionType.CLUSTER_UNREACHABLE: (
        "The agent cannot read the cluster",
        "代理无法读取集群信息",
    ),
    ConditionType.NODE_UNREACHABLE: (
        "The agent cannot connect to a node of the cluster",
        "代理无法连接集群节点",
    ),
    ConditionType.NODES_DOWN: (
        "{running} of {total} nodes run",
        "{total} 个节点中有 {running} 个在运行",
    ),
    ConditionType.METRICS_UNAVAILABLE: (
        "The agent cannot read the metrics of the cluster",
        "代理无法读取集群指标",
    ),
    ConditionType.LOGS_UNAVAILABLE: (
        "The agent cannot read the logs of the cluster",
        "代理无法读取集群日志",
    ),
    ConditionType.RELAY_UNREACHABLE: (
        "The agent reports, but has no connection to the relay: no tunnel",
        "代理仍在上报，但未连接到中继服务，隧道不可用",
    ),
    ConditionType.AGENT_LOST: (
        "The agent is not connected: it was stopped, its machine is off, or the network is cut",
        "代理未连接：代理已停止、主机已关机或网络已中断",
    ),
    ConditionType.REPORTS_MISSING: (
        "The agent is connected, but its last report is {age_s} s old",
        "代理已连接，但最近一次上报已过去 {age_s} 秒",
    ),
    ConditionType.CLOCK_SKEWED: (
        "The clock of the agent's machine is {skew_s} s off",
        "代理所在主机的时钟偏差 {skew_s} 秒",
    ),
}

_CAUSES: Mapping[str, tuple[str, str]] = {
    "UNREACHABLE": ("no connection", "无法连接"),
    "TIMEOUT": ("no answer in time", "未及时应答"),
    "TLS": ("the certificate is not trusted", "证书不受信任"),
    "REFUSED": ("refused", "被拒绝"),
    "GONE": ("not there any more", "已不存在"),
}
"""What the agent's own words begin with; what follows names the address, and is as it came."""


def text_of(condition: Condition, language: str) -> str:
    """The condition in a language, with what the agent said about it."""
    english, chinese = _TEXTS[condition.type]
    is_chinese = language == "zh"
    numbers = {"age_s": 0, "skew_s": 0, "running": 0, "total": 0, **condition.numbers}
    text = (chinese if is_chinese else english).format(**numbers)
    if not condition.reason:
        return text
    reason = _reason(condition.reason, is_chinese=is_chinese)
    return f"{text}：{reason}" if is_chinese else f"{text}: {reason}"


def _reason(said: str, *, is_chinese: bool) -> str:
    code, is_coded, more = said.partition(": ")
    if is_coded and code == "ANSWER":
        return more
    cause = _CAUSES.get(code)
    if not is_coded or cause is None:
        return said
    return f"{cause[1]}（{more}）" if is_chinese else f"{cause[0]} ({more})"
