"""The source of alarms that edge services are: offline, restarted, a driver, an application or a rule not well.

Where an edge service is silent nothing is found of its nodes: nobody can know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.contracts.agent_edge import RULE_PLUGIN
from rookery.control.alarms import store
from rookery.control.alarms.catalogue import Kind, Rule
from rookery.control.alarms.evaluation import Known, Step, settings_of, steps_of
from rookery.control.alarms.findings import NAME_LENGTH_TOLD, NAMES_TOLD_MAX, Finding
from rookery.control.alarms.ledger import Subject
from rookery.control.alarms.store import AlarmCheckRow
from rookery.control.edges.state import heard_since, is_abnormal, is_online
from rookery.control.edges.store import EdgeAgentRow, EdgeServiceRow

EDGE = "edgeService"
RUNNING, CONNECTED = 3, 1


class EdgesSource:
    """Looks at edge services of projects that reported at least once."""

    def __init__(self, *, report_interval_s: float) -> None:
        self._interval_ms = round(report_interval_s * 1000)

    async def of_interest(
        self, session: AsyncSession, ids: Collection[str] | None, now_ms: int
    ) -> Sequence[str]:
        """Those with which something is the matter, or was."""
        query = _joined(select(EdgeServiceRow.id)).where(
            or_(
                not_(is_online(heard_since(now_ms, self._interval_ms))),
                is_abnormal(),
                EdgeAgentRow.restarted_at > now_ms - self._interval_ms,
                EdgeServiceRow.id.in_(
                    select(AlarmCheckRow.edge_id).where(AlarmCheckRow.edge_id.is_not(None))
                ),
            )
        )
        if ids is not None:
            query = query.where(EdgeServiceRow.id.in_(list(ids)))
        return (await session.scalars(query)).all()

    async def steps(self, session: AsyncSession, ids: Sequence[str], now_ms: int) -> list[Step]:
        """What a look at these leads to."""
        online = is_online(heard_since(now_ms, self._interval_ms)).label("online")
        query = _joined(select(EdgeServiceRow, EdgeAgentRow, online))
        rows = (await session.execute(query.where(EdgeServiceRow.id.in_(ids)))).all()
        project_ids = {row[0].project_id for row in rows}
        rules = await store.rules_of(session, project_ids)
        held = await settings_of(session, project_ids)
        checks = await store.edge_checks_of(session, ids)
        current = await store.current_by_key(
            session, [pair for pair, row in checks.items() if row.is_active]
        )
        steps: list[Step] = []
        for service, agent, is_up in rows:
            own = {
                check.kind: check
                for check in checks.values()
                if check.edge_id == service.id and check.project_id == service.project_id
            }
            project_rules = rules[service.project_id]
            known = Known(service.project_id, held[service.project_id], project_rules, own, current)
            found = self._findings(agent, project_rules, now_ms, is_up=bool(is_up))
            steps.extend(steps_of(known, ((_subject(service, one), one) for one in found)))
        return steps

    def gone(self) -> Select[AlarmCheckRow]:
        """What is remembered of those that were let go, or belong to another project."""
        return (
            select(AlarmCheckRow)
            .outerjoin(
                EdgeServiceRow,
                and_(
                    EdgeServiceRow.id == AlarmCheckRow.edge_id,
                    EdgeServiceRow.project_id == AlarmCheckRow.project_id,
                ),
            )
            .where(AlarmCheckRow.edge_id.is_not(None), EdgeServiceRow.id.is_(None))
        )

    def _findings(
        self, agent: EdgeAgentRow, rules: Mapping[Kind, Rule], now_ms: int, *, is_up: bool
    ) -> Iterator[Finding]:
        for found in self._all(agent, now_ms, is_up=is_up):
            if rules[found.kind].is_enabled:
                yield found

    def _all(self, agent: EdgeAgentRow, now_ms: int, *, is_up: bool) -> Iterator[Finding]:
        at_ms = agent.reported_at or now_ms
        if not is_up:
            # Nobody reports it, so it is counted as often as a report would have come.
            values = {"age_s": max(0, now_ms - at_ms) // 1000}
            gap_ms = self._interval_ms * 9 // 10
            yield Finding(Kind.EDGE_OFFLINE, True, now_ms, gap_ms, values)
            return
        yield Finding(Kind.EDGE_OFFLINE, False, at_ms)
        restarted = agent.restarted_at
        is_fresh = restarted is not None and now_ms - restarted < self._interval_ms * 9 // 10
        yield Finding(Kind.EDGE_RESTARTED, is_fresh, at_ms)
        rules = sorted(_abnormal(agent.nodes, are_rules=True))
        others = sorted(_abnormal(agent.nodes, are_rules=False))
        # A report names so many nodes; of its rules it has the number.
        rule_count = max(len(rules), int(agent.figures.get("rules.abnormal", 0)))
        count = max(0, agent.drivers_abnormal + agent.apps_abnormal - rule_count)
        for kind, names, number in (
            (Kind.EDGE_DRIVER_ABNORMAL, others, count),
            (Kind.EDGE_RULE_ABNORMAL, rules, rule_count),
        ):
            told = [name[:NAME_LENGTH_TOLD] for name in names[:NAMES_TOLD_MAX]]
            about: dict[str, Any] = {"names": told, "count": number}
            yield Finding(kind, number > 0, at_ms, values=about)


def _abnormal(nodes: Sequence[Mapping[str, Any]], *, are_rules: bool) -> Iterator[str]:
    for node in nodes:
        is_rule = node.get("plugin") == RULE_PLUGIN
        is_well = node.get("state") != RUNNING or node.get("link", 0) == CONNECTED
        if not is_well and is_rule is are_rules:
            yield str(node.get("name", ""))


def _subject(service: EdgeServiceRow, finding: Finding) -> Subject:
    return Subject(
        key=f"{finding.kind}:{service.id}",
        kind=finding.kind,
        resource_type=EDGE,
        resource_id=service.id,
        resource_name=service.name,
        edge_id=service.id,
    )


def _joined(query: Any) -> Any:
    """Of services whose agent reported: nobody is told of one that never ran."""
    return query.join(EdgeAgentRow, EdgeAgentRow.id == EdgeServiceRow.agent_id).where(
        EdgeAgentRow.reported_at.is_not(None)
    )
