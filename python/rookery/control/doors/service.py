"""Gives clusters and edge services their ports, and people the right to come in.

**Bounds.** As many of them as there are ports in ``control.doors.ports``. When all are given away, one
that nobody entered for :data:`IDLE_MS` loses its own to the next one; then the project that has the most
loses the one used longest ago to a project that has fewer, so that none can take them all for itself.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.accounts import texts as account_texts
from rookery.control.accounts.store import SessionRow, User
from rookery.control.agents.store import agent_of
from rookery.control.caller import Access
from rookery.control.clusters.store import ClusterRow
from rookery.control.doors import store
from rookery.control.doors.jar import Jar
from rookery.control.doors.store import DoorPassRow, DoorPortRow, Target
from rookery.control.edges.passage import ADMINISTRATOR, VIEWER
from rookery.control.edges.store import EdgeServiceRow
from rookery.control.errors import DeniedError, OutOfReachError, TakenError, Text
from rookery.control.processes.signals import Signals
from rookery.control.tenancy.grants import Grants, grants_of
from rookery.control.tenancy.permissions import Level, Resource
from rookery.control.tenancy.store import memberships_of
from rookery.control.vault import Vault
from rookery.storage.database import Database
from rookery.storage.ids import new_id

OPENED = "doors"
"""What processes tell each other: a port was given to a cluster."""
CODE_MS = 30_000
STAY_MS = 12 * 3_600_000
IDLE_MS = 24 * 3_600_000
PASSES_MAX = 64
"""Of one session: the oldest gives way."""
_BYTES = 32

CLOSED = Text(
    "dashboards are not shown through control here (control.doors.ports)",
    "此控制面未开放经隧道访问 Dashboard（control.doors.ports）",
)
NO_PORT = Text(
    "all {count} ports for dashboards are in use; give control.doors.ports more",
    "供 Dashboard 使用的 {count} 个端口均已占用，请扩大 control.doors.ports",
)

Open = Callable[[int], bool]
"""Opens a port in this process; whether it stands open."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What lets somebody in once.

    Attributes:
        port: Where.
        code: What to show there.
    """

    port: int
    code: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who showed a code.

    Attributes:
        cookie: What to show from now on.
        forgets: Whether the browser is to forget what it keeps of the port.
        mark: What the browser remembers the port's cluster by.
    """

    cookie: str
    forgets: bool
    mark: str


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who may be there, at this moment.

    Attributes:
        agent_id: Through which agent.
        address: Where the cluster says that its dashboard is.
        credential: As what its agent asks; ``none``: the pages sign in by themselves.
        caller: The name of who is there.
        id: Of the pass.
        jar: The cookies of the pages.
    """

    agent_id: str
    address: str
    credential: str = "none"
    caller: str = ""
    id: str = ""
    jar: Jar = field(default_factory=Jar)


class Doors:
    """Use cases of the ports."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        signals: Signals,
        vault: Vault,
        range_of_ports: Collection[int],
    ) -> None:
        self._vault = vault
        self._database = database
        self._clock = clock
        self._signals = signals
        self._range = range_of_ports
        self._open: Open = lambda _port: False
        signals.on(OPENED, self._open_too)

    @property
    def are_there(self) -> bool:
        """Whether dashboards are shown through control at all."""
        return bool(self._range)

    def use(self, opens: Open) -> None:
        """Say how a port is opened; before the first."""
        self._open = opens

    async def open_all(self) -> None:
        """Open the ports that clusters have, as other processes do."""
        async with self._database.read() as session:
            for row in await store.ports(session):
                if row.port in self._range:
                    self._open(row.port)

    async def let_in(self, access: Access, target: Target) -> Pass:
        """Give a cluster or an edge service a port, and the caller a code for it.

        Raises:
            DeniedError: it is no person who signed in.
            TakenError: there is no port.
        """
        if not self.are_there:
            raise TakenError(CLOSED, code="NOT_AVAILABLE")
        if not access.caller.session_id:
            raise DeniedError(account_texts.PEOPLE_ONLY)
        code = secrets.token_urlsafe(_BYTES)
        async with self._database.write() as session:
            await self._database.alone(session, "ports of doors")
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            await store.drop_old_passes(session, now_ms)
            await store.keep_newest_passes(session, access.caller.session_id, PASSES_MAX - 1)
            row, is_another = await self._port_for(session, target, now_ms)
            row.used_at = now_ms
            session.add(
                DoorPassRow(
                    id=new_id(),
                    **target.columns,
                    session_id=access.caller.session_id,
                    user_id=access.caller.id,
                    code_hash=_hash(code),
                    forgets=is_another,
                    created_at=now_ms,
                    until_at=now_ms + CODE_MS,
                )
            )
            port = row.port
        self._signals.tell(OPENED, str(port))
        return Pass(port, code)

    async def admit(self, port: int, code: str) -> Admitted | None:
        """Exchange a code for a cookie, once; none when it is not good here."""
        cookie = secrets.token_urlsafe(_BYTES)
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            found = await session.scalar(
                select(DoorPassRow)
                .join(DoorPortRow, _IS_ITS_PORT)
                .where(
                    DoorPassRow.code_hash == _hash(code),
                    DoorPassRow.until_at > now_ms,
                    DoorPortRow.port == port,
                )
                .with_for_update(of=DoorPassRow)
            )
            if found is None:
                return None
            found.code_hash, found.cookie_hash = None, _hash(cookie)
            found.until_at = now_ms + STAY_MS
            target = store.target_of(found.cluster_id, found.edge_id)
            return Admitted(cookie, found.forgets, _hash(f"door of {target.id}"))

    async def visit(self, port: int, cookie: str) -> Visit | None:
        """What a cookie is good for, now: not after its owner's session, or that one's rights."""
        async with self._database.read() as session:
            now_ms = self._clock.now_ms()
            found = (
                await session.execute(
                    select(DoorPassRow, User)
                    .join(DoorPortRow, _IS_ITS_PORT)
                    .join(SessionRow, SessionRow.id == DoorPassRow.session_id)
                    .join(User, User.id == SessionRow.user_id)
                    .where(
                        DoorPortRow.port == port,
                        DoorPassRow.cookie_hash == _hash(cookie),
                        DoorPassRow.until_at > now_ms,
                        SessionRow.refresh_until_at > now_ms,
                        User.is_enabled.is_(True),
                    )
                )
            ).first()
            if found is None:
                return None
            passed, user = found
            grants = grants_of(await memberships_of(session, user.id), is_admin=user.is_admin)
            if passed.edge_id is not None:
                visit = await _edge_visit(session, passed.edge_id, grants, user.email)
            else:
                visit = await _cluster_visit(session, passed.cluster_id or "", grants)
            return visit and replace(visit, id=passed.id, jar=self._jar_of(passed))

    def cookies(self, visit: Visit, path: str) -> str:
        """What a request of a visit says to the cluster; empty: nothing."""
        return visit.jar.header(path, self._clock.now_ms())

    async def keep(self, visit: Visit, said: Sequence[str], path: str) -> None:
        """Keep the cookies that an answer for a path set.

        Raises:
            OutOfReachError: this process cannot keep secrets.
        """
        now_ms = self._clock.now_ms()
        if visit.jar.after(said, path, now_ms) == visit.jar:
            return
        async with self._database.write() as session:
            found = await session.get(DoorPassRow, visit.id, with_for_update=True)
            if found is not None:
                # Answers to other requests of the same page may have set some meanwhile.
                jar = self._jar_of(found).after(said, path, now_ms)
                found.jar = self._vault.seal(jar.to_text(), _purpose(found.id))

    # -- inside --------------------------------------------------------------------------------

    def _jar_of(self, row: DoorPassRow) -> Jar:
        if row.jar is None:
            return Jar()
        try:
            return Jar.from_text(self._vault.unseal(row.jar, _purpose(row.id)))
        except OutOfReachError:
            # Its key is lost: the pages ask to sign in again.
            return Jar()

    def _open_too(self, port: str) -> None:
        if port.isdigit() and int(port) in self._range:
            self._open(int(port))

    async def _port_for(
        self, session: AsyncSession, target: Target, now_ms: int
    ) -> tuple[DoorPortRow, bool]:
        """The port of a target, and whether another one had it before."""
        own = await store.port_of(session, target)
        if own is not None and own.port in self._range and self._open(own.port):
            return own, False
        if own is not None:
            await session.delete(own)
            await session.flush()
        given = await store.ports(session)
        taken = {row.port for row in given}
        for port in self._range:
            if port not in taken and self._open(port):
                made = DoorPortRow(port=port, **target.columns, used_at=now_ms)
                session.add(made)
                return made, False
        for row in given:
            is_idle = row.used_at <= now_ms - IDLE_MS
            if is_idle and row.port in self._range and self._open(row.port):
                return await self._handed_on(session, row, target), True
        spare = await self._unfair(session, target)
        if spare is not None:
            return await self._handed_on(session, spare, target), True
        raise TakenError(NO_PORT, code="EXCEED_LIMIT", count=len(self._range))

    async def _handed_on(
        self, session: AsyncSession, row: DoorPortRow, target: Target
    ) -> DoorPortRow:
        await store.drop_passes(session, row.target)
        row.cluster_id, row.edge_id = target.columns["cluster_id"], target.columns["edge_id"]
        return row

    async def _unfair(self, session: AsyncSession, target: Target) -> DoorPortRow | None:
        """One of a project that would still have at least as many as that of the target."""
        holders = await store.projects_of_ports(session)
        counts = Counter(holders.values())
        wanting = await store.project_of(session, target)
        for row in await store.ports(session):
            holder = holders.get(row.port, "")
            is_most = counts[holder] == max(counts.values())
            has_more = is_most and counts[holder] > counts[str(wanting)] + 1
            if has_more and row.port in self._range and self._open(row.port):
                return row
        return None


