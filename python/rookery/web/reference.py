"""``/api-docs``: the OpenAPI document, and a page that people can read without anything from elsewhere."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from rookery.clock import Clock
from rookery.errors import UnavailableError
from rookery.web import examples
from rookery.web.errors import problem

_log = logging.getLogger("rookery.web")

RETRY_S = 10.0
"""What cannot be made is tried again at most this often."""

BASE = "/api-docs"
_POLICY = {
    "content-security-policy": "default-src 'none'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-cache",
}
_STYLE = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 2.5rem; }
summary { cursor: pointer; padding: .3rem 0; }
summary code { font-weight: 600; }
.method { display: inline-block; min-width: 4.5rem; text-transform: uppercase; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #8886; padding: .25rem .5rem; text-align: left;
  vertical-align: top; }
pre { background: #8882; padding: .5rem; overflow: auto; max-height: 24rem; }
details > :not(summary) { margin-left: 1rem; }
"""


class Reference:
    """Both are made when they are asked for the first time, and kept. What fails is tried again, at
    most every :data:`RETRY_S`: it costs more than a second of processor time.
    """

    def __init__(
        self,
        make: Callable[[], dict[str, Any]],
        prefix: str,
        clock: Clock,
        *,
        is_on: Callable[[], bool] = lambda: True,
        switch: str = "",
    ) -> None:
        """Describe it.

        Args:
            make: Makes the document, and may take its time.
            prefix: Where the operations begin.
            clock: Tells when to try again.
            is_on: Asked each time.
            switch: What is told to be off.
        """
        self._make_document = make
        self._prefix = prefix
        self._clock = clock
        self._failed_s = -RETRY_S
        self._is_on = is_on
        self._switch = switch
        self._document: bytes = b""
        self._page: str = ""
        self._making = asyncio.Lock()

    def routes(self) -> list[Route]:
        return [
            Route(f"{BASE}/swagger.json", self.document, methods=["GET"]),
            Route(f"{BASE}/style.css", self.style, methods=["GET"]),
            Route(f"{BASE}/index.html", self.page, methods=["GET"]),
            Route(f"{BASE}/", self.page, methods=["GET"]),
            Route(BASE, self.page, methods=["GET"]),
        ]

    async def document(self, _request: Request) -> Response:
        if not self._is_on():
            return self._off()
        await self._make()
        return Response(self._document, media_type="application/json")

    async def page(self, _request: Request) -> Response:
        if not self._is_on():
            return self._off()
        await self._make()
        return HTMLResponse(self._page, headers=_POLICY)

    async def style(self, _request: Request) -> Response:
        return PlainTextResponse(_STYLE, media_type="text/css")

    async def _make(self) -> None:
        async with self._making:
            if self._page:
                return
            failure = UnavailableError("the document cannot be made, the log says why")
            if self._clock.monotonic_s() - self._failed_s < RETRY_S:
                raise failure
            try:
                self._document, self._page = await asyncio.to_thread(self._made)
            except Exception:  # noqa: BLE001 — whatever it is, it is logged and tried again
                self._failed_s = self._clock.monotonic_s()
                _log.exception("the document of the REST interface cannot be made")
                raise failure from None

    def _made(self) -> tuple[bytes, str]:
        document = self._make_document()
        # Not the framework's answer: that comes with the first request for an operation.
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return text.encode(), "".join(_html(document, self._prefix))

    def _off(self) -> Response:
        return problem(404, "NOT_FOUND", f"{self._switch} is off")


def _html(document: dict[str, Any], prefix: str) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} REST</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<link rel="stylesheet" href="{BASE}/style.css"></head><body>'
    yield f"<h1>{title} REST interface</h1>"
    for paragraph in document["info"]["description"].split("\n\n"):
        yield f"<p>{escape(paragraph)}</p>"
    yield f'<p><a href="{BASE}/swagger.json">OpenAPI document</a>. Paths are below {prefix}.</p>'
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["Other"])[0]
            by_tag.setdefault(tag, []).append((path, method, operation))
    for tag in sorted(by_tag):
        yield f"<h2>{escape(tag)}</h2>"
        for path, method, operation in by_tag[tag]:
            yield from _operation(document, path, method, operation)
    yield "</body></html>"


def _operation(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> Iterator[str]:
    yield f'<details><summary><code><span class="method">{method}</span>{escape(path)}</code> '
    yield f"{escape(operation['summary'])}</summary><p>{escape(operation['description'])}</p>"
    if operation.get("parameters"):
        yield "<table><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>"
        for item in operation["parameters"]:
            cells = (item["name"], item["in"], item.get("description", ""))
            yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        yield "</table>"
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Request, <code>{escape(kind)}</code></p>"
        yield _example(document, content)
    for status, response in operation["responses"].items():
        yield f"<p>{escape(status)}: {escape(response.get('description', ''))}</p>"
        if status.startswith("2"):
            for content in response.get("content", {}).values():
                yield _example(document, content)
    yield "</details>"


def _example(document: dict[str, Any], content: dict[str, Any]) -> str:
    value = content.get("example")
    if value is None and content.get("examples"):
        value = next(iter(content["examples"].values())).get("value")
    if value is None:
        value = examples.of_schema(document, content.get("schema", {}))
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f"<pre>{escape(text)}</pre>"
