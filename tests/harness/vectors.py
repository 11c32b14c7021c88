"""Conversations as data: ``tests/conformance/vectors/{v311,v5}/<PACKET>.json``.

A file is a list of vectors, each with ``name``, ``statements`` (ids it proves) and ``steps``.
Unless ``"connected": false``, CONNECT and CONNACK have been exchanged before the first step.

=========================================  ==================================================
``{"send": BYTES}``                        written as it is
``{"expect": BYTES}``                      exactly these bytes are next
``{"expect": "PUBACK", "reason_code": 0}`` the next packet and some of its fields
``{"closed": true}``                       the broker closes, saying why or not
``{"closed": ["81", "82"]}``               it says why first: one of these reason codes
``{"open": true}``                         nothing was sent, and a PINGREQ is answered
=========================================  ==================================================

BYTES are tokens: hexadecimal ``10 003C``, ``'text'`` with its two-byte length, ```text```
without, ``( … )`` with its length as a variable byte integer, ``[ … ]`` with a two-byte length,
and a token followed by ``*N`` is repeated. ``{id}`` and ``{topic}`` in a text are names that no
other vector uses.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from harness.wire import binary, varint

VECTORS = Path(__file__).resolve().parents[1] / "conformance/vectors"
LEVELS = {"v311": 4, "v5": 5}

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<raw>`[^`]*`)|(?P<hex>(?:[0-9A-Fa-f]{2})+)|(?P<mark>[()\[\]])|"
    r"\*(?P<times>\d+))"
)


@dataclasses.dataclass(frozen=True)
class Vector:
    """One conversation."""

    version: str
    packet: str
    name: str
    statements: tuple[str, ...]
    steps: tuple[dict[str, Any], ...]
    connected: bool

    @property
    def id(self) -> str:
        """How pytest and the conformance page name it."""
        return f"{self.version}/{self.packet}: {self.name}"


def load() -> list[Vector]:
    """All vectors, in the order of their files."""
    vectors = []
    for file in sorted(VECTORS.glob("*/*.json")):
        for entry in json.loads(file.read_text(encoding="utf-8")):
            vectors.append(
                Vector(
                    file.parent.name,
                    file.stem,
                    entry["name"],
                    tuple(entry["statements"]),
                    tuple(entry["steps"]),
                    entry.get("connected", True),
                )
            )
    return vectors


def compile_bytes(source: str, names: dict[str, str]) -> bytes:
    """Turn the notation above into bytes.

    Raises:
        ValueError: ``source`` is not in that notation.
    """
    stack: list[list[bytes]] = [[]]
    position = 0
    while source[position:].strip():
        found = _TOKEN.match(source, position)
        if found is None:
            raise ValueError(f"cannot read {source[position:]!r}")
        position = found.end()
        kind, value = found.lastgroup, found.group().strip()
        if kind == "times":
            stack[-1].append(stack[-1].pop() * int(value[1:]))
        elif kind == "hex":
            stack[-1] += [bytes([byte]) for byte in bytes.fromhex(value)]
        elif kind in {"text", "raw"}:
            data = value[1:-1].format(**names).encode()
            stack[-1].append(binary(data) if kind == "text" else data)
        elif value in "([":
            stack.append([])
        else:
            if len(stack) == 1:
                raise ValueError(f"unbalanced {value} in {source!r}")
            data = b"".join(stack.pop())
            stack[-1].append(binary(data) if value == "]" else varint(len(data)) + data)
    if len(stack) != 1:
        raise ValueError(f"unbalanced bracket in {source!r}")
    return b"".join(stack[0])
