"""Who may speak to which edge service, and as what: editors as its administrators."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, select

from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.edges import adopting, texts
from rookery.control.edges.store import EdgeServiceRow
from rookery.control.errors import MissingError, TakenError, TooManyError
from rookery.control.relay.answered import answered
from rookery.control.relay.tunnel import Answer, Asks, Call
from rookery.control.rest.passing_on import READING
from rookery.control.tenancy.permissions import Level, Resource
from rookery.control.tenancy.store import Organization, Project
from rookery.storage.database import Database

BODY_BYTES_MAX = 8 << 20
TIMEOUT_S = 30.0
ADMINISTRATOR, VIEWER = "key", "viewer"


@dataclass(frozen=True, slots=True)
class EdgePassage:
    """The way to one edge service, for a caller who may go it."""

    agent_id: str
    tunnel: Asks
    credential: str
    caller: str

    @contextlib.asynccontextmanager
    async def ask(
        self, call: Call, body: AsyncIterator[bytes] | None = None
    ) -> AsyncIterator[Answer]:
        """Ask it; its answer can be read inside the block.

        Raises:
            OutOfReachError: it is not connected, or gave no answer.
            TunnelTimeoutError: the answer took too long.
        """
        call = replace(call, credential=self.credential, caller=self.caller)
        async with answered(self.tunnel, self.agent_id, call, body) as answer:
            yield answer


@dataclass(frozen=True, slots=True)
class EdgeAnswer:
    """What an edge service answered, whole."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class EdgePassages:
    """Opens them."""

    def __init__(self, database: Database, audit: AuditTrail, tunnel: Asks) -> None:
        self._database = database
        self._audit = audit
        self._tunnel = tunnel

    async def open(self, access: Access, service_id: str, method: str, target: str) -> EdgePassage:
        """The way to it; what may change something there is written into the audit.

        What somebody who may only look may ask is for the edge service to say: it is told so.

        Raises:
            MissingError: there is no such service for the caller.
            TakenError: it has no agent.
        """
        grants = access.caller.grants
        async with self._database.read() as session:
            found = (await session.execute(_WITH_PLACE, {"service_id": service_id})).first()
        if found is None:
            raise MissingError(texts.NO_SUCH_SERVICE)
        row, org_name, project_name = found
        standing = grants.in_project(row.org_id, row.project_id)
        if not grants.allows(standing, Resource.EDGE_SERVICES, Level.VIEW):
            raise MissingError(texts.NO_SUCH_SERVICE)
        if row.agent_id is None:
            raise TakenError(texts.NO_AGENT, code="CONFLICT")
        may_edit = grants.allows(standing, Resource.EDGE_SERVICES, Level.EDIT)
        if may_edit and method not in READING:
            async with self._database.write() as session:
                # A query may hold what nobody should read later.
                after = {"method": method, "path": target.partition("?")[0][:500]}
                there = replace(
                    access,
                    org_id=row.org_id,
                    org_name=org_name,
                    project_id=row.project_id,
                    project_name=project_name,
                )
                adopting.record(session, self._audit, there, "proxy", row, after=after)
        credential = ADMINISTRATOR if may_edit else VIEWER
        return EdgePassage(row.agent_id, self._tunnel, credential, access.caller.name)

    async def ask(
        self,
        service_id: str,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        timeout_s: float = TIMEOUT_S,
        caller: str = "control",
    ) -> EdgeAnswer:
        """Ask as an administrator, for control's own work.

        Raises:
            MissingError: there is no such service.
            TakenError: it has no agent.
            OutOfReachError: it is not connected, or gave no answer.
            TunnelTimeoutError: the answer took too long.
            TooManyError: too many calls are under way, or body or answer are too long.
        """
        if len(body) > BODY_BYTES_MAX:
            raise TooManyError(texts.TOO_LONG, most=BODY_BYTES_MAX)
        async with self._database.read() as session:
            row = await session.get(EdgeServiceRow, service_id)
        if row is None:
            raise MissingError(texts.NO_SUCH_SERVICE)
        if row.agent_id is None:
            raise TakenError(texts.NO_AGENT, code="CONFLICT")
        passage = EdgePassage(row.agent_id, self._tunnel, ADMINISTRATOR, caller)
        call = Call(method, path, tuple(headers), timeout_s=timeout_s)

        async def whole() -> AsyncIterator[bytes]:
            if body:
                yield body

        async with passage.ask(call, whole()) as answer:
            return EdgeAnswer(answer.status, answer.headers, await answer.read(BODY_BYTES_MAX))


_WITH_PLACE = (
    select(EdgeServiceRow, Organization.name, Project.name)
    .join(Organization, Organization.id == EdgeServiceRow.org_id)
    .join(Project, Project.id == EdgeServiceRow.project_id)
    .where(EdgeServiceRow.id == bindparam("service_id"))
)
"""A service and the names of where it is: asked for each call."""
