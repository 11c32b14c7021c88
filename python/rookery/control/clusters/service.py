"""What people do with clusters: entries, their tokens, moving and removing them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.agents import store as agent_store
from rookery.control.agents.registration import (
    TOKEN_TTL_S,
    TOKEN_TTL_S_MAX,
    TOKEN_TTL_S_MIN,
    RegistrationToken,
    hash_of,
    new_registration_token,
)
from rookery.control.agents.removal import bury, make_vacant
from rookery.control.agents.store import AgentRow, RegistrationTokenRow
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters import listing, store
from rookery.control.clusters.changes import Changes
from rookery.control.clusters.models import Cluster, Entry, Wanted
from rookery.control.clusters.standing import Standing
from rookery.control.clusters.state import Presence, State
from rookery.control.clusters.store import ClusterRow
from rookery.control.errors import DeniedError, InvalidError, MissingError, TakenError, Text
from rookery.control.history.events import Kind
from rookery.control.history.notes import note
from rookery.control.tenancy import store as tenancy_store
from rookery.control.tenancy.permissions import Level, Resource
from rookery.storage.database import Database
from rookery.storage.ids import new_id

RESOURCE = "clusters"
ENTRIES_MAX = 10_000
"""Of one project."""

NO_SUCH_CLUSTER = Text("there is no such cluster in this project", "该项目中没有此集群")
NAME_TAKEN = Text(
    "another cluster of the project is called {name}", "该项目中已有名为 {name} 的集群"
)
TOO_MANY_ENTRIES = Text("a project has at most {most} clusters", "一个项目最多 {most} 个集群")
WRONG_NAME = Text("type the name of the cluster to delete it", "请输入集群名称以确认删除")
NOT_REACHABLE = Text(
    "its agent is not connected and cannot be told; delete it by force, the agent learns it when it comes back",
    "代理未连接，无法通知；可强制删除，代理恢复连接后会得知",
)
NO_AGENT = Text("no agent is registered for it", "尚未注册代理")
OCCUPIED = Text(
    "an agent is registered for it already; to register another one in its place, re-register",
    "该条目已注册代理；如需更换代理，请使用“重新注册”",
)
IS_DELETING = Text("it is being deleted", "正在删除")
BAD_TTL = Text(
    "a registration token lives {least} to {most} seconds", "注册令牌有效期为 {least} 至 {most} 秒"
)
NO_SUCH_PROJECT = Text("there is no such project", "项目不存在")
NO_RIGHTS_THERE = Text("you may not edit clusters of that project", "您无权编辑目标项目的集群")


class AgentLink(Protocol):
    """How agents are told things. Nothing of it fails when one is away."""

    async def tell_removed(self, agent_id: str, reason: str) -> None:
        """It was removed from its cluster: it is to forget its credential."""
        ...


Removed = Callable[[AsyncSession, Access, ClusterRow, str], Awaitable[None]]
"""Told, in the same unit of work, that an agent is let go of."""


class ClusterService:
    """Use cases of people."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        standing: Standing,
        changes: Changes,
        link: AgentLink,
        *,
        report_interval_s: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._standing = standing
        self._changes = changes
        self._link = link
        self._report_interval_ms = round(report_interval_s * 1000)
        self._removed: list[Removed] = []

    def tells_removed(self, removed: Removed) -> None:
        """Have something done when an agent is let go of, in the same unit of work."""
        self._removed.append(removed)

    # -- looking -------------------------------------------------------------------------------

    async def list(self, access: Access, wanted: Wanted) -> tuple[Sequence[Cluster], int]:
        """A page, and how many there are on all pages."""
        async with self._database.read() as session:
            return await listing.list_clusters(
                session, access.project, wanted, self._clock.now_ms()
            )

    async def some(self, access: Access, cluster_ids: Sequence[str]) -> Sequence[Cluster]:
        """Those of these that are in the project."""
        async with self._database.read() as session:
            return await listing.some_clusters(
                session, access.project, cluster_ids, self._clock.now_ms()
            )

    async def filters(self, access: Access) -> tuple[Sequence[str], Sequence[str]]:
        """Versions and labels that clusters of the project have."""
        async with self._database.read() as session:
            return (
                await listing.versions_of(session, access.project),
                await listing.known_labels(session, access.project),
            )

    async def get(self, access: Access, cluster_id: str) -> Cluster:
        """One cluster.

        Raises:
            MissingError: there is none in this project.
        """
        async with self._database.read() as session:
            return await self._whole(session, await _row(session, access, cluster_id))

    # -- entries -------------------------------------------------------------------------------

    async def create(self, access: Access, entry: Entry) -> Cluster:
        """Make an entry; nothing is adopted by that.

        Raises:
            InvalidError: something of the entry may not be so.
            TakenError: the name is taken, or there are too many.
        """
        entry = entry.checked()
        async with self._changing(access) as session:
            if await store.count_clusters(session, access.project) >= ENTRIES_MAX:
                raise TakenError(TOO_MANY_ENTRIES, code="EXCEED_LIMIT", most=ENTRIES_MAX)
            await _refuse_taken(session, access.project, entry.name)
            row = self._new(access, entry)
            session.add(row)
            await session.flush()
            await store.put_labels(session, row.id, entry.labels)
            self._record(session, access, "create", row, after=_shown(row, entry.labels))
            whole = await self._whole(session, row)
        self._changes.tell(access.project, row.id)
        return whole

    async def update(self, access: Access, cluster_id: str, entry: Entry) -> Cluster:
        """Change what people say about it.

        Raises:
            MissingError, InvalidError, TakenError: as for the others.
        """
        entry = entry.checked()
        async with self._changing(access) as session:
            row = await _row(session, access, cluster_id)
            await _refuse_taken(session, access.project, entry.name, but=row.id)
            labels = (await store.labels_of(session, [row.id])).get(row.id, [])
            before = _shown(row, labels)
            row.name, row.address = entry.name, entry.address
            row.description = entry.description
            await store.put_labels(session, row.id, entry.labels)
            self._record(
                session, access, "update", row, before=before, after=_shown(row, entry.labels)
            )
            await session.flush()
            whole = await self._whole(session, row)
        self._changes.tell(access.project, cluster_id)
        return whole

    async def transfer(self, access: Access, cluster_id: str, org_id: str, project_id: str) -> None:
        """Move it to another project that the caller may edit clusters of.

        Raises:
            MissingError: the cluster or the project is not there for the caller.
            DeniedError: the caller only sees that project.
            TakenError: a cluster of that name is there.
        """
        grants = access.caller.grants
        standing = grants.in_project(org_id, project_id)
        if standing is None:
            raise MissingError(NO_SUCH_PROJECT)
        if not grants.allows(standing, Resource.CLUSTERS, Level.EDIT):
            raise DeniedError(NO_RIGHTS_THERE)
        async with self._changing(access) as session:
            row = await _row(session, access, cluster_id)
            target = await tenancy_store.project(session, org_id, project_id)
            if target is None:
                raise MissingError(NO_SUCH_PROJECT)
            if row.is_deleting:
                raise TakenError(IS_DELETING, code="CONFLICT")
            await _refuse_taken(session, project_id, row.name, but=row.id)
            before = {"orgId": row.org_id, "projectId": row.project_id}
            row.org_id, row.project_id = org_id, project_id
            after = {"orgId": org_id, "projectId": project_id, "projectName": target.name}
            self._record(session, access, "transfer", row, before=before, after=after)
        self._changes.tell(access.project, cluster_id)
        self._changes.tell(project_id, cluster_id)

    # -- tokens --------------------------------------------------------------------------------

    async def issue_token(
        self, access: Access, cluster_id: str, *, ttl_s: int = TOKEN_TTL_S, replaces: bool = False
    ) -> tuple[str, RegistrationToken]:
        """Make a token in the place of the one before.

        Args:
            access: Who asks.
            cluster_id: The entry.
            ttl_s: How long it can be used.
            replaces: Whether an agent that registers with it replaces the one that is there.

        Returns:
            The token, which is shown this once, and what is kept of it.

        Raises:
            MissingError: there is no such entry.
            InvalidError: nothing lives so long.
            TakenError: the entry is occupied and ``replaces`` was not said, or it is being deleted.
        """
        if not TOKEN_TTL_S_MIN <= ttl_s <= TOKEN_TTL_S_MAX:
            raise InvalidError(BAD_TTL, least=TOKEN_TTL_S_MIN, most=TOKEN_TTL_S_MAX)
        async with self._changing(access) as session:
            row = await _row(session, access, cluster_id)
            if row.is_deleting:
                raise TakenError(IS_DELETING, code="CONFLICT")
            if not replaces and await agent_store.agent_of(session, row.id) is not None:
                raise TakenError(OCCUPIED, code="CONFLICT")
            now_ms = self._clock.now_ms()
            before = await agent_store.token_of(session, row.id)
            if before is not None:
                now_ms = max(now_ms, before.created_at_ms + 1)  # it is the newest one by that
            await agent_store.revoke_tokens(session, row.id, now_ms)
            token = new_registration_token()
            kept = RegistrationTokenRow(
                hash=hash_of(token),
                cluster_id=row.id,
                created_at=now_ms,
                expires_at=now_ms + ttl_s * 1000,
                replaces=replaces,
            )
            session.add(kept)
            await session.flush()
            await agent_store.forget_old_tokens(session, row.id)
            after = {"expiresAt": kept.expires_at, "replaces": replaces}
            self._record(session, access, "issueToken", row, after=after)
            known = agent_store.known_of(kept)
        self._changes.tell(access.project, cluster_id)
        return token, known

    async def revoke_token(self, access: Access, cluster_id: str) -> None:
        """No agent can register with what was issued so far.

        Raises:
            MissingError: there is no such entry.
        """
        async with self._changing(access) as session:
            row = await _row(session, access, cluster_id)
            await agent_store.revoke_tokens(session, row.id, self._clock.now_ms())
            self._record(session, access, "revokeToken", row)
        self._changes.tell(access.project, cluster_id)

    # -- going ---------------------------------------------------------------------------------

    async def unregister(self, access: Access, cluster_id: str) -> None:
        """Let go of its agent; the entry stays. An agent that is away learns it when it is back.

        Raises:
            MissingError: there is no such entry.
            TakenError: it has no agent.
        """
        async with self._changing(access) as session:
            row = await _row(session, access, cluster_id)
            agent = await agent_store.agent_of(session, row.id)
            if agent is None:
                raise TakenError(NO_AGENT, code="CONFLICT")
            reason = f"unregistered by {access.caller.name}"
            await bury(session, agent, reason, self._clock.now_ms())
            make_vacant(row)
            note(session, row.id, self._clock.now_ms(), Kind.UNREGISTERED, {"reason": reason})
            await self._standing.settle(session, row)
            self._record(session, access, "unregister", row, before={"agentId": agent.id})
            for removed in self._removed:
                await removed(session, access, row, agent.id)
        self._changes.tell(access.project, cluster_id)
        await self._link.tell_removed(agent.id, reason)

    async def delete(
        self, access: Access, cluster_id: str, name: str, *, force: bool = False
    ) -> State:
        """Remove it: at once, or as soon as its agent has confirmed.

        Args:
            access: Who asks.
            cluster_id: The entry.
            name: Its name, typed by who deletes it.
            force: Do not wait for an agent that cannot be reached.

        Returns:
            ``deleting`` while the agent's word is awaited, ``created`` when it is gone.

        Raises:
            MissingError: there is no such entry.
            InvalidError: that is not its name.
            TakenError: its agent cannot be reached, and ``force`` was not said.
        """
        async with self._changing(access) as session:
            row = await _row(session, access, cluster_id)
            if name != row.name:
                raise InvalidError(WRONG_NAME)
            agent = await agent_store.agent_of(session, row.id)
            reason = f"deleted by {access.caller.name}"
            is_waiting = agent is not None and not force
            if is_waiting and row.presence != Presence.ONLINE:
                raise TakenError(NOT_REACHABLE, code="CONFLICT")
            after = {"force": force}
            self._record(session, access, "delete", row, before=_shown(row, ()), after=after)
            if is_waiting:
                await self._begin_deletion(session, row, agent, reason)
            else:
                if agent is not None:
                    await bury(session, agent, reason, self._clock.now_ms())
                await session.flush()
                await session.delete(row)
        self._changes.tell(access.project, cluster_id)
        if agent is not None:
            await self._link.tell_removed(agent.id, reason)
        return State.DELETING if is_waiting else State.CREATED

    async def _begin_deletion(
        self, session: AsyncSession, row: ClusterRow, agent: AgentRow | None, reason: str
    ) -> None:
        assert agent is not None
        row.is_deleting = True
        agent.unregister_reason = reason
        agent.desired_version += 1
        await agent_store.revoke_tokens(session, row.id, self._clock.now_ms())
        await self._standing.settle(session, row)

    # -- inside --------------------------------------------------------------------------------

    @asynccontextmanager
    async def _changing(self, access: Access) -> AsyncIterator[AsyncSession]:
        async with self._database.write() as session:
            # It may have been deleted since the caller's rights were looked at.
            if await tenancy_store.project(session, access.org, access.project) is None:
                raise MissingError(NO_SUCH_PROJECT)
            yield session

    async def _whole(self, session: AsyncSession, row: ClusterRow) -> Cluster:
        return (await listing.complete(session, [row], self._clock.now_ms()))[0]

    def _new(self, access: Access, entry: Entry) -> ClusterRow:
        return ClusterRow(
            id=new_id(),
            org_id=access.org,
            project_id=access.project,
            name=entry.name,
            address=entry.address,
            description=entry.description,
            created_at=self._clock.now_ms(),
            state=str(State.CREATED),
            conditions=[],
            is_deleting=False,
            vacancies=0,
            presence=str(Presence.UNKNOWN),
            report_interval_ms=self._report_interval_ms,
            errors={},
            clock_skew_ms=0,
            version="",
            edition="",
            nodes=[],
            nodes_running=0,
            nodes_total=0,
            rates={},
            integrations={},
            integrations_digest=0,
        )

    def _record(
        self,
        session: AsyncSession,
        access: Access,
        operation: str,
        row: ClusterRow,
        **told: dict[str, Any],
    ) -> None:
        self._audit.record(
            session,
            access,
            RESOURCE,
            operation,
            object_id=row.id,
            object_name=row.name,
            before=told.get("before"),
            after=told.get("after"),
        )


async def _row(session: AsyncSession, access: Access, cluster_id: str) -> ClusterRow:
    row = await store.cluster_of(session, access.project, cluster_id)
    if row is None:
        raise MissingError(NO_SUCH_CLUSTER)
    return row


async def _refuse_taken(
    session: AsyncSession, project_id: str, name: str, *, but: str = ""
) -> None:
    if await store.is_name_taken(session, project_id, name, but=but):
        raise TakenError(NAME_TAKEN, name=name)


def _shown(row: ClusterRow, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "name": row.name,
        "address": row.address,
        "description": row.description,
        "labels": list(labels),
    }
