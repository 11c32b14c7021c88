"""Rules, connectors, actions and sources of clusters that are not well."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.monitoring.store import IntegrationRow


def clusters_with_abnormal() -> Select[str]:
    """Ids of clusters that have any, for a condition."""
    return select(IntegrationRow.cluster_id).where(IntegrationRow.is_abnormal.is_(True))


async def abnormal_of(
    session: AsyncSession, cluster_ids: Collection[str]
) -> dict[str, dict[str, list[str]]]:
    """Their names, by cluster and by the word for their kind."""
    found: dict[str, dict[str, list[str]]] = {}
    rows = await session.execute(
        select(
            IntegrationRow.cluster_id,
            IntegrationRow.kind,
            IntegrationRow.name,
            IntegrationRow.object_id,
        ).where(
            IntegrationRow.cluster_id.in_(list(cluster_ids)), IntegrationRow.is_abnormal.is_(True)
        )
    )
    for cluster_id, kind, name, object_id in rows:
        found.setdefault(cluster_id, {}).setdefault(kind, []).append(name or object_id)
    return found
