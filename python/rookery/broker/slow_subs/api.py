"""``/slow_subscriptions``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.web.durations import duration_text
from rookery.web.models import Model, Page, Row
from rookery.web.rest import PageQuery, errors, example
from rookery.web.sorting import OrderQuery, holding, in_order

_DURATIONS = ("threshold", "expire_interval")
Time = Annotated[str | int, Field(union_mode="left_to_right")]


class SlowSubscriptionRow(Row):
    """A client and a topic whose messages take long to reach it."""

    clientid: str = Field(description="The client.", examples=["slow-1"])
    node: str = Field(description="Its node.", examples=["rookery@127.0.0.1"])
    topic: str = Field(description="Topic name.", examples=["plant/1/temperature"])
    timespan: int = Field(description="The longest time so far, ms.", examples=[1830])
    last_update_time: int = Field(
        description="When a message was slow last, ms since 1970.", examples=[1700000000000]
    )


class SlowSubscriptionSettings(Row):
    """``slow_subs``."""

    enable: bool = Field(description="Whether they are measured.", examples=[True])
    threshold: str = Field(description="Messages that take longer count.", examples=["500ms"])
    expire_interval: str = Field(
        description="Rows that nothing renews for this long are removed.", examples=["300s"]
    )
    top_k_num: int = Field(description="Most rows.", examples=[10])
    stats_type: Literal["whole", "internal", "response"] = Field(
        description="`whole`: from arrival until the client has it (QoS 0: until it is sent); "
        "`internal`: from arrival until it is sent; `response`: from sending until the client "
        "has it (QoS 1: PUBACK, QoS 2: PUBREC), nothing for QoS 0.",
        examples=["whole"],
    )


class SlowSubscriptionChange(Model):
    """What is absent stays as it is."""

    enable: bool | None = Field(default=None, description="Whether they are measured.")
    threshold: Time | None = Field(
        default=None, description="Duration of at least 100ms.", examples=["500ms"]
    )
    expire_interval: Time | None = Field(
        default=None, description="Duration of at least 1s.", examples=["300s"]
    )
    top_k_num: int | None = Field(default=None, description="Most rows.", ge=1, le=1000)
    stats_type: Literal["whole", "internal", "response"] | None = Field(
        default=None, description="What is measured."
    )


SlowSort = Literal["clientid", "topic", "timespan", "last_update_time", "node"]

_ROW = {
    "clientid": "slow-1",
    "node": "rookery@127.0.0.1",
    "topic": "plant/1/temperature",
    "timespan": 1830,
    "last_update_time": 1700000000000,
}
_PAGE = {"data": [_ROW], "meta": {"page": 1, "limit": 100, "count": 1, "hasnext": False}}
_SETTINGS = {
    "enable": True,
    "threshold": "500ms",
    "expire_interval": "300s",
    "top_k_num": 10,
    "stats_type": "whole",
}


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Slow Subscriptions"])

    @api.get(
        "/slow_subscriptions",
        summary="List slow subscriptions",
        response_model=Page[SlowSubscriptionRow],
        responses=example(_PAGE),
    )
    async def slow_subscriptions(
        page: PageQuery,
        like_clientid: Annotated[str | None, Query(description="What the client holds.")] = None,
        like_topic: Annotated[str | None, Query(description="What the topic holds.")] = None,
        sort: Annotated[
            SlowSort | None, Query(description="Sort by this field; the slowest first without it.")
        ] = None,
        order: OrderQuery = "asc",
    ) -> dict[str, Any]:
        """The subscriptions whose messages took longest."""
        rows = [
            {
                "clientid": row.client_id,
                "node": node.node_name,
                "topic": row.topic_name,
                "timespan": row.latency_ms,
                "last_update_time": row.last_update_ms,
            }
            for row in await node.services.slow_subs.rows()
        ]
        return page.cut(
            in_order(holding(rows, clientid=like_clientid, topic=like_topic), sort, order)
        )

    @api.delete("/slow_subscriptions", summary="Clear slow subscriptions", status_code=204)
    async def clear() -> None:
        """Forget what was measured so far."""
        await node.services.slow_subs.clear()

    @api.get(
        "/slow_subscriptions/settings",
        summary="Get settings of slow subscriptions",
        responses=example(_SETTINGS),
    )
    async def settings() -> SlowSubscriptionSettings:
        """The settings that hold."""
        return _settings(node)

    @api.put(
        "/slow_subscriptions/settings",
        summary="Change settings of slow subscriptions",
        responses=errors("BAD_CONFIG", "ALREADY_EXISTS") | example(_SETTINGS),
    )
    async def change(body: SlowSubscriptionChange) -> SlowSubscriptionSettings:
        """The change holds at once and after a restart."""
        await node.services.slow_subs.change(body.model_dump(exclude_none=True))
        return _settings(node)

    return api


def _settings(node: NodeContext) -> SlowSubscriptionSettings:
    values = dict(node.services.slow_subs.settings)
    return SlowSubscriptionSettings.model_validate(
        values | {name: duration_text(values[name]) for name in _DURATIONS}
    )
