"""What clients sent and received, and whether a broker that keeps its promises allows it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter, defaultdict

from harness.packets import Publish


@dataclasses.dataclass
class Reader:
    """A subscriber that has to get every message."""

    client_id: str
    qos: int
    counts: Counter[str] = dataclasses.field(default_factory=Counter)


class History:
    """Events of all clients of one run, in the order they happened."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.readers: dict[str, Reader] = {}
        self._qos: dict[str, int] = {}
        self._acknowledged: set[str] = set()
        self._wills: set[str] = set()
        self._events: defaultdict[str, list[str]] = defaultdict(list)
        self._changed = asyncio.Event()
        self.epoch = 0  # how often the broker has been killed

    def add_reader(self, client_id: str, qos: int) -> None:
        """``client_id`` is subscribed to everything with ``qos`` from here on."""
        self.readers[client_id] = Reader(client_id, qos)

    def report(self, problem: str) -> None:
        """Something happened that must not."""
        self.problems.append(f"epoch {self.epoch}: {problem}")
        self._changed.set()

    def _note(self, key: str, event: str) -> None:
        self._events[key].append(f"{self.epoch}: {event}")
        self._changed.set()

    def published(self, key: str, qos: int) -> None:
        self._qos[key] = qos
        self._note(key, f"published with QoS {qos}")

    def accepted(self, key: str) -> None:
        """PUBREC: from here on the broker is responsible."""
        self._note(key, "PUBREC")

    def acknowledged(self, key: str) -> None:
        self._acknowledged.add(key)
        self._note(key, "acknowledged")

    def will(self, key: str) -> None:
        """A will that has to be published, sooner or later."""
        self._wills.add(key)
        self._note(key, "will of a connected client")

    def received(self, client_id: str, message: Publish) -> None:
        key = message.payload.decode()
        self._note(
            key,
            f"to {client_id} QoS {message.qos} id {message.packet_id}"
            f"{' dup' if message.dup else ''}{' retained' if message.retain else ''}",
        )
        reader = self.readers.get(client_id)
        if reader is None:
            return
        reader.counts[key] += 1
        if key not in self._qos and key not in self._wills:
            self.report(f"{client_id} received {key}, which nobody published")
        if reader.counts[key] > 1 and min(reader.qos, self._qos.get(key, 0)) == 2:
            self.report(f"{client_id} received {key} {reader.counts[key]} times with QoS 2")

    def qos(self, key: str) -> int | None:
        """What it was published with, if that is not settled long since."""
        return self._qos.get(key)

    def is_acknowledged(self, key: str) -> bool:
        return key in self._acknowledged

    def missing(self) -> list[tuple[str, str]]:
        """Reader and key of everything acknowledged, or promised as a will, and not received."""
        wanted = self._acknowledged | self._wills
        return [
            (reader.client_id, key)
            for reader in self.readers.values()
            for key in sorted(wanted - reader.counts.keys())
        ]

    async def all_received(self, deadline_s: float) -> None:
        """Wait until nothing is missing; what still is at the deadline is reported."""
        try:
            async with asyncio.timeout(deadline_s):
                while not self.problems and self.missing():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            for client_id, key in self.missing():
                self.report(f"{client_id} never received {key}")

    def forget(self) -> None:
        """Drop what is settled, so that a long run stays small."""
        self._qos.clear()
        self._acknowledged.clear()
        self._wills.clear()
        self._events.clear()
        for reader in self.readers.values():
            reader.counts.clear()

    def explain(self) -> str:
        """The problems, each with the history of its message."""
        lines = []
        for problem in self.problems[:20]:
            lines.append(problem)
            for key in self._events:
                if f" {key} " in f"{problem} ":
                    lines += [f"    {event}" for event in self._events[key]]
        if len(self.problems) > 20:
            lines.append(f"and {len(self.problems) - 20} more")
        return "\n".join(lines)
