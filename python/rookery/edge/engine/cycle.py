"""One group of a driver while it runs: what is read of it, and what becomes of what was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.edge.conversion import Shown, shown_by
from rookery.edge.drivers.base import Driver, Reading
from rookery.edge.errors import NOT_READY
from rookery.edge.model import Attribute, Group, GroupMetrics, Report, Tag, Value

_NOTHING = object()


class Cycle:
    """Made again when the group changes."""

    def __init__(self, node: str, group: Group, driver: Driver[Any]) -> None:
        self.node = node
        self.group = group
        self.tags = [tag for tag in group.tags.values() if tag.is_read]
        self.plan = driver.plan(self.tags) if self.tags else None
        self.values: dict[str, Value] = {}
        self.errors: dict[str, int] = {tag.name: NOT_READY.number for tag in self.tags}
        self.read_at_ms = 0
        self._statics: dict[str, Value] = {
            tag.name: tag.value
            for tag in group.tags.values()
            if tag.is_static and tag.value is not None
        }
        self._shown: dict[str, Shown] = {
            tag.name: shown for tag in self.tags if (shown := shown_by(tag)) is not None
        }
        self._on_change = frozenset(
            tag.name for tag in self.tags if Attribute.SUBSCRIBE in tag.attribute
        )
        self._told: dict[str, object] = {}
        self.cycles = self.missed = self.duration_ms = 0
        self.last_error = self.last_error_at_ms = 0

    def go_on(self, before: Cycle) -> None:
        """Take over what is known, from before the group changed."""
        same = {
            name
            for name, tag in self.group.tags.items()
            if tag.is_read and before.group.tags.get(name) == tag
        }
        self.values |= {name: before.values[name] for name in same if name in before.values}
        self.errors |= {name: before.errors[name] for name in same if name in before.errors}
        for name in self.values:
            self.errors.pop(name, None)
        self.read_at_ms = before.read_at_ms
        self.cycles, self.missed = before.cycles, before.missed
        self.duration_ms = before.duration_ms
        self.last_error, self.last_error_at_ms = before.last_error, before.last_error_at_ms

    def absorb(self, reading: Reading, now_ms: int) -> None:
        """What the device said."""
        values = reading.values
        for name, shown in self._shown.items():
            if name in values:
                values[name] = shown(values[name])
        errors = reading.errors
        if len(values) + len(errors) < len(self.tags):
            for tag in self.tags:
                if tag.name not in values:
                    errors.setdefault(tag.name, NOT_READY.number)
        self._keep(values, errors, now_ms)

    def fail(self, number: int, now_ms: int) -> None:
        """Nothing could be read."""
        self._keep({}, dict.fromkeys((tag.name for tag in self.tags), number), now_ms)

    def _keep(self, values: dict[str, Value], errors: dict[str, int], now_ms: int) -> None:
        if values or not self.tags:
            values |= self._statics
        self.values, self.errors, self.read_at_ms = values, errors, now_ms
        if errors:
            self.last_error, self.last_error_at_ms = next(iter(errors.values())), now_ms

    def all_values(self) -> Mapping[str, Value]:
        """What is known, static tags too."""
        return {**self._statics, **self.values}

    def full_report(self) -> Report:
        """Everything, for who looks at it now."""
        return self._report(self.all_values(), self.errors)

    def report(self) -> Report | None:
        """For applications: of tags that are told when they change, those that did; none is nothing."""
        values: Mapping[str, Value] = self.values
        errors: Mapping[str, int] = self.errors
        if self._on_change:
            values = {name: one for name, one in values.items() if self._is_news(name, one)}
            errors = {name: one for name, one in errors.items() if self._is_news(name, (one,))}
        return self._report(values, errors) if values or errors else None

    def tell_all(self) -> None:
        """The next report has every tag."""
        self._told.clear()

    def _is_news(self, name: str, state: object) -> bool:
        if name not in self._on_change:
            return True
        before = self._told.get(name, _NOTHING)
        self._told[name] = state
        return before != state or type(before) is not type(state)

    def _report(self, values: Mapping[str, Value], errors: Mapping[str, int]) -> Report:
        return Report(
            node=self.node,
            group=self.group.name,
            timestamp_ms=self.read_at_ms,
            values=values,
            errors=errors,
            tags=self.group.tags,
        )

    def metrics(self) -> GroupMetrics:
        """Its figures."""
        return GroupMetrics(
            name=self.group.name,
            tags_total=len(self.group.tags),
            interval_ms=self.group.interval_ms,
            cycles_total=self.cycles,
            missed_cycles_total=self.missed,
            last_cycle_ms=self.duration_ms,
            last_error=self.last_error,
            last_error_at_ms=self.last_error_at_ms,
        )


def one_tag(tag: Tag, reading: Reading) -> Value | None:
    """The value of a tag that was read by itself; none where it could not be."""
    value = reading.values.get(tag.name)
    shown = shown_by(tag)
    return shown(value) if shown is not None and value is not None else value
