"""``/alarms``: what holds, and what is over."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import alarm_row
from rookery.errors import NotFoundError
from rookery.web.language import LanguageQuery
from rookery.web.models import Model, Page, Row
from rookery.web.rest import PageQuery, errors
from rookery.web.sorting import OrderQuery, holding, in_order

Activated = Annotated[
    bool,
    Query(description="`true` for what holds, `false` for what is over.", examples=[True]),
]
AlarmSort = Literal["name", "message", "activate_at", "deactivate_at", "duration", "node"]


class AlarmRow(Row):
    """A condition, from when to when."""

    node: str = Field(description="Where it was found.", examples=["rookery@127.0.0.1"])
    name: str = Field(description="Which condition.", examples=["high_cpu_usage"])
    message: str = Field(
        description="The same for people, in the language asked for.",
        examples=["use of the processors is 91%, at or above 80%"],
    )
    message_key: str = Field(
        description="What `message` is in every language, for programs; empty where it is one text "
        "of an earlier version.",
        examples=["use_of_cpu"],
    )
    message_params: dict[str, Any] = Field(
        description="The values in it.", examples=[{"usage": "91%", "limit": "80%"}]
    )
    details: dict[str, Any] = Field(
        description="Figures and names that belong to it.", examples=[{"high_watermark": 80}]
    )
    duration: int = Field(ge=0, description="Milliseconds so far.", examples=[297_056])
    activate_at: str = Field(description="Since when.", examples=["2026-01-31T10:52:52.548+01:00"])
    deactivate_at: str = Field(
        description="Until when; `infinity` while it holds.", examples=["infinity"]
    )


class AlarmName(Model):
    """Which alarm."""

    name: str = Field(
        min_length=1, max_length=1024, description="Its name.", examples=["high_cpu_usage"]
    )


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Alarms"])
    alarms = node.alarms

    @api.get("/alarms", summary="List alarms")
    async def list_alarms(
        page: PageQuery,
        language: LanguageQuery,
        activated: Activated = True,
        like_name: Annotated[str | None, Query(description="What its name holds.")] = None,
        like_message: Annotated[
            str | None, Query(description="What its text holds, in the language asked for.")
        ] = None,
        sort: Annotated[
            AlarmSort | None, Query(description="Sort by this field; the latest first without it.")
        ] = None,
        order: OrderQuery = "asc",
    ) -> Page[AlarmRow]:
        """Alarms that hold, or those that are over and not forgotten yet."""
        found = alarms.active() if activated else alarms.history()
        now_ms = node.clock.now_ms()
        rows = [alarm_row(alarm, node.node_name, now_ms, language) for alarm in found]
        return Page[AlarmRow].model_validate(
            page.cut(in_order(holding(rows, name=like_name, message=like_message), sort, order))
        )

    @api.delete("/alarms", summary="Clear past alarms", status_code=204)
    async def clear_alarms() -> Response:
        """Forget the alarms that are over."""
        alarms.clear_history()
        return Response(status_code=204)

    @api.post(
        "/alarms/force_deactivate",
        summary="Deactivate an alarm",
        status_code=204,
        responses=errors("NOT_FOUND"),
    )
    async def force_deactivate(body: AlarmName) -> Response:
        """Declare an alarm over. It comes back when its condition is found again."""
        if not alarms.deactivate(body.name):
            raise NotFoundError(f"no alarm {body.name} holds")
        return Response(status_code=204)

    return api
