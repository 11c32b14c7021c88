"""A WebSocket of an edge service through the tunnel: a browser at a door of control, the edge's own tunnel, an application."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from rookery.contracts.agent_v1 import CHUNK_BYTES_MAX, Channel, Message
from rookery.control.doors import passing
from rookery.control.doors.service import Visit
from rookery.control.relay.tunnel import Tunnel
from rookery.edge.agent import web_socket
from rookery.edge.agent.tunnel import Tunnel as EdgeTunnel
from rookery.web.caller import ASSERTED, Caller

AGENT = "edge-" + "a" * 16


class Wire:
    """Between the two tunnels, as the relay is."""

    def __init__(self) -> None:
        self.edge: EdgeTunnel | None = None

    def is_connected(self, _agent_id: str) -> bool:
        return True

    async def send(
        self, agent_id: str, channel: Channel, message: Message | None, **_: object
    ) -> None:
        assert (agent_id, channel) == (AGENT, Channel.REQUEST)
        assert message is not None
        assert self.edge is not None
        await self.edge.handle(message)


class NoCookies:
    """These pages have none."""

    def cookies(self, _visit: Visit, _path: str) -> str:
        return ""

    async def keep(self, _visit: Visit, _said: Sequence[str], _path: str) -> None:
        raise AssertionError


@dataclass
class Door:
    url: str
    client: aiohttp.ClientSession
    tunnel: Tunnel
    callers: list[Caller] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with contextlib.AsyncExitStack() as stack:
        wire = Wire()
        tunnel = Tunnel(wire)
        visit = Visit(AGENT, "", credential="viewer", caller="ada@example.com")

        async def say(message: Message) -> None:
            tunnel.handle(AGENT, message)

        async def look() -> Visit | None:
            return visit

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await passing.pass_web_socket(request, tunnel, visit, NoCookies(), look)

        runner = web.ServerRunner(web.Server(answer), shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        client = await stack.enter_async_context(aiohttp.ClientSession())
        made = Door(f"http://{host}:{port}", client, tunnel)
        wire.edge = EdgeTunnel(_site(made), say)
        stack.push_async_callback(wire.edge.close)
        yield made


def _site(door: Door) -> Starlette:
    async def echo(socket: WebSocket) -> None:
        door.callers.append(socket.scope[ASSERTED])
        assert socket.url.path == "/live"
        offered = socket.scope["subprotocols"]
        await socket.accept(subprotocol=offered[0] if offered else None)
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    door.codes.append(message["code"])
                    return
                if message.get("text") == "bye":
                    await socket.close(4001, "enough")
                    return
                if message.get("text") is not None:
                    await socket.send_text(message["text"])
                else:
                    await socket.send_bytes(message["bytes"])
        except WebSocketDisconnect as error:
            door.codes.append(error.code)

    return Starlette(routes=[WebSocketRoute("/live", echo)])


async def test_it_passes_in_both_directions_to_its_end(door: Door) -> None:
    async with door.client.ws_connect(f"{door.url}/live?a=1", protocols=("json",)) as socket:
        assert socket.protocol == "json"
        long = "äöü" * CHUNK_BYTES_MAX  # characters that chunks cut in two
        for message in ("hello", "", long):
            await socket.send_str(message)
            assert await socket.receive_str() == message
        await socket.send_bytes(bytes(range(256)))
        assert await socket.receive_bytes() == bytes(range(256))
        await socket.send_str("bye")
        closed = await socket.receive()
        assert (closed.type, closed.data, closed.extra) == (aiohttp.WSMsgType.CLOSE, 4001, "enough")
    (caller,) = door.callers
    assert (caller.name, caller.role, caller.via) == ("ada@example.com", "viewer", "control")


async def test_the_application_hears_that_the_browser_left(door: Door) -> None:
    async with door.client.ws_connect(f"{door.url}/live") as socket:
        await socket.send_str("x")
        assert await socket.receive_str() == "x"
    async with asyncio.timeout(60):
        while door.tunnel.counts or not door.codes:
            await asyncio.sleep(0.01)
    assert door.codes == [1000]


async def test_a_message_without_end_is_not_held(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_socket, "MESSAGE_BYTES_MAX", 1000)
    async with door.client.ws_connect(f"{door.url}/live") as socket:
        await socket.send_str("x" * 1001)
        closed = await socket.receive()
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, web_socket.TOO_LONG)
    assert door.codes == [web_socket.TOO_LONG]


async def test_where_there_is_none_it_is_refused(door: Door) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await door.client.ws_connect(f"{door.url}/values")
    assert refused.value.status == 403
