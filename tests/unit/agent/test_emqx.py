"""The agent against a server whose every answer keeps to EMQX's own description.

`emqx_shapes.json` is what EMQX 5.8 documents of the calls that the agent makes, without the prose.
The server asks the same of the agent's requests: no path, no field that is not documented.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rookery.agent.cluster_api import ClusterApi
from rookery.agent.collector import Collector
from rookery.agent.credentials import Attempts, ClusterCredentials
from rookery.agent.secret_file import SecretFile
from rookery.agent.settings import Settings
from rookery.clock import ManualClock
from rookery.contracts.agent_v1 import Report

SHAPES = json.loads((Path(__file__).parent / "emqx_shapes.json").read_text(encoding="utf-8"))
NODE = {
    "connections": 12,
    "live_connections": 10,
    "cluster_sessions": 12,
    "edition": "Enterprise",
    "load1": 0.5,
    "max_fds": 1048576,
    "memory_total": "15.55G",
    "memory_used": "9.10G",
    "node": "emqx@10.0.0.1",
    "node_status": "running",
    "otp_release": "26.2.5.2-1/14.2.5.2",
    "role": "core",
    "uptime": 5_120_000,
    "version": "5.8.1",
}
ANSWERS: dict[str, Any] = {
    "POST /login": {
        "license": {"edition": "enterprise"},
        "role": "administrator",
        "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "version": "5.8.1",
    },
    "GET /nodes": [NODE, {**NODE, "node": "emqx@10.0.0.2", "role": "replicant"}],
    "GET /stats": {"connections.count": 24, "live_connections.count": 20, "topics.max": 7},
    "GET /monitor_current": {
        "connections": 24,
        "live_connections": 20,
        "received_msg_rate": 3,
        "sent_msg_rate": 4,
        "dropped_msg_rate": 0,
    },
    "GET /monitor_current/nodes/{node}": {"received_msg_rate": 2, "sent_msg_rate": 1},
    "GET /metrics": {"bytes.received": 1000, "bytes.sent": 500},
    "GET /rules": {
        "data": [
            {"id": "hot", "name": "", "sql": "SELECT 1", "enable": True, "actions": ["http:tell"]},
            {"id": "off", "name": "", "sql": "SELECT 1", "enable": False, "actions": []},
        ],
        "meta": {"page": 1, "limit": 1000, "count": 2, "hasnext": False},
    },
    "GET /connectors": [
        {
            "type": "http",
            "name": "plant",
            "url": "http://10.0.0.9",
            "enable": True,
            "status": "disconnected",
            "status_reason": "econnrefused",
            "node_status": [{"node": "emqx@10.0.0.1", "status": "disconnected"}],
        }
    ],
    "GET /actions": [
        {
            "type": "http",
            "name": "tell",
            "connector": "plant",
            "enable": True,
            "status": "disconnected",
            "status_reason": "econnrefused",
            "parameters": {"method": "post"},
        }
    ],
    "GET /license": {
        "customer": "Foo",
        "customer_type": 3,
        "deployment": "bar",
        "email": "a@example.com",
        "expiry": False,
        "expiry_at": "2295-10-27",
        "max_sessions": 25,
        "start_at": "2022-01-11",
        "type": "trial",
    },
    "GET /license/setting": {
        "connection_high_watermark": "80%",
        "connection_low_watermark": "75%",
        "dynamic_max_connections": 10,
    },
    "POST /api_key": {
        "name": "rookery-agent-n1",
        "api_key": "a4697a5c75a769f6",
        "api_secret": "MzAyMjk3ODMwMDk0NjIzOTUxNjcwNzQ0NzQ3MTE2NDYyMDI",
        "created_at": "2022-04-01T12:00:00.000Z",
        "desc": "",
        "enable": True,
        "expired_at": "infinity",
    },
}


def is_like(shape: dict[str, Any], value: Any) -> bool:
    return bool(jsonschema_rs.is_valid(shape, value, validate_formats=True))


class Emqx(ThreadingHTTPServer):
    """What a test takes out of ``answers`` is 404."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = dict(ANSWERS)
        self.faults: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Emqx

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        # Deleting a key that is not there: documented, and no body.
        self._say(404, {"code": "NOT_FOUND", "message": "Name NOT FOUND"})

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        path = self.path.partition("?")[0].removeprefix("/api/v5")
        if path.startswith("/monitor_current/nodes/"):
            path = "/monitor_current/nodes/{node}"
        call = f"{self.command} {path}"
        shape = SHAPES.get(call)
        if shape is None:
            self.server.faults.append(f"{call} is not documented")
        elif "request" in shape:
            asked = json.loads(body)
            unknown = set(asked) - set(shape["request"]["properties"])
            if unknown or not is_like(shape["request"], asked):
                self.server.faults.append(f"{call}: {asked}")
        if call not in self.server.answers:
            self._say(404, {"code": "NOT_FOUND", "message": "Not Found"})
            return
        answer = self.server.answers[call]
        if shape is not None and not is_like(shape["answer"], answer):
            self.server.faults.append(f"the test's own answer to {call}")
        self._say(200, answer)

    def _say(self, status: int, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def emqx() -> Iterator[Emqx]:
    server = Emqx()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
    assert server.faults == []


def report_of(emqx: Emqx, folder: Path) -> Report:
    file = SecretFile(folder / "secrets", folder / "key")
    file.write({"username": "admin", "password": "public", "node_id": "n1"})
    clock = ManualClock()
    api = ClusterApi(emqx.url)
    credentials = ClusterCredentials(api, file, Attempts(folder / "attempts.json"), clock)
    settings = Settings(log_collection_enabled=True, log_collection_dir=str(folder / "log"))
    collector = Collector(settings, api, credentials, clock, node_id="n1", boot_id="b", version="1")
    return collector.collect()


def test_a_cluster_with_a_licence_that_lets_its_limit_be_set(emqx: Emqx, tmp_path: Path) -> None:
    report = report_of(emqx, tmp_path)

    facts = report.facts
    assert facts is not None
    assert (facts.version, facts.edition, facts.connections) == ("5.8.1", "Enterprise", 20)
    assert (facts.connection_limit, facts.limit_is_settable) == (10, True)
    assert [node.role for node in report.cluster_nodes] == ["core", "replicant"]
    assert report.metrics["topics.max"] == 7
    assert (report.cluster_fetch_error, report.metrics_fetch_error) == ("", "")


def test_what_runs_in_it_and_does_not(emqx: Emqx, tmp_path: Path) -> None:
    report = report_of(emqx, tmp_path)

    assert report.integration_counts == {
        "rule": {"abnormal": 1, "stopped": 1},
        "connector": {"disconnected": 1},
        "action": {"disconnected": 1},
    }
    told = {item.id: item.reason for item in report.integrations if item.kind != "action"}
    assert told == {"hot": "http:tell: econnrefused", "off": "", "http:plant": "econnrefused"}
    # It has no sources, which is no error.
    assert report.integration_errors == {}
    node = report.cluster_nodes[0]
    assert node.figures is not None
    assert (node.figures["load1"], node.figures["received_msg_rate"]) == (0.5, 2)


def test_any_other_licence(emqx: Emqx, tmp_path: Path) -> None:
    del emqx.answers["GET /license/setting"]
    report = report_of(emqx, tmp_path)

    assert report.facts is not None
    assert (report.facts.connection_limit, report.facts.limit_is_settable) == (25, False)
    assert report.facts.limit_reason.startswith("LICENSE: ")
    assert report.metrics_fetch_error == ""


def test_figures_that_fail_leave_the_nodes(emqx: Emqx, tmp_path: Path) -> None:
    del emqx.answers["GET /stats"]
    report = report_of(emqx, tmp_path)

    assert report.metrics_fetch_error.startswith("ANSWER: ")
    assert "HTTP status 404" in report.metrics_fetch_error
    assert len(report.cluster_nodes) == 2
    assert report.cluster_fetch_error == ""


def test_a_server_that_is_something_else(emqx: Emqx, tmp_path: Path) -> None:
    emqx.answers.clear()
    report = report_of(emqx, tmp_path)

    assert report.cluster_fetch_error.startswith("ANSWER: ")
    assert (report.node_connect_error, report.facts) == ("", None)
