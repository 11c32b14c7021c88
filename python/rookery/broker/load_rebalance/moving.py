"""Sends clients of this node elsewhere, one order at a time.

First load balancers are told that the node takes nobody (the availability check), then, after they had
time to notice, new clients are refused and those that are here are disconnected, so many a second. Who
comes late is sent away as well: it goes on until it is stopped. Of a node that is emptied sessions of
clients that did not come back elsewhere are offered to other nodes, so many a second too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rookery.broker.load_rebalance.order import Order
from rookery.broker.load_rebalance.progress import Progress
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.native.lists import ClientQuery, Lists

TURN_S = 1.0
MOVED_OF_ONE_MAX = 1000
STUCK_S = 5.0
"""Sessions that did not go for that long stay, for now."""

State: TypeAlias = Literal[
    "waiting_health_check", "evicting_conns", "waiting_takeover", "evicting_sessions", "prohibiting"
]

_log = logging.getLogger("rookery.rebalance")


@dataclass(frozen=True, slots=True)
class Count:
    """Clients of this node."""

    connected: int
    sessions: int


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The other nodes.

    Attributes:
        names: Of those that run.
        offer: Offers one of them so many sessions of clients that are away.
    """

    names: Callable[[], Sequence[str]]
    offer: Callable[[str, int], None]


class Moving:
    """What is under way on this node."""

    def __init__(
        self,
        lists: Lists,
        stats: Callable[[], Mapping[str, int]],
        elsewhere: Elsewhere,
        is_there: Callable[[str], bool],
    ) -> None:
        """``is_there`` says whether a node runs."""
        self._lists = lists
        self._stats = stats
        self._elsewhere = elsewhere
        self._is_there = is_there
        # The fewest sessions so far, and since when.
        self._fewest: tuple[int, float] | None = None
        self._task: asyncio.Task[None] | None = None
        self._cursor = 0
        self._first = Count(0, 0)
        self._told: tuple[State | None, int] = None, 0
        self.order: Order | None = None
        self.state: State | None = None
        self.moved = 0
        self.progress = Progress()

    def count(self) -> Count:
        """How many there are now. Blocks for a moment."""
        stats = self._stats()
        sessions = stats.get("sessions.count", 0)
        return Count(stats.get("live_connections.count", 0), sessions)

    async def start(self, order: Order) -> None:
        """Begin; nothing is under way."""
        assert self.order is None
        self._first = await asyncio.to_thread(self.count)
        self.order, self.state = order, "waiting_health_check"
        self._cursor, self._fewest = 0, None
        self._tell(self._first)
        self._task = asyncio.get_running_loop().create_task(self._run(order))
        _log.warning(
            "%s: load balancers are told at once; in %g s clients are refused, and of %d that are "
            "connected all but %d are disconnected, %d a second",
            order.process,
            order.wait_health_check_s,
            self._first.connected,
            order.goal,
            order.conn_evict_rate,
        )

    async def stop(self) -> None:
        """Take clients again. May be called twice."""
        await self.close()
        await self._end()

    async def close(self) -> None:
        """The node stops: move nobody any more. May be called twice."""
        task, self._task = self._task, None
        await ended("moving clients away", task)
        self.progress.step()

    async def _end(self) -> None:
        if self.order is None:
            return
        _log.warning("%s: ended, the node takes clients again", self.order.process)
        self.order, self.state = None, None
        self.progress.step()
        await asyncio.to_thread(self._lists.set_redirect, is_on=False)

    async def _run(self, order: Order) -> None:
        try:
            await asyncio.sleep(order.wait_health_check_s)
            await asyncio.to_thread(
                self._lists.set_redirect,
                is_on=True,
                for_good=order.is_for_good,
                server_reference=order.redirect_to,
            )
            await self._go_on(order)
        except RookeryError as error:
            _log.error("%s: given up: %s", order.process, error)
        self._task = None
        await self._end()

    async def _go_on(self, order: Order) -> None:
        """Until it is stopped; of a rebalancing until the goal was held long enough."""
        loop = asyncio.get_running_loop()
        left_at: float | None = None
        while self._holds(order):
            due = loop.time() + TURN_S
            count = await asyncio.to_thread(self.count)
            surplus = count.connected - order.goal
            if surplus > 0:
                if left_at is None:
                    self.state = "evicting_conns"
                self.moved += await asyncio.to_thread(
                    self._move, min(surplus, order.conn_evict_rate)
                )
            else:
                left_at = left_at if left_at is not None else loop.time()
                is_over = loop.time() >= left_at + order.wait_takeover_s
                if order.process == "evacuation":
                    self.state = "waiting_takeover"
                    if is_over or count.sessions == 0:
                        self.state = await self._send_sessions(order, count.sessions)
                elif is_over:
                    return
                else:
                    self.state = "waiting_takeover"
            self._tell(count)
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _send_sessions(self, order: Order, left: int) -> State:
        """Offer some to each of the other nodes; how it stands then."""
        running = self._elsewhere.names()
        targets = [name for name in running if not order.migrate_to or name in order.migrate_to]
        if left == 0 or not targets:
            return "prohibiting"
        now = asyncio.get_running_loop().time()
        if self._fewest is None or left < self._fewest[0]:
            self._fewest = left, now
        share = max(1, order.sess_evict_rate // len(targets))
        for name in targets[: order.sess_evict_rate]:
            await asyncio.to_thread(self._elsewhere.offer, name, share)
        # Some cannot go: their wills are still to come, or they are kept in memory alone.
        return "evicting_sessions" if now < self._fewest[1] + STUCK_S else "prohibiting"

    def _tell(self, count: Count) -> None:
        """Whoever waits for a change is told of one."""
        told = self.state, count.connected or -count.sessions
        if told != self._told:
            self._told = told
            self.progress.step()

    def _holds(self, order: Order) -> bool:
        return not order.coordinator or self._is_there(order.coordinator)

    def _move(self, wanted: int) -> int:
        """Disconnect that many, one after the other of all; how many there were."""
        moved, query, has_begun_anew = 0, ClientQuery(is_connected=True), self._cursor == 0
        while wanted > 0:
            most = min(wanted, MOVED_OF_ONE_MAX)
            found, self._cursor = self._lists.clients_after(query, self._cursor, most)
            wanted -= len(found)
            moved += self._lists.move_all([client.client_id for client in found])
            if not self._cursor:
                if has_begun_anew:
                    break
                has_begun_anew = True
        return moved

    def status(self, count: Count) -> dict[str, Any] | None:
        """How it stands, by EMQX's names; none when nothing is under way."""
        order = self.order
        if order is None:
            return None
        row: dict[str, Any] = {
            "process": order.process,
            "state": self.state,
            "connection_eviction_rate": order.conn_evict_rate,
            "connection_goal": order.goal,
            "session_eviction_rate": order.sess_evict_rate,
            "stats": {
                "initial_connected": self._first.connected,
                "current_connected": count.connected,
                "initial_sessions": self._first.sessions,
                "current_sessions": count.sessions,
                "current_disconnected_sessions": max(0, count.sessions - count.connected),
            },
        }
        if order.coordinator:
            row["coordinator_node"] = order.coordinator
        return row
