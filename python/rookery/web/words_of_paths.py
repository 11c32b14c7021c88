"""Operations behind the words of their paths: a router asks one after the other, and there are hundreds.

A group is asked once for all of its routes, and says no where the path has another word at its place. What it finds
is what the routes themselves would have found, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_CHOSEN = "rookery.route"
PROJECT_AT = 4
"""Where the word stands in ``/orgs/{org}/projects/{project}/word``."""


def grouped(routes: Sequence[Route]) -> list[BaseRoute]:
    """The same routes by their first word, and those of a place by the word behind it."""
    return list(_by_word(routes, 0, PROJECT_AT))


def _by_word(routes: Sequence[Route], at: int, *deeper: int) -> Iterable[BaseRoute]:
    words = [_word(route.path, at) for route in routes]
    if any(word.startswith("{") for word in words):
        # One of them takes whatever stands there.
        return routes
    found: dict[str, list[Route]] = {}
    alone: list[BaseRoute] = []
    for route, word in zip(routes, words, strict=True):
        if word:
            found.setdefault(word, []).append(route)
        else:
            alone.append(route)
    groups = [
        WordAt(at, word, list(_by_word(some, *deeper)) if deeper else some)
        for word, some in found.items()
    ]
    return [*alone, *groups]


def _word(path: str, at: int) -> str:
    """Empty: the path ends before."""
    segments = path.split("/")[1:]
    if any(":path}" in segment for segment in segments[: at + 1]):
        return "{"
    return segments[at] if at < len(segments) else ""


class WordAt(BaseRoute):
    """Routes that have the same word at the same place of their paths."""

    def __init__(self, at: int, word: str, routes: Sequence[BaseRoute]) -> None:
        self._at = at + 1
        self._word = word
        self._routes = routes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        segments = get_route_path(scope).split("/", self._at + 1)
        if len(segments) <= self._at or segments[self._at] != self._word:
            return Match.NONE, {}
        partial: tuple[Match, Scope] = (Match.NONE, {})
        for route in self._routes:
            match, child = route.matches(scope)
            if match is not Match.NONE:
                # Of a group it is what that one chose.
                child.setdefault(_CHOSEN, route)
            if match is Match.FULL:
                return match, child
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = (match, child)
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen: BaseRoute = scope[_CHOSEN]
        await chosen.handle(scope, receive, send)
