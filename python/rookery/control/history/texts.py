"""What is said about what happened, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.control.clusters.state import Condition
from rookery.control.clusters.texts import text_of as condition_text
from rookery.control.history.events import Kind

STATES: Mapping[str, tuple[str, str]] = {
    "created": ("created", "已创建"),
    "registering": ("registering", "注册中"),
    "running": ("running", "运行中"),
    "abnormal": ("abnormal", "异常"),
    "deleting": ("being deleted", "删除中"),
}
_TEXTS: Mapping[str, tuple[str, str]] = {
    Kind.STATE_CHANGED: ("{from} → {to}", "{from} → {to}"),
    Kind.CONDITION_BEGAN: ("{text}", "{text}"),
    Kind.CONDITION_ENDED: ("Over after {lasted}: {text}", "已恢复（持续 {lasted}）：{text}"),
    Kind.REGISTERED: ("An agent registered from {host}", "代理已注册，主机 {host}"),
    Kind.RE_REGISTERED: (
        "Another agent registered in its place, from {host}",
        "已重新注册代理，主机 {host}",
    ),
    Kind.ADOPTED: ("Adopted, version {version}", "已纳管，版本 {version}"),
    Kind.UNREGISTERED: ("Its agent was unregistered: {reason}", "代理已注销：{reason}"),
    Kind.VERSION_CHANGED: ("Version {from} → {to}", "版本 {from} → {to}"),
    Kind.NODE_JOINED: ("Node {subject} joined", "节点 {subject} 已加入"),
    Kind.NODE_LEFT: ("Node {subject} left", "节点 {subject} 已离开"),
    Kind.NODE_STOPPED: ("Node {subject} does not run", "节点 {subject} 未运行"),
    Kind.NODE_STARTED: ("Node {subject} runs again", "节点 {subject} 已恢复运行"),
}


def text_of(kind: str, subject: str, details: Mapping[str, Any], language: str) -> str:
    """The event in a language; its kind where a later version wrote it."""
    is_chinese = language == "zh"
    texts = _TEXTS.get(kind)
    if texts is None:
        return kind
    values = {"subject": subject, "host": "?", "version": "?", "reason": "", "from": "", "to": ""}
    values |= {name: str(value) for name, value in details.items() if name in values}
    if kind == Kind.STATE_CHANGED:
        for end in ("from", "to"):
            values[end] = STATES.get(values[end], (values[end],) * 2)[is_chinese]
    values["lasted"] = _span(int(details.get("lastedMs", 0)), is_chinese=is_chinese)
    stored = details.get("condition")
    condition = Condition.from_json(stored) if isinstance(stored, dict) else None
    values["text"] = subject if condition is None else condition_text(condition, language)
    return texts[is_chinese].format(**values)


def _span(span_ms: int, *, is_chinese: bool) -> str:
    seconds = span_ms // 1000
    if seconds < 120:
        return f"{seconds} 秒" if is_chinese else f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} 分钟" if is_chinese else f"{seconds // 60} min"
    return f"{seconds // 3600} 小时" if is_chinese else f"{seconds // 3600} h"