_IS_ITS_PORT = or_(
    and_(DoorPassRow.cluster_id == DoorPortRow.cluster_id, DoorPassRow.edge_id.is_(None)),
    DoorPassRow.edge_id == DoorPortRow.edge_id,
)


async def _cluster_visit(session: AsyncSession, cluster_id: str, grants: Grants) -> Visit | None:
    row = await session.get(ClusterRow, cluster_id)
    agent = await agent_of(session, cluster_id)
    if row is None or agent is None:
        return None
    standing = grants.in_project(row.org_id, row.project_id)
    if not grants.allows(standing, Resource.CLUSTERS, Level.VIEW):
        return None
    return Visit(agent.id, row.address)


async def _edge_visit(
    session: AsyncSession, edge_id: str, grants: Grants, name: str
) -> Visit | None:
    row = await session.get(EdgeServiceRow, edge_id)
    if row is None or row.agent_id is None:
        return None
    standing = grants.in_project(row.org_id, row.project_id)
    if not grants.allows(standing, Resource.EDGE_SERVICES, Level.VIEW):
        return None
    may_edit = grants.allows(standing, Resource.EDGE_SERVICES, Level.EDIT)
    return Visit(row.agent_id, "", ADMINISTRATOR if may_edit else VIEWER, name)


def _purpose(pass_id: str) -> str:
    return f"cookies of visit {pass_id}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
