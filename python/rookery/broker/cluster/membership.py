"""Who belongs to the cluster and who of them runs, as this node knows it; and telling the others.

Every node says once a second that it runs, and with which list of members; who hears another list
puts both together and keeps the result. Nobody votes: see :mod:`~rookery.broker.cluster.members`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rookery.broker.cluster.bus import Body, Bus
from rookery.broker.cluster.calls import Calls
from rookery.broker.cluster.liveness import HEARTBEAT_S, Liveness, Pulse, SecondCopy
from rookery.broker.cluster.members import Member, Members
from rookery.broker.cluster.store import ClusterStore, Identity
from rookery.ending import ended
from rookery.errors import RookeryError

PULSE = "pulse"
SYNC = "members.sync"
SETTLE_S = 3.0
TELL_WAIT_S = 2.0

_log = logging.getLogger("rookery.cluster")

Changed = Callable[[], Awaitable[None]]
Doubled = Callable[[], Awaitable[None]]


class Membership:
    """The list, kept on disk, and the pulses of others."""

    def __init__(
        self,
        store: ClusterStore,
        identity: Identity,
        bus: Bus,
        calls: Calls,
        *,
        name: str,
        address: str,
        version: str,
        started_at_ms: int,
        now_ms: Callable[[], int],
        changed: Changed,
        running_changed: Callable[[], None],
        doubled: Doubled,
        is_witness: bool = False,
    ) -> None:
        self.name = name
        self.is_witness = is_witness
        self.address = address
        self.identity = identity
        self.lane = ""
        # How far the node has followed what all have alike, and whether that is all of it.
        self.followed: Callable[[], tuple[int, bool]] = lambda: (0, False)
        # Who else keeps the sessions of this node. May take a moment.
        self.partner: Callable[[], SecondCopy | None] = lambda: None
        self.liveness = Liveness()
        self._store = store
        self._bus = bus
        self._calls = calls
        self.version = version
        self._started_at_ms = started_at_ms
        self.now_ms = now_ms
        self._changed = changed
        self._running_changed = running_changed
        self._doubled = doubled
        self._syncing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard: dict[str, list[asyncio.Future[Pulse]]] = {}
        self._beating: asyncio.Task[None] | None = None
        self.members = self._remembered()
        bus.on(PULSE, self._hear)
        calls.on(SYNC, self._serve_sync)

    def _remembered(self) -> Members:
        """As the store has it; this node is on it in any case, with the address it has now."""
        members = self._store.members()
        mine = members.get(self.name)
        if mine is None or mine.node_id != self.identity.node_id:
            members = Members().with_member(
                self.name, self.identity.node_id, self.address, self.now_ms()
            )
        elif mine.address != self.address:
            members = members.with_member(self.name, mine.node_id, self.address, self.now_ms())
        self._store.keep(members)
        return members

    # -- what others see -------------------------------------------------------------------

    @property
    def others(self) -> list[Member]:
        """The other members."""
        return [member for member in self.members.present() if member.name != self.name]

    @property
    def is_alone(self) -> bool:
        return not self.others

    def lost(self) -> list[str]:
        """Members that died: silent without having said that they stop. Nobody, while more than half of
        them are silent: then it may be this node that is cut off; of two nodes the other one.
        """
        others = self.others
        silent = [
            member.name
            for member in others
            if not self.is_running(member.name)
            and (last := self.liveness.last(member.name)) is not None
            and not last.is_stopping
        ]
        return silent if len(others) == 1 or self.is_majority else []

    @property
    def is_majority(self) -> bool:
        """Whether more than half of the members run, as this node hears: the others cannot be that."""
        others = self.others
        running = 1 + sum(self.is_running(member.name) for member in others)
        return 2 * running > 1 + len(others)

    def running_others(self) -> list[Pulse]:
        """What the others that run said last."""
        found = (self.liveness.running(member.name) for member in self.others)
        return [pulse for pulse in found if pulse is not None]

    def is_running(self, name: str) -> bool:
        return name == self.name or self.liveness.running(name) is not None

    # -- changes ---------------------------------------------------------------------------

    async def take(self, members: Members) -> None:
        """Have that list from now on, if this node is on it; else be alone."""
        mine = members.get(self.name)
        if mine is None or mine.node_id != self.identity.node_id:
            _log.error(
                "this node was taken out of the cluster; `rookery ctl cluster join` brings it back"
            )
            await self.be_alone()
            return
        if members == self.members:
            return
        self._tell_changes(members)
        self.members = members
        self._store.keep(members)
        self.liveness.forget({member.name for member in members.present()})
        self._running_changed()
        # First, so that others see that this node has the list before its NATS may restart.
        await self.pulse()
        await self._bus.flush(1.0)
        await self._changed()

    def _tell_changes(self, members: Members) -> None:
        before = {member.name for member in self.members.present()}
        after = {member.name for member in members.present()}
        for name in sorted(after - before):
            _log.info("node %s is a member of the cluster", name)
        for name in sorted(before - after):
            _log.warning("node %s is no member of the cluster any more", name)

    async def be_alone(self) -> None:
        """Leave everybody, as a node that was never a member."""
        self.identity = self._store.renew(self.identity)
        self.members = Members().with_member(
            self.name, self.identity.node_id, self.address, self.now_ms()
        )
        self._store.keep(self.members)
        self.liveness.forget(set())
        self._running_changed()
        await self._changed()

    def accept(self, members: Members, name: str) -> None:
        """Have that list, which ``name`` asked for and takes next."""
        self._tell_changes(members)
        self.members = members
        self._store.keep(members)
        self._start(self._settle(name))

    async def _settle(self, name: str) -> None:
        """The server of this node may start again: not before the answer has arrived."""
        await self.agreed(name, SETTLE_S)
        self._running_changed()
        await self._changed()

    async def spread(self, members: Members) -> set[str]:
        """Give that list to every other node that runs; who has it."""
        names = [pulse.name for pulse in self.running_others()]
        plain = {"members": members.to_plain()}
        answers = await self._calls.ask_all(names, SYNC, plain)
        return {name for name, answer in answers.items() if not isinstance(answer, RookeryError)}

    # -- pulses ----------------------------------------------------------------------------

    def open(self) -> None:
        """Begin to say that this node runs, and to notice who does not."""
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def close(self) -> None:
        """Say that this node stops. May be called twice."""
        tasks, self._tasks = [*self._tasks], set()
        if self._beating is not None:
            tasks.append(self._beating)
            self._beating = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TELL_WAIT_S):
                    await self.pulse(is_stopping=True)
                    await self._bus.flush(1.0)
        await ended("the membership", *tasks)

    async def pulse(self, *, is_stopping: bool = False) -> None:
        """Say that this node runs."""
        revision, in_step = self.followed()
        partner = None
        if not self.is_alone and not is_stopping:
            partner = await asyncio.to_thread(self.partner)
        pulse = Pulse(
            name=self.name,
            node_id=self.identity.node_id,
            incarnation=self.identity.incarnation,
            digest=self.members.digest,
            lane=self.lane,
            version=self.version,
            started_at_ms=self._started_at_ms,
            members=len(self.members),
            is_stopping=is_stopping,
            revision=revision,
            in_step=in_step,
            is_witness=self.is_witness,
            partner=partner,
        )
        await self._bus.tell(PULSE, dataclasses.asdict(pulse))

    async def heard(self, name: str, within_s: float) -> Pulse:
        """The next pulse of a node that need not be a member.

        Raises:
            TimeoutError: there was none.
        """
        future: asyncio.Future[Pulse] = asyncio.get_running_loop().create_future()
        waiting = self._heard.setdefault(name, [])
        waiting.append(future)
        try:
            return await asyncio.wait_for(future, within_s)
        finally:
            waiting.remove(future)
            if not waiting:
                self._heard.pop(name, None)

    async def agreed(self, name: str, within_s: float) -> None:
        """Until that node has the same list, or the time is over."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + within_s
        with contextlib.suppress(TimeoutError):
            while (left := ends - loop.time()) > 0:
                if (await self.heard(name, left)).digest == self.members.digest:
                    return

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self.pulse()
            for name in self.liveness.check(loop.time()):
                _log.warning("node %s is not heard any more", name)
                self._running_changed()
            await asyncio.sleep(HEARTBEAT_S)

    async def _hear(self, body: Body) -> None:
        pulse = Pulse.from_plain(body)
        if pulse is None:
            return
        if pulse.name == self.name:
            await self._hear_own(pulse)
            return
        for future in self._heard.get(pulse.name, ()):
            if not future.done():
                future.set_result(pulse)
        member = self.members.get(pulse.name)
        if member is None or member.node_id != pulse.node_id:
            return
        before = self.liveness.running(pulse.name)
        self.liveness.hear(pulse, asyncio.get_running_loop().time())
        self._note_running(before, pulse)
        if pulse.digest != self.members.digest and not pulse.is_stopping:
            self._start(self._sync(pulse.name))

    async def _hear_own(self, pulse: Pulse) -> None:
        mine = self.identity
        if (pulse.node_id, pulse.incarnation) == (mine.node_id, mine.incarnation):
            return
        # Of two the one that came later gives way.
        if pulse.node_id == mine.node_id and pulse.incarnation < mine.incarnation:
            await self._doubled()

    def _note_running(self, before: Pulse | None, pulse: Pulse) -> None:
        after = self.liveness.running(pulse.name)
        if before is None and after is not None:
            _log.info("node %s runs", pulse.name)
        elif before is not None and after is None:
            _log.warning("node %s stopped", pulse.name)
        if _route(before) != _route(after):
            self._running_changed()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- the list --------------------------------------------------------------------------

    async def _sync(self, name: str) -> None:
        if name in self._syncing:
            return
        self._syncing.add(name)
        try:
            answer = await self._calls.ask(name, SYNC, self._plain())
            await self.take(self.members.merged(Members.from_plain(answer["members"])))
        except (RookeryError, ValueError, KeyError, TypeError) as error:
            # The next pulse tells whether it is still needed.
            _log.info("the list of members of %s: %s", name, error)
        finally:
            self._syncing.discard(name)

    async def _serve_sync(self, body: Any) -> Any:
        theirs = Members.from_plain(body.get("members"))
        mine = self.members
        # Who is alone belongs to nobody's list: it only learns that it was taken out.
        if self.is_alone or theirs.entry(self.name) is None:
            return {"members": mine.to_plain()}
        merged = mine.merged(theirs)
        if merged != mine:
            self._start(self.take(merged))
        return {"members": merged.to_plain()}

    def _plain(self) -> dict[str, Any]:
        return {"members": self.members.to_plain()}


def _route(pulse: Pulse | None) -> tuple[int, str] | None:
    return None if pulse is None else (pulse.incarnation, pulse.lane)
