"""What people do with edge services at addresses: add, one or many, and say where they are by now."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.agents.registration import hash_of
from rookery.control.alarms.push.network import Targets
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters.models import Entry
from rookery.control.edges import adopting, store, texts
from rookery.control.edges.direct import store as places
from rookery.control.edges.direct import texts as direct_texts
from rookery.control.edges.direct.models import Direct
from rookery.control.edges.direct.store import DIRECT_PREFIX, DirectEdgeRow
from rookery.control.edges.direct.way import PURPOSE, DirectWay, Place
from rookery.control.edges.store import EdgeServiceRow, new_agent
from rookery.control.errors import InvalidError, MissingError, TakenError
from rookery.control.vault import Vault
from rookery.errors import RookeryError
from rookery.storage.database import Database
from rookery.storage.ids import new_id

Ask = Callable[[Sequence[DirectEdgeRow]], None]
"""Has some asked how they are."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One to be added; ``line`` is where it stands in a file."""

    entry: Entry
    direct: Direct
    line: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """Why one of many cannot be added."""

    line: int
    error: RookeryError


class NothingAddedError(Exception):
    """Some of many cannot be."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        super().__init__(f"{len(refused)} lines")
        self.refused = refused


class DirectEdges:
    """Use cases of people."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        vault: Vault,
        way: DirectWay,
        ask: Ask,
        targets: Targets,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._vault = vault
        self._way = way
        self._ask = ask
        self._targets = targets

    async def add(self, access: Access, wanted: Wanted) -> str:
        """Make an edge service of the project; its id. It is asked how it is at once.

        Raises:
            InvalidError: it cannot be so.
            TakenError: the name or the address is taken, or the project has too many.
            OutOfReachError: this process cannot keep secrets.
        """
        wanted = self._checked(wanted)
        async with self._database.write() as session:
            row = await self._add(session, access, wanted)
        self._ask([row])
        return row.service_id

    async def add_all(
        self, access: Access, wanted: Sequence[Wanted], refused: Sequence[Refused]
    ) -> None:
        """Make all of them, or none. ``refused`` are those of which it is known already that they cannot be.

        Raises:
            NothingAddedError: one cannot be; says of each of them why.
            OutOfReachError: this process cannot keep secrets.
        """
        wrong = list(refused)
        rows: list[DirectEdgeRow] = []
        async with self._database.write() as session:
            for each in wanted:
                try:
                    rows.append(await self._add(session, access, self._checked(each)))
                except (InvalidError, TakenError) as error:
                    wrong.append(Refused(each.line, error))
            if wrong:
                # Undoes the others too.
                raise NothingAddedError(sorted(wrong, key=lambda one: one.line))
        self._ask(rows)

    async def connection(self, access: Access, service_id: str) -> DirectEdgeRow:
        """Where one is.

        Raises:
            MissingError: there is no such service.
            TakenError: it has an agent instead.
        """
        async with self._database.read() as session:
            _, row = await _one(session, access, service_id)
            return row

    async def move(self, access: Access, service_id: str, direct: Direct) -> None:
        """Say where it is by now, and as whom control signs in there.

        Raises:
            MissingError, TakenError: as for :meth:`connection`.
            InvalidError: it cannot be so, or the kept password would go to somebody else.
        """
        direct = direct.checked(self._targets)
        async with self._database.write() as session:
            service, row = await _one(session, access, service_id)
            self._refuse_elsewhere(row, direct)
            await _refuse_address(session, service.project_id, direct.address, but=service.id)
            before = _told(row)
            row.address, row.username = direct.address, direct.username
            row.certificate_sha256 = direct.certificate_sha256
            if direct.password is not None:
                row.sealed = self._vault.seal(direct.password, PURPOSE)
            adopting.record(
                session, self._audit, access, "moveConnection", service,
                before=before, after=_told(row),
            )  # fmt: skip
        self._way.forget(row.agent_id)
        self._ask([row])

    async def test(self, access: Access, direct: Direct, service_id: str | None) -> str:
        """Sign in there, as it would be; the version of the edge service.

        Raises:
            InvalidError, MissingError, TakenError: as for :meth:`move`.
            OutOfReachError: it cannot be asked; says why.
        """
        direct = direct.checked(self._targets)
        password = direct.password
        if service_id is not None:
            row = await self.connection(access, service_id)
            self._refuse_elsewhere(row, direct)
            if password is None:
                password = self._vault.unseal(row.sealed, PURPOSE)
        if password is None:
            raise InvalidError(direct_texts.NO_PASSWORD)
        name = f"{DIRECT_PREFIX}test-{secrets.token_hex(4)}"
        sha256 = direct.certificate_sha256
        try:
            report = await self._way.report(
                Place(name, direct.address, direct.username, password, sha256)
            )
        finally:
            self._way.forget(name)
        return report.agent_version

    async def rows(self, access: Access) -> Sequence[tuple[EdgeServiceRow, DirectEdgeRow, Any]]:
        """Those of the project, with their labels, by name."""
        async with self._database.read() as session:
            found = await places.of_project(session, access.project)
            labels = await store.labels_of(session, [service.id for service, _ in found])
        return [(service, row, labels.get(service.id, ())) for service, row in found]

    # -- inside --------------------------------------------------------------------------------

    def _checked(self, wanted: Wanted) -> Wanted:
        direct = wanted.direct.checked(self._targets)
        if direct.password is None:
            raise InvalidError(direct_texts.NO_PASSWORD)
        return replace(wanted, entry=wanted.entry.checked(), direct=direct)

    async def _add(self, session: AsyncSession, access: Access, wanted: Wanted) -> DirectEdgeRow:
        direct = wanted.direct
        await _refuse_address(session, access.project, direct.address)
        now_ms = await self._database.now_ms(session, self._clock.now_ms())
        name = DIRECT_PREFIX + new_id()
        # Where agents have their names, it has one that nobody can dial in with.
        agent = new_agent(name, hash_of(secrets.token_urlsafe(32)), now_ms)
        session.add(agent)
        await session.flush()
        service = await adopting.adopt(
            session, self._audit, access, agent, wanted.entry, now_ms, mode=adopting.DIRECT_MODE,
            about=_about(direct),
        )  # fmt: skip
        row = DirectEdgeRow(
            service_id=service.id,
            agent_id=name,
            address=direct.address,
            username=direct.username,
            sealed=self._vault.seal(direct.password or "", PURPOSE),
            certificate_sha256=direct.certificate_sha256,
            problem="",
            problem_zh="",
        )
        session.add(row)
        await session.flush()
        return row

    def _refuse_elsewhere(self, row: DirectEdgeRow, direct: Direct) -> None:
        before = (row.address, row.certificate_sha256)
        is_elsewhere = before != (direct.address, direct.certificate_sha256)
        if is_elsewhere and direct.password is None:
            raise InvalidError(direct_texts.PASSWORD_AGAIN)


