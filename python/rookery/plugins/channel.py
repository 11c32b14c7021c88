"""The second socket between a node and a worker process: few words, one JSON object a line.

Down: ``start`` (once), ``settings``, ``ping``, ``ask_publish``, ``stop``. Up: ``ready`` or ``failed``,
``pong``, ``settings_taken``, ``verdicts``, ``publish``. What hooks are asked and told takes the other
socket, but for messages that the node itself was given (``ask_publish``).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

LINE_BYTES_MAX = 64 << 20
"""Longest line: a message to publish may be large."""


class ControlChannel:
    """Either end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, word: str, **more: Any) -> None:
        """Say something; nothing is waited for. What nobody is there for is lost."""
        if not self._writer.is_closing():
            self._writer.write(json.dumps({"op": word, **more}).encode() + b"\n")

    async def hear(self) -> dict[str, Any] | None:
        """The next thing; none when the other end is gone or talks nonsense."""
        try:
            line = await self._reader.readline()
            said = json.loads(line) if line else None
        except (OSError, ValueError, RecursionError):
            return None
        return said if isinstance(said, dict) else None

    async def flush(self) -> None:
        """Wait until what was said is on its way."""
        try:
            await self._writer.drain()
        except OSError:
            return

    def close(self) -> None:
        """Say and hear nothing more. May be called twice."""
        self._writer.close()
