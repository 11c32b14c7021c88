"""Keeps limits in force: gives them to clusters that are adopted, and sets them again."""

from __future__ import annotations

from itertools import islice
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access, Caller
from rookery.control.clusters.changes import Changes
from rookery.control.clusters.service import RESOURCE
from rookery.control.clusters.store import ClusterRow
from rookery.control.commands.kinds import SET_QUOTA
from rookery.control.commands.service import Commands
from rookery.control.commands.state import State
from rookery.control.commands.store import CommandRow
from rookery.control.quota import pool as pool_settings
from rookery.control.quota import store
from rookery.control.quota.rules import Held, Hold, Seen, Step, adopted, reported
from rookery.control.quota.service import LOCK, QuotaService
from rookery.control.quota.store import QuotaRow
from rookery.control.tenancy import store as tenancy_store
from rookery.storage.database import Database

AT_ONCE = 500
REFUSED = "NOT_PERMITTED"


class Keeping:
    """Looks at what agents report. One unit of work for all that is to be done."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        changes: Changes,
        commands: Commands,
        quota: QuotaService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._changes = changes
        self._commands = commands
        self._quota = quota

    async def look(self, cluster_ids: set[str]) -> None:
        """These clusters have reported.

        Raises:
            UnavailableError: the database does not answer; the next report says the same.
        """
        rest = iter(sorted(cluster_ids))
        for batch in iter(lambda: list(islice(rest, AT_ONCE)), []):
            async with self._database.read() as session:
                is_any = await store.to_look_at(session, batch)
            if is_any:
                await self._follow(batch)

    async def _follow(self, cluster_ids: list[str]) -> None:
        told: list[tuple[ClusterRow, CommandRow | None]] = []
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            for row, quota in await store.to_look_at(session, cluster_ids):
                step = await self._step(session, row, quota)
                if step is not None:
                    told.append((row, await self._take(session, row, quota, step)))
        for row, command in told:
            if command is not None:
                self._commands.made(row, command)
            self._changes.tell(row.project_id, row.id)

    async def _step(
        self, session: AsyncSession, row: ClusterRow, quota: QuotaRow | None
    ) -> Step | None:
        seen = Seen(row.connections, row.limit_setting, row.is_limit_settable, row.reported_at or 0)
        if quota is None or quota.state == Hold.NOT_PERMITTED:
            pool = await pool_settings.read(session)
            return adopted(seen, pool, await store.used(session, but=row.id))
        is_under_way = quota.command_id is not None
        held = Held(Hold(quota.state), quota.limit, quota.asserted_at, is_under_way)
        return reported(held, seen)

    async def _take(
        self, session: AsyncSession, row: ClusterRow, quota: QuotaRow | None, step: Step
    ) -> CommandRow | None:
        access = await _own_access(session, row)
        found = row.limit_setting
        if quota is None:
            quota = await self._quota.begun(session, row)
        if step.is_drift:
            before, after = {"limit": found}, {"limit": step.limit}
            self._record(session, access, row, "reassertQuota", before, after)
        if step.is_set:
            return await self._quota.tell(session, access, row, quota, step.limit)
        if quota.limit is not None and step.limit is None:
            self._record(
                session,
                access,
                row,
                "returnQuota",
                {"limit": quota.limit},
                {"limit": None, "state": str(step.hold)},
            )
        quota.state, quota.limit = str(step.hold), step.limit
        await session.flush()
        return None

    async def finished(self, session: AsyncSession, command: CommandRow) -> None:
        """A command ended: what it says about the limit of its cluster."""
        quota = await session.get(QuotaRow, command.cluster_id)
        if quota is None or quota.command_id != command.id:
            return
        state = State(command.state)
        quota.command_id = None
        quota.asserted_at = command.finished_at or self._clock.now_ms()
        if state is State.CANCELLED:
            return
        is_done = state is State.SUCCEEDED
        quota.code, quota.text = ("", "") if is_done else (command.code, command.text)
        if command.kind != SET_QUOTA:
            return
        if is_done:
            quota.state = str(Hold.IN_FORCE)
        elif command.code == REFUSED:
            quota.state, quota.limit = str(Hold.NOT_PERMITTED), None
        else:
            quota.state = str(Hold.FAILED)

    def _record(
        self,
        session: AsyncSession,
        access: Access,
        row: ClusterRow,
        operation: str,
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> None:
        self._audit.record(
            session,
            access,
            RESOURCE,
            operation,
            object_id=row.id,
            object_name=row.name,
            before=before,
            after=after,
        )


async def _own_access(session: AsyncSession, row: ClusterRow) -> Access:
    """The control plane itself, at the place of a cluster."""
    org = await tenancy_store.organization(session, row.org_id)
    project = await tenancy_store.project(session, row.org_id, row.project_id)
    return Access(
        caller=Caller(id="", name="control plane", via="machine"),
        org_id=row.org_id,
        org_name="" if org is None else org.name,
        project_id=row.project_id,
        project_name="" if project is None else project.name,
    )
