"""What is known about the nodes of the cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clock import Clock
from rookery.errors import NotAvailableError, NotFoundError, RookeryError, UnavailableError
from rookery.observability.machine import Machine

if TYPE_CHECKING:
    from rookery.broker.cluster.alone import Alone
    from rookery.broker.cluster.service import Cluster

_log = logging.getLogger("rookery.cluster")

INFO = "node.info"
_UNITS = ("", "K", "M", "G", "T", "P")


class Nodes:
    """This node, and what the others of its cluster say of themselves.

    Whoever does not answer is never waited for longer than a deadline, and the others' answers are
    there all the same.
    """

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
        metrics: Callable[[], Mapping[str, int]],
        members: Cluster | Alone,
    ) -> None:
        self.name = name
        self.cluster = cluster
        self._version = version
        self._data_dir = data_dir
        self._clock = clock
        self._machine = machine
        self._started_at_ms = started_at_ms
        self._stats = stats
        self._reads = {"stats": stats, "metrics": metrics}
        self._members = members
        self.answer(INFO, self.own_info)
        for which in self._reads:
            self.answer(f"node.{which}", partial(self._own_figures, which))

    def names(self) -> list[str]:
        """Every node of the cluster."""
        return self._members.names()

    def others(self) -> list[str]:
        """The other nodes that run."""
        return self._members.running()

    def known(self, name: str) -> str:
        """The name again.

        Raises:
            NotFoundError: there is no node of that name.
        """
        if name != self.name and name not in self.names():
            raise NotFoundError(f"no node {name}", message_zh=f"不存在节点 {name}")
        return name

    def own(self, name: str) -> str:
        """The name again, if it is this node's: for what only a node itself can tell.

        Raises:
            NotFoundError: there is no node of that name.
            NotAvailableError: it is another node.
        """
        if self.known(name) != self.name:
            raise NotAvailableError(
                f"ask {name} itself: {self.name} cannot tell this of other nodes",
                message_zh=f"请直接向 {name} 查询：{self.name} 无法提供其他节点的此项信息",
            )
        return name

    def answer(self, operation: str, own: Callable[[], Awaitable[Any]]) -> None:
        """Answer that question of other nodes."""

        async def answer(_body: Any) -> Any:
            return await own()

        if self._members.calls is not None:
            self._members.calls.on(operation, answer)

    def serve(self, operation: str, own: Callable[[Any], Awaitable[Any]]) -> None:
        """Answer that question of other nodes, with what they say to it."""
        if self._members.calls is not None:
            self._members.calls.on(operation, own)

    async def ask(self, name: str, operation: str, body: Any) -> Any:
        """What another node answers.

        Raises:
            UnavailableError: it does not run, or cannot be reached.
            TimedOutError: it did not answer in time.
        """
        if self._members.calls is None or name not in self.others():
            raise UnavailableError(f"node {name} does not run", message_zh=f"节点 {name} 未运行")
        return await self._members.calls.ask(name, operation, body)

    async def ask_others(self, operation: str, body: Any) -> dict[str, Any]:
        """What each of the others that runs and answers in time answers."""
        if self._members.calls is None:
            return {}
        answers = await self._members.calls.ask_all(self.others(), operation, body)
        return self._good(operation, answers)

    async def of_node(self, name: str, operation: str, own: Callable[[], Awaitable[Any]]) -> Any:
        """What that node answers.

        Raises:
            NotFoundError: there is no node of that name.
            UnavailableError: it does not run, or cannot be reached.
            TimedOutError: it did not answer in time.
        """
        if self.known(name) == self.name:
            return await own()
        return await self.ask(name, operation, None)

    async def of_all(self, operation: str, own: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
        """What each node that runs and answers in time answers, this one first."""
        if self._members.calls is None or not self.others():
            return {self.name: await own()}
        mine, theirs = await asyncio.gather(
            own(), self._members.calls.ask_all(self.others(), operation)
        )
        return {self.name: mine} | self._good(operation, theirs)

    def _good(self, operation: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for name, answer in answers.items():
            if isinstance(answer, RookeryError):
                self.left_out(f"{operation} of {name}", answer)
            else:
                found[name] = answer
        return found

    @staticmethod
    def left_out(what: str, error: RookeryError) -> None:
        """An answer for all nodes is without that."""
        _log.warning("%s: %s", what, error)

    @property
    def uptime_ms(self) -> int:
        return self._clock.now_ms() - self._started_at_ms

    async def figures(self, which: str) -> dict[str, dict[str, int]]:
        """``stats`` or ``metrics`` of every node that answers."""
        return await self.of_all(f"node.{which}", partial(self._own_figures, which))

    async def figures_of(self, name: str, which: str) -> dict[str, int]:
        """The same of one node.

        Raises:
            RookeryError: as of :meth:`of_node`.
        """
        own = partial(self._own_figures, which)
        found: dict[str, int] = await self.of_node(name, f"node.{which}", own)
        return found

    async def _own_figures(self, which: str) -> dict[str, int]:
        return dict(await asyncio.to_thread(self._reads[which]))

    async def info(self) -> list[dict[str, Any]]:
        """Every node by name; of one that does not run or answer there is no more than that."""
        found = await self.of_all(INFO, self.own_info)
        return [
            found.get(name) or {"node": name, "node_status": "stopped"} for name in self.names()
        ]

    async def info_of(self, name: str) -> dict[str, Any]:
        """One node.

        Raises:
            NotFoundError: there is no node of that name.
        """
        try:
            row: dict[str, Any] = await self.of_node(name, INFO, self.own_info)
        except NotFoundError:
            raise
        except RookeryError:
            return {"node": name, "node_status": "stopped"}
        return row

    async def own_info(self) -> dict[str, Any]:
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
