"""``/schemas/configs``: what the configuration may look like, for pages that draw forms from it."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.config.forms import forms_schema
from rookery.web.rest import FastJson, example

_EXAMPLE = {
    "type": "object",
    "properties": {
        "mqtt": {
            "type": "object",
            "properties": {
                "max_inflight": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 65_535,
                    "description": "Messages of QoS 1 and 2 under way to a client at once.",
                    "x-description-zh": "飞行窗口大小。",
                    "default": 32,
                }
            },
        }
    },
}


@cache
def _written() -> bytes:
    """It is large and never changes."""
    return bytes(FastJson(forms_schema()).body)


def router(_node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Configs"])

    @api.get(
        "/schemas/configs",
        summary="Get the schema of the configuration",
        response_model=dict[str, Any],
        responses=example(_EXAMPLE),
    )
    async def configs_schema() -> Any:
        """The schema of every key that has an effect, as JSON Schema. `x-description-zh` is the
        description in Chinese, `x-takes` says in words what is taken. The dashboard draws its forms
        from it.
        """
        return Response(_written(), media_type="application/json")

    return api
