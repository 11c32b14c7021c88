"""``/load_rebalance``: whether a load balancer may send clients here; emptying and evening out nodes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from rookery.broker.load_rebalance.models import (
    Availability,
    CoordinatorRow,
    Disabled,
    Enabled,
    EvacuationBody,
    EvacuationRow,
    EvictionStats,
    EvictionStatus,
    GlobalStatus,
    RebalanceBody,
    Started,
)
from rookery.broker.load_rebalance.service import Rebalancing
from rookery.broker.load_rebalance.texts import refusal
from rookery.broker.management.context import NodeContext
from rookery.broker.nodes.api import NodeName
from rookery.errors import UnavailableError
from rookery.web.rest import errors

_REFUSALS = ("BAD_REQUEST", "NOT_FOUND", "SERVICE_UNAVAILABLE")


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Load Rebalance"])
    rebalancing = node.services.rebalancing
    _looking(api, node, rebalancing)
    _evacuating(api, rebalancing)
    _balancing(api, rebalancing)
    return api


def _looking(api: APIRouter, node: NodeContext, rebalancing: Rebalancing) -> None:
    @api.get(
        "/load_rebalance/availability_check",
        summary="Check availability",
        responses=errors("NODE_EVACUATING"),
    )
    async def availability_check() -> Availability:
        """For health checks of load balancers, without credentials: 200 while clients are welcome,
        503 as soon as the node begins to stop or to send clients to other nodes.
        """
        state = rebalancing.state if node.state.is_running else "stopping"
        if state is not None:
            raise refusal(UnavailableError, "stopping", code="NODE_EVACUATING", state=state)
        return Availability()

    @api.get(
        "/load_rebalance/status",
        summary="Get the status of this node",
        response_model_exclude_none=True,
    )
    async def status() -> Enabled | Disabled:
        """Whether clients of this node are being sent to others, and how far that is."""
        moving = (await rebalancing.own_status())["moving"]
        return (
            Disabled(status="disabled") if moving is None else Enabled(status="enabled", **moving)
        )

    @api.get(
        "/load_rebalance/global_status",
        summary="Get the status of all nodes",
        response_model_exclude_none=True,
    )
    async def global_status() -> GlobalStatus:
        """The same of every node that answers."""
        found = await rebalancing.all_status()
        return GlobalStatus(
            evacuations=[
                EvacuationRow(node=row["node"], **row["moving"])
                for row in found
                if row["moving"] is not None and row["moving"]["process"] == "evacuation"
            ],
            purges=[],
            rebalances=[
                CoordinatorRow(node=row["node"], **row["coordinating"])
                for row in found
                if row["coordinating"] is not None
            ],
        )

    @api.get(
        "/node_eviction/status",
        summary="Get whether clients are disconnected",
        response_model_exclude_none=True,
    )
    async def eviction() -> EvictionStatus:
        """Whether this node disconnects clients, for whatever of these reasons."""
        moving = (await rebalancing.own_status())["moving"]
        if moving is None:
            return EvictionStatus(status="disabled", stats=None)
        stats = moving["stats"]
        counts = EvictionStats(
            connections=stats["current_connected"], sessions=stats["current_sessions"]
        )
        return EvictionStatus(status="enabled", stats=counts)


def _evacuating(api: APIRouter, rebalancing: Rebalancing) -> None:
    @api.post(
        "/load_rebalance/{node}/evacuation/start",
        summary="Begin to evacuate a node",
        responses=errors(*_REFUSALS),
    )
    async def evacuation_start(
        name: NodeName, body: Annotated[EvacuationBody | None, Body()] = None
    ) -> Started:
        """Have load balancers send nobody there any more, then refuse new clients and disconnect
        those that are there, so many a second. It goes on, also over a restart, until it is stopped.
        """
        await rebalancing.evacuate(name, (body or EvacuationBody.model_validate({})).order())
        return Started()

    @api.post(
        "/load_rebalance/{node}/evacuation/stop",
        summary="Stop evacuating a node",
        responses=errors(*_REFUSALS),
    )
    async def evacuation_stop(name: NodeName) -> Started:
        """Have the node take clients again."""
        await rebalancing.stop_evacuation(name)
        return Started()


def _balancing(api: APIRouter, rebalancing: Rebalancing) -> None:
    @api.post(
        "/load_rebalance/{node}/start",
        summary="Begin to even out nodes",
        responses=errors(*_REFUSALS),
    )
    async def start(
        name: NodeName, body: Annotated[RebalanceBody | None, Body()] = None
    ) -> Started:
        """Have nodes with more clients than the average disconnect as many as they have too many. The
        node that is named coordinates it; when one that takes part is not heard any more, it ends.
        """
        await rebalancing.start(name, (body or RebalanceBody.model_validate({})).wanted())
        return Started()

    @api.post(
        "/load_rebalance/{node}/stop",
        summary="Stop evening out nodes",
        responses=errors(*_REFUSALS),
    )
    async def stop(name: NodeName) -> Started:
        """End the rebalancing that the node coordinates."""
        await rebalancing.stop(name)
        return Started()
