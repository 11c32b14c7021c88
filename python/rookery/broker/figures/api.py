"""``/stats`` and ``/metrics``, of the cluster and of single nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.broker.nodes.api import NodeName
from rookery.observability.catalog import COUNTERS, GAUGES, Figure
from rookery.web.rest import errors, fast

Aggregate = Annotated[
    bool, Query(description="One object for all nodes instead of one for each.", examples=[False])
]


def _object(figures: Sequence[Figure], *, of_node: bool) -> dict[str, Any]:
    """The schema of an object of figures: EMQX's are named, more may be there."""
    named: dict[str, Any] = {
        figure.name: {"type": "integer", "minimum": 0, "description": figure.en}
        for figure in figures
        if figure.owner == "emqx"
    }
    if of_node:
        named["node"] = {"type": "string", "description": "Name of the node."}
    return {
        "type": "object",
        "properties": named,
        "additionalProperties": {"type": "integer"},
    }


def _answers(schema: dict[str, Any], example: Any) -> dict[int | str, dict[str, Any]]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {200: {"description": "The figures, by name.", "content": content}}


def _either(figures: Sequence[Figure], example: dict[str, int]) -> dict[int | str, dict[str, Any]]:
    rows = {"type": "array", "items": _object(figures, of_node=True)}
    schema = {"oneOf": [_object(figures, of_node=False), rows]}
    return _answers(schema, [{"node": "rookery@127.0.0.1", **example}])


_STATS = {"connections.count": 120, "connections.max": 140, "live_connections.count": 100}
_METRICS = {"messages.received": 1000, "messages.sent": 2000, "packets.received": 1500}


def _summed(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        for name, value in row.items():
            found[name] = found.get(name, 0) + value
    return found


def router(node: NodeContext) -> APIRouter:
    api = APIRouter()
    nodes = node.services.nodes

    async def of_cluster(which: str, *, is_summed: bool) -> Response:
        found = await nodes.figures(which)
        if is_summed:
            return fast(_summed(found.values()))
        return fast([{"node": name, **figures} for name, figures in found.items()])

    async def of_node(name: str, which: str) -> Response:
        return fast(await nodes.figures_of(name, which))

    @api.get("/stats", summary="Get stats", tags=["Metrics"], responses=_either(GAUGES, _STATS))
    async def stats(aggregate: Aggregate = False) -> Response:
        """Gauges: what there is at the moment (`X.count`), and the highest since the start (`X.max`)."""
        return await of_cluster("stats", is_summed=aggregate)

    @api.get(
        "/metrics", summary="Get metrics", tags=["Metrics"], responses=_either(COUNTERS, _METRICS)
    )
    async def metrics(aggregate: Aggregate = False) -> Response:
        """Counters since the start of each node."""
        return await of_cluster("metrics", is_summed=aggregate)

    @api.get(
        "/nodes/{node}/stats",
        summary="Get stats of a node",
        tags=["Nodes"],
        responses=_answers(_object(GAUGES, of_node=False), _STATS)
        | errors("NOT_FOUND", "SERVICE_UNAVAILABLE", "TIMEOUT"),
    )
    async def stats_of_node(name: NodeName) -> Response:
        """The gauges of one node."""
        return await of_node(name, "stats")

    @api.get(
        "/nodes/{node}/metrics",
        summary="Get metrics of a node",
        tags=["Nodes"],
        responses=_answers(_object(COUNTERS, of_node=False), _METRICS)
        | errors("NOT_FOUND", "SERVICE_UNAVAILABLE", "TIMEOUT"),
    )
    async def metrics_of_node(name: NodeName) -> Response:
        """The counters of one node."""
        return await of_node(name, "metrics")

    return api
