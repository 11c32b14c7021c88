"""What agents do: register, learn where the relay is, report, leave; and what they hear.

An agent is known by a secret of 256 random bits, of which the hash is kept; it is the bearer of its
HTTP calls and its password at the relay.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.contracts.agent_edge import EDGE_PREFIX, ENROL_PREFIX
from rookery.contracts.agent_enrolment_v1 import Registration
from rookery.contracts.agent_v1 import (
    AGENT_ID,
    WILL_DELAY_S,
    Channel,
    CommandState,
    Desired,
    LogBatch,
    Message,
    Report,
    Reported,
)
from rookery.contracts.agent_v1 import Presence as PresenceMessage
from rookery.control.agents import store, texts
from rookery.control.agents.registration import (
    TokenState,
    hash_of,
    is_same,
    new_agent_secret,
    state_of,
)
from rookery.control.agents.removal import bury, forget_signs, make_vacant
from rookery.control.agents.store import AgentRow, RegistrationTokenRow, TombstoneRow
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access, Caller
from rookery.control.clusters.changes import Changes
from rookery.control.clusters.intake import Intake
from rookery.control.clusters.standing import Standing
from rookery.control.clusters.state import Presence
from rookery.control.clusters.store import ClusterRow
from rookery.control.errors import GoneError, InvalidError, TakenError, UnknownCallerError
from rookery.control.history.events import Kind
from rookery.control.history.notes import note, note_registration
from rookery.control.processes.signals import Signals
from rookery.control.relay.broker import Relay
from rookery.control.relay.door import Door
from rookery.control.relay.tunnel import Tunnel
from rookery.control.tenancy import store as tenancy_store
from rookery.errors import RookeryError
from rookery.storage.database import Database
from rookery.storage.ids import new_id

_log = logging.getLogger("rookery.control.agents")

RESOURCE = "agents"
UNREGISTERED = "UNREGISTERED"
WANTED, ARRIVED = "agents", "agents.arrived"
"""What processes tell each other: what is wanted of an agent changed; it connected here."""
GRACE_S = WILL_DELAY_S + 1
"""An agent that lost its connection has so long to come back before it counts as gone."""
DOWNLOADS_PER_MINUTE = 120
"""Of the agent, that are looked at for the check list of an entry."""
_AGENT_ID = re.compile(AGENT_ID)


@dataclass(frozen=True, slots=True)
class Known:
    """An agent whose secret was right."""

    id: str
    cluster_id: str


class CommandLink(Protocol):
    """Who is told what agents say about commands. Nothing of it waits."""

    def came(self, agent_id: str, capabilities: Collection[str]) -> None:
        """It is there."""
        ...

    def left(self, agent_id: str) -> None:
        """It is gone."""
        ...

    def heard(self, agent_id: str, said: CommandState) -> None:
        """How far a command is."""
        ...

    def told(self, agent_id: str) -> None:
        """It knows that it was let go."""
        ...


class AgentService:
    """Use cases of agents. Lives on the event loop of the relay."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        standing: Standing,
        changes: Changes,
        intake: Intake[Report],
        signals: Signals,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._standing = standing
        self._changes = changes
        self._intake = intake
        self._signals = signals
        self._downloads = (0, 0)
        self._relay: Relay | None = None
        self._tunnel: Tunnel | None = None
        self._commands: CommandLink | None = None
        self._door: Door | None = None
        self._wanted: dict[str, Desired] = {}
        self._told: set[str] = set()
        # Connected to another process by now: that its connection here ends says nothing of it.
        self._moved: set[str] = set()
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._doing: set[asyncio.Task[None]] = set()
        self._take_logs: Callable[[str, LogBatch], None] = _nobody

    def use(self, relay: Relay, tunnel: Tunnel, door: Door) -> None:
        """Say through what agents are reached; before the relay starts."""
        self._relay, self._tunnel, self._door = relay, tunnel, door
        self._signals.on(WANTED, self._look_again)
        self._signals.on(ARRIVED, self._is_elsewhere)
        self._signals.on_gap(lambda: self._do(self._look_at_all()))

    def use_commands(self, commands: CommandLink) -> None:
        """Say who is told about commands; before the relay starts."""
        self._commands = commands

    def hears_logs(self, take: Callable[[str, LogBatch], None]) -> None:
        """Say who takes logs; before the relay starts."""
        self._take_logs = take

    async def stop(self) -> None:
        """Finish what was begun; nothing is heard any more. May be called twice."""
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()
        await asyncio.gather(*self._doing, return_exceptions=True)

    # -- over HTTP -----------------------------------------------------------------------------

    async def register(self, asked: Registration, address: str) -> tuple[str, str]:
        """Take an agent in; its id and its secret, which are told this once.

        Raises:
            InvalidError: it is no agent of a cluster.
            UnknownCallerError: the token cannot be used.
            TakenError: the entry has an agent, or is being deleted.
        """
        if asked.kind != "cluster":
            raise InvalidError(texts.WRONG_KIND)
        secret = new_agent_secret()
        replaced = ""
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            token = await self._open_token(session, asked.registration_token, now_ms)
            row = await session.get(ClusterRow, token.cluster_id)
            assert row is not None  # a token goes with its entry
            if row.is_deleting:
                raise TakenError(texts.IS_DELETING, code="CONFLICT")
            before = await store.agent_of(session, row.id)
            if before is not None:
                if not token.replaces:
                    raise TakenError(texts.OCCUPIED, host=before.host_name or before.node_id)
                replaced = before.id
                await bury(session, before, "another agent took its place", now_ms)
                await session.flush()
            agent = _new_agent(asked, row.id, secret, address, now_ms)
            session.add(agent)
            token.used_at = now_ms
            forget_signs(row)
            row.registered_at = now_ms
            await note_registration(session, row.id, now_ms, agent.host_name or agent.node_id)
            await self._standing.settle(session, row)
            await self._record(session, row, agent, "register")
        self._changes.tell(row.project_id, row.id)
        if replaced:
            await self.tell_removed(replaced, "another agent took its place")
        return agent.id, secret

    async def known(self, bearer: str) -> Known:
        """Whose secret that is.

        Raises:
            UnknownCallerError: nobody's.
            GoneError: that of an agent that was removed.
        """
        async with self._database.read() as session:
            agent = await store.agent_by_secret(session, hash_of(bearer))
            if agent is not None:
                return Known(agent.id, agent.cluster_id)
            stone = await store.tombstone_by_secret(session, hash_of(bearer), self._clock.now_ms())
        if stone is None:
            raise UnknownCallerError(texts.BAD_BEARER, code="BAD_TOKEN")
        if self._commands is not None:
            self._commands.told(stone.agent_id)
        raise GoneError(texts.REMOVED, code=UNREGISTERED, reason=stone.reason)

    def report(self, agent: Known, report: Report) -> None:
        """Take a report of an agent that has no connection to the relay."""
        self._intake.report(agent.id, report, through_relay=False)

    async def unregister(self, agent: Known) -> None:
        """An agent leaves of its own accord, or confirms that it was removed."""
        async with self._database.write() as session:
            row = await session.get(ClusterRow, agent.cluster_id)
            found = await session.get(AgentRow, agent.id)
            if row is None or found is None:
                return
            await self._record(session, row, found, "unregister")
            await self._let_go(session, row, found)
        self._intake.forget([agent.id])
        self._changes.tell(row.project_id, row.id)
        await self._drop(agent.id)
        self._signals.tell(WANTED, agent.id)

    async def downloaded(self, cluster_id: str) -> None:
        """The agent was downloaded with the commands of an entry.

        Whoever reaches the port can say so of any entry: it is written once for a token that can be
        used, and looked up :data:`DOWNLOADS_PER_MINUTE` times at most.
        """
        if not self._may_look_up():
            return
        async with self._database.read() as session:
            if await self._awaits_download(session, cluster_id) is None:
                return
        async with self._database.write() as session:
            row = await session.get(ClusterRow, cluster_id)
            token = await self._awaits_download(session, cluster_id)
            if row is None or token is None:
                return
            token.downloaded_at = self._clock.now_ms()
            project_id = row.project_id
        self._changes.tell(project_id, cluster_id)

    def _may_look_up(self) -> bool:
        minute = int(self._clock.monotonic_s() // 60)
        if minute != self._downloads[0]:
            self._downloads = (minute, 0)
        self._downloads = (minute, self._downloads[1] + 1)
        return self._downloads[1] <= DOWNLOADS_PER_MINUTE

    async def _awaits_download(
        self, session: AsyncSession, cluster_id: str
    ) -> RegistrationTokenRow | None:
        """The newest token of an entry, if it can be used and nobody downloaded with it yet."""
        token = await store.newest_token(session, cluster_id)
        if token is None or token.downloaded_at is not None:
            return None
        is_open = state_of(store.known_of(token), self._clock.now_ms()) is TokenState.OPEN
        return token if is_open else None

    async def forget_long_gone(self) -> None:
        """An agent that was removed and did not come back is told nothing any more."""
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            await store.drop_old_tombstones(session, now_ms)

    # -- over the relay ------------------------------------------------------------------------

    async def may_connect(self, agent_id: str, secret: str) -> bool:
        """Whether it is that agent; also one that was removed, which is to learn it."""
        if _AGENT_ID.fullmatch(agent_id) is None:
            return False
        wanted, secret_hash = await self._looked_up(agent_id)
        if wanted is None or not is_same(secret, secret_hash):
            return False
        self._wanted[agent_id] = wanted
        return True

    def connected(self, agent_id: str) -> None:
        self._moved.discard(agent_id)
        timer = self._leaving.pop(agent_id, None)
        if timer is not None:
            timer.cancel()
        wanted = self._wanted.pop(agent_id, None)
        if wanted is not None:
            self._do(self._say(agent_id, wanted))
        self._signals.tell(ARRIVED, agent_id)

    def disconnected(self, agent_id: str) -> None:
        assert self._tunnel is not None
        assert self._door is not None
        self._tunnel.lost(agent_id)
        self._door.lost(agent_id)
        loop = asyncio.get_running_loop()
        # Agents say so themselves, by their Will; this is for one that left without.
        self._leaving[agent_id] = loop.call_later(GRACE_S, self._gone, agent_id)

    def _gone(self, agent_id: str) -> None:
        self._leaving.pop(agent_id, None)
        self._left(agent_id)
        self._moved.discard(agent_id)

    def _left(self, agent_id: str) -> None:
        if self._commands is not None:
            self._commands.left(agent_id)
        if agent_id in self._moved:
            return
        self._intake.presence(agent_id, Presence.OFFLINE)
        if agent_id in self._told:
            # Who was told that it is removed, and goes without a word, has understood.
            self._told.discard(agent_id)
            self._do(self._confirmed(agent_id, _REMOVAL_VERSION, has_said_so=False))

    def heard(self, agent_id: str, channel: Channel, message: Message) -> None:
        assert self._tunnel is not None
        assert self._door is not None
        if channel is Channel.REPLY:
            if not self._tunnel.handle(agent_id, message):
                self._door.handle(agent_id, message)
        elif isinstance(message, Report):
            self._intake.report(agent_id, message, through_relay=True)
        elif isinstance(message, PresenceMessage):
            if message.status == "online":
                self._intake.presence(
                    agent_id, Presence.ONLINE, message.agent_version, message.capabilities
                )
                if self._commands is not None:
                    self._commands.came(agent_id, message.capabilities)
            else:
                self._left(agent_id)
        elif isinstance(message, CommandState):
            if self._commands is not None:
                self._commands.heard(agent_id, message)
        elif isinstance(message, LogBatch):
            self._take_logs(agent_id, message)
        elif isinstance(message, Reported):
            self._do(self._confirmed(agent_id, message.version))

    # -- inside --------------------------------------------------------------------------------

    async def tell_removed(self, agent_id: str, reason: str) -> None:
        """It was removed from its cluster, or will be once it says that it knows."""
        self._intake.forget([agent_id])
        try:
            await self._say(agent_id, Desired(_REMOVAL_VERSION, unregister=reason[:500]))
        except RookeryError as error:
            # What was decided holds: it is told when it connects, or asks anything.
            _log.warning("agent %s could not be told that it was removed: %s", agent_id, error)
        self._signals.tell(WANTED, agent_id)

    def tell_wanted(self, agent_id: str) -> None:
        """What is wanted of an agent changed in the database: it is told, wherever it is."""
        self._look_again(agent_id)
        self._signals.tell(WANTED, agent_id)

    def _look_again(self, agent_id: str) -> None:
        if self._is_connected(agent_id):
            self._do(self._tell_again(agent_id))

    def _is_elsewhere(self, agent_id: str) -> None:
        """It connected to another process: a connection that seems to stand here is an old one."""
        if self._relay is not None and self._relay.is_connected(agent_id):
            self._moved.add(agent_id)
            self._do(self._relay.drop(agent_id))

    async def _tell_again(self, agent_id: str) -> None:
        """Say what is wanted of an agent now; one that nobody knows any more is let go."""
        wanted, _ = await self._looked_up(agent_id)
        if wanted is None:
            self._intake.forget([agent_id])
            await self._drop(agent_id)
            return
        if wanted.unregister:
            self._intake.forget([agent_id])
        await self._say(agent_id, wanted)

    async def _look_at_all(self) -> None:
        assert self._relay is not None
        for agent_id in self._relay.connected_ids:
            if agent_id.startswith((EDGE_PREFIX, ENROL_PREFIX)):
                continue
            if self._is_connected(agent_id):
                await self._tell_again(agent_id)

    async def _looked_up(self, agent_id: str) -> tuple[Desired | None, str]:
        """What is wanted of an agent, and the hash of its secret; none when it is unknown."""
        async with self._database.read() as session:
            agent = await session.get(AgentRow, agent_id)
            stone = None if agent else await session.get(TombstoneRow, agent_id)
            interval_ms = 0
            if agent is not None:
                row = await session.get(ClusterRow, agent.cluster_id)
                interval_ms = row.report_interval_ms if row is not None else 0
        known = agent or stone
        if known is None:
            return None, ""
        return _desired(agent, stone, interval_ms), known.secret_hash

    async def _confirmed(self, agent_id: str, version: int, *, has_said_so: bool = True) -> None:
        """An agent has put what was wanted into force; a removed one is gone with that."""
        if version < _REMOVAL_VERSION:
            return
        changed: tuple[str, str] | None = None
        async with self._database.write() as session:
            stone = await session.get(TombstoneRow, agent_id)
            if stone is not None and has_said_so:
                await session.delete(stone)
            agent = await session.get(AgentRow, agent_id)
            if agent is not None and agent.unregister_reason:
                row = await session.get(ClusterRow, agent.cluster_id)
                assert row is not None
                changed = (row.project_id, row.id)
                if not has_said_so:
                    await bury(session, agent, agent.unregister_reason, self._clock.now_ms())
                await self._let_go(session, row, agent)
        if changed is not None:
            self._changes.tell(*changed)
        if self._commands is not None:
            self._commands.told(agent_id)
        if has_said_so:
            self._told.discard(agent_id)
            await self._drop(agent_id)

    async def _let_go(self, session: AsyncSession, row: ClusterRow, agent: AgentRow) -> None:
        await session.delete(agent)
        if row.is_deleting:
            await session.flush()
            await session.delete(row)
            return
        make_vacant(row)
        reason = agent.unregister_reason or "by its own command"
        note(session, row.id, self._clock.now_ms(), Kind.UNREGISTERED, {"reason": reason})
        await self._standing.settle(session, row)

    async def _drop(self, agent_id: str) -> None:
        """End what is left of an agent at the relay."""
        if self._relay is None:
            return
        await self._relay.drop(agent_id)
        await self._relay.send(agent_id, Channel.DESIRED, None, retain=True)

    async def _say(self, agent_id: str, wanted: Desired) -> None:
        if self._relay is not None:
            if wanted.unregister and self._relay.is_connected(agent_id):
                self._told.add(agent_id)
            # Kept for it until it subscribes; an agent that is away is told when it connects.
            await self._relay.send(agent_id, Channel.DESIRED, wanted, retain=True)

    def _is_connected(self, agent_id: str) -> bool:
        return self._relay is not None and self._relay.is_connected(agent_id)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._doing.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._doing.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, RookeryError):
            _log.warning("an agent could not be served: %s", error)
        else:
            _log.error("an agent could not be served", exc_info=error)

    async def _open_token(
        self, session: AsyncSession, token: str, now_ms: int
    ) -> RegistrationTokenRow:
        row = await session.get(RegistrationTokenRow, hash_of(token))
        state = state_of(None if row is None else store.known_of(row), now_ms)
        if row is None or state is not TokenState.OPEN:
            raise UnknownCallerError(texts.BAD_TOKEN[state], code="BAD_TOKEN")
        return row

    async def _record(
        self, session: AsyncSession, row: ClusterRow, agent: AgentRow, operation: str
    ) -> None:
        org = await tenancy_store.organization(session, row.org_id)
        project = await tenancy_store.project(session, row.org_id, row.project_id)
        caller = Caller(
            id=agent.id,
            name=f"agent on {agent.host_name or agent.node_id}",
            via="agent",
            address=agent.address,
        )
        self._audit.record(
            session,
            Access(
                caller=caller,
                org_id=row.org_id,
                org_name="" if org is None else org.name,
                project_id=row.project_id,
                project_name="" if project is None else project.name,
            ),
            RESOURCE,
            operation,
            object_id=row.id,
            object_name=row.name,
            after={"agentId": agent.id, "nodeId": agent.node_id, "version": agent.version},
        )


def _nobody(_agent_id: str, _batch: LogBatch) -> None:
    """An agent that nobody answers sends its logs again."""


# Above every version of what is wanted of an agent that stays.
_REMOVAL_VERSION = 1 << 40


def _desired(agent: AgentRow | None, stone: TombstoneRow | None, interval_ms: int) -> Desired:
    reason = stone.reason if stone is not None else agent.unregister_reason if agent else ""
    if reason:
        return Desired(_REMOVAL_VERSION, unregister=reason[:500])
    version = agent.desired_version if agent is not None else 0
    return Desired(version, report_interval_s=max(1, round(interval_ms / 1000)))


def _new_agent(
    asked: Registration, cluster_id: str, secret: str, address: str, now_ms: int
) -> AgentRow:
    return AgentRow(
        id=new_id(),
        cluster_id=cluster_id,
        secret_hash=hash_of(secret),
        node_id=asked.node_id,
        host_name=asked.host_name,
        version=asked.agent_version,
        address=address[:64],
        registered_at=now_ms,
        desired_version=1,
        unregister_reason="",
        capabilities=[],
    )
