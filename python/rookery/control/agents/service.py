"""What agents do: register, learn where the relay is, report, leave; and what they hear.

An agent is known by a secret of 256 random bits, of which the hash is kept; it is the bearer of its
HTTP calls and its password at the relay.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.contracts.agent_enrolment_v1 import Registration
from rookery.contracts.agent_v1 import (
    AGENT_ID,
    WILL_DELAY_S,
    Channel,
    Desired,
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
from rookery.control.relay.broker import Relay
from rookery.control.relay.tunnel import Tunnel
from rookery.errors import RookeryError
from rookery.storage.database import Database
from rookery.storage.ids import new_id

_log = logging.getLogger("rookery.control.agents")

RESOURCE = "agents"
UNREGISTERED = "UNREGISTERED"
GRACE_S = WILL_DELAY_S + 1
"""An agent that lost its connection has so long to come back before it counts as gone."""
_AGENT_ID = re.compile(AGENT_ID)


@dataclass(frozen=True, slots=True)
class Known:
    """An agent whose secret was right."""

    id: str
    cluster_id: str


class AgentService:
    """Use cases of agents. Lives on the event loop of the relay."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        standing: Standing,
        changes: Changes,
        intake: Intake,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._standing = standing
        self._changes = changes
        self._intake = intake
        self._relay: Relay | None = None
        self._tunnel: Tunnel | None = None
        self._wanted: dict[str, Desired] = {}
        self._told: set[str] = set()
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._doing: set[asyncio.Task[None]] = set()

    def use(self, relay: Relay, tunnel: Tunnel) -> None:
        """Say through what agents are reached; before the relay starts."""
        self._relay, self._tunnel = relay, tunnel

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
            await self._standing.settle(session, row)
            self._record(session, row, agent, "register")
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
            self._record(session, row, found, "unregister")
            await self._let_go(session, row, found)
        self._intake.forget([agent.id])
        self._changes.tell(row.project_id, row.id)
        await self._drop(agent.id)

    async def downloaded(self, cluster_id: str) -> None:
        """The agent was downloaded with the commands of an entry."""
        async with self._database.write() as session:
            row = await session.get(ClusterRow, cluster_id)
            token = await store.newest_token(session, cluster_id)
            if row is None or token is None or token.downloaded_at is not None:
                return
            now_ms = self._clock.now_ms()
            if state_of(store.known_of(token), now_ms) is not TokenState.OPEN:
                return
            token.downloaded_at = now_ms
            project_id = row.project_id
        self._changes.tell(project_id, cluster_id)

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
        async with self._database.read() as session:
            agent = await session.get(AgentRow, agent_id)
            stone = None if agent else await session.get(TombstoneRow, agent_id)
            interval_ms = 0
            if agent is not None:
                row = await session.get(ClusterRow, agent.cluster_id)
                interval_ms = row.report_interval_ms if row is not None else 0
        known = agent or stone
        if known is None or not is_same(secret, known.secret_hash):
            return False
        self._wanted[agent_id] = _desired(agent, stone, interval_ms)
        return True

    def connected(self, agent_id: str) -> None:
        timer = self._leaving.pop(agent_id, None)
        if timer is not None:
            timer.cancel()
        wanted = self._wanted.pop(agent_id, None)
        if wanted is not None:
            self._do(self._say(agent_id, wanted))

    def disconnected(self, agent_id: str) -> None:
        assert self._tunnel is not None
        self._tunnel.lost(agent_id)
        loop = asyncio.get_running_loop()
        # Agents say so themselves, by their Will; this is for one that left without.
        self._leaving[agent_id] = loop.call_later(GRACE_S, self._gone, agent_id)

    def _gone(self, agent_id: str) -> None:
        self._leaving.pop(agent_id, None)
        self._left(agent_id)

    def _left(self, agent_id: str) -> None:
        self._intake.presence(agent_id, Presence.OFFLINE)
        if agent_id in self._told:
            # Who was told that it is removed, and goes without a word, has understood.
            self._told.discard(agent_id)
            self._do(self._confirmed(agent_id, _REMOVAL_VERSION, has_said_so=False))

    def heard(self, agent_id: str, channel: Channel, message: Message) -> None:
        assert self._tunnel is not None
        if channel is Channel.REPLY:
            self._tunnel.handle(agent_id, message)
        elif isinstance(message, Report):
            self._intake.report(agent_id, message, through_relay=True)
        elif isinstance(message, PresenceMessage):
            if message.status == "online":
                self._intake.presence(agent_id, Presence.ONLINE, message.agent_version)
            else:
                self._left(agent_id)
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

    def _record(
        self, session: AsyncSession, row: ClusterRow, agent: AgentRow, operation: str
    ) -> None:
        caller = Caller(
            id=agent.id,
            name=f"agent on {agent.host_name or agent.node_id}",
            via="agent",
            address=agent.address,
        )
        self._audit.record(
            session,
            Access(caller=caller, org_id=row.org_id, project_id=row.project_id),
            RESOURCE,
            operation,
            object_id=row.id,
            object_name=row.name,
            after={"agentId": agent.id, "nodeId": agent.node_id, "version": agent.version},
        )


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
    )
