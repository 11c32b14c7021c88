"""What the operations about clusters take and give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, StringConstraints

from rookery.control.agents.checklist import Milestone, checklist
from rookery.control.agents.registration import state_of
from rookery.control.clusters.facts import conditions_of
from rookery.control.clusters.models import Cluster
from rookery.control.clusters.state import Presence
from rookery.control.clusters.store import (
    ADDRESS_LENGTH_MAX,
    DESCRIPTION_LENGTH_MAX,
    LABEL_LENGTH_MAX,
    LABELS_MAX,
    NAME_LENGTH_MAX,
)
from rookery.control.clusters.texts import text_of
from rookery.control.rest.models import Given, Id, Shown, Time

StateName: TypeAlias = Literal["created", "registering", "running", "abnormal", "deleting"]
TokenStateName: TypeAlias = Literal["none", "open", "used", "expired", "revoked"]
PresenceName: TypeAlias = Literal["unknown", "online", "offline"]

Label = Annotated[str, StringConstraints(min_length=1, max_length=LABEL_LENGTH_MAX)]
ClusterName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX),
    Field(description="What people call it; one of a kind in its project.", examples=["plant-1"]),
]


class EntryGiven(Given):
    """What people say about a cluster."""

    name: ClusterName
    address: Annotated[
        str,
        StringConstraints(max_length=ADDRESS_LENGTH_MAX),
        Field(
            description="Where browsers find its dashboard; may be entered later.",
            examples=["https://plant-1.example.com:18083"],
        ),
    ] = ""
    description: Annotated[
        str,
        StringConstraints(max_length=DESCRIPTION_LENGTH_MAX),
        Field(description="For people.", examples=["Hall 3"]),
    ] = ""
    labels: list[Label] = Field(
        default_factory=list,
        max_length=LABELS_MAX,
        description="Words to find it by.",
        examples=[["site=east"]],
    )


class DeletionGiven(Given):
    """Confirms a deletion."""

    name: str = Field(
        max_length=NAME_LENGTH_MAX,
        description="The name of the cluster, typed by who deletes it.",
        examples=["plant-1"],
    )


class TransferGiven(Given):
    """Where a cluster moves to."""

    org_id: Id
    project_id: Id


class ConditionShown(Shown):
    """Something that is wrong."""

    type: str = Field(description="What, for programs.", examples=["ClusterUnreachable"])
    severity: Literal["error", "warning"] = Field(
        description="A warning does not make a cluster abnormal.", examples=["error"]
    )
    since: Time = Field(description="Since when.")
    text: str = Field(
        description="The same for people, in the language of the caller.",
        examples=["The agent cannot read the cluster: connection refused"],
    )


class AgentShown(Shown):
    """The agent of a cluster."""

    id: Id
    node_id: str = Field(description="The machine it runs on.", examples=["b3d1f0"])
    host_name: str = Field(description="What that machine calls itself.", examples=["broker-1"])
    version: str = Field(description="Of the agent.", examples=["0.6.0"])
    registered_at: Time = Field(description="When it registered.")
    connected_at: Time | None = Field(description="When it last connected to the relay.")


class NodeShown(Shown):
    """A node of a cluster, as its agent reports it."""

    node: str = Field(description="Its name.", examples=["rookery@10.0.0.1"])
    status: str = Field(description="`running`, or what else it says.", examples=["running"])
    uptime_ms: int | None = Field(
        default=None, description="How long it runs.", examples=[86400000]
    )
    version: str = Field(default="", description="Its version.", examples=["0.6.0"])
    connections: int | None = Field(default=None, description="Clients of it.", examples=[120])
    role: str = Field(default="", description="Its role in the cluster.", examples=["core"])


class ClusterShown(Shown):
    """A cluster in a list."""

    id: Id
    org_id: Id
    project_id: Id
    name: ClusterName
    address: str = Field(description="Where its dashboard is.", examples=[""])
    description: str = Field(description="For people.", examples=["Hall 3"])
    labels: list[str] = Field(description="Words to find it by.", examples=[["site=east"]])
    state: StateName = Field(description="Its state.", examples=["running"])
    conditions: list[ConditionShown] = Field(description="What is wrong with it.")
    version: str = Field(description="Of the cluster.", examples=["0.6.0"])
    edition: str = Field(description="What it calls itself.", examples=["rookery"])
    nodes_running: int = Field(description="Nodes that run.", examples=[3])
    nodes_total: int = Field(description="Nodes it has.", examples=[3])
    connections: int | None = Field(description="Clients that are connected.", examples=[812])
    connection_limit: int | None = Field(
        description="How many may be; none: it has no limit.", examples=[1000]
    )
    rates: dict[str, float] = Field(
        description="Messages a second, by direction.", examples=[{"received": 10.5}]
    )
    started_at: Time | None = Field(description="When its oldest running node started.")
    created_at: Time = Field(description="When the entry was made.")
    adopted_at: Time | None = Field(description="When it first ran with this agent.")
    last_report_at: Time | None = Field(description="When the last report arrived.")
    report_age_ms: int | None = Field(description="How old that is.", examples=[4200])
    round_trip_ms: int | None = Field(
        description="How long the agent waited for the cluster.", examples=[12]
    )
    clock_skew_ms: int = Field(description="How far the agent's clock is ahead.", examples=[-40])
    presence: PresenceName = Field(
        description="Whether the agent is connected to the relay.", examples=["online"]
    )
    presence_at: Time | None = Field(description="Since when.")
    presence_age_ms: int | None = Field(description="For how long.", examples=[360000])
    agent: AgentShown | None = Field(description="Its agent; none before one registers.")
    token_state: TokenStateName = Field(
        description="What the newest registration token is good for.", examples=["used"]
    )
    token_expires_at: Time | None = Field(description="Until when that one can be used.")


class ClusterDetail(ClusterShown):
    """A cluster with its nodes."""

    nodes: list[NodeShown] = Field(description="As its agent reports them.")


class TokenGiven(Given):
    """How a registration token is to be."""

    ttl_s: int = Field(
        default=3600, ge=60, le=30 * 86400, description="Seconds it can be used.", examples=[3600]
    )
    replace: bool = Field(
        default=False,
        description="Whether the agent that registers takes the place of the one there is.",
        examples=[False],
    )


class TokenShown(Shown):
    """A registration token; it is shown this once."""

    token: str = Field(description="For the register command.", examples=["rkr_…"])
    expires_at: Time = Field(description="Until when it can be used.")


class MilestoneShown(Shown):
    """Something that has happened, or not yet."""

    id: str = Field(description="Which.", examples=["registered"])
    text: str = Field(description="For people.", examples=["Agent registered"])
    done: bool = Field(description="Whether it has.", examples=[True])
    at: Time | None = Field(description="When.")


class ChecklistShown(Shown):
    """The way to a running cluster."""

    steps: list[MilestoneShown] = Field(description="In order.")


class FiltersShown(Shown):
    """What a list can be filtered by."""

    versions: list[str] = Field(description="Versions that clusters have.", examples=[["0.6.0"]])
    labels: list[str] = Field(description="Labels that clusters have.", examples=[["site=east"]])


class EntranceGiven(Given):
    """Where to go in."""

    page: str = Field(
        default="",
        max_length=1200,
        pattern=r"^(/[A-Za-z0-9._~:@%/-]*)?$",
        description="A page of the dashboard; without: its first one.",
        examples=["/connectors/http:plant_service"],
    )


class EntranceShown(Shown):
    """A way in."""

    url: str = Field(
        description="Opens the dashboard signed in, once, within half a minute.",
        examples=["https://plant-1.example.com:18083/?sso_code=…"],
    )


def shown(cluster: Cluster, language: str) -> dict[str, Any]:
    """A cluster as a list shows it."""
    row, now_ms = cluster.row, cluster.now_ms
    token = cluster.token
    return {
        "id": row.id,
        "org_id": row.org_id,
        "project_id": row.project_id,
        "name": row.name,
        "address": row.address,
        "description": row.description,
        "labels": list(cluster.labels),
        "state": row.state,
        "conditions": [
            {
                "type": str(condition.type),
                "severity": "warning" if condition.is_warning else "error",
                "since": condition.since_ms,
                "text": text_of(condition, language),
            }
            for condition in conditions_of(row)
        ],
        "version": row.version,
        "edition": row.edition,
        "nodes_running": row.nodes_running,
        "nodes_total": row.nodes_total,
        "connections": row.connections,
        "connection_limit": row.connection_limit,
        "rates": row.rates,
        "started_at": row.started_at,
        "created_at": row.created_at,
        "adopted_at": row.adopted_at,
        "last_report_at": row.reported_at,
        "report_age_ms": _age(row.reported_at, now_ms),
        "round_trip_ms": row.round_trip_ms,
        "clock_skew_ms": row.clock_skew_ms,
        "presence": row.presence,
        "presence_at": row.presence_at,
        "presence_age_ms": _age(row.presence_at, now_ms),
        "agent": cluster.agent,
        "token_state": str(state_of(token, now_ms)),
        "token_expires_at": None if token is None else token.expires_at_ms,
    }


def to_shown(cluster: Cluster, language: str) -> ClusterShown:
    """A cluster as a list shows it."""
    return ClusterShown.model_validate(shown(cluster, language))


def to_detail(cluster: Cluster, language: str) -> ClusterDetail:
    """A cluster with its nodes."""
    nodes = [_node(item) for item in cluster.row.nodes]
    return ClusterDetail.model_validate({**shown(cluster, language), "nodes": nodes})


def to_steps(cluster: Cluster, language: str) -> list[MilestoneShown]:
    """How far a cluster is on its way."""
    row = cluster.row
    is_connected = row.presence == Presence.ONLINE
    connected_at = cluster.agent.connected_at if cluster.agent is not None else None
    found: Sequence[Milestone] = checklist(
        cluster.token,
        row.registered_at,
        connected_at if is_connected else None,
        row.first_reported_at,
        cluster.now_ms,
        language,
    )
    return [
        MilestoneShown(id=item.id, text=item.text, done=item.is_done, at=item.at_ms)
        for item in found
    ]


def _age(at_ms: int | None, now_ms: int) -> int | None:
    return None if at_ms is None else max(0, now_ms - at_ms)


def _node(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What the agent wrote, by our names."""
    return {
        "node": stored.get("node", ""),
        "status": stored.get("status", ""),
        "uptime_ms": stored.get("uptime"),
        "version": stored.get("version", ""),
        "connections": stored.get("connections"),
        "role": stored.get("role", ""),
    }
