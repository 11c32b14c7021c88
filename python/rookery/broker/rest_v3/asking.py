"""A request as its operation sees it, and what stands in the table of operations."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from starlette.requests import Request
from starlette.types import Scope

from rookery.broker.management.context import NodeContext
from rookery.broker.rest_v3.answers import (
    BAD_PARAMETER,
    MISSING_PARAMETER,
    NOT_JSON,
    RPC_ERROR,
    Paged,
    RefusedError,
)

PREFIX = "/api/v3"
LIMIT_MAX = 10_000
PAGE_MAX = (1 << 31) - 1


class Ask(NamedTuple):
    """A request."""

    node: NodeContext
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any  # none where there is none
    scope: Scope

    @property
    def members(self) -> Mapping[str, Any]:
        """The body of an operation that takes an object.

        Raises:
            RefusedError: it is none.
        """
        if not isinstance(self.body, dict):
            raise RefusedError(BAD_PARAMETER, "the body has to be an object")
        return self.body

    def page(self) -> tuple[int, int]:
        """``_page`` and ``_limit``.

        Raises:
            RefusedError: one is no number, or out of its bounds.
        """
        return (
            _number(self.query, "_page", 1, PAGE_MAX),
            _number(self.query, "_limit", LIMIT_MAX, LIMIT_MAX),
        )

    def cut(self, rows: list[Any]) -> Paged:
        """The page of a list that is in memory whole."""
        page, limit = self.page()
        start = (page - 1) * limit
        return Paged(rows[start : start + limit], page, limit, len(rows))

    def check_node(self) -> str:
        """The node of the path, if it names one.

        Raises:
            RefusedError: there is none of that name.
        """
        name = self.path.get("node", self.node.node_name)
        if name != self.node.node_name:
            raise RefusedError(RPC_ERROR, "nodedown")
        return name


Handler: TypeAlias = Callable[[Ask], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One line of the table.

    Attributes:
        method: GET, POST, PUT, DELETE.
        path: With ``{name}`` for what varies.
        handle: Does it; what it returns becomes ``data``.
        name: EMQX's name of the operation where it has one.
        summary: One line.
        is_paged: Whether it takes ``_page`` and ``_limit``.
        query: Other parameters, with what they are.
        body: An example of what it takes.
        data: An example of what it gives; none where it gives nothing but the code.
    """

    method: str
    path: str
    handle: Handler
    name: str
    summary: str
    is_paged: bool = False
    query: Mapping[str, str] | None = None
    body: Any = None
    data: Any = None


async def ask_of(node: NodeContext, request: Request) -> Ask:
    """Read a request.

    Raises:
        RefusedError: its body is no JSON.
    """
    content = await request.body()
    body = None
    if content:
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            raise RefusedError(NOT_JSON, "the body is no JSON") from None
    return Ask(node, request.path_params, request.query_params, body, request.scope)


def text(members: Mapping[str, Any], *names: str, default: str | None = None) -> str:
    """A member that is text, by the first of its names that is there.

    Raises:
        RefusedError: there is none and no default, or it is no text.
    """
    for name in names:
        if name in members:
            value = members[name]
            if not isinstance(value, str):
                raise RefusedError(BAD_PARAMETER, f"{name} has to be text")
            try:
                value.encode()
            except UnicodeEncodeError:
                raise RefusedError(BAD_PARAMETER, f"{name} is no UTF-8") from None
            return value
    if default is None:
        raise RefusedError(MISSING_PARAMETER, f"{names[0]} is missing")
    return default


def flag(members: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A member that is true or false; 1 and 0 are too.

    Raises:
        RefusedError: it is something else.
    """
    value = members.get(name, default)
    if value in (0, 1, "true", "false"):  # True and False are 1 and 0
        return value in (1, "true")
    raise RefusedError(BAD_PARAMETER, f"{name} has to be true or false")


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    said = query.get(name)
    if said is None:
        return default
    if said.isascii() and said.isdecimal() and len(said) < 11 and 1 <= int(said) <= most:
        return int(said)
    raise RefusedError(BAD_PARAMETER, f"{name} is a number from 1 to {most}")
