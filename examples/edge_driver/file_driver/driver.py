"""Reads and writes the files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rookery.edge.drivers.base import Driver, LinkLost, Reading, Refused
from rookery.edge.errors import DECODE_FAILURE, READ_FAILURE
from rookery.edge.model import Tag, TagType, Value
from rookery.words import Words

BYTES_MAX = 4096

Plan = list[tuple[Tag, Path]]


class FileDriver(Driver[Plan]):
    """One folder."""

    def __init__(self, setting: Mapping[str, Any]) -> None:
        self._folder = Path(setting["folder"])

    async def connect(self) -> None:
        if not await asyncio.to_thread(self._folder.is_dir):
            name = self._folder
            raise LinkLost(Words(f"there is no folder {name}", f"目录 {name} 不存在"))

    async def close(self) -> None:
        """Nothing is open."""

    def plan(self, tags: Sequence[Tag]) -> Plan:
        return [(tag, self._folder / tag.address) for tag in tags]

    async def read(self, plan: Plan) -> Reading:
        # Files may be slow: never on the event loop.
        return await asyncio.to_thread(_read, plan)

    async def write(self, tag: Tag, value: Value) -> None:
        try:
            await asyncio.to_thread((self._folder / tag.address).write_text, f"{value}\n")
        except OSError as error:
            raise Refused(f"{tag.address}: {error.strerror}") from None


def _read(plan: Plan) -> Reading:
    reading = Reading()
    for tag, path in plan:
        try:
            with path.open("rb") as file:
                text = file.read(BYTES_MAX).decode().strip()
            reading.values[tag.name] = _typed(tag.type, text)
        except OSError:
            reading.errors[tag.name] = READ_FAILURE.number
        except ValueError:
            reading.errors[tag.name] = DECODE_FAILURE.number
    return reading


def _typed(kind: TagType, text: str) -> Value:
    if kind is TagType.STRING:
        return text
    return int(text) if kind is TagType.INT64 else float(text)
