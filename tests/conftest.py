"""Fixtures that give every test a broker process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness.client import drop_all
from harness.node import Node, Settings, StartNode, fresh_name


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks of the protocol tests."""
    config.addinivalue_line("markers", "statement(version, *ids): normative statements it proves")
    config.addinivalue_line("markers", "soak: long; left out unless ROOKERY_SOAK is set")


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A broker with default settings, shared by all tests: use names of your own."""
    broker = Node(tmp_path_factory.mktemp("node"), {})
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def shared_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartNode]:
    """Brokers with other settings, one for each set of them."""
    running: dict[tuple[tuple[str, str], ...], Node] = {}

    def start(settings: Settings | None = None) -> Node:
        key = tuple(sorted((settings or {}).items()))
        if key not in running:
            broker = Node(tmp_path_factory.mktemp("node"), settings or {})
            broker.start()
            running[key] = broker
        return running[key]

    yield start
    for broker in running.values():
        broker.stop()


@pytest.fixture
def start_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartNode]:
    """Brokers that belong to one test, which may kill them."""
    started: list[Node] = []

    def start(settings: Settings | None = None) -> Node:
        broker = Node(tmp_path_factory.mktemp("node"), settings or {})
        started.append(broker)
        broker.start()
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture(autouse=True)
def no_connection_outlives_its_test() -> Iterator[None]:
    """What a test leaves open is closed: the shared broker is not to collect it."""
    yield
    drop_all()


@pytest.fixture(params=[4, 5], ids=["v311", "v5"])
def level(request: pytest.FixtureRequest) -> int:
    """The protocol level; a test that uses it runs for 3.1.1 and for 5.0."""
    value: int = request.param
    return value


@pytest.fixture
def topic() -> str:
    """A topic name that no other test uses."""
    return fresh_name("t/")
