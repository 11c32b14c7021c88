"""``/nodes`` and ``/cluster``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.web.models import Row
from rookery.web.rest import errors

NodeName = Annotated[
    str,
    Path(
        alias="node",
        description="Name of the node.",
        examples=["rookery@127.0.0.1"],
        max_length=320,
    ),
]


class NodeRow(Row):
    """A node."""

    node: str = Field(description="Name.", examples=["rookery@127.0.0.1"])
    node_status: Literal["running", "stopped"] = Field(description="State.", examples=["running"])
    version: str = Field(description="Version of Rookery.", examples=["0.3.0"])
    edition: Literal["Opensource", "Enterprise"] = Field(
        description="Always `Opensource`: there is one edition.", examples=["Opensource"]
    )
    role: Literal["core", "replicant"] = Field(
        description="Always `core`: every node is one.", examples=["core"]
    )
    uptime: int = Field(ge=0, description="Milliseconds since the start.", examples=[5_120_000])
    connections: int = Field(ge=0, description="Sessions, connected or not.", examples=[120])
    live_connections: int = Field(ge=0, description="Clients connected.", examples=[100])
    cluster_sessions: int = Field(ge=0, description="Sessions in the cluster.", examples=[120])
    load1: float = Field(description="Load of the machine over 1 minute.", examples=[2.66])
    load5: float = Field(description="Over 5 minutes.", examples=[2.66])
    load15: float = Field(description="Over 15 minutes.", examples=[2.66])
    max_fds: int = Field(
        ge=0, description="Most open files of the process; 0 is no bound.", examples=[1_048_576]
    )
    memory_total: str | None = Field(
        None,
        description="Memory of the machine, or of the container where that is bounded.",
        examples=["64.00G"],
    )
    memory_used: str | None = Field(None, description="Memory in use.", examples=["12.50G"])
    sys_path: str = Field(description="Data directory.", examples=["/var/lib/rookery"])
    log_path: str = Field(description="Folder of the logs.", examples=["/var/lib/rookery/log"])


class ClusterBody(Row):
    """The cluster."""

    name: str = Field(description="Name of the cluster.", examples=["rookery"])
    nodes: list[str] = Field(description="Its nodes.", examples=[["rookery@127.0.0.1"]])
    self: str = Field(description="The node that answers.", examples=["rookery@127.0.0.1"])


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


def router(node: NodeContext) -> APIRouter:
    api = APIRouter()
    nodes = node.services.nodes

    @api.get("/nodes", summary="List nodes", tags=["Nodes"], response_model_exclude_none=True)
    async def list_nodes() -> list[NodeRow]:
        """Every node of the cluster with its state."""
        return [NodeRow(**await nodes.info())]

    @api.get(
        "/nodes/{node}",
        summary="Get a node",
        tags=["Nodes"],
        responses=errors("NOT_FOUND"),
        response_model_exclude_none=True,
    )
    async def get_node(name: NodeName) -> NodeRow:
        """One node with its state."""
        nodes.known(name)
        return NodeRow(**await nodes.info())

    @api.get("/cluster", summary="Get the cluster", tags=["Cluster"])
    async def cluster() -> ClusterBody:
        """Name and nodes of the cluster that this node is part of."""
        found: dict[str, Any] = {"name": nodes.cluster, "nodes": nodes.names(), "self": nodes.name}
        return ClusterBody(**found)

    @api.get("/cluster/topology", summary="Get the topology", tags=["Cluster"])
    async def topology() -> list[TopologyRow]:
        """Core nodes and their replicants. Every node of Rookery is a core node."""
        return [TopologyRow(core_node=name, replicant_nodes=[]) for name in nodes.names()]

    return api
