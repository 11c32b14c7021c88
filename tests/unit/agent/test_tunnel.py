"""Requests through the tunnel, to a real HTTP server, driven by the messages of the contract."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client import DEADLINE_S
from rookery.agent.exchange import passed_on
from rookery.agent.failures import CallError
from rookery.agent.http_client import HttpClient, Trust
from rookery.agent.tunnel import Tunnel
from rookery.clock import SystemClock
from rookery.contracts.agent_streams import Reassembler, Splitter
from rookery.contracts.agent_v1 import (
    CHUNK_BYTES_MAX,
    REQUESTS_MAX,
    Cancel,
    Chunk,
    Credit,
    Message,
    Reply,
    Request,
)

LARGE = bytes(range(256)) * 4096 * 3


class Server(ThreadingHTTPServer):
    """``/echo`` gives back what came, ``/large`` much, ``/wait`` nothing until it is let go."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.let_go = threading.Event()
        self.is_waiting = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        if self.path == "/wait":
            self.server.is_waiting.set()
            self.server.let_go.wait(DEADLINE_S)
        self._answer(LARGE if self.path == "/large" else self.path.encode())

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        self.send_response(401 if self.path == "/refuse" else 200)
        self.send_header("X-Seen", "|".join(f"{k.lower()}={v}" for k, v in self.headers.items()))
        if self.path == "/unknown-length":
            self.send_header("connection", "close")
        else:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


class Keys:
    """As whom requests are made."""

    def __init__(self) -> None:
        self.refusals: list[str] = []
        self.failure: CallError | None = None

    def headers(self, credential: str) -> Mapping[str, str]:
        if self.failure is not None:
            raise self.failure
        return {} if credential == "none" else {"authorization": f"as {credential}"}

    def refused(self, credential: str) -> None:
        self.refusals.append(credential)


class World:
    def __init__(self) -> None:
        self.server = Server()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.keys = Keys()
        self.sent: queue.Queue[Message] = queue.Queue()
        self.is_connected = True
        client = HttpClient(self.server.url, Trust())
        dead = HttpClient("http://127.0.0.1:9", Trust())
        self.tunnel = Tunnel(
            {"api": client, "dashboard": dead}, self.keys, self._send, SystemClock()
        )

    def _send(self, message: Message) -> bool:
        if self.is_connected:
            self.sent.put(message)
        return self.is_connected

    def ask(self, path: str, method: str = "GET", **more: Any) -> None:
        request_id = more.pop("id", "r")
        timeout_ms = more.pop("timeout_ms", 10_000)
        self.tunnel.receive(Request(request_id, method, path, timeout_ms, **more).to_bytes())

    def next(self) -> Any:
        return self.sent.get(timeout=DEADLINE_S)

    def close(self) -> None:
        self.server.let_go.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_a_small_answer_is_one_message(world: World) -> None:
    world.ask("/nodes?x=%20", credential="key", headers=(("Accept", "a/b"), ("Host", "evil")))

    reply = world.next()
    assert (reply.status, reply.body, reply.more, reply.error) == (200, b"/nodes?x=%20", False, "")
    headers = {name.lower(): value for name, value in reply.headers}
    assert "accept=a/b" in headers["x-seen"]
    assert "authorization=as key" in headers["x-seen"]
    assert "evil" not in headers["x-seen"]
    assert "connection" not in headers


def test_a_caller_cannot_put_a_credential_of_its_own_over_the_agents(world: World) -> None:
    world.ask("/", credential="user", headers=(("Authorization", "Basic mine"),))
    assert "mine" not in str(world.next().headers)
    world.ask("/", id="r2", credential="none", headers=(("Authorization", "Bearer mine"),))
    assert "authorization=Bearer mine" in str(world.next().headers)


@pytest.mark.parametrize("path", ["/large", "/unknown-length"])
def test_an_answer_of_any_length_comes_within_its_credit(world: World, path: str) -> None:
    world.ask(path, credit=2)
    reply = world.next()
    body = reply.body
    assert len(body) <= CHUNK_BYTES_MAX
    if reply.more:
        reassembler = Reassembler("r", 2)
        while not reassembler.is_over:
            chunk = reassembler.accept(world.next())
            assert chunk is not None
            body += chunk.body
            credit = reassembler.used()
            if credit is not None:
                world.tunnel.receive(credit.to_bytes())
    assert body == (LARGE if path == "/large" else b"/unknown-length")


