"""``/mqtt/topic_metrics``: counters and rates of single topics."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import rfc3339
from rookery.broker.topic_metrics.service import TopicMetric
from rookery.web.lists import ListQuery
from rookery.web.models import Model, Page, Row
from rookery.web.rest import errors, example, fast
from rookery.web.sorting import OrderQuery

_NAMES = {
    "message.dropped": ("dropped",),
    "message.in": ("received_qos0", "received_qos1", "received_qos2"),
    "message.out": ("sent_qos0", "sent_qos1", "sent_qos2"),
    "message.qos0.in": ("received_qos0",),
    "message.qos0.out": ("sent_qos0",),
    "message.qos1.in": ("received_qos1",),
    "message.qos1.out": ("sent_qos1",),
    "message.qos2.in": ("received_qos2",),
    "message.qos2.out": ("sent_qos2",),
}
_EXAMPLE = {
    "topic": "plant/7", "create_time": "2026-01-31T12:00:00.000+00:00",
    "metrics": {"message.in.count": 12, "message.in.rate": 0.5},
}  # fmt: skip
_DONE: dict[int | str, dict[str, Any]] = {204: {"description": "Done."}}
TopicSort = Literal[
    "topic", "create_time", "reset_time", "since", "message.in.count", "message.in.rate",
    "message.out.count", "message.out.rate", "message.dropped.count", "message.dropped.rate",
]  # fmt: skip


class TopicMetricRow(Row):
    """Counters and rates of a topic."""

    topic: str = Field(description="Topic name.")
    create_time: str = Field(description="Since when it is counted.")
    reset_time: str | None = Field(None, description="When it began at zero again.")
    metrics: dict[str, float] = Field(
        description="`message.X.count` and `message.X.rate` (per second), X being `dropped`, `in`, "
        "`out`, `qos0.in`, `qos0.out`, `qos1.in` …"
    )


class CreateTopic(Model):
    """A topic to count."""

    topic: str = Field(
        max_length=65535, description="Topic name without wildcards.", examples=["plant/7"]
    )


class ResetTopics(Model):
    """Begin at zero again."""

    action: Literal["reset"] = Field(description="`reset`.", examples=["reset"])
    topic: str | None = Field(None, description="Absent: all topics.", examples=["plant/7"])


def router(node: NodeContext) -> APIRouter:
    """The operations."""
    api = APIRouter(tags=["MQTT"])
    _reading(api, node)
    _changing(api, node)
    return api


def _reading(api: APIRouter, node: NodeContext) -> None:
    @api.get(
        "/mqtt/topic_metrics",
        summary="List topic metrics",
        response_model=list[TopicMetricRow] | Page[TopicMetricRow],
        responses=example([_EXAMPLE]),
    )
    async def metrics(
        wanted: ListQuery,
        sort: Annotated[
            TopicSort | None,
            Query(
                description="Sort by this field, by this one of `metrics`, or by `since` when it "
                "was counted from zero."
            ),
        ] = None,
        order: OrderQuery = "asc",
    ) -> Response:
        """Every topic that is counted. With `page` or `limit` the answer is a page."""
        rows = [_row(metric) for metric in await node.services.topic_metrics.all()]

        def place(row: dict[str, Any]) -> tuple[bool, Any]:
            if sort == "since":
                return True, row.get("reset_time", row["create_time"])
            value = row["metrics"].get(sort, row.get(str(sort)))
            return value is not None, value

        return fast(wanted.answer(rows, ("topic",), sort, order, place))

    @api.get(
        "/mqtt/topic_metrics/{topic}",
        summary="Show topic metrics",
        response_model=TopicMetricRow,
        responses=errors("TOPIC_NOT_FOUND") | example(_EXAMPLE),
    )
    async def one(topic: str) -> Response:
        """A topic that is counted."""
        return fast(_row(await node.services.topic_metrics.get(topic)))


def _changing(api: APIRouter, node: NodeContext) -> None:
    @api.post(
        "/mqtt/topic_metrics",
        summary="Count a topic",
        status_code=204,
        responses=errors("BAD_REQUEST", "BAD_TOPIC", "ALREADY_EXISTS", (409, "EXCEED_LIMIT"))
        | _DONE,
    )
    async def create(body: CreateTopic) -> Response:
        """Count its messages from now on; at most 512 topics are counted."""
        await node.services.topic_metrics.create(body.topic)
        return Response(status_code=204)

    @api.put(
        "/mqtt/topic_metrics",
        summary="Reset topic metrics",
        status_code=204,
        responses=errors("BAD_REQUEST", "TOPIC_NOT_FOUND") | _DONE,
    )
    async def reset(body: ResetTopics) -> Response:
        """The counters begin at zero again."""
        await node.services.topic_metrics.reset(body.topic)
        return Response(status_code=204)

    @api.delete(
        "/mqtt/topic_metrics/{topic}",
        summary="Count a topic no more",
        status_code=204,
        responses=errors("TOPIC_NOT_FOUND", "ALREADY_EXISTS") | _DONE,
    )
    async def delete(topic: str) -> Response:
        """Its counters are gone."""
        await node.services.topic_metrics.delete(topic)
        return Response(status_code=204)


def _row(metric: TopicMetric) -> dict[str, Any]:
    shown: dict[str, float] = {}
    for name, parts in _NAMES.items():
        shown[f"{name}.count"] = sum(getattr(metric.counts, part) for part in parts)
        shown[f"{name}.rate"] = round(sum(metric.rates[part] for part in parts), 2)
    row: dict[str, Any] = {
        "topic": metric.topic,
        "create_time": rfc3339(metric.created_at_ms),
        "metrics": shown,
    }
    if metric.reset_at_ms is not None:
        row["reset_time"] = rfc3339(metric.reset_at_ms)
    return row
