"""A node with the interface of EMQX 3, and applications that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.client import RawClient
from harness.node import HOST, Settings
from harness.packets import Connect
from harness.rest_node import Answer, Rest, RestNode, rest_node

PREFIX = "/api/v3"
SETTINGS = {
    "management.listener.http.enable": "true",
    "management.listener.http.bind": f"{HOST}:0",
}


class V3:
    """One application and one node."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        return self.rest.ask(method, PREFIX + path, body)

    def data(self, path: str) -> Any:
        """What an operation that succeeds shows."""
        return self.whole("GET", path)["data"]

    def whole(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of an operation that succeeds."""
        answer = self.ask(method, path, body)
        assert (answer.status, answer.json["code"]) == (200, 0), answer
        return answer.json

    def code(self, method: str, path: str, body: Any = None) -> int:
        """The number that an operation answers."""
        answer = self.ask(method, path, body)
        assert answer.status == 200, answer
        return int(answer.json["code"])


class V3Node:
    """A node and the applications that ask it."""

    def __init__(self, running: RestNode) -> None:
        self.running = running
        self.node = running.node

    def client(self, client_id: str, username: str) -> RawClient:
        """A client that has a user name."""
        client = self.node.open()
        client.connect(Connect(client_id, username=username))
        return client

    @property
    def nobody(self) -> V3:
        return V3(Rest(self.running.port("http:management")))

    def app(self, role: str = "administrator") -> V3:
        """An application made for this."""
        return self.with_header(self.running.key(role).authorization)

    def with_header(self, authorization: str) -> V3:
        port = self.running.port("http:management")
        return V3(Rest(port, authorization=authorization))

    def with_secret(self, app_id: str, secret: str) -> V3:
        return V3(self.nobody.rest.with_key(app_id, secret))


Start = Callable[..., V3Node]


@pytest.fixture(scope="session")
def v3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[V3Node]:
    """Shared by all tests: use names of your own."""
    with rest_node(tmp_path_factory.mktemp("v3"), SETTINGS) as running:
        yield V3Node(running)


@pytest.fixture(scope="session")
def app(v3: V3Node) -> V3:
    """An administrator."""
    return v3.app()


@pytest.fixture
def start_v3(tmp_path: Path) -> Iterator[Start]:
    """Starts a node of the test's own."""
    with ExitStack() as started:

        def start(settings: Settings | None = None) -> V3Node:
            return V3Node(
                started.enter_context(rest_node(tmp_path, {**SETTINGS, **(settings or {})}))
            )

        yield start
