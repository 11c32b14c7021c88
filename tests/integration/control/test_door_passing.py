"""What passes through the port of a cluster: real HTTP and WebSockets, the agent's own tunnel between."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from rookery.agent.http_client import HttpClient, Trust
from rookery.agent.tunnel import Tunnel as AgentTunnel
from rookery.clock import SystemClock
from rookery.contracts.agent_v1 import CHUNK_BYTES_MAX, Channel, Message
from rookery.control.doors import passing
from rookery.control.doors.jar import Jar
from rookery.control.doors.service import Visit
from rookery.control.relay.tunnel import Tunnel

AGENT = "a" * 16
ADDRESS = "https://cluster.example.com:18083"
FOR_MORE_THAN_THE_PORT = {
    "set-cookie",
    "clear-site-data",
    "strict-transport-security",
    "alt-svc",
    "set-login",
    "nel",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "access-control-allow-origin",
}


class NoCredentials:
    """The dashboard's own pages say who asks."""

    def headers(self, credential: str) -> Mapping[str, str]:
        assert credential == "none"
        return {}

    def refused(self, credential: str) -> None:
        raise AssertionError(credential)


class Wire:
    """Between control's tunnel and the agent's, as the relay is."""

    def __init__(self) -> None:
        self.agent: AgentTunnel | None = None
        self.is_up = True

    def is_connected(self, _agent_id: str) -> bool:
        return self.is_up

    async def send(
        self, agent_id: str, channel: Channel, message: Message | None, **_: object
    ) -> None:
        assert (agent_id, channel) == (AGENT, Channel.REQUEST)
        assert message is not None
        assert self.agent is not None
        self.agent.receive(message.to_bytes())


class Kept:
    """The cookies of one visit."""

    def __init__(self) -> None:
        self.jar = Jar()

    def cookies(self, _visit: Visit, path: str) -> str:
        return self.jar.header(path, 0)

    async def keep(self, _visit: Visit, said: Sequence[str], path: str) -> None:
        self.jar = self.jar.after(said, path, 0)


@dataclass
class Door:
    """A port, and what stands behind it."""

    url: str
    client: aiohttp.ClientSession
    seen: list[web.Request]
    visit: list[Visit | None]
    """What the right to be there is now."""


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    seen: list[web.Request] = []
    async with contextlib.AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(_served(_cluster(seen)))
        wire = Wire()
        tunnel = Tunnel(wire)
        loop = asyncio.get_running_loop()

        def say(message: Message) -> bool:
            loop.call_soon_threadsafe(tunnel.handle, AGENT, message)
            return True

        target = HttpClient(cluster, Trust(is_insecure=True))
        wire.agent = AgentTunnel(
            {"api": target, "dashboard": target}, NoCredentials(), say, SystemClock()
        )
        visit: list[Visit | None] = [Visit(AGENT, ADDRESS)]

        async def look() -> Visit | None:
            return visit[0]

        jar = Kept()

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            found = visit[0]
            assert found is not None
            if passing.is_web_socket(request):
                return await passing.pass_web_socket(request, tunnel, found, jar, look)
            return await passing.pass_request(request, tunnel, found, jar)

        url = await stack.enter_async_context(_served(web.Server(answer)))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Door(url, client, seen, visit)
        wire.agent.cancel_all("the test is over")


@contextlib.asynccontextmanager
async def _served(server: web.Server) -> AsyncIterator[str]:
    runner = web.ServerRunner(server, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def _cluster(seen: list[web.Request]) -> web.Server:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request)  # type: ignore[arg-type]
        if request.path == "/ws":
            return await _echo(request)
        if request.path == "/away":
            return web.Response(status=302, headers={"location": f"{ADDRESS}/login?next=/x"})
        body = await request.content.read() or b"page " * CHUNK_BYTES_MAX
        headers = {
            **dict.fromkeys(FOR_MORE_THAN_THE_PORT, "own=1"),
            "x-own": "kept",
            "content-security-policy": "img-src 'self'",
        }
        return web.Response(body=body, headers=headers)

    return web.Server(answer)


async def _echo(request: web.BaseRequest) -> web.StreamResponse:
    socket = web.WebSocketResponse(protocols=("mqtt",))
    await socket.prepare(request)
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT and message.data == "bye":
            await socket.close(code=4001, message=b"enough")
        elif message.type is aiohttp.WSMsgType.TEXT:
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)
    return socket


async def test_pages_come_whole_and_cookies_of_a_browser_stay(door: Door) -> None:
    headers = {
        "cookie": "rookery_door_8100=secret",
        "authorization": "Bearer own",
        "origin": door.url,
    }
    async with door.client.get(
        URL(f"{door.url}/index.html?a=%2F", encoded=True), headers=headers
    ) as answer:
        assert (answer.status, await answer.read()) == (200, b"page " * CHUNK_BYTES_MAX)
        assert not FOR_MORE_THAN_THE_PORT & {name.lower() for name in answer.headers}
        assert answer.headers["x-own"] == "kept"
        assert answer.headers.getall("content-security-policy") == [
            "img-src 'self'",
            passing.POLICY,
        ]
    (asked,) = door.seen
    assert asked.raw_path == "/index.html?a=%2F"
    assert asked.headers["authorization"] == "Bearer own"
    assert not {"Cookie", "Origin", "Referer"} & set(asked.headers)


async def test_cookies_of_the_pages_are_kept_in_the_browsers_place(door: Door) -> None:
    for _ in range(2):
        async with door.client.get(f"{door.url}/app/index.html") as answer:
            await answer.read()
            assert "set-cookie" not in answer.headers
    async with door.client.get(f"{door.url}/elsewhere") as answer:
        await answer.read()
    async with door.client.ws_connect(f"{door.url}/ws"):
        pass
    carried = [request.headers.getall("cookie", []) for request in door.seen]
    assert carried == [[], ["own=1"], [], ["own=1"]]


async def test_a_body_passes_and_a_redirection_stays_at_the_port(door: Door) -> None:
    content = b"0123456789abcdef" * CHUNK_BYTES_MAX
    async with door.client.post(f"{door.url}/api/v5/data", data=io.BytesIO(content)) as answer:
        assert await answer.read() == content
    async with door.client.get(f"{door.url}/away", allow_redirects=False) as answer:
        assert answer.headers["location"] == "/login?next=/x"
    async with door.client.head(f"{door.url}/index.html") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
        assert int(answer.headers["content-length"]) == 5 * CHUNK_BYTES_MAX


async def test_a_web_socket_passes_in_both_directions_to_its_end(door: Door) -> None:
    async with door.client.ws_connect(f"{door.url}/ws", protocols=("mqtt",)) as socket:
        assert socket.protocol == "mqtt"
        long = "äöü" * CHUNK_BYTES_MAX  # characters that chunks cut in two
        for message in ("hello", "", long):
            await socket.send_str(message)
            assert await socket.receive_str() == message
        await socket.send_bytes(bytes(range(256)))
        assert await socket.receive_bytes() == bytes(range(256))
        await socket.send_str("bye")
        closed = await socket.receive()
        assert (closed.type, closed.data, closed.extra) == (aiohttp.WSMsgType.CLOSE, 4001, "enough")


async def test_a_web_socket_ends_with_the_right_to_be_there(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "LOOK_AGAIN_S", 0.01)
    async with door.client.ws_connect(f"{door.url}/ws") as socket:
        door.visit[0] = None
        closed = await socket.receive()
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, passing.GONE)


async def test_what_is_no_web_socket_there_is_none_here(door: Door) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await door.client.ws_connect(f"{door.url}/index.html")
    assert refused.value.status == 502
