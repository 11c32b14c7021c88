"""``/log/levels``: levels of single modules, which EMQX has on its command line only."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.web.models import Model, Row
from rookery.web.rest import errors, example

Level = Literal[
    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency", "all", "none"
]
Module = Annotated[
    str, Path(description="The name in the lines of the log.", examples=["rookery.access"])
]

_ROW = {"module": "rookery.access", "level": "debug"}


class LevelRow(Row):
    """A module with a level of its own."""

    module: str = Field(description="The module and all below it.", examples=["rookery.access"])
    level: Level = Field(description="The least severe level written.", examples=["debug"])


class LevelInput(Model):
    """The level to set."""

    level: Level = Field(description="The least severe level written.", examples=["debug"])


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Logs"])

    @api.get("/log/levels", summary="List levels of modules", responses=example([_ROW]))
    async def levels() -> list[LevelRow]:
        """Modules of which more, or less, is logged than the handlers say."""
        rows = node.services.logs.levels
        return [LevelRow.model_validate({"module": m, "level": rows[m]}) for m in sorted(rows)]

    @api.put(
        "/log/levels/{module}",
        summary="Set the level of a module",
        responses=errors("BAD_REQUEST", (400, "EXCEED_LIMIT")) | example(_ROW),
    )
    async def set_level(module: Module, body: LevelInput) -> LevelRow:
        """Holds until it is taken back or the node stops."""
        node.services.logs.set_level(module, body.level)
        return LevelRow(module=module, level=body.level)

    @api.delete(
        "/log/levels/{module}",
        summary="Take the level of a module back",
        status_code=204,
        responses=errors("BAD_REQUEST"),
    )
    async def delete_level(module: Module) -> None:
        """The handlers decide again."""
        node.services.logs.set_level(module, None)

    return api
