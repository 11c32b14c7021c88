"""``/logs``: the last lines, as they are written, and all of them as a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from rookery.edge.api.streams import HEADERS, LIFE_S, may_still_look
from rookery.edge.context import EdgeContext
from rookery.edge.system.log_lines import LINES_MAX, LogLine, log_text
from rookery.errors import BusyError
from rookery.web.models import Row
from rookery.words import Words

STILL_HERE_S = 15.0
GATHER_S = 0.2
LEVELS = ("debug", "info", "warning", "error", "critical")
Level = Literal["debug", "info", "warning", "error", "critical"]

_TOO_MANY = Words("too many pages are open, try again", "打开的页面过多，请稍后重试")


class LineShown(Row):
    """A line of the log."""

    number: int = Field(description="Counts up from the start of the process.", examples=[17])
    at: int = Field(description="In milliseconds since 1970.", examples=[1769846400000])
    level: str = Field(description="How severe.", examples=["info"])
    node: str = Field(description="The driver or application that it is about.", examples=["plc"])
    source: str = Field(description="The part that wrote it.", examples=["rookery.edge"])
    text: str = Field(description="What happened.", examples=["connected"])


class LinesShown(Row):
    """Lines of the log."""

    lines: list[LineShown] = Field(description="The oldest first.")


LevelQuery = Annotated[Level, Query(description="The least severe level.")]
NodeQuery = Annotated[
    str, Query(max_length=1024, description="Only about this node.", examples=[""])
]


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/logs", tags=["Logs"])

    @api.get("", summary="Last lines of the log")
    async def lines(
        level: LevelQuery = "debug",
        node: NodeQuery = "",
        find: Annotated[str, Query(max_length=256, description="What the text holds.")] = "",
        limit: Annotated[int, Query(ge=1, le=LINES_MAX, description="Most lines.")] = 500,
    ) -> LinesShown:
        """The last that were written since the process was started."""
        found = _wanted(edge.log_lines.since(), level, node)
        found = [line for line in found if find.casefold() in line.text.casefold()]
        return LinesShown(lines=[_shown(line) for line in found[-limit:]])

    @api.get(
        "/stream",
        summary="The log as it is written",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}, "description": "A stream"}},
    )
    async def stream(
        request: Request,
        level: LevelQuery = "debug",
        node: NodeQuery = "",
    ) -> Response:
        """Server-sent events: `lines` with what was written since, at first what is kept."""
        if edge.log_lines.is_full:
            raise BusyError(_TOO_MANY.en, message_zh=_TOO_MANY.zh)
        return StreamingResponse(
            _live(edge, request, level, node), media_type="text/event-stream", headers=HEADERS
        )

    @api.get(
        "/download",
        summary="The whole log",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/plain": {}}, "description": "Text"}},
    )
    async def download() -> Response:
        """Every file of it, the oldest first."""
        return StreamingResponse(
            log_text(edge.config.data_dir),
            media_type="text/plain; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="edge.log"'},
        )

    return api


def _wanted(lines: Sequence[LogLine], level: str, node: str) -> list[LogLine]:
    least = LEVELS.index(level)
    return [
        line
        for line in lines
        if (node in ("", line.node))
        and (LEVELS.index(line.level) if line.level in LEVELS else 1) >= least
    ]


def _shown(line: LogLine) -> LineShown:
    return LineShown(
        number=line.number,
        at=line.at_ms,
        level=line.level,
        node=line.node,
        source=line.source,
        text=line.text,
    )


async def _live(edge: EdgeContext, request: Request, level: str, node: str) -> AsyncIterator[str]:
    deadline_s = edge.clock.monotonic_s() + LIFE_S
    last = 0
    with edge.log_lines.follow() as changed:
        while edge.clock.monotonic_s() < deadline_s and may_still_look(edge, request):
            changed.clear()
            fresh = edge.log_lines.since(last)
            last = fresh[-1].number if fresh else last
            found = LinesShown(lines=[_shown(line) for line in _wanted(fresh, level, node)])
            if found.lines:
                yield f"event: lines\ndata: {found.model_dump_json()}\n\n"
            else:
                yield ": still here\n\n"
            try:
                async with asyncio.timeout(STILL_HERE_S):
                    await changed.wait()
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                continue
