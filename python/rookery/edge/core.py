"""What the parts of an edge service share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from rookery.clock import Clock
from rookery.edge.engine.engine import Engine
from rookery.edge.plugins import Plugins
from rookery.edge.state import State
from rookery.edge.store import Store


@dataclass(slots=True)
class Core:
    """``changing`` is held from the check of a change to its effect."""

    state: State
    store: Store
    engine: Engine
    plugins: Plugins
    clock: Clock
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
