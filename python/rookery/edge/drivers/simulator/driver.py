"""Makes values up."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from rookery.edge.conversion import RANGES
from rookery.edge.drivers.base import Driver, Reading
from rookery.edge.drivers.simulator.address import MEMORY, Address, parse
from rookery.edge.model import FLOATS, Tag, TagType, Value

Plan: TypeAlias = list[tuple[Tag, Address]]

_EMPTY: dict[TagType, Value] = {
    TagType.BOOL: False,
    TagType.STRING: "",
    TagType.BYTES: b"",
    TagType.FLOAT: 0.0,
    TagType.DOUBLE: 0.0,
}


class Simulator(Driver[Plan]):
    """Forgets its memory when it is stopped."""

    def __init__(self, setting: Mapping[str, Any]) -> None:
        self._latency_s = setting["latency"] / 1000
        self._memory: dict[tuple[str, TagType], Value] = {}
        self._counts: dict[tuple[str, str], float] = {}
        self._began_s = time.monotonic()

    async def connect(self) -> None:
        await asyncio.sleep(self._latency_s)

    async def close(self) -> None:
        """There is nothing to close."""

    def plan(self, tags: Sequence[Tag]) -> Plan:
        return [(tag, parse(tag)) for tag in tags]

    async def read(self, plan: Plan) -> Reading:
        await asyncio.sleep(self._latency_s)
        age_s = time.monotonic() - self._began_s
        return Reading({tag.name: self._value(tag, address, age_s) for tag, address in plan})

    async def write(self, tag: Tag, value: Value) -> None:
        await asyncio.sleep(self._latency_s)
        self._memory[parse(tag).name, tag.type] = value

    def _value(self, tag: Tag, address: Address, age_s: float) -> Value:
        if address.kind == MEMORY:
            return self._memory.get((address.name, tag.type), _EMPTY.get(tag.type, 0))
        made = self._number(tag, address, age_s)
        if tag.type in FLOATS:
            return made
        if tag.type is TagType.BOOL:
            return made % 2 >= 1
        low, high = RANGES[tag.type]
        return low + (math.floor(made) - low) % (high - low + 1)

    def _number(self, tag: Tag, address: Address, age_s: float) -> float:
        numbers = address.numbers
        match address.kind:
            case "counter":
                key = (tag.name, tag.address)
                self._counts[key] = self._counts.get(key, 0) + numbers[0]
                return self._counts[key]
            case "ramp":
                low, high, period_s = numbers
                return low + (high - low) * (age_s % period_s) / period_s
            case "sine":
                return numbers[0] * math.sin(2 * math.pi * age_s / numbers[1])
            case "random":
                return random.uniform(numbers[0], numbers[1])  # noqa: S311 - nothing secret
            case "toggle":
                return float(int(age_s / numbers[0]) % 2)
        return time.time()
