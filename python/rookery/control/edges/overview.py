"""The figures of a project's edge services, and their nodes that are not as they should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, or_, select

from rookery.clock import Clock
from rookery.contracts.agent_edge import EdgeNode
from rookery.contracts.agent_fields import MessageError
from rookery.control.caller import Access
from rookery.control.edges.state import heard_since, is_abnormal, is_online
from rookery.control.edges.store import EdgeAgentRow, EdgeServiceRow
from rookery.storage.database import Database

SERVICES_MAX = 500
NODES_MAX = 1000
RUNNING, CONNECTED = 3, 1
FIGURE_MAX = 1 << 53
_FIGURES = tuple(
    f"{kind}_{name}" for kind in ("drivers", "apps") for name in ("total", "running", "abnormal")
)


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node, and whose it is."""

    service_id: str
    service_name: str
    version: str
    address: str
    node: EdgeNode


@dataclass(frozen=True, slots=True)
class EdgeFigures:
    """At a glance. Drivers and applications are those of edge services that are online."""

    edges: int
    online: int
    tags: int
    tags_everywhere: int
    nodes: dict[str, int]
    not_running: Sequence[NodeSeen]
    abnormal: Sequence[NodeSeen]
    figures: dict[str, float]


class EdgeOverview:
    """Adds them up."""

    def __init__(self, database: Database, clock: Clock, *, report_interval_s: float) -> None:
        self._database = database
        self._clock = clock
        self._interval_ms = round(report_interval_s * 1000)

    async def of_project(self, access: Access) -> EdgeFigures:
        """What its agents last said."""
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            online = is_online(heard_since(now_ms, self._interval_ms))
            sums = [
                func.coalesce(func.sum(case((online, getattr(EdgeAgentRow, name)), else_=0)), 0)
                for name in ("tags", *_FIGURES)
            ]
            mine = EdgeServiceRow.project_id == access.project
            row = (
                await session.execute(
                    select(
                        func.count(EdgeServiceRow.id),
                        func.coalesce(func.sum(case((online, 1), else_=0)), 0),
                        func.coalesce(func.sum(EdgeAgentRow.tags), 0),
                        *sums,
                    )
                    .select_from(EdgeServiceRow)
                    .outerjoin(EdgeAgentRow, EdgeAgentRow.id == EdgeServiceRow.agent_id)
                    .where(mine)
                )
            ).one()
            found = await session.execute(
                select(EdgeServiceRow, EdgeAgentRow)
                .join(EdgeAgentRow, EdgeAgentRow.id == EdgeServiceRow.agent_id)
                .where(
                    mine,
                    online,
                    or_(
                        is_abnormal(),
                        EdgeAgentRow.drivers_running < EdgeAgentRow.drivers_total,
                        EdgeAgentRow.apps_running < EdgeAgentRow.apps_total,
                    ),
                )
                .order_by(EdgeServiceRow.name)
                .limit(SERVICES_MAX)
            )
            figures_of = await session.scalars(
                select(EdgeAgentRow.figures)
                .join(EdgeServiceRow, EdgeServiceRow.agent_id == EdgeAgentRow.id)
                .where(mine, online)
            )
            traffic = _summed(figures_of)
            seen = [one for service, agent in found for one in _nodes(service, agent)]
        count, up, tags_everywhere, tags, *figures = row
        return EdgeFigures(
            edges=count,
            online=int(up),
            tags=int(tags),
            tags_everywhere=int(tags_everywhere),
            nodes={name: int(value) for name, value in zip(_FIGURES, figures, strict=True)},
            not_running=[one for one in seen if one.node.state != RUNNING][:NODES_MAX],
            abnormal=[one for one in seen if one.node.state == RUNNING][:NODES_MAX],
            figures=traffic,
        )


def _summed(reported: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for figures in reported:
        for name, value in figures.items():
            # One that says what cannot be costs no other its figures.
            sums[name] = sums.get(name, 0) + min(max(value, 0), FIGURE_MAX)
    return sums


def _nodes(service: EdgeServiceRow, agent: EdgeAgentRow) -> Iterator[NodeSeen]:
    for stored in agent.nodes:
        node = _read(stored)
        if node is not None and (node.state != RUNNING or node.link != CONNECTED):
            yield NodeSeen(service.id, service.name, agent.version, agent.address, node)


def _read(stored: Any) -> EdgeNode | None:
    try:
        return EdgeNode.read(stored)
    except MessageError:
        return None  # of a later version
