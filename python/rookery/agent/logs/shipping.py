"""What is under way to the control plane: few batches, each sent until it is confirmed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from rookery.agent.logs.tail import TailedFile, Taken
from rookery.clock import Clock
from rookery.contracts.agent_logs import clean, pack
from rookery.contracts.agent_v1 import LOG_WINDOW, LogAck, LogBatch

AGAIN_S = 30.0
"""After so long without an answer a batch is sent again."""
UNDER_WAY_BYTES_MAX = 256 * 1024
"""Octets on the wire at once: reports share it, and must not wait behind more."""


@dataclass
class _Sent:
    batch: LogBatch
    source: TailedFile
    taken: Taken
    due_s: float = 0.0
    is_kept: bool = field(default=False)


class Shipping:
    """Batches without an answer, in their order. Not for several threads at once."""

    def __init__(self, boot_id: str, send: Callable[[LogBatch], bool], clock: Clock) -> None:
        self._boot_id = boot_id
        self._send = send
        self._clock = clock
        self._under_way: OrderedDict[str, _Sent] = OrderedDict()
        self._window = LOG_WINDOW
        self._sequence = 0
        self._not_before_s = 0.0
        self.error = ""

    @property
    def has_room(self) -> bool:
        """Whether another batch may be made."""
        size = sum(len(item.batch.body) for item in self._under_way.values())
        return (
            len(self._under_way) < self._window
            and size < UNDER_WAY_BYTES_MAX
            and self._clock.monotonic_s() >= self._not_before_s
        )

    @property
    def is_empty(self) -> bool:
        return not self._under_way

    @property
    def due_in_s(self) -> float:
        """When something is to be sent again."""
        now_s = self._clock.monotonic_s()
        waits = [item.due_s - now_s for item in self._under_way.values() if not item.is_kept]
        if self._not_before_s > now_s:
            waits.append(self._not_before_s - now_s)
        return max(0.0, min(waits, default=AGAIN_S))

    def put(self, source: TailedFile, taken: Taken, node: str, dropped_bytes: int) -> None:
        """Send it, now or when there is a connection."""
        self._sequence += 1
        batch = LogBatch(
            f"{self._boot_id}-{self._sequence}",
            source.position.id,
            _shown(source.position.name),
            node=node,
            dropped_bytes=dropped_bytes,
            body=pack(taken.lines),
        )
        self._under_way[batch.id] = _Sent(batch, source, taken)
        self.send_due()

    def send_due(self) -> None:
        """Send what is due."""
        now_s = self._clock.monotonic_s()
        if now_s < self._not_before_s:
            return
        for item in self._under_way.values():
            if not item.is_kept and item.due_s <= now_s:
                item.due_s = now_s + AGAIN_S
                if not self._send(item.batch):
                    return

    def begin_again(self) -> None:
        """There is another connection: what was on the one before may be lost."""
        for item in self._under_way.values():
            item.due_s = 0.0
        self._not_before_s = 0.0

    def handle(self, ack: LogAck) -> bool:
        """Take an answer; whether something was confirmed by it."""
        item = self._under_way.get(ack.id)
        self._window = ack.window
        if item is None:
            return False
        if not ack.is_kept:
            self.error = ack.error
            self._not_before_s = self._clock.monotonic_s() + ack.retry_ms / 1000
            item.due_s = self._not_before_s
            return False
        self.error = ""
        item.is_kept = True
        return self._confirm(item.source)

    def _confirm(self, source: TailedFile) -> bool:
        """A file is confirmed without gaps: a later batch counts when those before it do."""
        is_confirmed = False
        for item in [one for one in self._under_way.values() if one.source is source]:
            if not item.is_kept:
                break
            source.confirm(item.taken)
            del self._under_way[item.batch.id]
            is_confirmed = True
        return is_confirmed


def _shown(name: str) -> str:
    """A name of a file is octets, of which not all are text."""
    return clean(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
