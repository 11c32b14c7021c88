"""What edge services say and are told over the relay."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.contracts.agent_edge import (
    EDGE_PREFIX,
    EdgeLeaving,
    EdgeReport,
    EdgeStanding,
    Enrol,
)
from rookery.contracts.agent_v1 import Channel, LogBatch, Message, Presence, Reported
from rookery.control.agents.registration import hash_of, is_same
from rookery.control.clusters.intake import Intake
from rookery.control.clusters.state import Presence as Seen
from rookery.control.edges import store
from rookery.control.edges.enrolment import ENROLLING_S, Enrolment
from rookery.control.edges.state import AgentState
from rookery.control.edges.store import EdgeAgentRow
from rookery.control.processes.signals import Signals
from rookery.control.relay.broker import Relay
from rookery.control.relay.door import Door
from rookery.control.relay.tunnel import Tunnel
from rookery.control.tenancy import store as tenancy
from rookery.errors import RookeryError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control.edges")

WANTED, ARRIVED, READY = "edges", "edges.arrived", "edges.ready"
"""What processes tell each other: what an edge service is changed; it connected here; it can be asked here."""
GRACE_S = 5.0
"""One that lost its connection has so long to come back before it counts as gone."""
TOLD_S = 10.0
"""One that was turned away has so long to go by itself."""
REMOVED_KEPT_MS = 90 * 86_400_000


_AWAY = frozenset({str(AgentState.REJECTED), str(AgentState.REMOVED)})


class EdgeLink:
    """Lives on the event loop of the relay."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        intake: Intake[EdgeReport],
        enrolment: Enrolment,
        signals: Signals,
        *,
        report_interval_s: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._intake = intake
        self._enrolment = enrolment
        self._signals = signals
        self._interval_s = max(1, round(report_interval_s))
        self._take_logs: Callable[[str, LogBatch], None] = _nobody
        self._relay: Relay
        self._tunnel: Tunnel
        self._door: Door
        self._enrolling: dict[str, asyncio.TimerHandle] = {}
        self._addresses: dict[str, str] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._seen_off: dict[str, asyncio.TimerHandle] = {}
        # Connected to another process by now: that its connection here ends says nothing of it.
        self._moved: set[str] = set()
        self._doing: set[asyncio.Task[None]] = set()
        self._ready: list[Callable[[str], None]] = []

    def tells_ready(self, listener: Callable[[str], None]) -> None:
        """Call it with each edge service that came back and can be asked, wherever it is connected."""
        self._ready.append(listener)
        self._signals.on(READY, listener)

    def use(self, relay: Relay, tunnel: Tunnel, door: Door) -> None:
        """Say through what they are reached; before the relay starts."""
        self._relay, self._tunnel, self._door = relay, tunnel, door
        self._signals.on(WANTED, self._look_again)
        self._signals.on(ARRIVED, self._is_elsewhere)
        self._signals.on_gap(self._look_at_all)

    def hears_logs(self, take: Callable[[str, LogBatch], None]) -> None:
        """Give it what edge services send of their logs."""
        self._take_logs = take

    async def stop(self) -> None:
        """Finish what was begun. May be called twice."""
        timers = (self._leaving, self._enrolling, self._seen_off)
        for timer in (each for some in timers for each in some.values()):
            timer.cancel()
        self._leaving.clear()
        self._seen_off.clear()
        self._enrolling.clear()
        await asyncio.gather(*self._doing, return_exceptions=True)

    # -- who has no name yet -------------------------------------------------------------------

    async def may_enrol(self, client_id: str, username: str, password: bytes, address: str) -> int:
        """0, or the reason code that refuses."""
        code = await self._enrolment.may_enrol(username, password, len(self._enrolling))
        if code == 0:
            self._addresses[client_id] = address
            loop = asyncio.get_running_loop()
            self._enrolling[client_id] = loop.call_later(ENROLLING_S, self._too_long, client_id)
        return code

    def enrolling_ended(self, client_id: str) -> None:
        """Its connection is gone."""
        timer = self._enrolling.pop(client_id, None)
        if timer is not None:
            timer.cancel()
        self._addresses.pop(client_id, None)

    @property
    def enrolling_count(self) -> int:
        """Connections that wait for a name."""
        return len(self._enrolling)

    def asked(self, client_id: str, message: Message) -> None:
        """Somebody asks for a name: once on each connection."""
        address = self._addresses.pop(client_id, None)
        if isinstance(message, Enrol) and address is not None:
            self._do(self._enrol(client_id, message, address))

    async def _enrol(self, client_id: str, asked: Enrol, address: str) -> None:
        answer = await self._enrolment.enrol(asked, address)
        await self._relay.send(client_id, Channel.ENROLLED, answer, expires_s=60)

    def _too_long(self, client_id: str) -> None:
        self.enrolling_ended(client_id)
        self._do(self._relay.drop(client_id))

    # -- who has one ---------------------------------------------------------------------------

    async def may_connect(self, agent_id: str, secret: str) -> bool:
        """Whether it is that edge service; also one that was removed, which is to learn it."""
        async with self._database.read() as session:
            row = await session.get(EdgeAgentRow, agent_id)
        return row is not None and is_same(secret, row.secret_hash)

    def connected(self, agent_id: str) -> None:
        """Its connection stands."""
        self._moved.discard(agent_id)
        timer = self._leaving.pop(agent_id, None)
        if timer is not None:
            timer.cancel()
        self._intake.presence(agent_id, Seen.ONLINE)
        self._do(self._tell(agent_id))
        self._signals.tell(ARRIVED, agent_id)

    def disconnected(self, agent_id: str) -> None:
        """Its connection is lost; it may come back any moment."""
        self._tunnel.lost(agent_id)
        self._door.lost(agent_id)
        loop = asyncio.get_running_loop()
        self._leaving[agent_id] = loop.call_later(GRACE_S, self._gone, agent_id)
        # What was decided by the time it comes back may be something else.
        self._do(self._relay.send(agent_id, Channel.DESIRED, None, retain=True))

    def _gone(self, agent_id: str) -> None:
        self._leaving.pop(agent_id, None)
        if agent_id not in self._moved:
            self._intake.presence(agent_id, Seen.OFFLINE)
        self._moved.discard(agent_id)

    def heard(self, agent_id: str, channel: Channel, message: Message) -> None:
        """It said something."""
        if channel is Channel.REPLY:
            if not self._tunnel.handle(agent_id, message):
                self._door.handle(agent_id, message)
        elif isinstance(message, EdgeReport):
            self._intake.report(agent_id, message, through_relay=True)
        elif isinstance(message, LogBatch):
            self._take_logs(agent_id, message)
        elif isinstance(message, Presence):
            if message.status == "online":
                self._intake.presence(agent_id, Seen.ONLINE, message.agent_version)
                # It says so when it has subscribed: what is sent to it from now on arrives.
                for listener in self._ready:
                    listener(agent_id)
                self._signals.tell(READY, agent_id)
        elif isinstance(message, EdgeLeaving):
            self._do(self._left(agent_id, forgets=message.forgets))
        elif isinstance(message, Reported):
            self._do(self._confirmed(agent_id, message.version))

    def tell(self, agent_id: str) -> None:
        """What was decided about it changed in the database: it is told, wherever it is."""
        self._look_again(agent_id)
        self._signals.tell(WANTED, agent_id)

    async def forget_removed(self) -> None:
        """Those that were removed long ago and did not come back."""
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            await session.execute(
                delete(EdgeAgentRow).where(
                    EdgeAgentRow.state == str(AgentState.REMOVED),
                    EdgeAgentRow.removed_at < now_ms - REMOVED_KEPT_MS,
                )
            )

    # -- inside --------------------------------------------------------------------------------

    def _look_again(self, agent_id: str) -> None:
        if self._relay.is_connected(agent_id):
            self._do(self._tell(agent_id))

    def _look_at_all(self) -> None:
        for agent_id in self._relay.connected_ids:
            if agent_id.startswith(EDGE_PREFIX):
                self._look_again(agent_id)

    def _is_elsewhere(self, agent_id: str) -> None:
        """It connected to another process: a connection that seems to stand here is an old one."""
        if self._relay.is_connected(agent_id):
            self._moved.add(agent_id)
            self._do(self._relay.drop(agent_id))

    async def _tell(self, agent_id: str) -> None:
        async with self._database.read() as session:
            row = await session.get(EdgeAgentRow, agent_id)
            standing = None if row is None else await self._standing(session, row)
        if standing is None:
            await self._drop(agent_id)
            return
        # Kept for it until it subscribes, which comes after its connection.
        await self._relay.send(agent_id, Channel.DESIRED, standing, retain=True)
        if standing.state in _AWAY:
            before = self._seen_off.pop(agent_id, None)
            if before is not None:
                before.cancel()
            loop = asyncio.get_running_loop()
            self._seen_off[agent_id] = loop.call_later(TOLD_S, self._begin_seeing_off, agent_id)

    def _begin_seeing_off(self, agent_id: str) -> None:
        self._seen_off.pop(agent_id, None)
        self._do(self._see_off(agent_id))

    async def _see_off(self, agent_id: str) -> None:
        """End the connection of one that was turned away and stays."""
        async with self._database.read() as session:
            row = await session.get(EdgeAgentRow, agent_id)
        if row is not None and row.state in _AWAY:
            await self._relay.drop(agent_id)

    async def _standing(self, session: AsyncSession, row: EdgeAgentRow) -> EdgeStanding:
        names: dict[str, str] = {}
        service = await store.service_of_agent(session, row.id)
        if service is not None:
            org = await tenancy.organization(session, service.org_id)
            project = await tenancy.project(session, service.org_id, service.project_id)
            names = {
                "service": service.name,
                "organization": "" if org is None else org.name,
                "project": "" if project is None else project.name,
            }
        return EdgeStanding(
            row.desired_version,
            row.state,
            reason=row.reason,
            report_interval_s=self._interval_s,
            **names,
        )

    async def _confirmed(self, agent_id: str, version: int) -> None:
        """It knows; one that was removed is gone with that, one that was rejected goes by itself."""
        async with self._database.write() as session:
            row = await session.get(EdgeAgentRow, agent_id)
            if row is None or row.state != AgentState.REMOVED or version < row.desired_version:
                return
            await session.delete(row)
        self._intake.forget([agent_id])
        await self._drop(agent_id)

    async def _left(self, agent_id: str, *, forgets: bool) -> None:
        """It goes of its own accord. What a project adopted stays until somebody there lets it go."""
        async with self._database.write() as session:
            row = await session.scalar(select(EdgeAgentRow).where(EdgeAgentRow.id == agent_id))
            if row is None:
                return
            if row.state == AgentState.PENDING:
                await session.delete(row)
            else:
                row.left_at = self._clock.now_ms()
                row.presence, row.presence_at = "offline", row.left_at
                if forgets:
                    row.secret_hash = hash_of(secrets.token_urlsafe(32))
        self._intake.forget([agent_id])
        await self._drop(agent_id)

    async def _drop(self, agent_id: str) -> None:
        """End what is left of it at the relay."""
        await self._relay.drop(agent_id)
        await self._relay.send(agent_id, Channel.DESIRED, None, retain=True)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._doing.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._doing.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, RookeryError):
            _log.warning("an edge agent could not be served: %s", error)
        else:
            _log.error("an edge agent could not be served", exc_info=error)


def _nobody(_agent_id: str, _batch: LogBatch) -> None:
    """Before somebody wants them."""
