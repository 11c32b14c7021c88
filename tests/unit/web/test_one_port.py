"""HTTPS and HTTP on one port."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from rookery.access.authority import Authority, now_utc
from rookery.web import one_port
from rookery.web.server import WebServer
from rookery.web.sockets import open_http


class Port(NamedTuple):
    """Where both are spoken, and whom to trust."""

    number: int
    trust: ssl.SSLContext


async def scheme(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(Request(scope).url.scheme)(scope, receive, send)


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Port]:
    authority = Authority(tmp_path, now_utc())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.sign_server(["127.0.0.1"], 1))
    sock = open_http("127.0.0.1", 0)
    number = sock.getsockname()[1]
    server = WebServer(scheme, [sock], connections_max=8, tls=tls, plain_too=True)
    server.open()
    yield Port(number, ssl.create_default_context(cafile=str(authority.certificate_file)))
    await server.close()


async def ask(port: Port, tls: ssl.SSLContext | None) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number, ssl=tls)
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    return text.rpartition("\r\n\r\n")[2]


async def test_the_first_byte_says_which(port: Port) -> None:
    found = await asyncio.gather(*(ask(port, tls) for tls in (None, port.trust) * 4))

    assert found == ["http", "https"] * 4


async def test_who_says_nothing_gives_way_and_who_leaves_is_forgotten(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_port, "WAITING_MAX", 2)
    silent = [socket.create_connection(("127.0.0.1", port.number)) for _ in range(3)]
    silent[1].close()

    assert await ask(port, None) == "http"
    loop = asyncio.get_running_loop()
    silent[0].setblocking(False)
    assert await loop.sock_recv(silent[0], 1) == b""
    for sock in silent:
        sock.close()


async def test_a_handshake_that_fails_is_its_clients_business(port: Port) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
    writer.write(b"\x16\x03\x01 this is no handshake")
    await writer.drain()
    # Whatever is said about that, it ends.
    await reader.read()
    writer.close()

    assert await ask(port, port.trust) == "https"
