"""Metrics as Prometheus and a Pushgateway get them from a running node."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.client import DEADLINE_S
from harness.operator import BUILT_IN, Operator, operated
from rookery.broker.prometheus.push import without_login
from rookery.errors import BadRequestError
from rookery.observability.catalog import BY_NAME, COUNTERS, GAUGES

BASE = "/prometheus"
WITH_CERTIFICATES = {"certificate.expiry"}
"""Shown where a listener has one."""


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    with operated(tmp_path, f"authentication = {BUILT_IN}") as node:
        node.add_user("alice", "wonder")
        node.login("alice", "wonder")
        node.refusal("alice", "wrong")
        yield node


def ask(operator: Operator, path: str, **headers: str) -> tuple[int, str, bytes]:
    """A request over the network: status, content type, body."""
    ports = {row["listener"]: row["address"] for row in operator.api.get("/ports")}
    connection = http.client.HTTPConnection(ports["http:dashboard"], timeout=DEADLINE_S)
    connection.request("GET", f"/api/v5{BASE}{path}", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.getheader("content-type", ""), body


def figures(text: str) -> dict[str, float]:
    return {
        sample.name.removesuffix("_total"): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_node_shows_every_figure_of_the_catalogue(operator: Operator) -> None:
    counters = operator.rest.get("/metrics?aggregate=true")
    gauges = operator.rest.get("/stats?aggregate=true")
    assert {figure.name for figure in COUNTERS} - counters.keys() == set()
    assert {figure.name for figure in GAUGES} - gauges.keys() == WITH_CERTIFICATES
    assert (counters.keys() | gauges.keys()) - BY_NAME.keys() == set()
    _, _, body = ask(operator, "/stats")
    shown = figures(body.decode())
    everywhere = [figure for figure in BY_NAME.values() if figure.name not in WITH_CERTIFICATES]
    assert {figure.prometheus for figure in everywhere} - shown.keys() == set()


def test_the_metrics_have_the_names_of_emqx(operator: Operator) -> None:
    status, content_type, body = ask(operator, "/stats")
    found = figures(body.decode())

    assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert found["emqx_live_connections_count"] == 1
    assert found["emqx_sessions_max"] >= 1
    assert found["emqx_packets_connect_received"] == 2
    assert found["emqx_client_connected"] == 1
    assert found["emqx_authentication_success"] == 1
    assert found["emqx_authentication_failure"] == 1
    assert found["emqx_cluster_nodes_running"] == 1
    assert found["emqx_vm_total_memory"] > found["emqx_vm_used_memory"] > 0
    assert found["process_open_fds"] < found["process_max_fds"]
    assert "# HELP emqx_messages_received Messages received from clients" in body.decode()


def test_json_is_for_those_who_ask_for_it(operator: Operator) -> None:
    _, content_type, body = ask(operator, "/stats", accept="application/json")
    found = json.loads(body)

    assert content_type == "application/json"
    assert found["stats"]["emqx_live_connections_count"] == 1
    assert found["packets"]["emqx_packets_connect_received"] == 2


def test_nodes_are_told_apart_on_request(operator: Operator) -> None:
    _, _, body = ask(operator, "/stats?mode=all_nodes_unaggregated")
    assert b'emqx_live_connections_count{node="rookery@127.0.0.1"} 1\n' in body
    assert ask(operator, "/stats?mode=everything")[0] == 400


def test_each_provider_has_metrics(operator: Operator) -> None:
    _, _, body = ask(operator, "/auth")
    provider = 'id="password_based:built_in_database"'
    for line in (
        f"emqx_authn_status{{{provider}}} 1",
        f"emqx_authn_total{{{provider}}} 2",
        f"emqx_authn_success{{{provider}}} 1",
        f"emqx_authn_failed{{{provider}}} 1",
        f"emqx_authn_users_count{{{provider}}} 1",
        "emqx_banned_count 0",
    ):
        assert line in body.decode().splitlines()


def test_who_reads_can_be_asked_for_credentials(operator: Operator) -> None:
    settings = operator.rest.get(BASE)
    assert settings["enable_basic_auth"] is False
    operator.rest.put(BASE, {**settings, "enable_basic_auth": True})

    assert ask(operator, "/stats")[0] == 401
    assert ask(operator, "/auth")[0] == 401
    # Whoever can open the node's own socket is an administrator.
    assert "messages" in operator.rest.get(f"{BASE}/stats")


def test_the_settings_survive_a_restart(operator: Operator) -> None:
    sent: dict[str, Any] = {
        "enable_basic_auth": True,
        "push_gateway": {"url": "http://127.0.0.1:1", "headers": {"Authorization": "hush"}},
    }
    shown = operator.rest.put(BASE, sent)
    assert shown["push_gateway"]["headers"] == {"Authorization": "******"}
    assert "hush" not in (operator.node.data_dir / "log/audit.jsonl").read_text()
    # What is shown can be sent back as it is.
    assert operator.rest.put(BASE, shown) == shown

    operator.node.restart()
    assert operator.rest.get(BASE) == shown
    assert '"hush"' in (operator.node.data_dir / "configs/cluster.hocon").read_text()


@pytest.mark.parametrize(
    "body",
    [
        {"push_gateway": {"url": "ftp://x"}},
        {"push_gateway": {"interval": "soon"}},
        {"unknown": 1},
        {"enable_basic_auth": "perhaps"},
    ],
)
def test_settings_that_make_no_sense_are_refused(operator: Operator, body: Any) -> None:
    before = operator.rest.get(BASE)
    with pytest.raises(BadRequestError):
        operator.rest.put(BASE, body)
    assert operator.rest.get(BASE) == before


class Gateway:
    """A Pushgateway that remembers what was pushed."""

    def __init__(self) -> None:
        self.pushed: Queue[tuple[str, dict[str, str], bytes]] = Queue()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                gateway.pushed.put((self.path, dict(self.headers), body))
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    yield gateway
    gateway.close()


def test_metrics_are_pushed_when_that_is_switched_on(operator: Operator, gateway: Gateway) -> None:
    operator.rest.put(
        BASE,
        {
            "push_gateway": {
                "enable": True,
                "url": gateway.url,
                "interval": "1s",
                "headers": {"Authorization": "Basic eDp5"},
            }
        },
    )
    path, headers, body = gateway.pushed.get(timeout=DEADLINE_S)
    assert path == "/metrics/job/rookery/instance/rookery~127.0.0.1"
    assert headers["Authorization"] == "Basic eDp5"
    assert figures(body.decode())["emqx_live_connections_count"] == 1
    # And again.
    _, _, body = gateway.pushed.get(timeout=DEADLINE_S)
    assert figures(body.decode())["rookery_prometheus_push_ok"] >= 1


def test_name_and_password_of_the_gateway_are_sent_as_http_has_them() -> None:
    url, headers = without_login("https://me:p%40ss@gateway.example:9091/a?b=c")

    assert url == "https://gateway.example:9091/a?b=c"
    assert headers == {"Authorization": "Basic " + base64.b64encode(b"me:p@ss").decode()}
    assert without_login("http://gateway.example") == ("http://gateway.example", {})
