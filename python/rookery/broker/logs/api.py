"""``/log/levels``: levels of single modules, which EMQX has on its command line only."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Path, Query
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.web.models import Model, Page, Row
from rookery.web.rest import PageQuery, errors, example
from rookery.web.sorting import OrderQuery, holding, in_order

Level = Literal[
    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency", "all", "none"
]
Module = Annotated[
    str, Path(description="The name in the lines of the log.", examples=["rookery.access"])
]

_LEVELS = ("all", *get_args(Level)[:-2], "none")
LevelSort = Literal["module", "level"]
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

    @api.get("/log/levels", summary="List levels of modules")
    async def levels(
        page: PageQuery,
        like_module: Annotated[str | None, Query(description="What its name holds.")] = None,
        sort: Annotated[
            LevelSort, Query(description="Sort by this field; levels by how much they let through.")
        ] = "module",
        order: OrderQuery = "asc",
    ) -> Page[LevelRow]:
        """Modules of which more, or less, is logged than the handlers say."""
        found = node.services.logs.levels
        rows = [{"module": module, "level": found[module]} for module in sorted(found)]
        place = (lambda row: _LEVELS.index(row["level"])) if sort == "level" else None
        wanted = in_order(holding(rows, module=like_module), sort, order, place)
        return Page[LevelRow].model_validate(page.cut(wanted))

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
