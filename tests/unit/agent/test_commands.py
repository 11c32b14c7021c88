"""The agent carries out each command once, against a cluster that answers, refuses or is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rookery.agent.actions import actions
from rookery.agent.cluster_api import ClusterApi
from rookery.agent.commands import WAITING_MAX, Commands, Done
from rookery.agent.credentials import Attempts, ClusterCredentials
from rookery.agent.journal import ENTRIES_MAX, Entry, Journal
from rookery.agent.keyed_api import KeyedApi
from rookery.agent.limit import ConnectionLimit
from rookery.agent.secret_file import SecretFile
from rookery.clock import ManualClock
from rookery.contracts.agent_v1 import Command, CommandState

LIMIT = "dynamic_max_connections"
MANAGER = {"manager_name": "Plant IT", "manager_url": "https://control:8082"}
SHOWN = {"name": "Plant IT", "url": "https://control:8082", "former_limit": "infinity"}


class Cluster(ThreadingHTTPServer):
    """Some of EMQX's interface, with what it holds; what was changed there is in ``changes``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.held: dict[str, dict[str, Any]] = {
            "/license/setting": {LIMIT: "infinity", "managed_by": None},
            "/rules/r1": {"id": "r1", "sql": "SELECT 1", "enable": True, "created_at": "x"},
            "/connectors/http:c1": {"name": "c1", "enable": False},
        }
        self.changes: list[tuple[str, Any]] = []
        self.status = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Cluster

    def do_GET(self) -> None:
        self._answer(self.server.held.get(self._path))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.changes.append((self._path, json.loads(body) if body else None))
        if self.server.status:
            self._say(self.server.status, {"code": "BAD_REQUEST", "message": "no"})
            return
        path, _, switch = self._path.partition("/enable/")
        held = self.server.held[path]
        held.update({"enable": switch == "true"} if switch else json.loads(body))
        if switch:
            self._say(204, None)
        else:
            self._answer(held)

    @property
    def _path(self) -> str:
        return self.path.removeprefix("/api/v5")

    def _answer(self, held: Any) -> None:
        if held is None:
            self._say(404, {"code": "NOT_FOUND", "message": "no such thing"})
        else:
            self._say(200, held)

    def _say(self, status: int, value: Any) -> None:
        content = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    server = Cluster()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Run:
    """One run of an agent in a folder: what it has said, and what it is sent."""

    def __init__(self, folder: Path, url: str) -> None:
        file = SecretFile(folder / "secrets", folder / "key")
        file.write({"username": "admin", "api_key": "k", "api_secret": "s"})
        self.clock = ManualClock()
        credentials = ClusterCredentials(
            ClusterApi(url), file, Attempts(folder / "attempts.json"), self.clock
        )
        api = KeyedApi(ClusterApi(url), credentials, threading.Lock())
        self.limit = ConnectionLimit(api, folder / "limit.json")
        self.said: list[CommandState] = []
        self.is_up = True
        self.woken = 0
        self.journal = Journal(folder / "commands.json")
        self.commands = Commands(
            self.journal, actions(api, self.limit), self._say, self._wake, self.clock
        )

    def _say(self, said: CommandState) -> bool:
        if self.is_up:
            self.said.append(said)
        return self.is_up

    def _wake(self) -> None:
        self.woken += 1

    def do(self, command_id: str, kind: str, **arguments: str) -> list[str]:
        """Send a command and let it be carried out; the states that were told."""
        self.said.clear()
        self.commands.receive(Command(command_id, kind, 60_000, arguments=arguments))
        self.commands.run()
        return [said.state for said in self.said]


@pytest.fixture
def start(tmp_path: Path, cluster: Cluster) -> Callable[[], Run]:
    return lambda: Run(tmp_path, cluster.url)


