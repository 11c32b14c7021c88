"""``/cluster``: who belongs to it, joining and leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Body
from pydantic import Field
from starlette.responses import Response

from rookery.broker.cluster.invitations import Invitations
from rookery.broker.management.context import NodeContext
from rookery.broker.nodes.api import NodeName
from rookery.web.models import Model, Row
from rookery.web.rest import errors

if TYPE_CHECKING:
    from rookery.broker.cluster.alone import Alone
    from rookery.broker.cluster.service import Cluster

INVITE_MS = 15_000
INVITE_MS_MAX = 300_000


class LanesRow(Row):
    """How messages of clients go between this node and that one."""

    incarnation: int = Field(ge=0, description="Start of that node.", examples=[1_795_350_000_000])
    is_connected: bool = Field(description="Whether every lane stands.", examples=[True])
    since_ms: int = Field(
        ge=0, description="Since when that is so, or not so.", examples=[1_795_350_000_000]
    )
    routes: int = Field(
        ge=0, description="Topic filters that it has subscribers for.", examples=[9]
    )
    sent: int = Field(ge=0, description="Messages for it.", examples=[1000])
    received: int = Field(ge=0, description="Messages from it.", examples=[900])
    resent: int = Field(ge=0, description="Sent again after a cut.", examples=[0])
    dropped: int = Field(ge=0, description="Dropped instead of sent.", examples=[0])
    queued_bytes: int = Field(ge=0, description="Bytes that wait for it.", examples=[0])
    last_error: str = Field(description="What went wrong last; empty: nothing.", examples=[""])


class DoubledRow(Row):
    """The node that keeps the durable sessions of a member as well."""

    node: str | None = Field(
        None, description="Its name; absent: none does.", examples=["rookery@10.0.0.3"]
    )
    is_whole: bool = Field(
        description="Whether it has all of them: acknowledgements wait for it.", examples=[True]
    )
    lag: int = Field(ge=0, description="Changes that it has not confirmed.", examples=[3])
    lag_bytes: int = Field(ge=0, description="Bytes of them.", examples=[960])


class MemberRow(Row):
    """A member."""

    node: str = Field(description="Name.", examples=["rookery@10.0.0.2"])
    node_status: Literal["running", "stopped"] = Field(description="State.", examples=["running"])
    role: Literal["core", "witness"] = Field(
        "core",
        description="`witness`: it has no clients, and counts for the quorum.",
        examples=["core"],
    )
    address: str | None = Field(
        None, description="Where its NATS takes routes.", examples=["10.0.0.2:6369"]
    )
    since: int | None = Field(
        None, ge=0, description="When it joined, in milliseconds.", examples=[1_795_350_000_000]
    )
    version: str | None = Field(None, description="Its version.", examples=["0.3.0"])
    revision: int | None = Field(
        None,
        ge=0,
        description="The last change of what all nodes have alike that it has.",
        examples=[42],
    )
    in_step: bool | None = Field(None, description="Whether it has all of it.", examples=[True])
    lanes: LanesRow | None = Field(
        None, description="Messages between it and this node; absent of this node itself."
    )
    partner: DoubledRow | None = Field(
        None,
        description="Who else keeps its sessions, as it said within the last second; absent of a member "
        "that does not run.",
    )


class NatsRow(Row):
    """What the cluster stands on."""

    mode: Literal["embedded", "external"] = Field(description="Whose it is.", examples=["embedded"])
    running: bool = Field(description="Whether it runs.", examples=[True])
    connected: bool = Field(description="Whether this node is connected to it.", examples=[True])
    pid: int | None = Field(None, description="Process of the server.", examples=[4711])
    restarts: int | None = Field(
        None, ge=0, description="How often it had to be started again.", examples=[0]
    )


class StateRow(Row):
    """How this node stands with what all nodes have alike."""

    in_step: bool = Field(
        description="Whether it has all of it, so that changes can be made here.", examples=[True]
    )
    revision: int = Field(ge=0, description="The last change that it knows of.", examples=[42])
    problem: str | None = Field(None, description="Why it is not in step.", examples=[None])
    replaced: dict[str, int] | None = Field(
        None,
        description="Rows of its own, by kind, that went when it took over what the cluster has.",
        examples=[{"users": 3}],
    )


class QuorumRow(Row):
    """Whether enough nodes run for changes of what all nodes have alike."""

    members: int = Field(ge=1, description="Nodes of the cluster.", examples=[3])
    running: int = Field(
        ge=0, description="Those that run, as this node hears, itself too.", examples=[3]
    )
    needed: int = Field(ge=1, description="How many have to run.", examples=[2])
    has: bool = Field(
        description="Whether enough do. Without it clients are served, and changes of settings, users, "
        "rules and plugins are refused.",
        examples=[True],
    )


class PartnerRow(DoubledRow):
    """The same of the node that answers, and what became of copies before."""

    since: int | None = Field(
        None,
        ge=0,
        description="Since when that is so, or not so; absent: since the start.",
        examples=[1_795_350_000_000],
    )
    unconfirmed: int = Field(
        ge=0,
        description="Times that acknowledgements left without it because it was late.",
        examples=[0],
    )
    restarts: int = Field(
        ge=0, description="Times that its copy was given up, and another one begun.", examples=[0]
    )
    last_error: str = Field(description="Why; empty: all is well.", examples=[""])


class ClusterBody(Row):
    """The cluster."""

    name: str = Field(description="Name of the cluster.", examples=["emqxcl"])
    nodes: list[str] = Field(description="Its nodes.", examples=[["rookery@10.0.0.1"]])
    self: str = Field(description="The node that answers.", examples=["rookery@10.0.0.1"])
    members: list[MemberRow] = Field(description="Its nodes with their states.")
    nats: NatsRow | None = Field(
        None, description="What it stands on; absent where the node can be in no cluster."
    )
    state: StateRow | None = Field(
        None, description="What all nodes have alike; absent where there is no other node."
    )
    quorum: QuorumRow | None = Field(
        None, description="Whether enough nodes run; absent where there is no other node."
    )
    partner: PartnerRow | None = Field(
        None,
        description="Who else keeps the sessions of the node that answers; absent where there is no "
        "other node.",
    )
    problem: str | None = Field(
        None, description="Why this node keeps out of its cluster.", examples=[None]
    )


class ReplicantRow(Row):
    """A replicant of a core node."""

    node: str = Field(description="Name.", examples=["rookery@127.0.0.2"])
    streams: int = Field(ge=0, description="Streams between the two.", examples=[10])


class TopologyRow(Row):
    """A core node and the replicants that follow it."""

    core_node: str = Field(description="Name of the core node.", examples=["rookery@127.0.0.1"])
    replicant_nodes: list[ReplicantRow] = Field(
        description="Always empty: every node is a core node.", examples=[[]]
    )


class JoinBody(Model):
    """Which cluster."""

    node: str = Field(max_length=320, description="Any node of it.", examples=["rookery@10.0.0.1"])


class InviteBody(Model):
    """How long."""

    timeout: int = Field(
        INVITE_MS,
        ge=1,
        le=INVITE_MS_MAX,
        description="Milliseconds to wait for the node.",
        examples=[INVITE_MS],
    )


class Asked(Row):
    """A node was asked to join."""

    node: str = Field(description="Name.", examples=["rookery@10.0.0.2"])
    started_at: str = Field(description="Since when.", examples=["2026-11-23T15:24:39.355+08:00"])


class Answered(Asked):
    """It joined."""

    finished_at: str = Field(description="When.", examples=["2026-11-23T15:24:40.355+08:00"])


class Refused(Answered):
    """It did not join."""

    reason: str = Field(description="Why.", examples=["it was not reached"])


class InvitationBody(Row):
    """What became of invitations since the start of this node, the latest of each node."""

    succeed: list[Answered] = Field(description="Nodes that joined.")
    in_progress: list[Asked] = Field(description="Nodes that are being asked.")
    failed: list[Refused] = Field(description="Nodes that did not join.")


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Cluster"])
    cluster = node.services.cluster
    _reading(api, cluster)
    _moving(api, cluster)
    _inviting(api, cluster, Invitations(cluster.invite, node.clock))
    return api


def _reading(api: APIRouter, cluster: Cluster | Alone) -> None:
    @api.get("/cluster", summary="Get the cluster", response_model_exclude_none=True)
    async def show() -> ClusterBody:
        """Name, nodes and their states."""
        status = cluster.status()
        return ClusterBody(nodes=[row["node"] for row in status["members"]], **status)

    @api.get("/cluster/topology", summary="Get the topology")
    async def topology() -> list[TopologyRow]:
        """Core nodes and their replicants. Every node of Rookery is a core node."""
        return [TopologyRow(core_node=name, replicant_nodes=[]) for name in cluster.names()]


def _moving(api: APIRouter, cluster: Cluster | Alone) -> None:
    @api.post(
        "/cluster/join",
        status_code=204,
        summary="Join a cluster",
        responses=errors("BAD_REQUEST", "ALREADY_EXISTS", "SERVICE_UNAVAILABLE"),
    )
    async def join(body: JoinBody) -> Response:
        """Make this node a member of the cluster of another one. What this node keeps for the
        whole cluster is replaced by what that one has.
        """
        await cluster.join(body.node)
        return Response(status_code=204)

    @api.post(
        "/cluster/leave",
        status_code=204,
        summary="Leave the cluster",
        responses=errors("ALREADY_EXISTS", "SERVICE_UNAVAILABLE"),
    )
    async def leave() -> Response:
        """Make this node one that stands alone; the other members are told."""
        await cluster.leave()
        return Response(status_code=204)

    @api.delete(
        "/cluster/{node}/force_leave",
        status_code=204,
        summary="Take a node out",
        responses=errors("BAD_REQUEST", "NOT_FOUND"),
    )
    async def force_leave(name: NodeName) -> Response:
        """Take a member out of the cluster, also one that does not run any more."""
        await cluster.force_leave(name)
        return Response(status_code=204)


def _inviting(api: APIRouter, cluster: Cluster | Alone, invitations: Invitations) -> None:
    @api.get("/cluster/invitation", summary="Get invitations")
    async def invitation() -> InvitationBody:
        """What became of nodes that were invited without waiting."""
        return InvitationBody.model_validate(invitations.rows())

    @api.put(
        "/cluster/{node}/invite",
        summary="Invite a node",
        responses=errors("BAD_REQUEST", "ALREADY_EXISTS", "SERVICE_UNAVAILABLE"),
    )
    async def invite(name: NodeName, body: Annotated[InviteBody | None, Body()] = None) -> Row:
        """Have a node that runs with the same cookie join this cluster, and wait for it. What that
        node keeps for the whole cluster is replaced.
        """
        await cluster.invite(name, (INVITE_MS if body is None else body.timeout) / 1000)
        return Row()

    @api.put(
        "/cluster/{node}/invite_async",
        summary="Invite a node without waiting",
        responses=errors("BAD_REQUEST"),
    )
    async def invite_async(name: NodeName) -> Row:
        """The same, answered at once; `GET /cluster/invitation` tells what became of it."""
        invitations.begin(name)
        return Row()
