"""``/mqtt/topic_rewrite``: the rules, as a whole."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body
from pydantic import Field
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.errors import ExceedsLimitError
from rookery.web.models import Model
from rookery.web.rest import errors, example, fast

SECTION = "rewrite"
RULES_MAX = 1000
_EXAMPLE = {
    "action": "publish", "source_topic": "x/#", "dest_topic": "z/y/$1", "re": "^x/y/(.+)$",
}  # fmt: skip


class RewriteRule(Model):
    """A rule; the first one that matches decides."""

    action: Literal["publish", "subscribe", "all"] = Field(
        description="Which packets it is for.", examples=["publish"]
    )
    source_topic: str = Field(description="Filter that the topic must match.", examples=["x/#"])
    dest_topic: str = Field(
        description="The result, with `$1` … for groups and `${clientid}`, `${username}`.",
        examples=["z/y/$1"],
    )
    re: str = Field(
        description="Regular expression on the topic; one that does not match stays as it is.",
        examples=["^x/y/(.+)$"],
    )


def router(node: NodeContext) -> APIRouter:
    """The operations."""
    api = APIRouter(tags=["MQTT"])

    def shown() -> Response:
        return fast(node.services.settings.config.effective()[SECTION])

    @api.get(
        "/mqtt/topic_rewrite",
        summary="List rewrite rules",
        response_model=list[RewriteRule],
        responses=example([_EXAMPLE]),
    )
    async def rules() -> Response:
        """In the order in which they are tried."""
        return shown()

    @api.put(
        "/mqtt/topic_rewrite",
        summary="Replace rewrite rules",
        response_model=list[RewriteRule],
        responses=errors("BAD_REQUEST", "BAD_CONFIG", "ALREADY_EXISTS", "EXCEED_LIMIT")
        | example([_EXAMPLE]),
    )
    async def replace(body: Annotated[list[RewriteRule], Body()]) -> Response:
        """All of them, at most 1,000. Holds at once and survives a restart."""
        if len(body) > RULES_MAX:
            raise ExceedsLimitError(f"at most {RULES_MAX} rules")
        value = [rule.model_dump() for rule in body]
        await node.services.settings.change("update", "mqtt/topic_rewrite", {(SECTION,): value})
        return shown()

    return api
