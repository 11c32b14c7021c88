"""The limits of clusters: set by people, given at adoption, kept in force.

What all limits add up to is bounded by the pool, so whoever changes one does it alone. What is decided
reaches a cluster as a command.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters import store as cluster_store
from rookery.control.clusters.changes import Changes
from rookery.control.clusters.service import IS_DELETING, NO_AGENT, NO_SUCH_CLUSTER, RESOURCE
from rookery.control.clusters.store import ClusterRow
from rookery.control.commands.kinds import RELEASE_QUOTA, SET_QUOTA
from rookery.control.commands.service import TTL_S_MAX, Commands, Order
from rookery.control.commands.store import CommandRow
from rookery.control.errors import InvalidError, MissingError, TakenError
from rookery.control.quota import pool as pool_settings
from rookery.control.quota import store, texts
from rookery.control.quota.rules import Hold, Pool, is_short, proposal
from rookery.control.quota.store import QuotaRow
from rookery.control.settings import address
from rookery.storage.database import Database

LOCK = "quota"
SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of the limit of a cluster.

    Attributes:
        cluster: The cluster.
        quota: What is decided for it, if anything.
        pool: What all clusters share.
        used: What is given to the others.
    """

    cluster: ClusterRow
    quota: QuotaRow | None
    pool: Pool
    used: int

    @property
    def most(self) -> int:
        """The largest limit that it can have."""
        return self.pool.most(self.used)

    @property
    def proposed(self) -> int:
        """What suits it."""
        return proposal(self.cluster.connections, self.most)


class QuotaService:
    """Use cases of people."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        changes: Changes,
        commands: Commands,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._changes = changes
        self._commands = commands

    # -- the pool ------------------------------------------------------------------------------

    async def pool(self) -> tuple[Pool, int]:
        """The settings, and what is given out."""
        async with self._database.read() as session:
            return await pool_settings.read(session), await store.used(session)

    async def set_pool(self, access: Access, pool: Pool) -> None:
        """Change what all clusters share.

        Raises:
            InvalidError: clusters have more than that already.
        """
        if pool.total is not None and (pool.per_cluster or 0) > pool.total:
            raise InvalidError(texts.ONE_ABOVE_TOTAL)
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            used, held = await store.used(session), await store.largest(session)
            if pool.total is not None and pool.total < used:
                raise InvalidError(texts.TOTAL_BELOW_USED, used=used, total=pool.total)
            if pool.per_cluster is not None and pool.per_cluster < held:
                raise InvalidError(texts.ONE_BELOW_HELD, held=held, most=pool.per_cluster)
            before = pool_settings.to_json(await pool_settings.read(session))
            await pool_settings.write(session, pool, self._clock.now_ms())
            self._audit.record(
                session,
                access,
                SETTINGS,
                "update",
                object_id=pool_settings.SETTING,
                object_name=pool_settings.SETTING,
                before=before,
                after=pool_settings.to_json(pool),
            )

    # -- one cluster ---------------------------------------------------------------------------

    async def view(self, access: Access, cluster_id: str) -> View:
        """The limit of a cluster, and what it could be.

        Raises:
            MissingError: there is no such cluster in the project.
        """
        async with self._database.read() as session:
            row = await _cluster(session, access, cluster_id)
            return await _view(session, row)

    async def set(
        self, access: Access, cluster_id: str, limit: int | None, confirmation: str = ""
    ) -> View:
        """Give a cluster a limit; none: give back the one that it had by itself.

        Raises:
            MissingError: there is no such cluster in the project.
            InvalidError: it is more than there is, or less than is used and that was not confirmed.
            TakenError: the cluster has no agent, is being deleted, or does not permit it.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await _cluster(session, access, cluster_id)
            seen = await _view(session, row)
            _check_cluster(row)
            if limit is not None:
                _check_limit(seen, limit, confirmation)
            quota = seen.quota or await self.begun(session, row)
            before = {"limit": quota.limit, "state": quota.state}
            quota.changed_by = access.caller.name[:254]
            quota.changed_at = self._clock.now_ms()
            command = await self.tell(session, access, row, quota, limit)
            self._audit.record(
                session,
                access,
                RESOURCE,
                "setQuota",
                object_id=row.id,
                object_name=row.name,
                before=before,
                after={"limit": quota.limit, "state": quota.state},
            )
            whole = await _view(session, row)
        if command is not None:
            self._commands.made(row, command)
        self._changes.tell(row.project_id, row.id)
        return whole

    # -- parts of it, for who keeps limits in force --------------------------------------------

    async def begun(self, session: AsyncSession, row: ClusterRow) -> QuotaRow:
        """The row of a cluster for which nothing was decided yet."""
        quota = await session.get(QuotaRow, row.id)
        if quota is None:
            quota = QuotaRow(cluster_id=row.id)
            session.add(quota)
        quota.vacancies = row.vacancies
        quota.limit, quota.command_id = None, None
        quota.state = str(Hold.UNMANAGED)
        quota.code = quota.text = quota.changed_by = ""
        quota.asserted_at = 0
        quota.changed_at = self._clock.now_ms()
        return quota

    async def tell(
        self,
        session: AsyncSession,
        access: Access,
        row: ClusterRow,
        quota: QuotaRow,
        limit: int | None,
    ) -> CommandRow | None:
        """Decide on a limit and have the cluster told.

        Raises:
            TakenError, TooManyError: no command can be made.
        """
        # Also where it could not be given back before.
        is_held = quota.limit is not None or bool(quota.code)
        quota.limit, quota.code, quota.text = limit, "", ""
        if limit is None:
            quota.state = str(Hold.UNMANAGED)
            if not is_held:
                return None
            order = Order(RELEASE_QUOTA, ttl_s=TTL_S_MAX)
        else:
            quota.state = str(Hold.APPLYING)
            pool = await pool_settings.read(session)
            arguments = {
                "limit": str(limit),
                "manager_name": pool.name,
                "manager_url": (await address.read(session))[:1024],
            }
            order = Order(SET_QUOTA, arguments=arguments, ttl_s=TTL_S_MAX)
        command = await self._commands.issue(session, access, row, order)
        quota.command_id = command.id
        return command


