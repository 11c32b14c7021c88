"""``/status`` for those who look below ``/api/v5``."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from rookery.broker.management.context import NodeContext
from rookery.broker.management.status import Status
from rookery.web.models import Row


class StatusBody(Row):
    """The answer with ``?format=json``."""

    node_name: str = Field(description="Name of the node.", examples=["rookery@127.0.0.1"])
    broker_status: Literal["started", "stopped"] = Field(description="The broker.")
    app_status: Literal["running", "not_running"] = Field(description="Its services.")
    cluster_status: Literal["quorum", "no_quorum"] | None = Field(
        None,
        description="Whether enough nodes of the cluster run for changes; absent where there is no "
        "other node. Clients are served in both cases.",
    )


_TEXT = "Node rookery@127.0.0.1 is started\nrookery is running"
_RESPONSES: dict[int | str, dict[str, object]] = {
    200: {
        "description": "Clients are served.",
        "content": {
            "text/plain": {"schema": {"type": "string"}, "example": _TEXT},
            "application/json": {"schema": StatusBody.model_json_schema()},
        },
    },
    503: {
        "description": "The node stops; `Retry-After` says when to look again.",
        "content": {
            "text/plain": {"schema": {"type": "string"}},
            "application/json": {"schema": StatusBody.model_json_schema()},
        },
    },
}


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Status"])
    answers = Status(node)

    @api.get(
        "/status",
        summary="Node status",
        response_class=PlainTextResponse,
        responses=_RESPONSES,
    )
    async def status(
        format: Annotated[str, Query(description="`json`; everything else is text.")] = "text",
    ) -> Response:
        """Whether the node serves clients, for people and load balancers; without credentials."""
        return answers.answer(format)

    return api
