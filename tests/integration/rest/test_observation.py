"""What a running node says about itself over REST."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from harness.operator import BUILT_IN, Operator, eventually, operated
from rookery.client.management import API, ManagementClient
from rookery.errors import NotFoundError
from rookery.observability.catalog import BY_NAME, PER_CERTIFICATE

NAME = "rookery%40127.0.0.1"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with operated(tmp_path_factory.mktemp("node")) as operator:
        yield operator


@pytest.fixture
def operator(node: Operator) -> Operator:
    """A node with one client, which published something."""
    client = node.login(client_id="c")
    client.subscribe("a/#", qos=1)
    client.publish("a/b", b"x", qos=1)
    client.receive("a/b", b"x")
    return node


def get(operator: Operator, path: str) -> Any:
    return operator.rest.get(path)


def test_the_node_is_the_cluster(operator: Operator) -> None:
    (row,) = get(operator, "/nodes")

    assert row["node"] == "rookery@127.0.0.1"
    assert (row["node_status"], row["role"], row["edition"]) == ("running", "core", "Opensource")
    assert (row["connections"], row["live_connections"]) == (1, 1)
    assert row["uptime"] > 0
    assert row["max_fds"] > 0
    assert row["memory_total"][-1] in "KMGT"
    assert get(operator, f"/nodes/{NAME}")["version"] == row["version"]
    cluster = get(operator, "/cluster")
    assert cluster["nodes"] == [cluster["self"]]
    assert cluster["members"][0]["version"] == row["version"]
    assert get(operator, "/cluster/topology") == [
        {"core_node": "rookery@127.0.0.1", "replicant_nodes": []}
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/nodes/x@y",
        "/nodes/x@y/stats",
        "/nodes/x@y/metrics",
        "/monitor/nodes/x@y",
        "/monitor_current/nodes/x@y",
    ],
)
def test_a_node_that_is_none_is_not_found(operator: Operator, path: str) -> None:
    with pytest.raises(NotFoundError, match="no node x@y"):
        get(operator, path)


def test_figures_of_nodes_and_of_all(operator: Operator) -> None:
    (stats,) = get(operator, "/stats")
    assert stats.pop("node") == "rookery@127.0.0.1"
    assert stats.keys() == get(operator, "/stats?aggregate=true").keys()
    assert stats.keys() == get(operator, f"/nodes/{NAME}/stats").keys()
    for name in ("connections", "live_connections", "sessions", "channels", "cluster_sessions"):
        assert stats[f"{name}.count"] == stats[f"{name}.max"] == 1, name
    assert stats["subscriptions.count"] == stats["suboptions.count"] == 1

    (metrics,) = get(operator, "/metrics")
    assert metrics["node"] == "rookery@127.0.0.1"
    summed = get(operator, "/metrics?aggregate=true")
    assert summed["messages.qos1.received"] >= 1
    logins = summed["packets.connect.received"]
    assert summed["client.connect"] == summed["authentication.success"] == logins
    assert get(operator, f"/nodes/{NAME}/metrics")["messages.received"] >= 1


def test_every_figure_is_described(operator: Operator) -> None:
    shown = {**get(operator, "/stats?aggregate=true"), **get(operator, "/metrics?aggregate=true")}
    unknown = [name for name in shown if not name.startswith(PER_CERTIFICATE)]
    assert [name for name in unknown if name not in BY_NAME] == []


def test_what_happens_now(operator: Operator) -> None:
    current = get(operator, "/monitor_current")
    of_node = get(operator, f"/monitor_current/nodes/{NAME}")

    assert (current["connections"], current["live_connections"]) == (1, 1)
    assert current["received_msg_rate"] >= 0
    assert "license_quota" not in current
    assert of_node.keys() - current.keys() == {"node_uptime"}


def test_samples_are_asked_for_by_age(operator: Operator) -> None:
    assert isinstance(get(operator, "/monitor?latest=60"), list)
    assert isinstance(get(operator, f"/monitor/nodes/{NAME}"), list)


def test_samples_of_the_last_run_are_there(tmp_path: Path) -> None:
    columns = ["time_ms", "connections", "received"]
    from time import time_ns

    now_ms = time_ns() // 1_000_000
    lines: list[Any] = [
        {"format": "rookery-monitor", "version": 1, "columns": columns},
        [now_ms - 30_000, 5, 70],
    ]
    (tmp_path / "monitor.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with operated(tmp_path) as node:
        (row,) = [row for row in get(node, "/monitor") if row["received"]]
    assert (row["connections"], row["received"]) == (5, 70)


# -- alarms ------------------------------------------------------------------------------------


def test_a_full_disk_is_an_alarm_until_it_is_not(tmp_path: Path) -> None:
    text = "sysmon.os { disk_check_interval = 1s, disk_high_watermark = 0% }"
    with operated(tmp_path, text) as operator, operator.login() as client:
        client.subscribe("$SYS/brokers/+/alarms/#")
        topic = "$SYS/brokers/rookery@127.0.0.1/alarms/activate"
        begun = json.loads(client.receive(topic).payload)
        assert (begun["name"], begun["activated"]) == ("low_disk_space", True)
        (row,) = [row for row in get(operator, "/alarms")["data"] if row["name"] == begun["name"]]
        assert (row["deactivate_at"], row["node"]) == ("infinity", "rookery@127.0.0.1")
        assert row["details"]["high_watermark"] == 0

        operator.file.write_text("sysmon.os { disk_check_interval = disabled }")
        operator.rest.post("/configs_reload")
        topic = "$SYS/brokers/rookery@127.0.0.1/alarms/deactivate"
        assert json.loads(client.receive(topic).payload)["name"] == "low_disk_space"

        past = get(operator, "/alarms?activated=false&limit=10")
        assert past["meta"] == {"page": 1, "limit": 10, "count": 1, "hasnext": False}
        assert past["data"][0]["duration"] > 0
        operator.rest.delete("/alarms")
        assert get(operator, "/alarms?activated=false")["data"] == []


def test_a_listener_that_fails_is_an_alarm(tmp_path: Path) -> None:
    text = """
        listeners.ssl.bad {
          bind = "127.0.0.1:0"
          ssl_options { certfile = "missing.pem", keyfile = "missing.pem" }
        }
    """
    with operated(tmp_path, text) as operator:
        assert "listener_failed/ssl:bad" in operator.alarms()


@pytest.mark.parametrize(
    ("language", "begins"), [("en", "listener ssl:bad "), ("zh", "监听器 ssl:bad ")]
)
def test_an_alarm_is_told_in_the_language_asked_for(
    tmp_path: Path, language: str, begins: str
) -> None:
    text = 'listeners.ssl.bad { bind = "127.0.0.1:0", ssl_options { certfile = x, keyfile = x } }'
    with operated(tmp_path, text):
        asking = ManagementClient(tmp_path, timeout_s=30, prefix=API, language=language)
        (row,) = asking.get("/alarms")["data"]

    assert row["message"].startswith(begins)
    assert row["message_key"] == "listener_failed"
    assert row["message_params"]["listener"] == "ssl:bad"


def test_an_alarm_can_be_declared_over(tmp_path: Path) -> None:
    text = 'listeners.ssl.bad { bind = "127.0.0.1:0", ssl_options { certfile = x, keyfile = x } }'
    with operated(tmp_path, text) as operator:
        name = {"name": "listener_failed/ssl:bad"}
        operator.rest.post("/alarms/force_deactivate", name)
        assert operator.alarms() == set()
        with pytest.raises(NotFoundError):
            operator.rest.post("/alarms/force_deactivate", name)


class Silent:
    """A service that is there, and answers 204 or 503 as the test says."""

    def __init__(self) -> None:
        self.status = 503
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(service.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Silent]:
    service = Silent()
    yield service
    service.close()


def test_a_service_that_fails_is_an_alarm_until_it_answers(tmp_path: Path, service: Silent) -> None:
    text = f"""
        authentication = [{BUILT_IN[1:-1]}, {{
          mechanism = password_based, backend = http, method = post, url = "{service.url}"
          body {{ username = "${{username}}" }}
          breaker {{ failures = 1, reset_timeout = 100ms }}
        }}]
    """
    with operated(tmp_path, text) as operator:
        operator.add_user("watcher", "secret")
        with operator.login("watcher", "secret") as client:
            client.subscribe("$SYS/brokers/+/alarms/#")
            operator.refusal("somebody", "x")
            begun = json.loads(client.receive().payload)
            assert (begun["name"], begun["activated"]) == (
                "access_service_unreachable/password_based:http",
                True,
            )
            service.status = 204
            # Left alone for a while; then one login tries it.
            eventually(lambda: operator.refusal("somebody", "x") == 0)
            over = json.loads(client.receive().payload)
            assert (over["name"], over["activated"]) == (begun["name"], False)


def test_an_alarm_goes_with_the_service_that_it_is_about(tmp_path: Path, service: Silent) -> None:
    provider = f"""{{
        mechanism = password_based, backend = http, method = post, url = "{service.url}"
        body {{ username = "${{username}}" }}
        breaker {{ failures = 1, reset_timeout = 1h }}
    }}"""
    with operated(tmp_path, f"authentication = [{provider}]") as operator:
        operator.refusal("somebody", "x")
        assert operator.alarms() == {"access_service_unreachable/password_based:http"}
        operator.file.write_text(f"authentication = {BUILT_IN}")
        operator.rest.post("/configs_reload")
        assert operator.alarms() == set()
