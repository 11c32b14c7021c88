"""What the operations about quotas take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, StringConstraints

from rookery.control.clusters.store import NAME_LENGTH_MAX, ClusterRow
from rookery.control.commands.texts import reason_of
from rookery.control.quota import texts
from rookery.control.quota.rules import INITIAL, LEAST, MOST, NAME, TOTAL_MAX, Hold, Pool
from rookery.control.quota.service import View
from rookery.control.quota.store import QuotaRow
from rookery.control.rest.models import Given, Id, Shown, Time

HoldName: TypeAlias = Literal[
    "waiting",
    "applying",
    "inForce",
    "failed",
    "undecided",
    "noneLeft",
    "notPermitted",
    "unmanaged",
]
Total = Annotated[
    int | None,
    Field(
        ge=0,
        le=TOTAL_MAX,
        description="Connections of all clusters together; none: any number.",
        examples=[10000],
    ),
]
PerCluster = Annotated[
    int | None,
    Field(
        ge=LEAST,
        le=MOST,
        description="Most connections of one cluster; none: any number.",
        examples=[5000],
    ),
]
Initial = Annotated[
    int | None,
    Field(
        ge=LEAST,
        le=MOST,
        description="What a cluster that is adopted is given; none: nothing is done to it.",
        examples=[INITIAL],
    ),
]
ManagerName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$"),
    Field(
        description="What clusters show as the name of who manages their limit.", examples=[NAME]
    ),
]
Limit = Annotated[
    int | None,
    Field(
        ge=LEAST,
        le=MOST,
        description="Most connected clients; none: the one that the cluster has by itself.",
        examples=[50],
    ),
]


class PoolSettingsShown(Shown):
    """What all clusters share."""

    total: Total
    per_cluster: PerCluster
    initial: Initial
    name: ManagerName


class PoolSettingsGiven(Given):
    """The same."""

    total: Total = None
    per_cluster: PerCluster = None
    initial: Initial = INITIAL
    name: ManagerName = NAME


class PoolShown(Shown):
    """What all clusters share, and how much of it is given out."""

    total: Total
    per_cluster: PerCluster
    initial: Initial
    used: int = Field(ge=0, description="Given to clusters.", examples=[120])
    left: int | None = Field(
        ge=0, description="Not given out yet; none: any number.", examples=[9880]
    )


class QuotaGiven(Given):
    """The limit that a cluster is to have."""

    limit: Limit
    confirmation: str = Field(
        default="",
        max_length=NAME_LENGTH_MAX,
        description="The name of the cluster, typed by who sets less than is used at the moment.",
        examples=[""],
    )


class HeldShown(Shown):
    """How the limit of a cluster stands."""

    limit: int | None = Field(
        description="What it is to have; none: it is left to the cluster.", examples=[50]
    )
    reported_limit: int | None = Field(
        description="What it is set to by its last report; none: no limit.", examples=[50]
    )
    connections: int | None = Field(description="Clients that are connected.", examples=[12])
    state: HoldName = Field(description="How that stands.", examples=["inForce"])
    text: str = Field(
        description="The same for people, in the language of the caller.", examples=["In force"]
    )
    changed_at: Time | None = Field(description="When somebody decided on it.")
    changed_by: str = Field(description="Who; empty: the control plane.", examples=[""])


class QuotaShown(HeldShown):
    """The limit of a cluster, and what it could be."""

    is_permitted: bool | None = Field(
        description="Whether the cluster lets it be set; none: it has not said.", examples=[True]
    )
    proposed: int = Field(description="A limit that suits it.", examples=[15])
    most: int = Field(ge=0, description="The largest that it can have.", examples=[5000])
    left: int | None = Field(
        ge=0,
        description="What the other clusters leave of the total; none: any number.",
        examples=[9880],
    )
    total: Total
    per_cluster: PerCluster
    command_id: Id | None = Field(description="The command that is under way.")


class LimitShown(HeldShown):
    """A cluster in the list of limits."""

    cluster_id: Id
    cluster_name: str = Field(description="Its name.", examples=["plant-1"])
    org_id: Id
    org_name: str = Field(description="Of its organization.", examples=["Factory"])
    project_id: Id
    project_name: str = Field(description="Of its project.", examples=["Hall 3"])


def pool_shown(pool: Pool, used: int) -> PoolShown:
    """The pool as it is shown."""
    return PoolShown(
        total=pool.total,
        per_cluster=pool.per_cluster,
        initial=pool.initial,
        used=used,
        left=pool.left(used),
    )


def _held(row: ClusterRow, quota: QuotaRow | None, language: str) -> dict[str, Any]:
    text = texts.WAITING if quota is None else texts.HOLDS[Hold(quota.state)]
    shown = text.zh if language == "zh" else text.en
    if quota is not None and quota.code:
        reason = reason_of(quota.code, quota.text, language)
        shown = f"{shown}：{reason}" if language == "zh" else f"{shown}: {reason}"
    return {
        "limit": None if quota is None else quota.limit,
        "reported_limit": row.limit_setting,
        "connections": row.connections,
        "state": "waiting" if quota is None else quota.state,
        "text": shown,
        "changed_at": None if quota is None else quota.changed_at,
        "changed_by": "" if quota is None else quota.changed_by,
    }


def quota_shown(view: View, language: str) -> QuotaShown:
    """The limit of one cluster."""
    return QuotaShown.model_validate(
        {
            **_held(view.cluster, view.quota, language),
            "is_permitted": view.cluster.is_limit_settable,
            "proposed": view.proposed,
            "most": view.most,
            "left": view.pool.left(view.used),
            "total": view.pool.total,
            "per_cluster": view.pool.per_cluster,
            "command_id": None if view.quota is None else view.quota.command_id,
        }
    )


def limit_shown(row: Any, language: str) -> LimitShown:
    """A row of the list."""
    _, cluster, quota, org_name, project_name = row
    return LimitShown.model_validate(
        {
            **_held(cluster, quota, language),
            "cluster_id": cluster.id,
            "cluster_name": cluster.name,
            "org_id": cluster.org_id,
            "org_name": org_name,
            "project_id": cluster.project_id,
            "project_name": project_name,
        }
    )
