"""A cluster of several nodes: who is asked when the one that was asked does not answer."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from rookery.agent.addresses import Addresses
from rookery.agent.failures import CallError
from rookery.agent.http_client import HttpClient, Trust

TRUST = Trust()


class Handler(http.server.BaseHTTPRequestHandler):
    """Says which node it is, and who was asked for."""

    def do_GET(self) -> None:
        port = self.request.getsockname()[1]
        body = f"{port} {self.headers['host']}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Node:
    """A node of a cluster that can be ended and started."""

    def __init__(self) -> None:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._run()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def two() -> Iterator[list[Node]]:
    nodes = [Node(), Node()]
    yield nodes
    for node in nodes:
        node.end()


def asked(client: HttpClient) -> str:
    return client.call("GET", "/").body.decode()


def test_the_next_one_is_asked_from_then_on_and_by_its_own_name(two: list[Node]) -> None:
    one, other = two
    client = HttpClient(one.url, TRUST, others={other.url: TRUST})
    assert asked(client) == f"{one.port} 127.0.0.1:{one.port}"

    one.end()

    assert asked(client) == f"{other.port} 127.0.0.1:{other.port}"
    assert client.url == other.url


def test_who_takes_connections_and_does_not_answer_is_left(two: list[Node]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        url = f"http://127.0.0.1:{hangs.getsockname()[1]}"
        client = HttpClient(url, TRUST, timeout_s=0.2, others={two[0].url: TRUST})
        # What was asked may have been done: it is not asked again by itself.
        with pytest.raises(CallError, match="TIMEOUT"):
            asked(client)
        assert asked(client).startswith(str(two[0].port))


def test_when_nobody_answers_the_last_one_says_why() -> None:
    client = HttpClient("http://127.0.0.1:9", TRUST, others={"http://127.0.0.1:1": TRUST})
    with pytest.raises(CallError, match="UNREACHABLE"):
        asked(client)


def test_addresses_go_in_turn() -> None:
    addresses = Addresses(["a", "b", "a", "c"])
    assert addresses.in_turn() == ["a", "b", "c"]
    addresses.found("b")
    assert addresses.in_turn() == ["b", "c", "a"]
    addresses.leave("a")
    assert addresses.present == "b"
    addresses.leave("b")
    assert addresses.present == "c"
    addresses.leave("c")
    assert addresses.present == "a"
