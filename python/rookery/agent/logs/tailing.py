"""Follows the files of one folder and keeps few of their records on the way. Has no thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from rookery.agent.logs import state
from rookery.agent.logs.folder import LogFolder
from rookery.agent.logs.shipping import Shipping
from rookery.clock import Clock
from rookery.contracts.agent_v1 import LogAck, LogBatch

log = logging.getLogger(__name__)

STILL_S = 1.0
"""Nothing for so long ends a record."""
SAVE_S = 1.0
TOLD_S = 900.0
"""How long it is told that something was lost."""


class LogTail:
    """``send`` answers whether there is a connection; ``node`` is the name of who writes there."""

    def __init__(
        self,
        folder: Path,
        state_file: Path,
        send: Callable[[LogBatch], bool],
        clock: Clock,
        *,
        boot_id: str,
        node: Callable[[], str],
    ) -> None:
        self._path = folder
        self._state_file = state_file
        self._clock = clock
        self._node = node
        self._folder = LogFolder(folder, state.load(state_file, str(folder)), clock)
        self._shipping = Shipping(boot_id, send, clock)
        self._dropped = 0
        self._dropped_s = 0.0
        self._saved_s = 0.0
        self._save_error = ""
        self.is_waiting = False
        self.is_unsaved = False

    @property
    def error(self) -> str:
        """What is wrong with the logs; empty when nothing is."""
        if self._folder.error or self._save_error:
            return self._folder.error or self._save_error
        if self._shipping.error:
            return f"CONTROL: {self._shipping.error}"
        if self._dropped and self._clock.monotonic_s() - self._dropped_s < TOLD_S:
            return f"OVERFLOW: {self._dropped} bytes of logs were gone before they could be sent"
        return ""

    @property
    def due_in_s(self) -> float:
        """When there is something to do without anything happening."""
        return STILL_S if self.is_waiting or self.is_unsaved else self._shipping.due_in_s

    @property
    def is_idle(self) -> bool:
        """Whether all that is there was sent and confirmed."""
        has_more = any(source.has_more for source in self._folder.every())
        return not has_more and not self.is_waiting and self._shipping.is_empty

    def look(self) -> None:
        """See what is in the folder."""
        self._folder.look()

    def answered(self, ack: LogAck) -> None:
        """The control plane has, or has not, taken a batch."""
        if self._shipping.handle(ack):
            self.is_unsaved = True

    def connected(self) -> None:
        """There is a connection, another than before."""
        self._shipping.begin_again()

    def ship(self) -> None:
        """Send what there is room for."""
        self._shipping.send_due()
        self.is_waiting = False
        for source in self._folder.every():
            try:
                while self._shipping.has_room:
                    taken = source.take()
                    if taken is None:
                        if not source.settle(self._clock.monotonic_s(), STILL_S):
                            break
                        self._folder.is_changed = True
                        continue
                    if not self.save(is_new=True):
                        # What is not remembered would be told twice after a restart.
                        source.put_back(taken)
                        return
                    self._shipping.put(source, taken, self._node(), self._folder.dropped_bytes)
            except OSError as error:
                self._folder.error = f"ANSWER: {source.position.name}: {error.strerror or error}"
            self.is_waiting = self.is_waiting or source.waits
        self._folder.forget_done()
        if self._folder.dropped_bytes != self._dropped:
            self._dropped = self._folder.dropped_bytes
            self._dropped_s = self._clock.monotonic_s()

    def save(self, *, is_new: bool = False, is_last: bool = False) -> bool:
        """Remember where it is; ``is_new``: before something new is sent, where nothing else does it."""
        now_s = self._clock.monotonic_s()
        is_due = is_last or now_s - self._saved_s >= SAVE_S
        if not (self._folder.is_changed or (self.is_unsaved and is_due and not is_new)):
            return True
        try:
            state.save(self._state_file, str(self._path), self._folder.positions())
        except OSError as error:
            self._save_error = f"ANSWER: {self._state_file}: {error.strerror or error}"
            return False
        self._save_error = ""
        self._saved_s = now_s
        self._folder.is_changed = self.is_unsaved = False
        return True

    def close(self) -> None:
        """Remember where it is, and let go of the files."""
        self.save(is_last=True)
        self._folder.close()
