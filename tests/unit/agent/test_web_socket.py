"""WebSockets through the tunnel, to a server that others wrote (aiohttp)."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from harness.client import DEADLINE_S
from harness.operator import eventually
from rookery.agent.http_client import HttpClient, Trust
from rookery.agent.tunnel import WEB_SOCKETS_MAX, Tunnel
from rookery.clock import SystemClock
from rookery.contracts.agent_streams import Reassembler, Splitter
from rookery.contracts.agent_v1 import Cancel, Chunk, Credit, Message, Reply, Request

LARGE = "中文" * 200_000


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Gives back what comes; says ``goodbye`` to *leave*."""
    socket = web.WebSocketResponse(protocols=("mqtt",), max_msg_size=0)
    await socket.prepare(request)
    await socket.ping(b"are you there")
    async for message in socket:
        if message.data == "leave":
            await socket.close(code=4001, message=b"goodbye")
        elif message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)
    return socket


class Keys:
    def headers(self, credential: str) -> Mapping[str, str]:
        return {}

    def refused(self, credential: str) -> None:
        """Nobody asks."""


class World:
    """One tunnel and one server in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.sent: queue.Queue[Message] = queue.Queue()
        started: queue.Queue[int] = queue.Queue()

        async def serve() -> None:
            application = web.Application()
            application.router.add_get("/echo", echo)
            self.runner = web.AppRunner(application, shutdown_timeout=0)
            await self.runner.setup()
            site = web.TCPSite(self.runner, "127.0.0.1", 0)
            await site.start()
            started.put(self.runner.addresses[0][1])

        self.loop.create_task(serve())
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        client = HttpClient(f"http://127.0.0.1:{started.get(timeout=DEADLINE_S)}", Trust())
        targets = {"api": client, "dashboard": client}
        self.tunnel = Tunnel(targets, Keys(), self._send, SystemClock())

    def _send(self, message: Message) -> bool:
        self.sent.put(message)
        return True

    def next(self) -> Any:
        return self.sent.get(timeout=DEADLINE_S)

    def close(self) -> None:
        self.tunnel.cancel_all("the test is over")
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(DEADLINE_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(DEADLINE_S)
        self.loop.close()


class Side:
    """The control plane's end of one WebSocket."""

    def __init__(self, world: World, request_id: str = "w") -> None:
        self.world = world
        self.id = request_id
        self.splitter = Splitter(request_id)
        self.reassembler = Reassembler(request_id, bytes_max=None)
        request = Request(
            request_id,
            "GET",
            "/echo",
            10_000,
            upgrade="websocket",
            headers=(("Sec-WebSocket-Protocol", "mqtt"), ("Origin", "http://x")),
        )
        world.tunnel.receive(request.to_bytes())

    def say(self, body: bytes, frame: str = "text") -> None:
        self.splitter.offer(body, frame)
        self._flush()

    def _flush(self) -> None:
        for chunk in self.splitter.take():
            self.world.tunnel.receive(chunk.to_bytes())

    def message(self) -> tuple[str, bytes]:
        """The next whole message; credit goes both ways meanwhile."""
        body = b""
        while True:
            found = self.world.next()
            if isinstance(found, Credit):
                self.splitter.grant(found.chunks)
                self._flush()
                continue
            assert isinstance(found, Chunk), found
            assert self.reassembler.accept(found) is not None
            body += found.body
            credit = self.reassembler.used()
            if credit is not None:
                self.world.tunnel.receive(credit.to_bytes())
            if found.final:
                return found.frame, body


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_messages_of_any_length_go_both_ways(world: World) -> None:
    side = Side(world)
    reply = world.next()
    assert (reply.status, reply.more) == (101, True)
    assert ("Sec-WebSocket-Protocol", "mqtt") in reply.headers

    for body, frame in (
        (b"hello", "text"),
        (b"", "text"),
        (bytes(range(256)), "binary"),
        (LARGE.encode(), "text"),
    ):
        side.say(body, frame)
        assert side.message() == (frame, body)


def test_the_server_closes(world: World) -> None:
    side = Side(world)
    world.next()
    side.say(b"leave")

    assert side.message() == ("close", (4001).to_bytes(2, "big") + b"goodbye")
    assert side.reassembler.is_over


def test_the_caller_closes(world: World) -> None:
    side = Side(world)
    world.next()
    side.splitter.offer((1000).to_bytes(2, "big"), "close")
    side.splitter.finish()
    side._flush()

    assert side.message() == ("close", (1000).to_bytes(2, "big"))


def test_who_is_cancelled_makes_room(world: World) -> None:
    for number in range(WEB_SOCKETS_MAX):
        Side(world, f"w{number}")
        assert world.next().status == 101
    Side(world, "one-too-many")
    assert world.next().status == 503

    world.tunnel.receive(Cancel("w0").to_bytes())
    eventually(lambda: world.tunnel.count < WEB_SOCKETS_MAX)
    Side(world, "another")
    assert world.next().status == 101


def test_a_server_that_speaks_no_websocket(world: World) -> None:
    request = Request("r", "GET", "/nothing", 10_000, upgrade="websocket")
    world.tunnel.receive(request.to_bytes())

    reply = world.next()
    assert isinstance(reply, Reply)
    assert (reply.status, reply.more) == (404, False)
