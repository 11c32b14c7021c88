"""Takes edge services in: at first contact each gets a name of its own for the secret that it made.

**Bounds.** :data:`ENROLLING_MAX` connections at once, each :data:`ENROLLING_S` long at most and good for one
question; :data:`RATE_PER_S` questions a second after :data:`BURST`; :data:`WAITING_MAX` agents that belong to
nobody. What goes beyond is refused, and asks again later.
"""

from __future__ import annotations

import logging

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.contracts.agent_edge import EDGE_PREFIX, Enrol, Enrolled
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access, Caller
from rookery.control.clusters.models import Entry
from rookery.control.edges import adopting, texts
from rookery.control.edges.account import Accounts
from rookery.control.edges.models import short_id
from rookery.control.edges.rules import AdoptionRule, first_fit
from rookery.control.edges.state import AgentState
from rookery.control.edges.store import EdgeAgentRow, new_agent
from rookery.control.errors import InvalidError, TakenError, Text
from rookery.control.relay.budget import Bucket
from rookery.control.settings import store as settings
from rookery.control.settings.names import EDGE_RULES
from rookery.control.tenancy import store as tenancy
from rookery.engine.hooks import BAD_USER_NAME_OR_PASSWORD, NOT_AUTHORIZED
from rookery.errors import RookeryError
from rookery.storage.database import Database
from rookery.storage.ids import new_id

_log = logging.getLogger("rookery.control.edges")

ENROLLING_MAX = 256
ENROLLING_S = 30.0
RATE_PER_S, BURST = 50.0, 500.0
WAITING_MAX = 20_000
QUOTA_EXCEEDED = 0x97
LOCK = "edge agents"


class Enrolment:
    """Use cases of who is not known yet."""

    def __init__(
        self, database: Database, clock: Clock, audit: AuditTrail, accounts: Accounts
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._accounts = accounts
        self._bucket = Bucket(RATE_PER_S, BURST, clock)
        self.counters = {"enrolled": 0, "enrolment.refused": 0}

    async def may_enrol(self, username: str, password: bytes, enrolling: int) -> int:
        """0, or the reason code that refuses."""
        if enrolling >= ENROLLING_MAX or not self._bucket.take(1.0):
            return self._refused(QUOTA_EXCEEDED)
        try:
            account = await self._accounts.get()
        except RookeryError as error:
            _log.warning("nobody can enrol: %s", error)
            return self._refused(QUOTA_EXCEEDED)
        if not account.is_open:
            return self._refused(NOT_AUTHORIZED)
        if not account.is_right(username, password):
            return self._refused(BAD_USER_NAME_OR_PASSWORD)
        return 0

    async def enrol(self, asked: Enrol, address: str) -> Enrolled:
        """The name that belongs to a secret: a new one, or the one that it has already."""
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            known = await session.scalar(
                select(EdgeAgentRow).where(EdgeAgentRow.secret_hash == asked.secret_hash)
            )
            if known is not None:
                return Enrolled(known.id)
            if await _count_waiting(session) >= WAITING_MAX:
                self._refused(QUOTA_EXCEEDED)
                return _no("TOO_MANY", texts.TOO_MANY_WAIT)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            row = _new(asked, address, now_ms)
            session.add(row)
            await session.flush()
            await self._adopt_by_rule(session, row, now_ms)
        self.counters["enrolled"] += 1
        _log.info("edge agent %s enrolled from %s", row.id, address)
        return Enrolled(row.id)

    def _refused(self, code: int) -> int:
        self.counters["enrolment.refused"] += 1
        return code

    async def _adopt_by_rule(self, session: AsyncSession, row: EdgeAgentRow, now_ms: int) -> None:
        rule = first_fit(await rules_of(session), row.description, row.host_name)
        if rule is None:
            return
        access = await _access(session, rule, row)
        if access is None:
            _log.warning("adoption rule %s names a project that is not there", rule.name)
            return
        values = {
            "shortId": short_id(row.id),
            "hostName": row.host_name,
            "description": row.description,
        }
        for name in (
            rule.service_name(values),
            f"{rule.service_name(values)[:40]}-{short_id(row.id)}",
        ):
            try:
                entry = Entry(name, description=row.description, labels=rule.labels).checked()
                await adopting.adopt(session, self._audit, access, row, entry, now_ms)
            except TakenError as error:
                if error.code != "ALREADY_EXISTS":
                    _log.warning("edge agent %s waits: %s", row.id, error)
                    return
            except InvalidError as error:
                _log.warning("adoption rule %s: %s", rule.name, error)
                return
            else:
                return


async def rules_of(session: AsyncSession) -> list[AdoptionRule]:
    """In their order."""
    kept = await settings.value_of(session, EDGE_RULES) or {}
    return [AdoptionRule.from_json(item) for item in kept.get("rules", ())]


async def _count_waiting(session: AsyncSession) -> int:
    query = select(func.count()).select_from(EdgeAgentRow)
    return await session.scalar(query.where(EdgeAgentRow.state != str(AgentState.MANAGED))) or 0


async def _access(session: AsyncSession, rule: AdoptionRule, row: EdgeAgentRow) -> Access | None:
    org = await tenancy.organization(session, rule.org_id)
    project = await tenancy.project(session, rule.org_id, rule.project_id)
    if org is None or project is None:
        return None
    return Access(
        caller=Caller(
            id=row.id, name=f"adoption rule {rule.name}", via="agent", address=row.address
        ),
        org_id=org.id,
        org_name=org.name,
        project_id=project.id,
        project_name=project.name,
    )


def _no(code: str, text: Text) -> Enrolled:
    return Enrolled(code=code, text=text.en, text_zh=text.zh)


def _new(asked: Enrol, address: str, now_ms: int) -> EdgeAgentRow:
    row = new_agent(EDGE_PREFIX + new_id(), asked.secret_hash, now_ms)
    row.register_id, row.description = asked.register_id, asked.description
    row.host_name, row.version, row.address = asked.host_name, asked.agent_version, address[:64]
    return row
