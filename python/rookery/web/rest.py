"""What every ``api.py`` uses: paging, documented errors, fast answers, who asks.

Paths in a router are EMQX's, without ``/api/v5``. A path parameter arrives decoded and whole: the
client id ``a/b`` is written ``a%2Fb`` in a path, and ``{clientid}`` is ``a/b``.

Models have to stand at the top of a module: annotations of operations are looked up there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Query, Request
from pydantic_core import to_json
from starlette.responses import Response

from rookery.web.caller import CALLER, Caller
from rookery.web.codes import ERROR_CODES
from rookery.web.models import LIMIT_DEFAULT, LIMIT_MAX, PAGE_DEFAULT, PAGE_MAX, ErrorBody

__all__ = [
    "BODY_BYTES_MAX",
    "CALLER",
    "Caller",
    "CurrentCaller",
    "FastJson",
    "PageParams",
    "PageQuery",
    "current_caller",
    "errors",
    "example",
    "fast",
    "maybe_caller",
    "page_of",
]

BODY_BYTES_MAX = "x-body-bytes-max"
"""``openapi_extra={BODY_BYTES_MAX: …}`` on an operation that takes more than the usual 4 MiB."""

ErrorName: TypeAlias = "str | tuple[int, str]"

_START_MAX = (1 << 63) - 1


def current_caller(request: Request) -> Caller:
    """Dependency: who asks. Every operation that is not open to everybody has one."""
    caller: Caller = request.scope[CALLER]
    return caller


def maybe_caller(request: Request) -> Caller | None:
    """Dependency for operations that are open to everybody: who asks, if that was said."""
    caller: Caller | None = request.scope.get(CALLER)
    return caller


CurrentCaller = Annotated[Caller, Depends(current_caller)]


class PageParams:
    """``?page=&limit=``."""

    def __init__(
        self,
        page: Annotated[
            int, Query(ge=1, le=PAGE_MAX, description="Number of the page, from 1.")
        ] = PAGE_DEFAULT,
        limit: Annotated[
            int, Query(ge=1, le=LIMIT_MAX, description="Most rows on a page.")
        ] = LIMIT_DEFAULT,
    ) -> None:
        self.page = page
        self.limit = limit

    @property
    def start(self) -> int:
        """Index of the first row; no further than a database can count."""
        return min((self.page - 1) * self.limit, _START_MAX)

    def cut(self, rows: Sequence[Any]) -> dict[str, Any]:
        """The page of a list that is in memory whole."""
        wanted = rows[self.start : self.start + self.limit]
        return page_of(wanted, self.page, self.limit, len(rows))


PageQuery = Annotated[PageParams, Depends()]
"""Type of a parameter: ``async def clients(page: PageQuery) -> …``."""


def page_of(
    rows: Sequence[Any], page: int, limit: int, count: int | None, *, hasnext: bool | None = None
) -> dict[str, Any]:
    """A page that the caller cut out of its list.

    Args:
        rows: The rows of this page.
        page: Its number, from 1.
        limit: Most rows on a page.
        count: Rows of the whole list; none where nobody counted, then say ``hasnext`` and answer
            with :func:`fast`.
        hasnext: Whether there is another page; worked out of ``count`` otherwise.
    """
    is_more = page * limit < (count or 0) if hasnext is None else hasnext
    meta: dict[str, Any] = {"page": page, "limit": limit, "hasnext": is_more}
    if count is not None:
        meta["count"] = count
    return {"data": list(rows), "meta": meta}


def errors(*codes: ErrorName) -> dict[int | str, dict[str, Any]]:
    """Documented errors of an operation, for ``responses=``.

    A code has the status that ``rookery.web.codes`` gives it, or the one in ``(400, "CODE")``.
    401, 403 and whatever else every operation may answer is added to the document by itself.
    """
    found: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status, name = code if isinstance(code, tuple) else (ERROR_CODES[code].status, code)
        entry = found.setdefault(
            status, {"model": ErrorBody, "content": {"application/json": {"examples": {}}}}
        )
        text = ERROR_CODES[name].description
        entry["content"]["application/json"]["examples"][name] = {
            "value": {"code": name, "message": text}
        }
        entry["description"] = "; ".join(filter(None, (entry.get("description"), text)))
    return found


def example(value: Any, *, status: int = 200, description: str = "") -> dict[int | str, Any]:
    """Show what an answer looks like; goes with ``errors`` into ``responses=``, joined by ``|``."""
    content = {"application/json": {"example": value}}
    return {status: {"description": description or "Success", "content": content}}


class FastJson(Response):
    """JSON without a look at each value."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return to_json(content)


def fast(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is not held against its model row by row: for long lists of plain values.

    The operation still says ``response_model=…`` for the document.
    """
    return FastJson(content, status, dict(headers) if headers else None)
