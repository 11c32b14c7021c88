"""What the management operations of a node work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.management.sockets import Port
from rookery.clock import Clock
from rookery.config import Config
from rookery.native.node import Node
from rookery.observability.metrics import MetricRegistry, StatsRegistry


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeContext:
    """A running node, as the management plane sees it."""

    node_name: str
    version: str
    clock: Clock
    started_at_ms: int
    config: Config
    native: Node
    metrics: MetricRegistry
    stats: StatsRegistry
    alarms: AlarmRegistry
    ports: Callable[[], Sequence[Port]]
    stop: Callable[[], None]
