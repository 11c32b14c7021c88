"""Evacuation and rebalancing: what is asked of this node, and what it asks of others.

A node carries out one order at a time (:class:`Moving`). An evacuation is an order of all clients
that goes on after a restart. A rebalancing is one of as many as a node has too many, given by the node
that coordinates it to all such nodes; when one of them is not heard any more all of it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rookery.broker.load_rebalance.balance import Balance
from rookery.broker.load_rebalance.moving import Elsewhere, Moving
from rookery.broker.load_rebalance.order import (
    ABS_CONN_THRESHOLD,
    REL_CONN_THRESHOLD,
    Order,
    OrderFile,
)
from rookery.broker.load_rebalance.texts import refusal
from rookery.broker.nodes.service import Nodes
from rookery.ending import ended
from rookery.errors import BadRequestError, RookeryError, UnavailableError
from rookery.native.lists import Lists

STATUS = "rebalance.status"
EVACUATE, EVACUATION_STOP = "rebalance.evacuate", "rebalance.evacuation_stop"
START, STOP = "rebalance.start", "rebalance.stop"
SHED, SHED_STOP = "rebalance.shed", "rebalance.shed_stop"
LOOK_S = 2.0

_log = logging.getLogger("rookery.rebalance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A rebalancing that is asked for: how, of which nodes, from which difference on."""

    order: Order
    nodes: tuple[str, ...] = ()
    abs_conn_threshold: int = ABS_CONN_THRESHOLD
    rel_conn_threshold: float = REL_CONN_THRESHOLD

    def to_plain(self) -> dict[str, Any]:
        return {
            "order": self.order.to_plain(),
            "nodes": list(self.nodes),
            "abs_conn_threshold": self.abs_conn_threshold,
            "rel_conn_threshold": self.rel_conn_threshold,
        }

    @classmethod
    def from_plain(cls, plain: Any) -> Wanted:
        """The inverse.

        Raises:
            ValueError: it is something else.
        """
        try:
            return cls(
                order=Order.from_plain(plain["order"]),
                nodes=tuple(str(name) for name in plain["nodes"]),
                abs_conn_threshold=int(plain["abs_conn_threshold"]),
                rel_conn_threshold=float(plain["rel_conn_threshold"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from None


class Rebalancing:
    """This node's part of it, from :meth:`open` to :meth:`close`."""

    def __init__(
        self,
        nodes: Nodes,
        lists: Lists,
        stats: Callable[[], Mapping[str, int]],
        offer: Callable[[str, int], None],
        data_dir: Path,
    ) -> None:
        """``offer`` has another node take so many sessions of clients that are away."""
        self._nodes = nodes
        self._file = OrderFile(data_dir)
        self._moving = Moving(lists, stats, Elsewhere(nodes.others, offer), self._is_there)
        self._changing = asyncio.Lock()
        self._coordinating: asyncio.Task[None] | None = None
        self._balance: tuple[Balance, Order] | None = None
        nodes.answer(STATUS, self.own_status)
        nodes.serve(EVACUATE, self._serve_evacuate)
        nodes.answer(EVACUATION_STOP, self._stop_evacuation)
        nodes.serve(START, self._serve_start)
        nodes.answer(STOP, self._stop_rebalance)
        nodes.serve(SHED, self._serve_shed)
        nodes.answer(SHED_STOP, self._stop_shedding)

    async def open(self) -> None:
        """Go on with an evacuation that a restart came into."""
        try:
            order = await asyncio.to_thread(self._file.read)
        except (ValueError, OSError) as error:
            _log.error("what was to be evacuated is not known any more: %s", error)
            return
        if order is not None:
            await self._moving.start(replace(order, wait_health_check_s=0.0))

    async def close(self) -> None:
        """End what is under way; an evacuation that is to go on does so at the next start."""
        await self._end_coordinating()
        await self._moving.close()

    @property
    def state(self) -> str | None:
        """What load balancers have to know: none while clients are welcome."""
        return self._moving.state

    def metrics(self) -> dict[str, int]:
        return {"client.moved": self._moving.moved}

    async def next_status(self, seen: int, within_s: float) -> dict[str, Any]:
        """How this node stands, once that is not what it was after ``seen`` steps any more, or after that
        time; with the number of steps.
        """
        steps = await self._moving.progress.beyond(seen, within_s)
        return {"steps": steps, "moving": (await self.own_status())["moving"]}

    def _is_there(self, name: str) -> bool:
        return name == self._nodes.name or name in self._nodes.others()

    # -- evacuation ------------------------------------------------------------------------

    async def evacuate(self, name: str, order: Order) -> None:
        """Begin to empty that node.

        Raises:
            NotFoundError: there is no node of that name.
            BadRequestError: it is sending clients elsewhere already.
            UnavailableError: it does not run.
        """
        if self._nodes.known(name) == self._nodes.name:
            await self._evacuate(order)
        else:
            await self._nodes.ask(name, EVACUATE, order.to_plain())

    async def stop_evacuation(self, name: str) -> None:
        """Have that node take clients again.

        Raises:
            RookeryError: as of :meth:`evacuate`; none is under way.
        """
        await self._nodes.of_node(name, EVACUATION_STOP, self._stop_evacuation)

    async def _evacuate(self, order: Order) -> None:
        async with self._changing:
            self._refuse_busy()
            if order.resume:
                await asyncio.to_thread(self._file.keep, order)
            await self._moving.start(order)

    async def _serve_evacuate(self, body: Any) -> None:
        await self._evacuate(_parsed(Order.from_plain, body))

    async def _stop_evacuation(self) -> None:
        async with self._changing:
            self._refuse_idle("evacuation")
            await asyncio.to_thread(self._file.forget)
            await self._moving.stop()

    def _refuse_busy(self) -> None:
        order = self._moving.order
        if order is not None or self._balance is not None:
            process = "rebalance" if order is None else order.process
            raise refusal(BadRequestError, "under-way", node=self._nodes.name, process=process)

    def _refuse_idle(self, process: str) -> None:
        order = self._moving.order
        if order is None or order.process != process:
            raise refusal(BadRequestError, "not-under-way", node=self._nodes.name, process=process)

    # -- rebalancing -----------------------------------------------------------------------

    async def start(self, name: str, wanted: Wanted) -> None:
        """Have that node coordinate a rebalancing.

        Raises:
            NotFoundError: there is no node of one of these names.
            BadRequestError: something is under way on one of them, or they have alike.
            UnavailableError: one does not run, or does not answer.
        """
        for other in wanted.nodes:
            self._nodes.known(other)
        if self._nodes.known(name) == self._nodes.name:
            await self._start(wanted)
        else:
            await self._nodes.ask(name, START, wanted.to_plain())

    async def stop(self, name: str) -> None:
        """End the rebalancing that this node coordinates.

        Raises:
            RookeryError: as of :meth:`start`; none is under way.
        """
        await self._nodes.of_node(name, STOP, self._stop_rebalance)

    async def _serve_start(self, body: Any) -> None:
        await self._start(_parsed(Wanted.from_plain, body))

    async def _start(self, wanted: Wanted) -> None:
        async with self._changing:
            self._refuse_busy()
            names = wanted.nodes or (self._nodes.name, *self._nodes.others())
            if len(set(names)) < 2:
                raise refusal(BadRequestError, "too-few", running=", ".join(names))
            balance = Balance.of(await self._counts(names))
            if not balance.needs(wanted.abs_conn_threshold, wanted.rel_conn_threshold):
                raise refusal(
                    BadRequestError,
                    "balanced",
                    donors=f"{balance.donor_average:g}",
                    recipients=f"{balance.recipient_average:g}",
                    absolute=wanted.abs_conn_threshold,
                    relative=f"{wanted.rel_conn_threshold:g}",
                )
            order = replace(
                wanted.order,
                process="rebalance",
                goal=balance.goal,
                coordinator=self._nodes.name,
                resume=False,
            )
            try:
                for donor in balance.donors:
                    await self._tell(donor, SHED, order.to_plain(), lambda: self._shed(order))
            except RookeryError:
                await self._release(balance)
                raise
            self._balance = balance, order
            watching = self._watch(balance, names)
            self._coordinating = asyncio.get_running_loop().create_task(watching)

    async def _counts(self, names: tuple[str, ...]) -> dict[str, int]:
        """Clients of each of them, none of which is busy."""
        counts = {}
        for name in names:
            try:
                found = await self._tell(name, STATUS, None, self.own_status)
            except RookeryError as error:
                raise refusal(UnavailableError, "no-answer", node=name, error=error) from None
            if (moving := found["moving"]) is not None:
                raise refusal(BadRequestError, "under-way", node=name, process=moving["process"])
            counts[name] = int(found["connected"])
        return counts

    async def _tell(
        self, name: str, operation: str, body: Any, own: Callable[[], Awaitable[Any]]
    ) -> Any:
        if name == self._nodes.name:
            return await own()
        return await self._nodes.ask(name, operation, body)

    async def _serve_shed(self, body: Any) -> None:
        order = _parsed(Order.from_plain, body)
        async with self._changing:
            self._refuse_busy()
            await self._shed(order)

    async def _shed(self, order: Order) -> None:
        await self._moving.start(order)

    async def _stop_shedding(self) -> None:
        order = self._moving.order
        if order is not None and order.process == "rebalance":
            await self._moving.stop()

    async def _watch(self, balance: Balance, names: tuple[str, ...]) -> None:
        """Until every donor is done; that one of them is not heard ends all of it."""
        why = "done"
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                found = [await self._tell(name, STATUS, None, self.own_status) for name in names]
            except RookeryError as error:
                why = f"given up, a node is not heard: {error}"
                break
            if not any(_is_shedding(status) for status in found):
                break
        await self._release(balance)
        self._balance, self._coordinating = None, None
        _log.warning("rebalance: %s", why)

    async def _release(self, balance: Balance) -> None:
        for donor in balance.donors:
            with contextlib.suppress(RookeryError):
                await self._tell(donor, SHED_STOP, None, self._stop_shedding)

    async def _stop_rebalance(self) -> None:
        async with self._changing:
            if self._balance is None:
                raise refusal(
                    BadRequestError, "not-under-way", node=self._nodes.name, process="rebalance"
                )
            await self._end_coordinating()

    async def _end_coordinating(self) -> None:
        task, self._coordinating = self._coordinating, None
        await ended("a rebalance", task)
        balance, self._balance = self._balance, None
        if balance is not None:
            await self._release(balance[0])

    # -- what others see -------------------------------------------------------------------

    async def own_status(self) -> dict[str, Any]:
        """What is under way here, and how many clients there are."""
        count = await asyncio.to_thread(self._moving.count)
        return {
            "node": self._nodes.name,
            "connected": count.connected,
            "moving": self._moving.status(count),
            "coordinating": self._coordination(),
        }

    def _coordination(self) -> dict[str, Any] | None:
        if self._balance is None:
            return None
        balance, order = self._balance
        return {
            "state": self._moving.state or "evicting_conns",
            "coordinator_node": self._nodes.name,
            "donors": list(balance.donors),
            "recipients": list(balance.recipients),
            "donor_conn_avg": round(balance.donor_average),
            "connection_eviction_rate": order.conn_evict_rate,
            "connection_goal": order.goal,
        }

    async def all_status(self) -> list[dict[str, Any]]:
        """The same of every node that answers."""
        found = await self._nodes.of_all(STATUS, self.own_status)
        return list(found.values())


def _is_shedding(status: Mapping[str, Any]) -> bool:
    moving = status["moving"]
    return moving is not None and moving["process"] == "rebalance"


def _parsed(parse: Callable[[Any], Any], body: Any) -> Any:
    try:
        return parse(body)
    except ValueError as error:
        raise refusal(BadRequestError, "bad-order", error=error) from None
