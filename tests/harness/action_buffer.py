"""A buffer of an action in Python, with the rules of the native one, for tests of what takes from it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence

from rookery.clock import Clock, SystemClock
from rookery.native.action_fields import (
    UNDEFINED,
    ActionCounters,
    ActionField,
    ActionItem,
    BufferSpec,
    FieldValue,
    JsonText,
    Outcome,
)


class PlainBuffer:
    """Items in a list; ``history`` has how each ended."""

    def __init__(self, spec: BufferSpec, clock: Clock | None = None) -> None:
        self.spec = spec
        self._clock = clock or SystemClock()
        self._waiting: list[ActionItem] = []
        self._flying: dict[int, ActionItem] = {}
        self._counts: Counter[str] = Counter()
        self._number = 0
        self._something = asyncio.Event()
        self._is_paused = False
        self.history: list[tuple[int, Outcome]] = []

    def offer(self, *fields: FieldValue, key: int = 0, rule: str = "r") -> int:
        """Put an item in; its number."""
        self._number += 1
        self._counts["matched"] += 1
        if self._is_paused:
            self._end(self._number, "dropped.resource_stopped")
            return self._number
        made_at_ms = self._clock.now_ms()
        self._waiting.append(ActionItem(self._number, rule, key, made_at_ms, fields))
        self._something.set()
        return self._number

    def offer_rows(
        self, rows: Sequence[str], fields: Sequence[ActionField], *, rule: str, key: int = 0
    ) -> int:
        for text in rows:
            row = json.loads(text)
            values: list[FieldValue] = []
            for kind, template in fields:
                name = template.removeprefix("${").removesuffix("}")
                values.append(JsonText(text) if kind == "row" else row.get(name, UNDEFINED))
            self.offer(*values, rule=rule, key=key)
        return len(rows)

    def take(self, max_items: int, max_bytes: int) -> list[ActionItem]:
        del max_bytes
        while self.expire():
            continue
        busy = {item.key for item in self._flying.values() if item.key}
        taken = [item for item in self._waiting if item.key not in busy][:max_items]
        for item in taken:
            self._waiting.remove(item)
            self._flying[item.number] = item
        if len(taken) < max_items:
            self._something.clear()
        return taken

    def expire(self) -> int:
        ttl_ms = self.spec.request_ttl_ms
        oldest_ms = self._clock.now_ms() - ttl_ms
        old = [item for item in self._waiting if ttl_ms and item.made_at_ms <= oldest_ms]
        for item in old:
            self._waiting.remove(item)
            self._end(item.number, "dropped.expired")
        return len(old)

    def settle(self, numbers: Iterable[int], outcome: Outcome) -> None:
        for number in numbers:
            del self._flying[number]
            self._end(number, outcome)
        self._something.set()

    def _end(self, number: int, outcome: Outcome) -> None:
        self.history.append((number, outcome))
        self._counts[outcome] += 1

    def give_back(self, numbers: Iterable[int]) -> None:
        self._waiting += [self._flying.pop(number) for number in numbers]
        self._waiting.sort(key=lambda item: item.number)
        self._something.set()

    def count(self, *, retried: int = 0) -> None:
        self._counts["retried"] += retried

    def pause(self, is_paused: bool) -> None:
        self._is_paused = is_paused

    def counters(self) -> ActionCounters:
        count = self._counts
        reasons = ("queue_full", "expired", "resource_not_found", "resource_stopped", "other")
        dropped = [count[f"dropped.{reason}"] for reason in reasons]
        ended = (count["success"], count["failed"], sum(dropped), *dropped)
        open_ = (len(self._waiting), len(self._flying), count["retried"])
        return ActionCounters._make((count["matched"], *ended, *open_, 0, 0, 0))

    def reset_counters(self) -> None:
        self._counts.clear()
        self._counts["matched"] = len(self._waiting) + len(self._flying)

    async def wait(self) -> None:
        await self._something.wait()

    def close(self) -> None:
        for item in (*self._waiting, *self._flying.values()):
            self._end(item.number, "dropped.resource_stopped")
        self._waiting.clear()
        self._flying.clear()


def adds_up(counters: ActionCounters) -> bool:
    """Whether every item is counted once."""
    of = counters
    return of.matched == of.success + of.failed + of.dropped + of.queuing + of.inflight