def _check_cluster(row: ClusterRow) -> None:
    if row.is_deleting:
        raise TakenError(IS_DELETING, code="CONFLICT")
    if row.registered_at is None:
        raise TakenError(NO_AGENT, code="CONFLICT")
    if row.is_limit_settable is None:
        raise TakenError(texts.NOT_YET, code="CONFLICT")
    if not row.is_limit_settable:
        raise TakenError(texts.NOT_PERMITTED, code="NOT_AVAILABLE")


def _check_limit(seen: View, limit: int, confirmation: str) -> None:
    pool, left = seen.pool, seen.pool.left(seen.used)
    if pool.per_cluster is not None and limit > pool.per_cluster:
        raise InvalidError(texts.BEYOND_ONE, most=pool.per_cluster, limit=limit)
    if left is not None and limit > left:
        raise InvalidError(
            texts.BEYOND_TOTAL, total=pool.total, used=seen.used, left=left, limit=limit
        )
    row = seen.cluster
    if is_short(limit, row.connections) and confirmation != row.name:
        raise InvalidError(texts.BELOW_CURRENT, connections=row.connections, limit=limit)


async def _cluster(session: AsyncSession, access: Access, cluster_id: str) -> ClusterRow:
    row = await cluster_store.cluster_of(session, access.project, cluster_id)
    if row is None:
        raise MissingError(NO_SUCH_CLUSTER)
    return row


async def _view(session: AsyncSession, row: ClusterRow) -> View:
    return View(
        row,
        await store.quota_of(session, row),
        await pool_settings.read(session),
        await store.used(session, but=row.id),
    )
