"""Configuration as it was written: values that know where they came from, and how they merge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

_PLAIN_KEY = re.compile(r"[\w@<>/-]+")

Scalar: TypeAlias = str | int | float | bool | None


class Origin(NamedTuple):
    """Which layer set a value, and where in it."""

    kind: str
    """``default``, ``file``, ``runtime``, ``env`` or ``set``."""
    where: str = ""
    """Path of the file or name of the variable."""
    line: int = 0

    def __str__(self) -> str:
        match self.kind:
            case "file" | "runtime":
                return f"{self.where}:{self.line}" if self.line else self.where
            case "env":
                return f"env {self.where}"
            case "set":
                return self.where or "--set"
            case _:
                return self.kind


DEFAULT = Origin("default")


class Node:
    """One value with its origin. ``value`` is a scalar, a list of nodes or a dict of nodes."""

    __slots__ = ("origin", "value")

    def __init__(self, value: Scalar | list[Node] | dict[str, Node], origin: Origin) -> None:
        self.value = value
        self.origin = origin

    def plain(self) -> Any:
        """The value without origins."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def wrap(value: Any, origin: Origin) -> Node:
    """Give a plain value and everything inside it one origin."""
    if isinstance(value, dict):
        return Node({str(key): wrap(item, origin) for key, item in value.items()}, origin)
    if isinstance(value, (list, tuple)):
        return Node([wrap(item, origin) for item in value], origin)
    return Node(value, origin)


def nested(path: list[str], node: Node) -> Node:
    """``a.b = node`` as a tree."""
    for key in reversed(path):
        node = Node({key: node}, node.origin)
    return node


def merge(base: Node, over: Node) -> Node:
    """``over`` on top of ``base``; neither is changed.

    Objects merge key by key. An object whose keys are all positive numbers patches a list by
    1-based index (``authentication.1.enable = false``). Everything else replaces.
    """
    if isinstance(over.value, dict):
        if isinstance(base.value, dict):
            merged = dict(base.value)
            for key, node in over.value.items():
                merged[key] = merge(merged[key], node) if key in merged else node
            return Node(merged, over.origin)
        if isinstance(base.value, list) and over.value and _are_indexes(over.value):
            return Node(_patched(base.value, over.value), over.origin)
    return over


def as_list(node: Node) -> list[Node] | None:
    """The items of a list, also of one written as an object with the keys 1, 2, 3 …"""
    if isinstance(node.value, list):
        return node.value
    if isinstance(node.value, dict) and node.value and _are_indexes(node.value):
        indexes = sorted(node.value, key=int)
        if [int(index) for index in indexes] == list(range(1, len(indexes) + 1)):
            return [node.value[index] for index in indexes]
    return None


def _are_indexes(keys: dict[str, Node]) -> bool:
    return all(key.isascii() and key.isdigit() and len(key) < 6 and int(key) > 0 for key in keys)


def _patched(items: list[Node], patch: dict[str, Node]) -> list[Node]:
    result = list(items)
    for key in sorted(patch, key=int):
        index = int(key) - 1
        if index < len(result):
            result[index] = merge(result[index], patch[key])
        else:
            # A gap closes: the item comes right after the last one.
            result.append(patch[key])
    return result


def split_path(text: str) -> list[str]:
    """``a."b.c".d`` as its keys.

    Raises:
        ValueError: a key is empty or a quote does not close.
    """
    keys: list[str] = []
    current: list[str] = []
    is_quoted = was_quoted = False
    for character in text:
        if character == '"':
            is_quoted = not is_quoted
            was_quoted = True
        elif character == "." and not is_quoted:
            keys.append(_key(current, was_quoted))
            current, was_quoted = [], False
        else:
            current.append(character)
    if is_quoted:
        raise ValueError("a quote does not close")
    keys.append(_key(current, was_quoted))
    return keys


def _key(characters: list[str], was_quoted: bool) -> str:
    key = "".join(characters)
    if not was_quoted:
        key = key.strip()
    if not key and not was_quoted:
        raise ValueError("a key is empty")
    return key


def join_path(keys: tuple[str, ...]) -> str:
    """The reverse of :func:`split_path`."""
    return ".".join(key if _PLAIN_KEY.fullmatch(key) else f'"{key}"' for key in keys)


def seen_from(path: str, base: tuple[str, ...], written: Any = None) -> str:
    """What whoever wrote ``written`` at ``base`` calls the key at ``path``.

    Places of lists count from 0 there, as in JSON, and from 1 in configuration files and variables.
    """
    try:
        keys = tuple(split_path(path))
    except ValueError:  # such a key cannot be written in a path
        return path
    if keys[: len(base)] != base:
        return path
    if len(keys) > len(base):
        return join_path(_sent(keys[len(base) :], written))
    # All of what was written; a number is its place among others, which nobody wrote.
    return next((key for key in reversed(keys) if not key.isdigit()), path)


def _sent(keys: tuple[str, ...], written: Any) -> tuple[str, ...]:
    found: list[str] = []
    for key in keys:
        is_place = isinstance(written, list) and key.isdigit()
        found.append(str(int(key) - 1) if is_place else key)
        written = below(written, (key,))
    return tuple(found)


def below(value: Any, keys: tuple[str, ...]) -> Any:
    """What stands there in a plain value, with places of lists from 1; None when nothing does."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and 0 < int(key) <= len(value):
            value = value[int(key) - 1]
        else:
            return None
    return value


def leaves(node: Node, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every scalar, list and empty object below ``node`` with its path."""
    if isinstance(node.value, dict) and node.value:
        for key, child in node.value.items():
            yield from leaves(child, (*at, key))
    else:
        yield at, node
