"""A tree as text in HOCON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rookery.config.tree import Node

Path = tuple[str, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
INDENT = "  "


def to_hocon(tree: Node, comments: Mapping[Path, list[str]]) -> str:
    """The text of a configuration file; ``comments`` stand above the key of their path."""
    lines: list[str] = []
    if isinstance(tree.value, dict):
        for number, (key, child) in enumerate(tree.value.items()):
            if number:
                lines.append("")
            lines.extend(_member(key, child, (), "", comments))
    return "\n".join(lines) + "\n"


def _member(
    key: str, node: Node, at: Path, indent: str, comments: Mapping[Path, list[str]]
) -> Iterator[str]:
    path = (*at, key)
    name = _key(key)
    yield from _comments(path, indent, comments)
    # One child after another reads as one path.
    while isinstance(node.value, dict) and len(node.value) == 1:
        (inner, node), *_ = node.value.items()
        path = (*path, inner)
        name += f".{_key(inner)}"
        yield from _comments(path, indent, comments)
    if isinstance(node.value, dict) and node.value:
        yield f"{indent}{name} {{"
        for inner, child in node.value.items():
            yield from _member(inner, child, path, indent + INDENT, comments)
        yield f"{indent}}}"
    elif isinstance(node.value, list) and any(isinstance(item.value, dict) for item in node.value):
        yield f"{indent}{name} = ["
        for number, item in enumerate(node.value, 1):
            yield from _comments((*path, str(number)), indent + INDENT, comments)
            yield from _item(item, indent + INDENT)
        yield f"{indent}]"
    else:
        yield f"{indent}{name} = {_value(node.plain())}"


def _item(node: Node, indent: str) -> Iterator[str]:
    if not isinstance(node.value, dict):
        yield f"{indent}{_value(node.plain())},"
        return
    yield f"{indent}{{"
    for key, child in node.value.items():
        yield from _member(key, child, (), indent + INDENT, {})
    yield f"{indent}}},"


def _comments(path: Path, indent: str, comments: Mapping[Path, list[str]]) -> Iterator[str]:
    for comment in comments.get(path, ()):
        for line in comment.splitlines():
            yield f"{indent}# {line}"


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    # HOCON is a superset of JSON; `{}` and `[]` are the same in both.
    return json.dumps(value, ensure_ascii=False)
