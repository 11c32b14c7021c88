"""Who may speak to which cluster through its agent."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from urllib.parse import unquote

from rookery.contracts.agent_v1 import VIEWER_KEY
from rookery.control.agents import store as agent_store
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters.service import NO_AGENT, NO_SUCH_CLUSTER, RESOURCE
from rookery.control.clusters.store import ClusterRow
from rookery.control.errors import (
    NOT_ALLOWED,
    DeniedError,
    MissingError,
    TakenError,
    Text,
)
from rookery.control.relay.answered import answered
from rookery.control.relay.tunnel import Answer, Call, Tunnel
from rookery.control.rest.passing_on import READING
from rookery.control.tenancy import store as tenancy_store
from rookery.control.tenancy.permissions import Level, Resource
from rookery.storage.database import Database

LOOKING = re.compile(r"/api/v5(/[^/]+)+/?")
"""Where who may only look can read. Pages and older interfaces are not asked with a key of the agent."""
SECRET = re.compile(r"/api/v5/(data/files/.|.*/export_users)", re.IGNORECASE)
"""Looking that shows every password hash. Everything else is for the cluster to refuse: it is asked
with a key that may only look, but some let that one download a backup."""
OLD_AGENT = Text(
    "the agent is too old to ask for somebody who may only look; update it",
    "代理版本过旧，无法以只读身份访问集群，请升级代理",
)


@dataclass(frozen=True, slots=True)
class Passage:
    """The way to one cluster, for a caller who may go it.

    Attributes:
        credential: Which of its keys the agent uses for that caller.
    """

    agent_id: str
    tunnel: Tunnel
    credential: str

    @contextlib.asynccontextmanager
    async def ask(
        self, call: Call, body: AsyncIterator[bytes] | None = None
    ) -> AsyncIterator[Answer]:
        """Ask the cluster; its answer can be read inside the block.

        Raises:
            OutOfReachError: the agent or the cluster cannot be reached.
            TunnelTimeoutError: the answer took too long.
        """
        call = replace(call, credential=self.credential)
        async with answered(self.tunnel, self.agent_id, call, body) as answer:
            yield answer


class Passages:
    """Opens them."""

    def __init__(self, database: Database, audit: AuditTrail, tunnel: Tunnel) -> None:
        self._database = database
        self._audit = audit
        self._tunnel = tunnel

    async def open(self, access: Access, cluster_id: str, method: str, target: str) -> Passage:
        """The way to a cluster; what changes something there is written into the audit.

        Raises:
            MissingError: there is no such cluster for the caller.
            DeniedError: the caller may only read there.
            TakenError: the cluster has no agent, or one that cannot ask for this caller.
        """
        grants = access.caller.grants
        is_reading = method in READING
        async with self._database.read() as session:
            row = await session.get(ClusterRow, cluster_id)
            standing = None if row is None else grants.in_project(row.org_id, row.project_id)
            if row is None or not grants.allows(standing, Resource.CLUSTERS, Level.VIEW):
                raise MissingError(NO_SUCH_CLUSTER)
            may_edit = grants.allows(standing, Resource.CLUSTERS, Level.EDIT)
            if not may_edit and not (is_reading and may_look(target)):
                raise DeniedError(NOT_ALLOWED)
            agent = await agent_store.agent_of(session, cluster_id)
            org = await tenancy_store.organization(session, row.org_id)
            project = await tenancy_store.project(session, row.org_id, row.project_id)
        if agent is None:
            raise TakenError(NO_AGENT, code="CONFLICT")
        if not may_edit and VIEWER_KEY not in agent.capabilities:
            raise TakenError(OLD_AGENT, code="NOT_AVAILABLE")
        if not is_reading:
            there = Access(
                caller=access.caller,
                org_id=row.org_id,
                org_name="" if org is None else org.name,
                project_id=row.project_id,
                project_name="" if project is None else project.name,
            )
            await self._tell(there, row, method, target)
        return Passage(agent.id, self._tunnel, "key" if may_edit else "viewer")

    async def _tell(self, access: Access, row: ClusterRow, method: str, target: str) -> None:
        async with self._database.write() as session:
            self._audit.record(
                session,
                access,
                RESOURCE,
                "proxy",
                object_id=row.id,
                object_name=row.name,
                # A query may hold what nobody should read later.
                after={"method": method, "path": target.partition("?")[0][:500]},
            )


def may_look(target: str) -> bool:
    """Whether a path of a cluster can be read by who may only look.

    It is judged as the cluster will read it; what could be read in two ways is refused.
    """
    plain = unquote(target.partition("?")[0])
    is_odd = any(segment in (".", "..") for segment in plain.split("/"))
    return not is_odd and LOOKING.fullmatch(plain) is not None and SECRET.match(plain) is None
