"""``/load_rebalance``: whether a load balancer may send clients here."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.errors import UnavailableError
from rookery.web.models import Row
from rookery.web.rest import errors


class Availability(Row):
    """Clients may come."""


class RebalanceStatus(Row):
    """What is under way."""

    status: Literal["disabled"] = Field(
        description="No clients are being moved to other nodes.", examples=["disabled"]
    )


class GlobalStatus(Row):
    """What is under way on all nodes."""

    evacuations: list[dict[str, Any]] = Field(description="Nodes that are emptied.", examples=[[]])
    purges: list[dict[str, Any]] = Field(description="Nodes that drop sessions.", examples=[[]])
    rebalances: list[dict[str, Any]] = Field(description="Nodes that even out.", examples=[[]])


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Load Rebalance"])

    @api.get(
        "/load_rebalance/availability_check",
        summary="Check availability",
        responses=errors("NODE_EVACUATING"),
    )
    async def availability_check() -> Availability:
        """For health checks of load balancers, without credentials: 200 while clients are welcome,
        503 as soon as the node begins to stop.
        """
        if not node.state.is_running:
            raise UnavailableError("the node stops", code="NODE_EVACUATING")
        return Availability()

    @api.get("/load_rebalance/status", summary="Get the status of this node")
    async def status() -> RebalanceStatus:
        """Whether clients of this node are being moved to others. A node alone moves nobody."""
        return RebalanceStatus(status="disabled")

    @api.get("/load_rebalance/global_status", summary="Get the status of all nodes")
    async def global_status() -> GlobalStatus:
        """The same of every node."""
        return GlobalStatus(evacuations=[], purges=[], rebalances=[])

    return api
