"""Every figure of a process can be read in one place."""

from __future__ import annotations

import pytest

from rookery.errors import ConflictError
from rookery.observability.metrics import MetricRegistry, StatsRegistry


def test_sources_are_read_when_somebody_asks() -> None:
    counted = {"messages.received": 1}
    registry = MetricRegistry()
    registry.register("core", lambda: counted)

    counted["messages.received"] = 5

    assert registry.read() == {"messages.received": 5}


def test_what_several_sources_count_is_summed() -> None:
    registry = MetricRegistry()
    registry.register("a", lambda: {"x": 1, "y": 1})
    registry.register("b", lambda: {"x": 2})

    assert registry.read() == {"x": 3, "y": 1}


def test_a_source_is_registered_once() -> None:
    registry = MetricRegistry()
    registry.register("a", dict)

    with pytest.raises(ConflictError):
        registry.register("a", dict)


def test_a_gauge_remembers_its_highest_value() -> None:
    now = {"connections.count": 3, "outbox.bytes": 10}
    registry = StatsRegistry()
    registry.register("core", lambda: now)
    registry.read()
    now["connections.count"] = 1

    assert registry.read() == {"connections.count": 1, "connections.max": 3, "outbox.bytes": 10}
