"""Routes in groups find what they find one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Match, Route, Router

from rookery.control.features import routes
from rookery.web.words_of_paths import grouped


def chosen(found: list[Any], method: str, path: str) -> tuple[Match, Any, dict[str, str]]:
    """As a router chooses: the first that fits, or else the first that has another method."""
    partial: tuple[Match, Any, dict[str, str]] = (Match.NONE, None, {})
    for route in found:
        scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "root_path": ""}
        match, child = route.matches(scope)
        if match is Match.FULL:
            return match, child["endpoint"], child["path_params"]
        if match is Match.PARTIAL and partial[0] is Match.NONE:
            partial = (match, child["endpoint"], child["path_params"])
    return partial


@pytest.fixture(scope="module")
def all_routes() -> list[Route]:
    nothing: Any = None
    return list(routes(nothing))


def test_every_operation_of_the_control_plane_is_found_as_before(all_routes: list[Route]) -> None:
    groups = grouped(all_routes)
    assert len(groups) < len(all_routes) / 5
    for route in all_routes:
        path = route.path_format
        for name in route.param_convertors:
            path = path.replace(f"{{{name}}}", "a-1/b" if name == "path" else "a-1")
        for method in (*sorted(route.methods or ()), "TRACE"):
            assert chosen(groups, method, path) == chosen(list(all_routes), method, path), path
        for odd in (path + "/", path + "/more", path.rsplit("/", 1)[0] or "/"):
            assert chosen(groups, "GET", odd) == chosen(list(all_routes), "GET", odd), odd


async def test_what_was_chosen_is_what_answers(tmp_path: Path) -> None:
    told: list[str] = []

    def answer(word: str) -> Any:
        async def app(_scope: Any, _receive: Any, _send: Any) -> None:
            told.append(word)

        return app

    made = []
    for path in ("/a/{x}", "/a/{x}/b/{y}/c", "/a/{x}/b/{y}/d", "/b"):
        route = Route(path, lambda _request: None, methods=["GET"])
        route.app = answer(path)
        made.append(route)
    router = Router(routes=grouped(made))
    for path in ("/a/1", "/a/1/b/2/d", "/b", "/a/1/b/2/c"):
        scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
        await router(scope, None, None)  # type: ignore[arg-type]
    assert told == ["/a/{x}", "/a/{x}/b/{y}/d", "/b", "/a/{x}/b/{y}/c"]