def test_a_limit_is_set_once_and_told_again_as_often_as_asked(
    start: Callable[[], Run], cluster: Cluster
) -> None:
    run = start()
    assert run.do("c1", "quota.set", limit="50", **MANAGER) == [
        "acknowledged",
        "running",
        "succeeded",
    ]
    wanted = {LIMIT: 50, "managed_by": SHOWN}
    assert cluster.changes == [("/license/setting", wanted)]
    assert run.do("c1", "quota.set", limit="50", **MANAGER) == ["succeeded"]
    # Another run of the agent remembers it.
    assert start().do("c1", "quota.set", limit="50", **MANAGER) == ["succeeded"]
    assert len(cluster.changes) == 1
    # Another command finds nothing left to do.
    assert run.do("c2", "quota.set", limit="50", **MANAGER)[-1] == "succeeded"
    assert run.said[-1].code == "ALREADY"
    assert len(cluster.changes) == 1


def test_an_agent_that_died_in_between_finds_that_it_was_done(
    start: Callable[[], Run], cluster: Cluster
) -> None:
    run = start()
    run.journal.put("c1", Entry("running", 1))
    run.limit.set({"limit": "50", **MANAGER})
    # Here it died: done, and nobody knows.
    again = start()
    assert again.do("c1", "quota.set", limit="50", **MANAGER)[-1] == "succeeded"
    assert again.said[-1].code == "ALREADY"
    assert len(cluster.changes) == 1


def test_a_result_that_nobody_heard_is_told_when_it_is_asked_for(
    start: Callable[[], Run], cluster: Cluster
) -> None:
    run = start()
    run.is_up = False
    assert run.do("c1", "rule.stop", id="r1") == []
    assert not cluster.held["/rules/r1"]["enable"]
    run.is_up = True
    assert run.do("c1", "rule.stop", id="r1") == ["succeeded"]
    assert len(cluster.changes) == 1


def test_the_former_limit_comes_back(start: Callable[[], Run], cluster: Cluster) -> None:
    cluster.held["/license/setting"][LIMIT] = 500
    start().do("c1", "quota.set", limit="50", **MANAGER)
    start().do("c2", "quota.set", limit="60", **MANAGER)
    assert cluster.held["/license/setting"]["managed_by"]["former_limit"] == 500
    assert start().do("c3", "quota.release")[-1] == "succeeded"
    assert cluster.held["/license/setting"] == {LIMIT: 500, "managed_by": None}
    # There is nothing to give back any more.
    changes = len(cluster.changes)
    assert start().do("c4", "quota.release")[-1] == "succeeded"
    assert len(cluster.changes) == changes


def test_another_agent_learns_the_former_limit_at_the_node(
    start: Callable[[], Run], cluster: Cluster, tmp_path: Path
) -> None:
    start().do("c1", "quota.set", limit="50", **MANAGER)
    folder = tmp_path / "other"
    folder.mkdir()
    other = Run(folder, cluster.url)
    other.do("c2", "quota.set", limit="70", **MANAGER)
    other.limit.release()
    assert cluster.held["/license/setting"] == {LIMIT: "infinity", "managed_by": None}


def test_emqx_is_sent_nothing_that_it_does_not_know(
    start: Callable[[], Run], cluster: Cluster
) -> None:
    cluster.held["/license/setting"] = {LIMIT: 25}
    start().do("c1", "quota.set", limit="50", **MANAGER)
    start().do("c2", "quota.release")
    bodies = [body for _, body in cluster.changes]
    assert bodies == [{LIMIT: 50}, {LIMIT: 25}]


@pytest.mark.parametrize("held", [None, {"connection_low_watermark": "75%"}])
def test_a_licence_without_such_a_setting(
    start: Callable[[], Run], cluster: Cluster, held: dict[str, Any] | None
) -> None:
    if held is None:
        del cluster.held["/license/setting"]
    else:
        cluster.held["/license/setting"] = held
    run = start()
    assert run.do("c1", "quota.set", limit="50", **MANAGER)[-1] == "failed"
    assert run.said[-1].code == "NOT_PERMITTED"
    assert cluster.changes == []


def test_a_licence_that_refuses_the_value(start: Callable[[], Run], cluster: Cluster) -> None:
    cluster.status = 400
    run = start()
    assert run.do("c1", "quota.set", limit="50", **MANAGER)[-1] == "failed"
    assert run.said[-1].code == "NOT_PERMITTED"


