"""Fixtures that give every test a broker process."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import sharing
from harness.client import drop_all
from harness.last_words import begin, last_words
from harness.node import Node, Settings, StartNode, fresh_name
from rookery.lasting import lasting

# Hundreds of nodes, control planes and commands are started: what each would compile anew is kept,
# also where the environment says otherwise, as images for containers do.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(trylast=True)  # pytest's own makes the terminal
def pytest_configure(config: pytest.Config) -> None:
    """Register the marks of the protocol tests."""
    config.addinivalue_line("markers", "statement(version, *ids): normative statements it proves")
    config.addinivalue_line("markers", "soak: long; left out unless ROOKERY_SOAK is set")
    config.pluginmanager.register(sharing)
    # Workers of a parallel run have no terminal, their reports are printed by the one who has.
    if (terminal := config.pluginmanager.get_plugin("terminalreporter")) is not None:
        config.pluginmanager.register(_FailuresAtOnce(terminal))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Before the fixtures of the test."""
    begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What failed elsewhere, and seldom, has to explain itself from its report alone."""
    report = yield
    if report.failed:
        report.sections += last_words()
    # What a test logs may hold what UTF-8 does not, and a worker of a parallel run ends on it.
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What the collection makes lasts: no search for garbage has to go through it."""
    with lasting():
        return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the order in which a parallel run shares the files out, without the long ones."""
    if not os.environ.get("ROOKERY_SOAK"):
        kinds: tuple[list[pytest.Item], list[pytest.Item]] = ([], [])
        for item in items:
            kinds[item.get_closest_marker("soak") is not None].append(item)
        items[:], long = kinds
        config.hook.pytest_deselected(items=long)
    items.sort(key=lambda item: sharing.turn(item.nodeid))


class _FailuresAtOnce:
    """Prints what failed when it fails: a run that is cut off has shown it by then."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._terminal.line("")
            self._terminal.section(f"{report.when} of {report.nodeid}", "-")
            self._terminal.line(report.longreprtext)
            for name, text in report.sections:
                self._terminal.section(name, "-")
                self._terminal.line(text)


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
