"""Keeps what edge services say of themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.contracts.agent_edge import EdgeReport
from rookery.control.clusters.alike import Alike
from rookery.control.clusters.intake import Heard
from rookery.control.clusters.state import Presence
from rookery.control.edges.store import EdgeAgentRow, EdgeServiceRow
from rookery.storage.database import Database

AT_ONCE = 500

_HEARD_OF = (
    select(
        EdgeAgentRow.id,
        EdgeAgentRow.boot_id,
        EdgeAgentRow.left_at,
        EdgeAgentRow.presence,
        EdgeAgentRow.relay_process,
        EdgeServiceRow.id.label("service_id"),
    )
    .outerjoin(EdgeServiceRow, EdgeServiceRow.agent_id == EdgeAgentRow.id)
    .where(EdgeAgentRow.id.in_(bindparam("agent_ids", expanding=True)))
)


class Told(NamedTuple):
    """What an edge service of a project reported, and when."""

    service_id: str
    report: EdgeReport
    at_ms: int


Follower = Callable[[AsyncSession, Collection[Told]], Awaitable[None]]
"""Writes what follows from reports, in their own transaction."""


class EdgeStandings:
    """Writes what was heard, many at a time."""

    def __init__(self, database: Database, process_id: str) -> None:
        self._database = database
        self._process_id = process_id
        self._followers: list[Follower] = []

    def follows(self, follower: Follower) -> None:
        """Call it in each transaction that keeps reports, with all of them. It is to be quick."""
        self._followers.append(follower)

    async def write(self, heard: Mapping[str, Heard[EdgeReport]]) -> Collection[str]:
        """Keep it, in one transaction; which edge services that was about.

        Raises:
            UnavailableError: the database does not answer; nothing was kept.
        """
        service_ids: set[str] = set()
        told: list[Told] = []
        async with self._database.write() as session:
            agents = Alike(EdgeAgentRow)
            for agent_ids in _batches(heard):
                for row in await session.execute(_HEARD_OF, {"agent_ids": agent_ids}):
                    said = heard[row.id]
                    agents.put(row.id, self._columns(row, said))
                    if row.service_id is None:
                        continue
                    service_ids.add(row.service_id)
                    if said.report is not None:
                        told.append(Told(row.service_id, said.report, said.reported_at_ms))
            await agents.send(session)
            for follower in self._followers:
                await follower(session, told)
        return service_ids

    def _columns(self, row: _Known, heard: Heard[EdgeReport]) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        is_before_leaving = row.left_at is not None and heard.presence_at_ms <= row.left_at
        if heard.presence is Presence.ONLINE and not is_before_leaving:
            is_new = row.presence != "online" or row.relay_process != self._process_id
            if is_new or row.left_at is not None:
                columns = {
                    "presence": "online",
                    "presence_at": heard.presence_at_ms,
                    "relay_process": self._process_id,
                    "left_at": None,
                }
        elif heard.presence is Presence.OFFLINE:
            columns = {"presence": "offline", "presence_at": heard.presence_at_ms}
        if heard.version:
            columns["version"] = heard.version
        if heard.report is not None:
            columns |= _told(row, heard.report, heard.reported_at_ms)
        return columns


class _Known(Protocol):
    """What is read of an edge agent."""

    boot_id: str
    left_at: int | None
    presence: str
    relay_process: str | None


def _told(row: _Known, report: EdgeReport, at_ms: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "reported_at": at_ms,
        "version": report.agent_version,
        "host_name": report.host_name,
        "description": report.description,
        "started_at": report.started_at_ms,
        "boot_id": report.boot_id,
        "tags": report.tags,
        "nodes": [node.written() for node in report.nodes],
        "nodes_left_out": report.nodes_left_out,
        "figures": dict(report.figures),
        "clock_skew_ms": report.clock_ms - at_ms,
        "deliveries": (
            None if report.deliveries is None else [one.written() for one in report.deliveries]
        ),
    }
    for kind, counts in (("drivers", report.drivers), ("apps", report.apps)):
        told |= {
            f"{kind}_total": counts.total,
            f"{kind}_running": counts.running,
            f"{kind}_abnormal": counts.abnormal,
        }
    if row.boot_id and row.boot_id != report.boot_id:
        told["restarted_at"] = at_ms
    return told


def _batches(agent_ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(agent_ids)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
