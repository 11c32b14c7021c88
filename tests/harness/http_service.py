"""An HTTP service of a test's own: answers what it is told to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from yarl import URL


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class HttpServer:
    """What it answers can be changed while it runs."""

    url: str = ""
    status: int = 200
    answer: object = field(default_factory=dict)
    content_type: str = "application/json"
    delay_s: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    decide: Callable[[Asked], object] | None = None
    gate: asyncio.Event | None = None  # answers wait for it
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_under_way(self, count: int) -> None:
        """Wait until so many requests wait for their answer."""
        while self.under_way < count:
            self.changed.clear()
            await self.changed.wait()

    async def handle(self, request: web.Request) -> web.Response:
        asked = Asked(
            request.method,
            request.raw_path.partition("?")[0],
            dict(request.query),
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        self.asked.append(asked)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.changed.set()
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
        finally:
            self.under_way -= 1
        answer = self.decide(asked) if self.decide else self.answer
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        if self.status == 204:
            return web.Response(status=204)
        return web.Response(status=self.status, body=body, content_type=self.content_type)


@asynccontextmanager
async def http_server(
    server: HttpServer | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[HttpServer]:
    """Run one on a free port of this machine; or one that ran before, where it was."""
    server = server or HttpServer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", URL(server.url).port or 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        if server.gate is not None:
            server.gate.set()
        await runner.cleanup()
