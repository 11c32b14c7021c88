"""What is said about moving clients: English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rookery.errors import RookeryError
from rookery.words import Words

TEXTS: Mapping[str, Words] = {
    "under-way": Words(
        "{node} is sending clients elsewhere already ({process}): stop that first",
        "{node} 正在迁移客户端（{process}）：请先停止",
    ),
    "not-under-way": Words(
        "no {process} is under way on {node}", "{node} 上没有进行中的 {process}"
    ),
    "balanced": Words(
        "there is nothing to even out: nodes with more clients than the average have {donors} each, "
        "the others {recipients}; a difference up to {absolute}, or up to {relative} times, is let be",
        "无需重平衡：高于平均值的节点平均 {donors} 个客户端，其他节点平均 {recipients} 个；"
        "差值不超过 {absolute} 或比例不超过 {relative} 时不做调整",
    ),
    "too-few": Words(
        "evening out takes two nodes or more; these run: {running}",
        "重平衡至少需要两个节点，正在运行的节点：{running}",
    ),
    "no-answer": Words(
        "{node} does not say how many clients it has: {error}",
        "{node} 未返回客户端数量：{error}",
    ),
    "bad-order": Words(
        "another node sent an order that this version cannot carry out: {error}",
        "其他节点发来的指令无法执行：{error}",
    ),
    "bad-reference": Words(
        "redirect_to: HOST:PORT, or several with spaces between, and at most {most} characters",
        "redirect_to：应为 主机:端口，多个以空格分隔，最长 {most} 个字符",
    ),
    "stopping": Words(
        "the node takes no new clients: {state}",
        "本节点不接受新的客户端：{state}",
    ),
}

_E = TypeVar("_E", bound=RookeryError)


def refusal(kind: type[_E], key: str, *, code: str = "", **values: object) -> _E:
    """An error that says that text."""
    text = TEXTS[key].format(**values)
    return kind(text.en, code=code, message_zh=text.zh)
