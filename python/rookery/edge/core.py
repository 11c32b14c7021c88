"""What the parts of an edge service share."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from rookery.clock import Clock
from rookery.edge.engine.engine import Engine
from rookery.edge.plugins import Plugins
from rookery.edge.state import State
from rookery.edge.store import Store

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Core:
    """``changing`` is held from the check of a change to its effect."""

    state: State
    store: Store
    engine: Engine
    plugins: Plugins
    clock: Clock
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


_running: set[asyncio.Task[Any]] = set()


def whole(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Awaitable[T]]:
    """A change goes on to its end when who asked for it goes away: disk, memory and what runs agree."""

    @functools.wraps(method)
    async def run(*args: P.args, **named: P.kwargs) -> T:
        task = asyncio.create_task(method(*args, **named))
        _running.add(task)
        task.add_done_callback(_running.discard)
        return await asyncio.shield(task)

    return run
