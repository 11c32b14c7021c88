"""From reports to rows: written when something changed, which is seldom."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.contracts.agent_v1 import Integration, Report
from rookery.control.clusters.standing import Change
from rookery.control.clusters.store import ClusterRow
from rookery.control.monitoring.store import (
    IntegrationRow,
    forget_integrations,
    integrations_of,
)

STOPPED = "stopped"


async def take(session: AsyncSession, changed: Sequence[Change]) -> None:
    """Keep what reports say of rules and connectors."""
    vacant = [change.row.id for change in changed if change.row.registered_at is None]
    if vacant:
        await forget_integrations(session, vacant)
    news: dict[str, tuple[Report, int]] = {}
    for change in changed:
        report = change.heard.report if change.heard is not None else None
        # What is known of a cluster that cannot be read stays, as the rest of it does.
        if report is None or report.cluster_fetch_error or change.row.registered_at is None:
            continue
        if _put_counts(change.row, report):
            news[change.row.id] = (report, change.now_ms)
    if news:
        await _put_objects(session, news)


def _put_counts(row: ClusterRow, report: Report) -> bool:
    """Whether there is news of single objects."""
    counts = counted(report)
    if row.integrations != counts:
        row.integrations = counts
    digest = digest_of(report)
    if row.integrations_digest == digest:
        return False
    row.integrations_digest = digest
    return True


def counted(report: Report) -> dict[str, Any]:
    """As it is kept with the cluster; empty for an agent that tells nothing of them."""
    if not report.integration_counts and not report.integration_errors:
        return {}
    return {
        "counts": report.integration_counts,
        "errors": report.integration_errors,
        "leftOut": report.integrations_left_out,
    }


def digest_of(report: Report) -> int:
    """Another number for other objects; 0 for none at all."""
    if not report.integration_counts:
        return 0
    told = [
        (item.kind, item.id, item.status, item.reason, item.name) for item in report.integrations
    ]
    return zlib.crc32(repr((sorted(report.integration_counts), told)).encode()) or 1


async def _put_objects(session: AsyncSession, news: dict[str, tuple[Report, int]]) -> None:
    kept: dict[str, dict[tuple[str, str], IntegrationRow]] = {}
    for row in await integrations_of(session, list(news)):
        kept.setdefault(row.cluster_id, {})[row.kind, row.object_id] = row
    for cluster_id, (report, now_ms) in news.items():
        before = kept.get(cluster_id, {})
        # Whoever names one twice means the last.
        told = {(item.kind, item.id): item for item in report.integrations}
        for item in told.values():
            known = before.pop((item.kind, item.id), None)
            if known is None:
                session.add(_new(cluster_id, item, now_ms))
            else:
                _update(known, item, now_ms)
        is_told = bool(report.integration_counts)
        for (kind, _), gone in before.items():
            # Of a kind that could not be read nothing is known to have changed.
            if kind in report.integration_counts or not is_told:
                await session.delete(gone)


def _new(cluster_id: str, item: Integration, now_ms: int) -> IntegrationRow:
    row = IntegrationRow(cluster_id=cluster_id, kind=item.kind, object_id=item.id, since=now_ms)
    _update(row, item, now_ms)
    return row


def _update(row: IntegrationRow, item: Integration, now_ms: int) -> None:
    row.name, row.type, row.status, row.reason = item.name, item.type, item.status, item.reason
    row.is_abnormal = item.status != STOPPED
    row.seen_at = now_ms
