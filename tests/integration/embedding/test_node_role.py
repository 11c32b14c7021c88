"""The role ``broker``: a node as a process of its own."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S, RawClient
from harness.packets import ConnAck, Connect

PROGRAM = """
import sys
from pathlib import Path
from rookery.broker.node import run
from rookery.config import load
from rookery.errors import StartError

def ready(closed):
    loaded = {"starlette", "uvicorn", "anyio"} & set(sys.modules)
    print("ready", *sorted(loaded), flush=True)

try:
    sys.exit(run(load(None, Path(sys.argv[1]), sys.argv[2:], {}), ready=ready))
except StartError as error:
    print(f"{error.code}: {error}", flush=True)
    sys.exit(3)
"""
PORTS = ("listeners.tcp.default.bind", "listeners.ws.default.bind", "dashboard.listeners.http.bind")


class Process:
    """A node whose output is read as it comes."""

    def __init__(self, data_dir: Path, *settings: str) -> None:
        self.data_dir = data_dir
        free = [f"{path}=127.0.0.1:0" for path in PORTS]
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(data_dir), *free, *settings],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._is_over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._changed:
                    self.lines.append(line.rstrip())
                    self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def line(self, pattern: str) -> re.Match[str]:
        """Wait for a line of output."""

        def found() -> re.Match[str] | None:
            return next((m for line in self.lines if (m := re.search(pattern, line))), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._is_over, DEADLINE_S)
            match = found()
        assert match is not None, f"no {pattern!r} in:\n" + "\n".join(self.lines)
        return match

    def port(self, listener: str = "tcp:default") -> int:
        return int(self.line(rf"listening +on 127\.0\.0\.1:(\d+) .*\({listener}\)")[1])

    def client(self, client_id: str) -> RawClient:
        client = RawClient("127.0.0.1", self.port(), 5)
        client.connect(Connect(client_id))
        return client

    def ask(self, method: str, target: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("node", timeout=DEADLINE_S)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(DEADLINE_S)
        connection.sock.connect(str(self.data_dir / "run" / "node.sock"))
        connection.request(method, target)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        is_json = answer.getheader("content-type", "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        code = self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self.wait()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "node"


@pytest.fixture
def process(data_dir: Path) -> Iterator[Process]:
    process = Process(data_dir)
    yield process
    process.end()


def test_clients_are_accepted_before_a_framework_is_loaded(process: Process) -> None:
    assert process.line("^ready(.*)")[1] == ""


def test_a_line_for_every_connect_and_disconnect(process: Process) -> None:
    client = process.client("sensor-1")
    client.disconnect()

    process.line(r"^\d\d:\d\d:\d\d\.\d{3} connected +sensor-1 from 127\.0\.0\.1:\d+ on tcp:default")
    process.line(r"disconnected +sensor-1 from 127\.0\.0\.1:\d+: normal")


def test_the_socket_answers_for_the_node(process: Process) -> None:
    process.client("c1").subscribe("a/#")

    assert process.ask("GET", "/status")[1].endswith("is running")
    ports = {row["listener"]: row["address"] for row in process.ask("GET", "/ports")[1]}
    assert ports["tcp:default"] == f"127.0.0.1:{process.port()}"
    assert process.ask("GET", "/api/v5/stats")[1][0]["connections.count"] == 1
    metrics = process.ask("GET", "/api/v5/metrics?aggregate=true")[1]
    assert metrics["packets.connect.received"] == 1
    assert [row["clientid"] for row in process.ask("GET", "/api/v5/clients")[1]["data"]] == ["c1"]
    assert process.ask("GET", "/api/v5/clients/c1/subscriptions")[1][0]["topic"] == "a/#"
    assert process.ask("DELETE", "/api/v5/clients/c1")[0] == 204
    assert process.ask("GET", "/api/v5/clients/c1")[0] == 404


def test_everybody_may_ask_for_the_status(process: Process) -> None:
    connection = http.client.HTTPConnection(
        "127.0.0.1", process.port("http:dashboard"), timeout=DEADLINE_S
    )
    connection.request("GET", "/status?format=json")
    answer = connection.getresponse()

    assert json.loads(answer.read())["app_status"] == "running"
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_gracefully(process: Process, number: int) -> None:
    client = process.client("c1")

    process.signal(number)

    client.expect_closed([0x8B])
    assert process.wait() == 0
    assert re.search(r"stopped +\S+@\S+$", process.lines[-1])
    assert not (process.data_dir / "run" / "node.sock").exists()


def test_post_stop_does_the_same(process: Process) -> None:
    client = process.client("c1")

    assert process.ask("POST", "/stop")[0] == 202

    client.expect_closed([0x8B])
    assert process.wait() == 0


def test_the_node_speaks_below_sys(process: Process) -> None:
    client = process.client("c1")
    client.subscribe("$SYS/brokers/+/version", "$SYS/brokers")

    received = {
        message.topic_name: message.payload for message in (client.receive(), client.receive())
    }

    node_name = received["$SYS/brokers"].decode()
    assert received[f"$SYS/brokers/{node_name}/version"]


def test_a_taken_dashboard_port_starts_nothing(process: Process, tmp_path: Path) -> None:
    taken = process.port("http:dashboard")
    other = Process(tmp_path / "other", f"dashboard.listeners.http.bind=127.0.0.1:{taken}")

    assert other.wait() == 3
    assert re.fullmatch(rf"PORT_IN_USE: .*127\.0\.0\.1:{taken}.*", other.lines[-1])
    assert not any("listening" in line for line in other.lines)


def test_a_second_node_in_the_same_directory_is_refused(process: Process, data_dir: Path) -> None:
    process.line("^ready")
    second = Process(data_dir)

    assert second.wait() == 3
    assert second.lines[-1].startswith("DATA_DIR_IN_USE: ")
    assert process.ask("GET", "/status")[0] == 200


def test_a_refused_client_is_shown_with_what_to_do(data_dir: Path) -> None:
    process = Process(data_dir, "access.anonymous=nobody")
    client = RawClient("127.0.0.1", process.port(), 5)
    client.send(Connect("c1"))

    assert client.expect(ConnAck).reason_code >= 0x80
    process.line(r"refused +c1 from 127\.0\.0\.1:\d+ on tcp:default: \w+")
    process.end()


def test_sessions_survive_a_restart(data_dir: Path) -> None:
    first = Process(data_dir)
    client = RawClient("127.0.0.1", first.port(), 5)
    client.connect(Connect("keeper", properties={"session_expiry_interval": 3600}))
    client.subscribe("a", qos=1)
    first.signal(signal.SIGTERM)
    assert first.wait() == 0

    second = Process(data_dir)
    second.line(r"recovered +1 sessions")
    again = RawClient("127.0.0.1", second.port(), 5)
    assert again.connect(Connect("keeper", clean_start=False)).session_present
    second.end()
