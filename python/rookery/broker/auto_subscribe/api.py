"""``/mqtt/auto_subscribe``: what every client subscribes to when it connects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Field
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.errors import ConflictError
from rookery.web.models import Model
from rookery.web.rest import errors, example, fast

SECTION = ("auto_subscribe", "topics")
TOPICS_MAX = 20
"""As in EMQX: each of them is a subscription of every client."""
_EXAMPLE = {"topic": "client/${clientid}/#", "qos": 1, "rh": 0, "rap": 0, "nl": 0}


class AutoSubscribeTopic(Model):
    """A subscription for every client."""

    topic: str = Field(
        min_length=1,
        description="Topic filter, with `${clientid}`, `${username}`, `${host}`, `${port}`.",
        examples=["client/${clientid}/#"],
    )
    qos: int = Field(0, ge=0, le=2, description="Maximum QoS.")
    rh: int = Field(0, ge=0, le=2, description="Retain Handling.")
    rap: int = Field(0, ge=0, le=1, description="Retain As Published.")
    nl: int = Field(0, ge=0, le=1, description="No Local.")


class TooManyTopicsError(ConflictError):
    """More than the limit."""

    code = "EXCEED_LIMIT"


def router(node: NodeContext) -> APIRouter:
    """The operations."""
    api = APIRouter(tags=["MQTT"])

    def shown() -> Response:
        section, name = SECTION
        return fast(node.services.settings.config.effective()[section][name])

    @api.get(
        "/mqtt/auto_subscribe",
        summary="List automatic subscriptions",
        response_model=list[AutoSubscribeTopic],
        responses=example([_EXAMPLE]),
    )
    async def topics() -> Response:
        """What every client gets after its CONNECT."""
        return shown()

    @api.put(
        "/mqtt/auto_subscribe",
        summary="Replace automatic subscriptions",
        response_model=list[AutoSubscribeTopic],
        responses=errors("BAD_REQUEST", "BAD_CONFIG", "ALREADY_EXISTS", (409, "EXCEED_LIMIT"))
        | example([_EXAMPLE]),
    )
    async def replace(body: Annotated[list[AutoSubscribeTopic], Body()]) -> Response:
        """All of them, at most 20. Holds for clients that connect from now on, and survives a
        restart.
        """
        if len(body) > TOPICS_MAX:
            raise TooManyTopicsError(f"at most {TOPICS_MAX} automatic subscriptions")
        value = [topic.model_dump() for topic in body]
        await node.services.settings.change("update", "mqtt/auto_subscribe", {SECTION: value})
        return shown()

    return api
