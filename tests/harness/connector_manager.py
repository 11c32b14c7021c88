"""All connectors of a node without the node: what they publish and are asked for stays here."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.action_buffer import PlainBuffer, adds_up
from rookery.clock import SystemClock
from rookery.connectors.base import Columns
from rookery.connectors.manager import Connectors, Wanted
from rookery.connectors.ports import Buffer, Ports
from rookery.connectors.registry import parse_action, parse_connector, parse_source
from rookery.connectors.status import Kind, State, Status
from rookery.native.action_fields import ActionCounters, BufferSpec, action_field
from rookery.native.actions import ActionHub, render


@dataclass
class Managed:
    """The manager, and what it makes.

    Attributes:
        buffers: Of the actions by id; opened ones stay, as in the core.
        real: The same where they are those of the core.
        received: What sources gave, by id.
        published: Topic and payload of what fallbacks published.
        heard: Every status that was told.
    """

    manager: Connectors
    buffers: dict[str, PlainBuffer] = field(default_factory=dict)
    real: dict[str, Buffer] = field(default_factory=dict)
    received: list[tuple[str, Columns]] = field(default_factory=list)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    heard: list[tuple[Kind, str, State]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def apply(
        self,
        connectors: Mapping[str, Mapping[str, Any]] | None = None,
        actions: Mapping[str, Mapping[str, Any]] | None = None,
        sources: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Make it so, of raw settings by id."""

        def parsed(raw: Mapping[str, Any] | None, parse: Callable[..., Any]) -> dict[str, Any]:
            return {name: parse(name.partition(":")[0], it) for name, it in (raw or {}).items()}

        await self.manager.apply(
            Wanted(
                connectors=parsed(connectors, parse_connector),
                actions=parsed(actions, parse_action),
                sources=parsed(sources, parse_source),
            )
        )

    async def until(self, kind: Kind, item_id: str, state: State) -> Status:
        """Wait for a status."""
        while (status := self.manager.status(kind, item_id)).state is not state:
            self.changed.clear()
            await self.changed.wait()
        return status

    def offer(self, action_id: str, row: Mapping[str, Any], key: int) -> None:
        """Give an action a row, as a rule would."""
        fields = [action_field(spec) for spec in self.manager.fields_of(action_id)]
        self.real[action_id].offer_rows([json.dumps(row)], fields, rule="r", key=key)

    async def until_counted(self, action_id: str, **wanted: int) -> ActionCounters:
        """Wait until the counters are these; they add up all the time."""
        while True:
            counters = (self.real or self.buffers)[action_id].counters()
            assert adds_up(counters), counters
            if all(getattr(counters, name) == count for name, count in wanted.items()):
                return counters
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def managed(
    data_dir: Path, *, file_dirs: tuple[Path, ...] = (), core: ActionHub | None = None
) -> AsyncIterator[Managed]:
    """Begin with nothing; end all. With ``core`` buffers are those of the core."""
    clock = SystemClock()

    def open_buffer(action_id: str, spec: BufferSpec) -> Buffer:
        if core is not None:
            real = it.real[action_id] = core.open(action_id, spec)
            return real
        buffer = it.buffers.get(action_id)
        if buffer is None:
            buffer = it.buffers[action_id] = PlainBuffer(spec, clock)
        buffer.spec = spec
        return buffer

    async def ingest(source_id: str, columns: Columns) -> int:
        it.received.append((source_id, columns))
        it.changed.set()
        return 1

    async def publish(*, topic: str, payload: bytes, **_more: Any) -> None:
        it.published.append((topic, payload))

    def heard(kind: Kind, item_id: str, status: Status) -> None:
        it.heard.append((kind, item_id, status.state))
        it.changed.set()

    def fill(template: str, row: str) -> str:
        return render(template, row) if core is not None else template.replace("${.}", row)

    ports = Ports(
        open_buffer=open_buffer,
        ingest=ingest,
        publish=publish,
        render=fill,
    )
    manager = Connectors(
        ports, clock=clock, data_dir=data_dir, node="n@h", on_status=heard, file_dirs=file_dirs
    )
    it = Managed(manager)
    try:
        yield it
    finally:
        await manager.stop()
        await manager.stop()
