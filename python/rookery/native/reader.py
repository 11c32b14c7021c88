"""Takes a node's events in batches on an asyncio loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from rookery.native.rows import EventRow

_log = logging.getLogger(__name__)

BATCH_MAX = 2048
"""Most events taken in one turn of the loop, so that other callbacks get their turn."""


class EventSource(Protocol):
    """What the reader needs of a node."""

    def fileno(self) -> int: ...
    def drain(self, batch_max: int) -> list[EventRow]: ...


class EventReader:
    """Hands whole batches to ``handle`` on the running loop, until it is closed.

    The queue behind it is bounded by the core, which counts what it had to leave out as
    ``events.dropped``; questions are never left out.
    """

    def __init__(
        self,
        source: EventSource,
        handle: Callable[[list[EventRow]], None],
        *,
        gather_s: float = 0.0,
    ) -> None:
        """After a batch the next one is gathered for ``gather_s`` seconds; 0 takes it at once.

        Gathering is for readers that nobody waits for: a wake-up for each of ten thousand
        connects a second costs more than the connects.
        """
        self.gather_s = gather_s
        self._source = source
        self._handle = handle
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fd = -1

    def open(self) -> None:
        """Begin on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._fd = self._source.fileno()
        self._loop.add_reader(self._fd, self._on_readable)

    def close(self) -> None:
        """Take nothing more. May be called twice, before the node is stopped."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
        self._loop = None

    def drain_rest(self) -> None:
        """Hand over what is there now, for an orderly end."""
        while batch := self._source.drain(BATCH_MAX):
            self._hand_over(batch)

    def _on_readable(self) -> None:
        batch = self._source.drain(BATCH_MAX)
        if self.gather_s and self._loop is not None and len(batch) < BATCH_MAX:
            self._loop.remove_reader(self._fd)
            self._loop.call_later(self.gather_s, self._read_again)
        self._hand_over(batch)

    def _read_again(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.add_reader(self._fd, self._on_readable)

    def _hand_over(self, batch: list[EventRow]) -> None:
        try:
            self._handle(batch)
        except Exception:  # noqa: BLE001
            # The loop would log it as well, but without saying that events were lost.
            _log.exception("%d events were not handled to the end", len(batch))
