"""``/monitor`` and ``/monitor_current``: what the node did, and what it does."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.broker.nodes.api import NodeName
from rookery.web.models import Row
from rookery.web.rest import errors, fast

Latest = Annotated[
    int | None,
    Query(
        ge=1,
        le=31_536_000,
        description="Of so many last seconds; everything that is kept otherwise.",
        examples=[300],
    ),
]


class SampleRow(Row):
    """A moment, and what was counted since the sample before."""

    time_stamp: int = Field(ge=0, description="Milliseconds since 1970.", examples=[1700000000000])
    connections: int = Field(description="Sessions, connected or not.", examples=[120])
    live_connections: int = Field(description="Clients connected.", examples=[100])
    subscriptions: int = Field(description="Subscriptions.", examples=[300])
    topics: int = Field(description="Topic filters somebody subscribed.", examples=[200])
    disconnected_durable_sessions: int = Field(
        description="Sessions that wait for their client.", examples=[20]
    )
    received: int = Field(description="Messages received since the sample before.", examples=[900])
    sent: int = Field(description="Messages sent since then.", examples=[1800])
    dropped: int = Field(description="Messages dropped since then.", examples=[0])
    persisted: int = Field(description="Messages written to the disk since then.", examples=[40])


class CurrentBody(Row):
    """What there is at the moment, and what happens per second."""

    connections: int = Field(description="Sessions, connected or not.", examples=[120])
    live_connections: int = Field(description="Clients connected.", examples=[100])
    cluster_sessions: int = Field(description="Sessions in the cluster.", examples=[120])
    subscriptions: int = Field(description="Subscriptions.", examples=[300])
    shared_subscriptions: int = Field(description="Shared subscriptions.", examples=[10])
    topics: int = Field(description="Topic filters somebody subscribed.", examples=[200])
    retained_msg_count: int = Field(description="Retained messages.", examples=[50])
    disconnected_durable_sessions: int = Field(
        description="Sessions that wait for their client.", examples=[20]
    )
    received_msg_rate: int = Field(description="Messages received per second.", examples=[90])
    sent_msg_rate: int = Field(description="Messages sent per second.", examples=[180])
    dropped_msg_rate: int = Field(description="Messages dropped per second.", examples=[0])
    persisted_rate: int = Field(
        description="Messages written to the disk per second.", examples=[4]
    )
    license_quota: int | None = Field(
        None,
        description="Most clients at once (`access.max_connections`); absent without a bound.",
        examples=[10_000],
    )


class CurrentNodeBody(CurrentBody):
    """The same of one node."""

    node_uptime: int = Field(description="Seconds since the start.", examples=[5120])


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Metrics"])
    monitor, nodes, settings = node.services.monitor, node.services.nodes, node.services.settings

    async def samples(latest: int | None) -> Response:
        # A week is three thousand rows.
        return await asyncio.to_thread(
            lambda: fast([sample.to_row() for sample in monitor.samples(latest)])
        )

    async def current() -> dict[str, Any]:
        found = await asyncio.to_thread(monitor.current)
        most = settings.config["access.max_connections"]
        return found if most is None else {**found, "license_quota": most}

    @api.get("/monitor", summary="List samples", response_model=list[SampleRow])
    async def monitor_all(latest: Latest = None) -> Response:
        """What the cluster did: a sample each 10 seconds for an hour, each minute for a day, each 5
        minutes for 3 days, each 10 minutes for 7 days. Counters of joined samples are added up.
        """
        return await samples(latest)

    @api.get(
        "/monitor/nodes/{node}",
        summary="List samples of a node",
        response_model=list[SampleRow],
        responses=errors("NOT_FOUND"),
    )
    async def monitor_node(name: NodeName, latest: Latest = None) -> Response:
        """What one node did."""
        nodes.own(name)
        return await samples(latest)

    @api.get("/monitor_current", summary="Get rates", response_model_exclude_none=True)
    async def monitor_current() -> CurrentBody:
        """What there is in the cluster at the moment, and what happens per second."""
        return CurrentBody(**await current())

    @api.get(
        "/monitor_current/nodes/{node}",
        summary="Get rates of a node",
        response_model_exclude_none=True,
        responses=errors("NOT_FOUND"),
    )
    async def monitor_current_node(name: NodeName) -> CurrentNodeBody:
        """The same of one node."""
        nodes.own(name)
        return CurrentNodeBody(**await current(), node_uptime=nodes.uptime_ms // 1000)

    return api