async def _one(
    session: AsyncSession, access: Access, service_id: str
) -> tuple[EdgeServiceRow, DirectEdgeRow]:
    service = await store.service_of(session, access.project, service_id)
    if service is None:
        raise MissingError(texts.NO_SUCH_SERVICE)
    row = await session.get(DirectEdgeRow, service_id)
    if row is None:
        raise TakenError(direct_texts.NOT_DIRECT, code="CONFLICT")
    return service, row


async def _refuse_address(
    session: AsyncSession, project_id: str, address: str, *, but: str = ""
) -> None:
    query = (
        select(EdgeServiceRow.name)
        .join(DirectEdgeRow, DirectEdgeRow.service_id == EdgeServiceRow.id)
        .where(
            EdgeServiceRow.project_id == project_id,
            EdgeServiceRow.id != but,
            DirectEdgeRow.address == address,
        )
    )
    name = await session.scalar(query)
    if name is not None:
        raise TakenError(direct_texts.ADDRESS_TAKEN, name=name)


def _about(direct: Direct) -> dict[str, Any]:
    return {
        "address": direct.address,
        "username": direct.username,
        "certificateSha256": direct.certificate_sha256,
    }


def _told(row: DirectEdgeRow) -> dict[str, Any]:
    return _about(Direct(row.address, row.username, None, row.certificate_sha256))
