"""The plugins that are shipped as examples, and the one that `rookery plugin new` makes."""

from __future__ import annotations

import base64
import http.server
import json
import os
import queue
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S
from harness.operator import operated
from harness.plugins import Plugins
from harness.waiting import until
from rookery.errors import BadRequestError
from rookery.plugins.build import build, new

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples/plugins"


class Service(http.server.ThreadingHTTPServer):
    """A web service that remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: queue.Queue[Any] = queue.Queue()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/login"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        self.server.asked.put(query)
        self._answer(b"0" if query["password"] == "right" else b"1")

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        events = json.loads(self.rfile.read(length))
        self.server.asked.put((self.headers.get("Authorization"), events))
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def install(plugins: Plugins, out: Path, name: str, settings: dict[str, Any]) -> None:
    """Build an example, install, configure and start it."""
    plugins.install(build(EXAMPLES / name, out).read_bytes())
    plugins.operator.rest.put(f"/plugins/{name}-1.0.0/config", settings)
    plugins.act(f"{name}-1.0.0", "start")


def test_http_auth_asks_the_service_as_the_plugin_of_emqx_3_does(
    tmp_path: Path, service: Service
) -> None:
    with operated(tmp_path) as operator:
        install(Plugins(operator), tmp_path / "out", "http_auth", {"url": service.url})
        operator.login("ann", "right", client_id="c 1").drop()
        assert operator.refusal("ann", "wrong") == 0x86
        asked = service.asked.get(timeout=DEADLINE_S)
        assert asked["password"] == "right"
        assert base64.b64decode(asked["username"]) == b"ann"
        assert base64.b64decode(asked["clientId"]) == b"c 1"
        service.server_close()
        assert operator.refusal("ann", "right") == 0x88


def test_presence_webhook_tells_in_order_who_comes_and_goes(
    tmp_path: Path, service: Service
) -> None:
    with operated(tmp_path) as operator:
        settings = {"url": service.url, "token": "t"}
        install(Plugins(operator), tmp_path / "out", "presence_webhook", settings)
        for _ in range(3):
            operator.node.durable("seen", 5).drop()  # the session counts its connects
        told: list[dict[str, Any]] = []
        while len(told) < 6:
            token, events = service.asked.get(timeout=DEADLINE_S)
            assert token == "Bearer t"
            told += events
        assert [event["clientid"] for event in told] == ["seen"] * 6
        by_generation: dict[int, list[str]] = {}
        for event in told:
            by_generation.setdefault(event["generation"], []).append(event["event"])
        assert len(by_generation) == 3
        for events in by_generation.values():
            assert events == ["client.connected", "client.disconnected"]


def test_http_auth_tells_no_password_to_the_log(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        install(plugins, tmp_path / "out", "http_auth", {"url": "http://127.0.0.1/log in"})
        for url in ("http://127.0.0.1/log in", "no-scheme", "http://[::1"):
            operator.rest.put("/plugins/http_auth-1.0.0/config", {"url": url})
            assert operator.refusal("ann", "my-own-word") == 0x88
        plugins.act("http_auth-1.0.0", "stop")  # its last words are in the log then
        log = "\n".join(operator.node.log)
        assert "on_authenticate failed" in log
        assert "my-own-word" not in log


def test_presence_webhook_goes_on_after_an_answer_that_is_not_http(
    tmp_path: Path, service: Service
) -> None:
    with operated(tmp_path) as operator, socket.create_server(("127.0.0.1", 0)) as nonsense:
        url = f"http://127.0.0.1:{nonsense.getsockname()[1]}/"
        install(Plugins(operator), tmp_path / "out", "presence_webhook", {"url": url})
        operator.login(client_id="seen").drop()
        connection, _ = nonsense.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"220 mail.example\r\n")
        operator.rest.put("/plugins/presence_webhook-1.0.0/config", {"url": service.url})
        _, events = service.asked.get(timeout=DEADLINE_S)
        assert events[0]["clientid"] == "seen"


def test_presence_webhook_keeps_what_waits_while_it_is_loaded_anew(
    tmp_path: Path, service: Service
) -> None:
    name = "presence_webhook-1.0.0"
    with operated(tmp_path) as operator, socket.create_server(("127.0.0.1", 0)) as silent:
        plugins = Plugins(operator)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        install(plugins, tmp_path / "out", "presence_webhook", {"url": url})
        operator.login(client_id="seen").drop()
        connection, _ = silent.accept()  # a batch is under way, and nobody answers
        with connection:
            operator.login(client_id="late").drop()
            plugins.act(name, "restart")
        plugins.act(name, "stop")
        operator.rest.put(f"/plugins/{name}/config", {"url": service.url})
        plugins.act(name, "start")
        told: list[tuple[str, str]] = []
        while len(told) < 4:
            told += [
                (event["clientid"], event["event"])
                for event in service.asked.get(timeout=DEADLINE_S)[1]
            ]
        expected = [
            (client, event)
            for client in ("seen", "late")
            for event in ("client.connected", "client.disconnected")
        ]
        assert sorted(told) == sorted(expected), "each once"
        plugins.act(name, "stop")
        assert list((tmp_path / "plugins/data/presence_webhook").iterdir()) == []


def test_payload_transform_completes_json_below_its_topics(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        install(Plugins(operator), tmp_path / "out", "payload_transform", {"refuse_others": False})
        with operator.login(client_id="sensor") as client:
            client.subscribe("#", qos=1)
            client.publish("sensors/1", b'{"t": 1}', qos=1)
            value = json.loads(client.receive("sensors/1").payload)
            assert value["t"] == 1
            assert value["clientid"] == "sensor"
            assert value["received_at"] > 0
            client.publish("sensors/1", b"no json", qos=1)
            client.receive("sensors/1", b"no json")
            client.publish("elsewhere", b'{"t": 1}', qos=1)
            client.receive("elsewhere", b'{"t": 1}')


def test_audit_sqlite_writes_what_happened(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        install(Plugins(operator), tmp_path / "out", "audit_sqlite", {})
        with operator.login(client_id="seen") as client:
            client.subscribe("t", qos=1)
            client.publish("t", b"m", qos=1)
            client.receive("t", b"m")
        file = tmp_path / "plugins/data/audit_sqlite/audit.db"

        def events() -> list[str]:
            with sqlite3.connect(file) as database:
                rows = database.execute("SELECT event FROM events WHERE client_id = 'seen'")
                return sorted(row[0] for row in rows)

        expected = ["connected", "disconnected", "published", "subscribed"]
        until(lambda: events() == expected, "everything is written")


def test_audit_sqlite_waits_for_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        install(Plugins(operator), tmp_path / "out", "audit_sqlite", {})
        file = tmp_path / "plugins/data/audit_sqlite/audit.db"
        with sqlite3.connect(file) as other:
            other.execute("ALTER TABLE events RENAME TO aside")
        operator.login(client_id="seen").drop()
        until(lambda: "events wait" in "\n".join(operator.node.log), "it has tried")
        with sqlite3.connect(file) as other:
            other.execute("ALTER TABLE aside RENAME TO events")

        def count() -> int:
            with sqlite3.connect(file) as database:
                rows = database.execute("SELECT count(*) FROM events WHERE client_id = 'seen'")
                return int(rows.fetchone()[0])

        until(lambda: count() == 2, "nothing is lost")


def test_audit_sqlite_goes_on_after_settings_that_it_refuses(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        install(Plugins(operator), tmp_path / "out", "audit_sqlite", {})
        config = "/plugins/audit_sqlite-1.0.0/config"

        def seen(file: Path, client: str) -> int:
            with sqlite3.connect(file) as database:
                rows = database.execute(
                    "SELECT count(*) FROM events WHERE client_id = ?", (client,)
                )
                return int(rows.fetchone()[0])

        with pytest.raises(BadRequestError, match="unable to open"):
            operator.rest.put(config, {"file": str(tmp_path / "nowhere/audit.db")})
        operator.login(client_id="one").drop()
        folder = tmp_path / "plugins/data/audit_sqlite"
        until(lambda: seen(folder / "audit.db", "one") == 2, "it goes on")

        operator.rest.put(config, {"file": "other.db"})
        operator.login(client_id="two").drop()
        until(lambda: seen(folder / "other.db", "two") == 2, "in the other file")
        assert seen(folder / "audit.db", "two") == 0


def test_a_new_plugin_passes_its_own_tests_and_runs(tmp_path: Path) -> None:
    project = new("shout", tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    (tmp_path / "data").mkdir()
    with operated(tmp_path / "data") as operator:
        Plugins(operator).run(build(project).read_bytes(), "shout-0.1.0")
        with operator.login() as client:
            client.subscribe("t", qos=1)
            client.publish("t", b"m", qos=1)
            client.receive("t", b"m!")
