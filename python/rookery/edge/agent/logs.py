"""Sends what the log says to the control plane, as long as the service is managed there.

Each line is sent until it is confirmed, in its order, and known by its number: one that comes twice is kept once.
Lines that are written while there is no connection wait with those that pages show; the oldest give way
(:data:`rookery.edge.system.log_lines.LINES_MAX`), all of them are in the files of the service.

**Bounds.** One batch under way, of :data:`BATCH_LINES_MAX` lines and what a message holds uncompressed. While the control plane wants none it is a
single line, as often as it says.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from rookery.contracts.agent_logs import (
    INFO,
    LOGGER_CHARS_MAX,
    MSG_CHARS_MAX,
    SEVERITIES,
    LogEntry,
    pack,
)
from rookery.contracts.agent_v1 import CHUNK_BYTES_MAX, LogAck, LogBatch
from rookery.edge.system.log_lines import FILE, LogLine, LogLines

BATCH_LINES_MAX = 500
GATHER_S = 1.0
AGAIN_S = 30.0
_OVERHEAD = 1024
"""Of what cannot be compressed."""

Say = Callable[[LogBatch], Awaitable[None]]


class LogShipping:
    """What of the log the control plane has. Lives as long as the process."""

    def __init__(self, lines: LogLines, boot_id: str) -> None:
        self._lines = lines
        self._boot_id = boot_id
        self._kept_until = 0
        self._sequence = 0
        self._is_wanted = True
        self._stream = boot_id
        self._belongs_to_nobody = False
        self._awaited: tuple[str, asyncio.Future[LogAck]] | None = None

    def adopted(self, version: int) -> None:
        """It is managed by that decision: what was said while nobody managed it is nobody's."""
        if self._belongs_to_nobody:
            lines = self._lines.since(self._kept_until)
            self._kept_until = lines[-1].number if lines else self._kept_until
        self._belongs_to_nobody = False
        # A stream belongs to one project for good.
        self._stream = f"{self._boot_id}-{version}"

    def let_go(self) -> None:
        """Nobody manages it."""
        self._belongs_to_nobody = True

    def handle(self, answer: LogAck) -> None:
        """What became of a batch."""
        if self._awaited is not None and self._awaited[0] == answer.id:
            _, waiting = self._awaited
            if not waiting.done():
                waiting.set_result(answer)

    async def run(self, say: Say) -> None:
        """Send, until it is ended with its connection.

        Raises:
            Unhealthy: the connection is gone.
        """
        with self._lines.follow() as changed:
            while True:
                changed.clear()
                fresh = self._lines.since(self._kept_until)
                if not fresh:
                    await changed.wait()
                    await asyncio.sleep(GATHER_S)
                    continue
                await self._send(fresh[: BATCH_LINES_MAX if self._is_wanted else 1], say)

    async def _send(self, lines: Sequence[LogLine], say: Say) -> None:
        packed = _fitting(lines)
        self._sequence += 1
        batch = LogBatch(
            f"{self._boot_id}-{self._sequence}", self._stream, FILE.name, body=pack(packed)
        )
        answer = None
        while answer is None:
            answer = await self._answered(batch, say)
        self._is_wanted = answer.is_kept
        if answer.is_kept:
            self._kept_until = lines[len(packed) - 1].number
        else:
            await asyncio.sleep(max(GATHER_S, answer.retry_ms / 1000))

    async def _answered(self, batch: LogBatch, say: Say) -> LogAck | None:
        """What is answered; none: nothing, it has to be sent again."""
        waiting: asyncio.Future[LogAck] = asyncio.get_running_loop().create_future()
        self._awaited = (batch.id, waiting)
        try:
            await say(batch)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    return await waiting
            return None
        finally:
            self._awaited = None


def _fitting(lines: Sequence[LogLine]) -> list[bytes]:
    """As many as fit, whatever compressing them gains; at least one."""
    room = CHUNK_BYTES_MAX - _OVERHEAD
    found: list[bytes] = []
    for line in lines:
        packed = _entry(line).line()
        room -= len(packed)
        if found and room < 0:
            break
        found.append(packed)
    return found


def _entry(line: LogLine) -> LogEntry:
    at = datetime.fromtimestamp(line.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    source = line.node or line.source
    return LogEntry(
        line.number,
        line.at_ms,
        SEVERITIES.index(line.level) if line.level in SEVERITIES else INFO,
        source[:LOGGER_CHARS_MAX],
        line.text[:MSG_CHARS_MAX],
        f"{at.replace('+00:00', 'Z')} [{line.level}] {source}: {line.text}",
    )