def test_what_is_stopped_and_started(start: Callable[[], Run], cluster: Cluster) -> None:
    run = start()
    run.do("c1", "rule.stop", id="r1")
    run.do("c2", "connector.start", id="http:c1")
    run.do("c3", "connector.start", id="http:c1")
    assert cluster.changes == [
        ("/rules/r1", {"sql": "SELECT 1", "enable": False}),
        ("/connectors/http:c1/enable/true", None),
    ]
    assert run.said[-1].code == "ALREADY"


@pytest.mark.parametrize(
    ("kind", "arguments", "code"),
    [
        ("rule.stop", {"id": "nowhere"}, "NOT_FOUND"),
        ("rule.stop", {}, "BAD_REQUEST"),
        ("rule.stop", {"id": ".."}, "BAD_REQUEST"),
        ("quota.set", {"limit": "0"}, "BAD_REQUEST"),
        ("quota.set", {"limit": "many"}, "BAD_REQUEST"),
        ("shell.run", {"id": "rm"}, "NOT_SUPPORTED"),
    ],
)
def test_what_cannot_be_done_is_said_and_not_tried_again(
    start: Callable[[], Run],
    cluster: Cluster,
    kind: str,
    arguments: dict[str, str],
    code: str,
) -> None:
    run = start()
    assert run.do("c1", kind, **arguments)[-1] == "failed"
    assert run.said[-1].code == code
    assert run.do("c1", kind, **arguments) == ["failed"]
    assert cluster.changes == []


def test_a_cluster_that_is_away_or_busy_is_tried_again(
    start: Callable[[], Run], cluster: Cluster
) -> None:
    run = start()
    cluster.status = 503
    assert run.do("c1", "rule.stop", id="r1")[-1] == "retry"
    cluster.status = 0
    assert run.do("c1", "rule.stop", id="r1")[-1] == "succeeded"


def test_nothing_else_is_tried_while_nobody_answers(tmp_path: Path) -> None:
    run = Run(tmp_path, "http://127.0.0.1:1")
    for number in range(3):
        run.commands.receive(Command(f"c{number}", "rule.stop", 60_000, arguments={"id": "r1"}))
    run.commands.run()
    assert [(said.id, said.state) for said in run.said][-1] == ("c0", "retry")
    assert run.said[-1].code == "UNREACHABLE"
    assert {said.id for said in run.said} == {"c0"}


def test_a_command_whose_time_is_over_is_left(start: Callable[[], Run], cluster: Cluster) -> None:
    run = start()
    run.commands.receive(Command("c1", "rule.stop", 1000, arguments={"id": "r1"}))
    run.clock.advance(1)
    run.commands.run()
    assert (run.said, cluster.changes) == ([], [])


def test_what_cannot_be_remembered_is_not_begun(
    start: Callable[[], Run], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rookery.agent.journal.write_whole", full)
    assert run.do("c1", "rule.stop", id="r1")[-1] == "retry"
    assert run.said[-1].code == "DISK"
    assert cluster.changes == []


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    begun: list[str] = []

    def begin(given: Mapping[str, str]) -> Done:
        begun.append(given["n"])
        return Done()

    commands = Commands(
        Journal(tmp_path / "journal"),
        {"x": begin},
        lambda _said: True,
        lambda: None,
        ManualClock(),
    )
    for number in range(WAITING_MAX + 10):
        commands.receive(Command(f"c{number}", "x", 60_000, arguments={"n": str(number)}))
    commands.run()
    assert begun == [str(number) for number in range(WAITING_MAX)]


def test_the_journal_keeps_the_newest_and_survives_damage(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for number in range(ENTRIES_MAX + 5):
        journal.put(f"c{number}", Entry("succeeded", number))
    again = Journal(tmp_path / "j")
    assert again.find("c4") is None
    assert again.find("c5") == Entry("succeeded", 5)
    (tmp_path / "j").write_bytes(b"{")
    assert Journal(tmp_path / "j").find("c5") is None
