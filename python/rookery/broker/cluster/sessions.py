"""One connection for one client identifier: of two on different nodes the elder is ended.

Every node tells the others who connected to it. Whoever has the same client connected since before that
ends it; of two that connected within one millisecond that of the node whose name comes first. Nodes that
meet again tell each other everybody: which of two connections stays never depends on who hears first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from rookery.broker.cluster.bus import Body, Bus
from rookery.errors import RookeryError
from rookery.native.lists import ClientQuery, ClientView
from rookery.native.rows import EventRow

CONNECTED = "clients.connected"
CLIENTS_OF_ONE_MAX = 1000
WAITING_MAX = 50_000
"""Most that wait to be told; beyond it everybody is told anew instead."""
_CONNECTED_AT = 10

_log = logging.getLogger("rookery.cluster")


class Clients(Protocol):
    """What is known of the clients of this node."""

    def clients_page(
        self, query: ClientQuery, offset: int, limit: int
    ) -> tuple[list[ClientView], int]: ...

    def clients_after(
        self, query: ClientQuery, cursor: int, limit: int
    ) -> tuple[list[ClientView], int]: ...

    def kick_all(self, client_ids: Sequence[str]) -> int: ...


class OneConnection:
    """What this node tells and hears about clients."""

    def __init__(self, bus: Bus, name: str, lists: Clients, watch: Callable[[bool], None]) -> None:
        """``watch`` says whether the core tells who connects."""
        self._bus = bus
        self._name = name
        self._lists = lists
        self._watch = watch
        self._running: frozenset[str] = frozenset()
        self._is_watching = False
        self._waiting: dict[str, int] = {}
        self._is_behind = False
        self._telling: asyncio.Task[None] | None = None
        self.ended = 0
        bus.on(CONNECTED, self._hear)

    def others(self, running: Iterable[str], *, is_alone: bool) -> None:
        """These other nodes run; alone, this one has none."""
        names = frozenset(running)
        if self._is_watching is is_alone:
            self._is_watching = not is_alone
            self._watch(self._is_watching)
        if names - self._running:
            self._is_behind = True
            self._begin()
        self._running = names

    def see(self, rows: list[EventRow]) -> None:
        """Take what the core tells."""
        if not self._is_watching:
            return
        for row in rows:
            if row[0] == "connected":
                client = row[1]
                self._waiting[client[0]] = client[_CONNECTED_AT]
        if len(self._waiting) > WAITING_MAX:
            self._waiting.clear()
            self._is_behind = True
        if self._waiting:
            self._begin()

    async def close(self) -> None:
        """Tell nobody any more. May be called twice."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    def _begin(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        while self._waiting or self._is_behind:
            if self._is_behind:
                self._is_behind = False
                await self._tell_everybody()
            waiting, self._waiting = list(self._waiting.items()), {}
            for start in range(0, len(waiting), CLIENTS_OF_ONE_MAX):
                await self._say(waiting[start : start + CLIENTS_OF_ONE_MAX])

    async def _tell_everybody(self) -> None:
        query, place = ClientQuery(is_connected=True), 0
        while True:
            try:
                found, place = await asyncio.to_thread(
                    self._lists.clients_after, query, place, CLIENTS_OF_ONE_MAX
                )
            except RookeryError as error:
                _log.warning("the other nodes are not told who is connected: %s", error)
                return
            await self._say(
                [
                    (client.client_id, client.connected_at_ms)
                    for client in found
                    if client.connected_at_ms is not None
                ]
            )
            if not place:
                return

    async def _say(self, clients: list[tuple[str, int]]) -> None:
        if clients:
            await self._bus.tell(CONNECTED, {"by": self._name, "clients": clients})

    async def _hear(self, body: Body) -> None:
        by, clients = body.get("by"), body.get("clients")
        if by == self._name or not isinstance(by, str) or not isinstance(clients, list):
            return
        theirs = {str(name): int(at_ms) for name, at_ms in clients}
        try:
            ended = await asyncio.to_thread(self._end_elder, by, theirs)
        except RookeryError as error:
            _log.warning("connections that others took over go on here: %s", error)
            return
        self.ended += ended

    def _end_elder(self, by: str, theirs: dict[str, int]) -> int:
        query = ClientQuery(client_ids=tuple(theirs), is_connected=True)
        found, _ = self._lists.clients_page(query, 0, len(theirs))
        elder = [
            client.client_id
            for client in found
            if client.connected_at_ms is not None
            and is_elder((client.connected_at_ms, self._name), (theirs[client.client_id], by))
        ]
        return self._lists.kick_all(elder) if elder else 0


def is_elder(own: tuple[int, str], other: tuple[int, str]) -> bool:
    """Whether a connection gives way to another one: of any two exactly one does."""
    return own < other
