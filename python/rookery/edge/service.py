"""The edge service: what its REST interface, its page and the agent connection talk to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from pathlib import Path

from rookery.clock import Clock, SystemClock
from rookery.edge import replacing
from rookery.edge.core import Core
from rookery.edge.deliveries import Deliveries
from rookery.edge.engine.engine import Engine
from rookery.edge.engine.runner import BACKOFF_S_MAX, BACKOFF_S_MIN
from rookery.edge.groups import Groups
from rookery.edge.metrics import metrics_of
from rookery.edge.model import NodeMetrics, Snapshot
from rookery.edge.nodes import Nodes, apply_log_level
from rookery.edge.plugins import Plugins
from rookery.edge.state import State
from rookery.edge.store import Store
from rookery.edge.subscriptions import Subscriptions
from rookery.edge.tags import Tags
from rookery.edge.values import Values
from rookery.errors import StartError


class EdgeService:
    """One service with its data directory. Opened once, closed once; lives on one event loop.

    Attributes:
        plugins: Kinds of drivers and applications.
        nodes: Drivers and applications.
        groups: Of drivers.
        tags: Of groups.
        subscriptions: Of applications to groups.
        values: Of tags.
        deliveries: What the control plane delivered.
        store: For documents of others in the same file.
    """

    def __init__(
        self,
        data_dir: Path,
        clock: Clock | None = None,
        *,
        backoff_s: tuple[float, float] = (BACKOFF_S_MIN, BACKOFF_S_MAX),
    ) -> None:
        self.data_dir = data_dir
        self.store = Store(data_dir)
        self.plugins = Plugins()
        clock = clock or SystemClock()
        engine = Engine(State(), self.plugins, clock, data_dir, backoff_s)
        self._core = core = Core(engine.state, self.store, engine, self.plugins, clock)
        self.nodes = Nodes(core)
        self.groups = Groups(core)
        self.tags = Tags(core)
        self.subscriptions = Subscriptions(core)
        self.deliveries = Deliveries(core)
        self.values = engine.drivers = Values(core)

    async def open(self) -> None:
        """Read what is kept, and start what shall run.

        Raises:
            StartError: the data directory cannot be used.
        """
        try:
            await asyncio.to_thread(os.makedirs, self.data_dir, 0o700, exist_ok=True)
        except OSError as error:
            raise StartError(f"{self.data_dir}: {error.strerror}") from error
        core = self._core
        core.state = core.engine.state = State.of(await self.store.open())
        for node in tuple(core.state.nodes.values()):
            apply_log_level(node)
            await core.engine.apply(node)
        core.engine.resubscribe()

    async def close(self) -> None:
        """End all nodes. May be called twice."""
        async with self._core.changing:
            await self._core.engine.end_all()
            await self.store.close()

    def metrics(self) -> tuple[NodeMetrics, ...]:
        """Figures of all nodes."""
        return tuple(metrics_of(self._core, node) for node in self._core.state.nodes.values())

    def metrics_of(self, node: str) -> NodeMetrics:
        """Figures of one.

        Raises:
            EdgeError: there is none of that name.
        """
        return metrics_of(self._core, self._core.state.node(node))

    def snapshot(self) -> Snapshot:
        """The whole configuration, secrets in plain."""
        return self._core.state.snapshot()

    async def replace(self, wanted: Snapshot, *, drivers: Collection[str] | None = None) -> None:
        """Another configuration instead of this one, whole or not at all.

        ``drivers``: only these, and their groups and tags; others and applications stay.

        Raises:
            EdgeError: something in it is wrong; nothing was changed.
        """
        await replacing.replace(self._core, wanted, drivers)
