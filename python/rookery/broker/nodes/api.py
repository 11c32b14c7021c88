"""``/nodes``."""

from __future__ import annotations

from typing import Annotated, Literal

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
    """A node. Of one that is stopped only name and state are known."""

    node: str = Field(description="Name.", examples=["rookery@127.0.0.1"])
    node_status: Literal["running", "stopped"] = Field(description="State.", examples=["running"])
    version: str | None = Field(None, description="Version of Rookery.", examples=["0.3.0"])
    edition: Literal["Opensource", "Enterprise"] | None = Field(
        None, description="Always `Opensource`: there is one edition.", examples=["Opensource"]
    )
    role: Literal["core", "replicant"] | None = Field(
        None, description="Always `core`: every node is one.", examples=["core"]
    )
    uptime: int | None = Field(
        None, ge=0, description="Milliseconds since the start.", examples=[5_120_000]
    )
    connections: int | None = Field(
        None, ge=0, description="Sessions, connected or not.", examples=[120]
    )
    live_connections: int | None = Field(
        None, ge=0, description="Clients connected.", examples=[100]
    )
    cluster_sessions: int | None = Field(
        None, ge=0, description="Sessions in the cluster.", examples=[120]
    )
    load1: float | None = Field(
        None, description="Load of the machine over 1 minute.", examples=[2.66]
    )
    load5: float | None = Field(None, description="Over 5 minutes.", examples=[2.66])
    load15: float | None = Field(None, description="Over 15 minutes.", examples=[2.66])
    max_fds: int | None = Field(
        None,
        ge=0,
        description="Most open files of the process; 0 is no bound.",
        examples=[1_048_576],
    )
    memory_total: str | None = Field(
        None,
        description="Memory of the machine, or of the container where that is bounded.",
        examples=["64.00G"],
    )
    memory_used: str | None = Field(None, description="Memory in use.", examples=["12.50G"])
    sys_path: str | None = Field(None, description="Data directory.", examples=["/var/lib/rookery"])
    log_path: str | None = Field(
        None, description="Folder of the logs.", examples=["/var/lib/rookery/log"]
    )


def router(node: NodeContext) -> APIRouter:
    api = APIRouter()
    nodes = node.services.nodes

    @api.get("/nodes", summary="List nodes", tags=["Nodes"], response_model_exclude_none=True)
    async def list_nodes() -> list[NodeRow]:
        """Every node of the cluster with its state."""
        return [NodeRow(**row) for row in await nodes.info()]

    @api.get(
        "/nodes/{node}",
        summary="Get a node",
        tags=["Nodes"],
        responses=errors("NOT_FOUND"),
        response_model_exclude_none=True,
    )
    async def get_node(name: NodeName) -> NodeRow:
        """One node with its state."""
        return NodeRow(**await nodes.info_of(name))

    return api
