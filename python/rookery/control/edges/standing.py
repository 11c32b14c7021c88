"""Keeps what edge services say of themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import select

from rookery.clock import Clock
from rookery.contracts.agent_edge import EdgeReport
from rookery.control.clusters.intake import Heard
from rookery.control.clusters.state import Presence
from rookery.control.edges.store import EdgeAgentRow, EdgeServiceRow
from rookery.storage.database import Database

AT_ONCE = 500


class EdgeStandings:
    """Writes what was heard, many at a time."""

    def __init__(self, database: Database, clock: Clock, process_id: str) -> None:
        self._database = database
        self._clock = clock
        self._process_id = process_id

    async def write(self, heard: Mapping[str, Heard[EdgeReport]]) -> Collection[str]:
        """Keep it, in one transaction; which edge services that was about.

        Raises:
            UnavailableError: the database does not answer; nothing was kept.
        """
        service_ids: set[str] = set()
        async with self._database.write() as session:
            for agent_ids in _batches(heard):
                rows = await session.scalars(
                    select(EdgeAgentRow).where(EdgeAgentRow.id.in_(agent_ids))
                )
                for row in rows:
                    self._take(row, heard[row.id])
                found = await session.scalars(
                    select(EdgeServiceRow.id).where(EdgeServiceRow.agent_id.in_(agent_ids))
                )
                service_ids.update(found)
        return service_ids

    def _take(self, row: EdgeAgentRow, heard: Heard[EdgeReport]) -> None:
        wanted: dict[str, Any] = {}
        is_before_leaving = row.left_at is not None and heard.presence_at_ms <= row.left_at
        if heard.presence is Presence.ONLINE and not is_before_leaving:
            wanted = {
                "presence": "online",
                "presence_at": heard.presence_at_ms,
                "relay_process": self._process_id,
                "left_at": None,
            }
        elif heard.presence is Presence.OFFLINE:
            wanted = {"presence": "offline", "presence_at": heard.presence_at_ms}
        if heard.version:
            wanted["version"] = heard.version
        if heard.report is not None:
            wanted |= _told(row, heard.report, heard.reported_at_ms)
        for name, value in wanted.items():
            if getattr(row, name) != value:
                setattr(row, name, value)


def _told(row: EdgeAgentRow, report: EdgeReport, at_ms: int) -> dict[str, Any]:
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
