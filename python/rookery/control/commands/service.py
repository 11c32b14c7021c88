"""What is done with commands: made as part of something, looked at, taken back, answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.contracts.agent_v1 import COMMAND_MS_MAX, CommandState
from rookery.control.agents import store as agent_store
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters import store as cluster_store
from rookery.control.clusters.changes import Changes
from rookery.control.clusters.service import IS_DELETING, NO_AGENT, NO_SUCH_CLUSTER, RESOURCE
from rookery.control.clusters.store import ClusterRow
from rookery.control.commands import store, texts
from rookery.control.commands.kinds import OF_QUOTA, UNREGISTER, is_object_id, subject_of
from rookery.control.commands.state import (
    KNOWN,
    RETRY,
    UNDER_WAY,
    State,
    heard,
    may_cancel,
    wait_ms,
)
from rookery.control.commands.store import CommandRow
from rookery.control.errors import InvalidError, MissingError, TakenError, TooManyError
from rookery.control.rest.lists import Window, page
from rookery.storage.database import Database
from rookery.storage.ids import new_id

OPEN_MAX = 100
"""Of one cluster."""
KEPT_MAX = 1000
"""Of one cluster, of those that have ended."""
KEPT_MS = 90 * 86_400_000
TTL_S = 24 * 3600
TTL_S_MIN = 10
TTL_S_MAX = COMMAND_MS_MAX // 1000
AT_ONCE = 200

Finished = Callable[[AsyncSession, CommandRow], Awaitable[None]]
"""Told in the unit of work in which a command ends."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done.

    Attributes:
        kind: One of the list.
        object_id: At what of the cluster; empty: at the cluster itself.
        arguments: With what; nothing secret, they are shown.
        ttl_s: How long it is worth doing.
    """

    kind: str
    object_id: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    ttl_s: int = TTL_S


class Commands:
    """Use cases. ``wake`` and ``is_connected`` come from who sends."""

    def __init__(
        self, database: Database, clock: Clock, audit: AuditTrail, changes: Changes
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._changes = changes
        self._finished: list[Finished] = []
        self._wake: Callable[[str], None] = lambda _agent_id: None
        self._is_connected: Callable[[str], bool] = lambda _agent_id: False

    def use(self, wake: Callable[[str], None], is_connected: Callable[[str], bool]) -> None:
        """Say who sends; before anything is made."""
        self._wake, self._is_connected = wake, is_connected

    def tells(self, finished: Finished) -> None:
        """Have something done when a command ends, in the same unit of work."""
        self._finished.append(finished)

    # -- people --------------------------------------------------------------------------------

    async def list(
        self, access: Access, cluster_id: str, window: Window, *, states: Sequence[str], kind: str
    ) -> tuple[list[CommandRow], int]:
        """A page of those of a cluster, and how many there are.

        Raises:
            MissingError: there is no such cluster in the project.
        """
        async with self._database.read() as session:
            await _cluster(session, access, cluster_id)
            query: Select[*tuple[Any, ...]] = select(CommandRow.id, CommandRow).where(
                CommandRow.cluster_id == cluster_id
            )
            if states:
                query = query.where(CommandRow.state.in_(states))
            if kind:
                query = query.where(CommandRow.kind == kind)
            columns = {"createdAt": CommandRow.created_at}
            rows, total = await page(session, query, window, "createdAt", columns)
        return [row for _, row in rows], total

    async def get(self, access: Access, cluster_id: str, command_id: str) -> CommandRow:
        """One.

        Raises:
            MissingError: it is not there.
        """
        async with self._database.read() as session:
            await _cluster(session, access, cluster_id)
            return await _command(session, cluster_id, command_id)

    async def ask(self, access: Access, cluster_id: str, order: Order) -> CommandRow:
        """Have something started or stopped.

        Raises:
            MissingError: there is no such cluster in the project.
            InvalidError: nothing is called so.
            TakenError: the cluster has no agent, or is being deleted.
            TooManyError: too many are open.
        """
        if not is_object_id(order.object_id):
            raise InvalidError(texts.BAD_OBJECT)
        async with self._database.write() as session:
            row = await _cluster(session, access, cluster_id)
            made = await self.issue(session, access, row, order)
            after = {"kind": made.kind, "object": order.object_id, "command": made.id}
            self._record(session, access, row, "command", after)
        self.made(row, made)
        return made

    async def cancel(self, access: Access, cluster_id: str, command_id: str) -> None:
        """Take one back.

        Raises:
            MissingError: it is not there.
            TakenError: it is over, or the agent has it in hand.
        """
        async with self._database.write() as session:
            cluster = await _cluster(session, access, cluster_id)
            row = await _command(session, cluster_id, command_id)
            state = store.state_of(row)
            if state not in UNDER_WAY and state is not State.QUEUED:
                raise TakenError(texts.IS_OVER, code="CONFLICT")
            if row.kind in OF_QUOTA:
                raise TakenError(texts.IS_QUOTA, code="CONFLICT")
            is_connected = self._is_connected(row.agent_id)
            # An agent that is to be removed is told by what is retained for it.
            if row.kind == UNREGISTER or not may_cancel(state, is_connected=is_connected):
                raise TakenError(texts.AT_THE_AGENT, code="CONFLICT")
            await self._end(session, row, State.CANCELLED, "CANCELLED", access.caller.name)
            after = {"kind": row.kind, "command": row.id}
            self._record(session, access, cluster, "cancelCommand", after)
        self._changes.tell(access.project, cluster_id)
        self._wake(row.agent_id)

    # -- parts of something else ---------------------------------------------------------------

    async def issue(
        self, session: AsyncSession, access: Access, row: ClusterRow, order: Order
    ) -> CommandRow:
        """Make one, as part of what else is done; call :meth:`made` when that is kept.

        One about the same that was not sent yet gives way to it.

        Raises:
            TakenError: the cluster has no agent, or is being deleted.
            TooManyError: too many are open.
        """
        agent = await agent_store.agent_of(session, row.id)
        if agent is None:
            raise TakenError(NO_AGENT, code="CONFLICT")
        if row.is_deleting:
            raise TakenError(IS_DELETING, code="CONFLICT")
        await self._database.alone(session, f"commands {row.id}")
        subject = subject_of(order.kind, order.object_id)
        waiting = await store.open_of(session, row.id)
        for older in waiting:
            if older.subject == subject and store.state_of(older) is State.QUEUED:
                await self._end(session, older, State.CANCELLED, "SUPERSEDED", "")
        if sum(store.state_of(one) in UNDER_WAY | {State.QUEUED} for one in waiting) >= OPEN_MAX:
            raise TooManyError(texts.TOO_MANY, most=OPEN_MAX)
        return await self._new(session, access, row, agent.id, order)

    async def removed(
        self, session: AsyncSession, access: Access, row: ClusterRow, agent_id: str
    ) -> None:
        """An agent is let go: it is told by what is retained for it, whenever it comes."""
        order = Order(UNREGISTER, ttl_s=TTL_S_MAX)
        made = await self._new(session, access, row, agent_id, order)
        for other in await store.open_of(session, row.id):
            if other.id != made.id and other.agent_id == agent_id:
                await self._end(session, other, State.CANCELLED, "AGENT_REMOVED", "")

    def made(self, cluster: ClusterRow, command: CommandRow) -> None:
        """It is kept: have it sent."""
        self._changes.tell(cluster.project_id, cluster.id)
        self._wake(command.agent_id)

    def moved(self, places: Sequence[tuple[str, str]]) -> None:
        """Commands of these clusters changed: whoever looks is told."""
        for place in places:
            self._changes.tell(*place)

    # -- agents --------------------------------------------------------------------------------

    async def take(self, agent_id: str, said: CommandState) -> bool:
        """Keep what an agent says about a command; whether its next one may be sent.

        Raises:
            UnavailableError: the database does not answer; it has to be taken again.
        """
        async with self._database.write() as session:
            row = await session.get(CommandRow, said.id)
            if row is None or row.agent_id != agent_id:
                return False
            after = heard(store.state_of(row), said.state)
            if after is None:
                return False
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            if after in KNOWN:
                row.fields = dict(said.fields)
                await self._end(session, row, after, said.code, said.text)
            else:
                _go_on(row, after, said, now_ms)
            places = await store.places_of(session, [row.cluster_id])
        self.moved(places)
        return after in KNOWN or said.state == RETRY

    async def told(self, agent_id: str) -> None:
        """An agent that was let go has said that it knows."""
        async with self._database.write() as session:
            rows = await store.open_removals(session, agent_id)
            for row in rows:
                await self._end(session, row, State.SUCCEEDED, "TOLD", "")
            places = await store.places_of(session, [row.cluster_id for row in rows])
        self.moved(places)

    # -- time ----------------------------------------------------------------------------------

    async def settle(self) -> None:
        """End those whose time is over or whose agent is gone; one process at a time does."""
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            is_any = await store.overdue(session, now_ms, most=1)
            is_any = is_any or await store.orphans(session, most=1)
        if not is_any:
            return
        async with self._database.write() as session:
            ended = []
            for row in await store.overdue(session, now_ms, most=AT_ONCE):
                code = "EXPIRED" if store.state_of(row) is State.QUEUED else "EXPIRED_UNDER_WAY"
                # Why it could not be done is worth more than that its time is over.
                await self._end(session, row, State.EXPIRED, code, row.text)
                ended.append(row.cluster_id)
            await session.flush()
            for row in await store.orphans(session, most=AT_ONCE):
                await self._end(session, row, State.CANCELLED, "AGENT_REMOVED", "")
                ended.append(row.cluster_id)
            places = await store.places_of(session, ended)
        self.moved(places)

    async def forget_old(self) -> None:
        """Drop those that ended long ago."""
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            await store.drop_old(session, now_ms - KEPT_MS)

    # -- inside --------------------------------------------------------------------------------

    async def _new(
        self, session: AsyncSession, access: Access, row: ClusterRow, agent_id: str, order: Order
    ) -> CommandRow:
        now_ms = await self._database.now_ms(session, self._clock.now_ms())
        await store.drop_beyond(session, row.id, KEPT_MAX)
        made = CommandRow(
            id=new_id(),
            cluster_id=row.id,
            agent_id=agent_id,
            kind=order.kind,
            subject=subject_of(order.kind, order.object_id),
            arguments={**({"id": order.object_id} if order.object_id else {}), **order.arguments},
            state=str(State.QUEUED),
            attempts=0,
            # Their order is that of these.
            created_at=max(now_ms, await store.last_at(session, row.id) + 1),
            created_by=access.caller.name[: store.NAME_LENGTH_MAX],
            expires_at=now_ms + order.ttl_s * 1000,
            not_before=now_ms,
            code="",
            text="",
            fields={},
        )
        session.add(made)
        await session.flush()
        return made

    async def _end(
        self, session: AsyncSession, row: CommandRow, state: State, code: str, text: str
    ) -> None:
        row.state = str(state)
        row.code = code[: store.CODE_LENGTH_MAX]
        row.text = text[: store.TEXT_LENGTH_MAX]
        row.finished_at = await self._database.now_ms(session, self._clock.now_ms())
        for finished in self._finished:
            await finished(session, row)

    def _record(
        self,
        session: AsyncSession,
        access: Access,
        row: ClusterRow,
        operation: str,
        after: Mapping[str, str],
    ) -> None:
        self._audit.record(
            session,
            access,
            RESOURCE,
            operation,
            object_id=row.id,
            object_name=row.name,
            after=after,
        )


def _go_on(row: CommandRow, after: State, said: CommandState, now_ms: int) -> None:
    row.state = str(after)
    if after is State.ACKNOWLEDGED:
        row.acknowledged_at = now_ms
    elif after is State.RUNNING:
        row.acknowledged_at = row.acknowledged_at or now_ms
        row.started_at = now_ms
    else:
        row.code, row.text = said.code[: store.CODE_LENGTH_MAX], said.text
        row.not_before = now_ms + wait_ms(row.attempts)


async def _cluster(session: AsyncSession, access: Access, cluster_id: str) -> ClusterRow:
    row = await cluster_store.cluster_of(session, access.project, cluster_id)
    if row is None:
        raise MissingError(NO_SUCH_CLUSTER)
    return row


async def _command(session: AsyncSession, cluster_id: str, command_id: str) -> CommandRow:
    row = await store.command_of(session, cluster_id, command_id)
    if row is None:
        raise MissingError(texts.NO_SUCH_COMMAND)
    return row
