"""No client holds a connection of the HTTP server for longer than it may, and none keeps others out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rookery.web.connections import HEAD_BYTES_MAX
from rookery.web.server import WebServer

SOON_S = 0.2
NEVER_S = 3600.0
POLL_S = 0.01
LARGE = 16 << 20
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class World:
    """A server whose answers can be held back."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.asked = asyncio.Event()
        self.server: WebServer
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def small(self, _request: Request) -> Response:
        self.asked.set()
        await self.goes_on.wait()
        return PlainTextResponse("ok")

    async def large(self, _request: Request) -> Response:
        return Response(b"x" * LARGE)

    async def body(self, request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def connect(self, data: bytes = b"") -> Stream:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        writer.write(data)
        await writer.drain()
        return reader, writer

    def leave(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def get(self, stream: Stream) -> bytes:
        reader, writer = stream
        writer.write(GET)
        return await answer(reader)


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The status line of the answer; its body is read too."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if b"content-length" in line
    )
    await reader.readexactly(length)
    return head.partition(b"\r\n")[0]


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Waits until the server has closed; the test's own deadline ends a wait for nothing."""
    with contextlib.suppress(ConnectionResetError):
        while await reader.read(1 << 16):
            pass
    return True


@contextlib.asynccontextmanager
async def serving(*, connections_max: int = 8, deadline_s: float = NEVER_S) -> AsyncIterator[World]:
    world = World()
    routes = [
        Route("/", world.small),
        Route("/large", world.large),
        Route("/body", world.body, methods=["POST"]),
    ]
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    world.port = sock.getsockname()[1]
    world.server = WebServer(
        Starlette(routes=routes), [sock], connections_max=connections_max, deadline_s=deadline_s
    )
    world.server.open()
    try:
        yield world
    finally:
        world.leave()
        await world.server.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
        GET,
        b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "a body nobody reads", "idle", "unread answer"],
)
async def test_a_slow_client_is_closed(sent: bytes) -> None:
    async with serving(deadline_s=SOON_S) as world:
        reader, _ = await world.connect(sent)
        while not world.server.counters["http.too_slow"]:
            await asyncio.sleep(POLL_S)
        assert await is_closed(reader)


async def test_bytes_that_trickle_in_buy_no_time() -> None:
    async with serving(deadline_s=SOON_S) as world:
        reader, writer = await world.connect(b"GET / HTTP/1.1\r\n")

        async def trickle() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(b"X: y\r\n")
                    await writer.drain()
                    await asyncio.sleep(POLL_S)

        trickling = asyncio.create_task(trickle())
        assert await is_closed(reader)
        trickling.cancel()
        assert world.server.counters["http.too_slow"] == 1


async def test_a_head_that_never_ends_is_refused() -> None:
    async with serving() as world:
        reader, _ = await world.connect(b"GET / HTTP/1.1\r\nX: " + b"y" * HEAD_BYTES_MAX)
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")


async def test_who_sends_far_too_much_reads_why_it_is_refused() -> None:
    async with serving() as world:
        reader, writer = await world.connect(b"GET /" + b"x" * (4 << 20) + b" HTTP/1.1\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"content-type: application/json" in head
        assert json.loads(body)["code"] == "BAD_REQUEST"
        writer.close()


async def test_who_is_refused_and_does_not_leave_is_closed() -> None:
    async with serving(deadline_s=SOON_S) as world:
        _, writer = await world.connect(b"GET /" + b"x" * (1 << 20))
        while not world.server.counters["http.too_slow"]:
            await asyncio.sleep(POLL_S)
        writer.close()


async def test_an_answer_that_takes_long_is_waited_for() -> None:
    async with serving(deadline_s=SOON_S) as world:
        world.goes_on.clear()
        reader, _ = await world.connect(GET)
        await world.asked.wait()
        # Another connection lives through a whole deadline meanwhile.
        other, _ = await world.connect()
        assert await is_closed(other)
        world.goes_on.set()
        assert await answer(reader) == b"HTTP/1.1 200 OK"


async def test_silent_clients_give_way_the_longest_first() -> None:
    async with serving(connections_max=3) as world:
        silent = [await world.connect(b"GET /") for _ in range(3)]

        assert await world.get(await world.connect()) == b"HTTP/1.1 200 OK"

        assert await is_closed(silent[0][0])
        assert world.server.counters["http.gave_way"] == 1
        silent[1][1].write(b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await answer(silent[1][0]) == b"HTTP/1.1 200 OK"


async def test_who_is_being_answered_does_not_give_way() -> None:
    async with serving(connections_max=1) as world:
        world.goes_on.clear()
        reader, _ = await world.connect(GET)
        await world.asked.wait()

        assert await is_closed((await world.connect(GET))[0])

        world.goes_on.set()
        assert await answer(reader) == b"HTTP/1.1 200 OK"
        assert world.server.counters["http.too_many"] == 1


async def test_requests_on_one_connection_are_all_answered() -> None:
    async with serving() as world:
        stream = await world.connect()
        for _ in range(3):
            assert await world.get(stream) == b"HTTP/1.1 200 OK"
        stream[1].write(GET * 3)
        for _ in range(3):
            assert await answer(stream[0]) == b"HTTP/1.1 200 OK"
