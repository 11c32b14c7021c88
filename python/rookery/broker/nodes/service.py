"""What is known about the nodes of the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rookery.clock import Clock
from rookery.errors import NotFoundError
from rookery.observability.machine import Machine

_UNITS = ("", "K", "M", "G", "T", "P")


class Nodes:
    """This node alone: it is the whole cluster."""

    def __init__(
        self,
        *,
        name: str,
        cluster: str,
        version: str,
        data_dir: Path,
        clock: Clock,
        machine: Machine,
        started_at_ms: int,
        stats: Callable[[], Mapping[str, int]],
    ) -> None:
        self.name = name
        self.cluster = cluster
        self._version = version
        self._data_dir = data_dir
        self._clock = clock
        self._machine = machine
        self._started_at_ms = started_at_ms
        self._stats = stats

    def names(self) -> list[str]:
        """Every node of the cluster."""
        return [self.name]

    def known(self, name: str) -> str:
        """The name again.

        Raises:
            NotFoundError: there is no node of that name.
        """
        if name != self.name:
            raise NotFoundError(f"no node {name}")
        return name

    @property
    def uptime_ms(self) -> int:
        return self._clock.now_ms() - self._started_at_ms

    async def info(self) -> dict[str, Any]:
        """This node, by EMQX's names. What only an Erlang virtual machine has is left out."""
        stats = await asyncio.to_thread(self._stats)
        one, five, fifteen = self._machine.load()
        row: dict[str, Any] = {
            "node": self.name,
            "node_status": "running",
            "version": self._version,
            "edition": "Opensource",
            "role": "core",
            "uptime": self.uptime_ms,
            "connections": stats.get("connections.count", 0),
            "live_connections": stats.get("live_connections.count", 0),
            "cluster_sessions": stats.get("cluster_sessions.count", 0),
            "load1": one,
            "load5": five,
            "load15": fifteen,
            "max_fds": self._machine.open_files_max(),
            "sys_path": str(self._data_dir),
            "log_path": str(self._data_dir / "log"),
        }
        try:
            memory = self._machine.memory()
        except OSError:
            return row
        return row | {"memory_total": _size(memory.total), "memory_used": _size(memory.used)}


def _size(count: int) -> str:
    """As EMQX writes sizes: ``64.00G``."""
    size = float(count)
    for unit in _UNITS[:-1]:
        if size < 1024:
            return f"{size:.2f}{unit}"
        size /= 1024
    return f"{size:.2f}{_UNITS[-1]}"
