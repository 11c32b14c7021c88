"""The last lines of the log, for the page that shows it; the whole log is in files.

**Bounds.** :data:`LINES_MAX` lines are kept, the oldest give way; a page that reads slowly misses some and is told
the number of each, so that it knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rookery.config.secrets import text_without_secrets
from rookery.observability.logs import file_handler

LINES_MAX = 2000
TEXT_LENGTH_MAX = 2000
FOLLOWERS_MAX = 32
NODE_LOGGER = "rookery.edge.node."
SERVICE_LOGGER = "rookery"
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
FILE = Path("log") / "edge.log"
FILE_BYTES_MAX = 10_000_000
FILES = 5


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line.

    Attributes:
        number: Counts up from the start of the process.
        node: The driver or application that it is about; empty: the service itself.
    """

    number: int
    at_ms: int
    level: str
    node: str
    source: str
    text: str


class LogLines(logging.Handler):
    """Keeps them. Loggers of any thread call it, followers are on one event loop."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=LINES_MAX)
        self._number = 0
        self._guard = threading.Lock()
        self._wakers: set[Callable[[], None]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = text_without_secrets(record.getMessage())
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {record.exc_info[1]!r}"
        name = record.name
        with self._guard:
            self._number += 1
            self._lines.append(
                LogLine(
                    number=self._number,
                    at_ms=round(record.created * 1000),
                    level=record.levelname.lower(),
                    node=name.removeprefix(NODE_LOGGER) if name.startswith(NODE_LOGGER) else "",
                    source=name,
                    text=text[:TEXT_LENGTH_MAX],
                )
            )
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def since(self, number: int = 0) -> Sequence[LogLine]:
        """Kept lines after that one, the oldest first."""
        with self._guard:
            return [line for line in self._lines if line.number > number]

    def set_level_of_service(self, level: str) -> None:
        """Least severe level that is logged at all, until the next start; Neuron's words for levels."""
        logging.getLogger(SERVICE_LOGGER).setLevel(LEVELS[level])

    @property
    def is_full(self) -> bool:
        """Whether as many follow as may."""
        return len(self._wakers) >= FOLLOWERS_MAX

    @contextlib.contextmanager
    def follow(self) -> Iterator[asyncio.Event]:
        """An event that is set when there is something new."""
        loop = asyncio.get_running_loop()
        event = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, nobody follows
                loop.call_soon_threadsafe(event.set)

        with self._guard:
            self._wakers.add(wake)
        try:
            yield event
        finally:
            with self._guard:
                self._wakers.discard(wake)


def log_file(data_dir: Path) -> logging.Handler:
    """What writes the files.

    Raises:
        OSError: their directory cannot be made.
    """
    return file_handler(
        data_dir / FILE, "debug", "text", rotation_bytes=FILE_BYTES_MAX, rotation_count=FILES
    )


async def log_text(data_dir: Path) -> AsyncIterator[bytes]:
    """The files one after the other, the oldest first."""
    for file in [data_dir / f"{FILE}.{number}" for number in range(FILES, 0, -1)] + [
        data_dir / FILE
    ]:
        try:
            handle = await asyncio.to_thread(file.open, "rb")
        except FileNotFoundError:
            continue
        try:
            while part := await asyncio.to_thread(handle.read, 256 << 10):
                yield part
        finally:
            await asyncio.to_thread(handle.close)