def test_without_credit_the_answer_stops_until_it_is_cancelled(world: World) -> None:
    world.ask("/large", credit=1)
    assert world.next().more
    assert isinstance(world.next(), Chunk)

    world.tunnel.receive(Cancel("r", "the caller has gone").to_bytes())

    world.ask("/after", id="r2")
    assert world.next().body == b"/after"
    assert world.sent.empty()


def test_a_request_in_chunks_arrives_whole(world: World) -> None:
    splitter = Splitter("r", 8, chunk_bytes=100_000)
    splitter.offer(LARGE[:1_000_000])
    splitter.finish()
    world.ask("/echo", "POST", more=True, body=b"first:", credit=64)
    got, seen = b"", 0
    while not splitter.is_over or seen == 0:
        for chunk in splitter.take():
            world.tunnel.receive(chunk.to_bytes())
            # MQTT may deliver twice.
            world.tunnel.receive(chunk.to_bytes())
        message = world.next()
        if isinstance(message, Credit):
            splitter.grant(message.chunks)
            continue
        got, seen = got + message.body, seen + 1
        more = message.more
        while more:
            chunk = world.next()
            got, more = got + chunk.body, not chunk.last
    assert got == b"first:" + LARGE[:1_000_000]


def test_nobody_there_and_too_late(world: World) -> None:
    world.ask("/", target="dashboard")
    reply = world.next()
    assert (reply.status, reply.error.partition(":")[0]) == (502, "UNREACHABLE")

    world.ask("/wait", id="r2", timeout_ms=150)
    reply = world.next()
    assert (reply.status, reply.error.partition(":")[0]) == (504, "TIMEOUT")

    world.keys.failure = CallError("REFUSED", "the password")
    world.ask("/", id="r3", credential="key")
    assert world.next().error == "REFUSED: the password"


def test_a_request_that_waits_is_broken_off(world: World) -> None:
    world.ask("/wait", timeout_ms=300_000)
    assert world.server.is_waiting.wait(DEADLINE_S)

    world.tunnel.cancel_all("the agent stops")
    world.ask("/next", id="r2")

    assert world.next().id == "r2"


def test_one_that_comes_twice_is_made_once(world: World) -> None:
    world.ask("/a")
    world.ask("/a")
    world.ask("/b", id="r2")

    assert {world.next().body, world.next().body} == {b"/a", b"/b"}
    assert world.sent.empty()


def test_more_than_there_is_room_for_are_refused_at_once(world: World) -> None:
    for number in range(REQUESTS_MAX + 1):
        world.ask("/wait", id=f"r{number}")

    refused = world.next()
    assert isinstance(refused, Reply)
    assert (refused.id, refused.status) == (f"r{REQUESTS_MAX}", 503)
    world.server.let_go.set()
    assert {world.next().status for _ in range(REQUESTS_MAX)} == {200}


def test_a_token_that_is_refused_is_forgotten(world: World) -> None:
    world.ask("/refuse", credential="user")

    assert world.next().status == 401
    assert world.keys.refusals == ["user"]


def test_head_and_what_makes_no_sense(world: World) -> None:
    for data in (b"", b"nothing", Credit("r", 1).to_bytes(), Chunk("r", 1).to_bytes()):
        world.tunnel.receive(data)
    world.ask("/large", "HEAD")

    reply = world.next()
    assert (reply.status, reply.body, reply.more) == (200, b"", False)
    assert ("content-length", str(len(LARGE))) in reply.headers


@given(st.lists(st.tuples(st.text(max_size=10), st.text(max_size=50)), max_size=80))
def test_any_headers_of_an_answer_can_be_sent(headers: list[tuple[str, str]]) -> None:
    Reply("r", 200, headers=passed_on(headers)).to_bytes()


def test_headers_beyond_all_measure_are_cut() -> None:
    many = [(f"x-{number}", "\u4e2d" * 9000) for number in range(100)]
    Reply("r", 200, headers=passed_on(many)).to_bytes()
