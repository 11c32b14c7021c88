"""``/configs`` of a real node: the whole, root by root, and what set each value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.operator import Operator, operated
from harness.rest import RestSocket

JSON = {"accept": "application/json"}


def held(rest: RestSocket, key: str) -> Any:
    value = rest.ask("GET", f"/configs?key={key}", headers=JSON).json
    for name in key.split("."):
        value = value[name]
    return value


def put(rest: RestSocket, text: str, query: str = "") -> Any:
    return rest.ask("PUT", f"/configs{query}", text, {"content-type": "text/plain"})


def test_what_holds_is_shown_as_hocon_or_json(asks: RestSocket) -> None:
    answer = asks.ask("GET", "/configs?key=sys_topics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "sys_msg_interval" in answer.text
    assert set(asks.ask("GET", "/configs", headers=JSON).json) >= {"mqtt", "listeners", "log"}
    assert held(asks, "mqtt.max_inflight") == 32
    assert asks.ask("GET", "/configs?key=colour").problem == (404, "NOT_FOUND")
    assert asks.ask("GET", "/configs?node=x%40y").problem == (404, "NOT_FOUND")
    image = asks.ask("GET", "/configs", headers={"accept": "image/png"})
    assert image.problem == (400, "INVALID_ACCEPT")


def test_what_is_shown_can_be_put_back(asks: RestSocket) -> None:
    for root in ("alarm", "log", "sys_topics", "dashboard", "global_zone"):
        shown = asks.ask("GET", f"/configs/{root}").json
        again = asks.ask("PUT", f"/configs/{root}", shown)
        assert (root, again.status, again.json) == (root, 200, shown)
    text = asks.ask("GET", "/configs?key=mqtt").text
    assert put(asks, text).status == 200
    assert asks.ask("GET", "/configs?key=mqtt").text == text


def test_changes_are_merged_or_replace(asks: RestSocket) -> None:
    assert put(asks, "mqtt { max_inflight = 40, max_awaiting_rel = 50 }").status == 200
    assert put(asks, "mqtt.max_inflight = 41").status == 200
    assert (held(asks, "mqtt.max_inflight"), held(asks, "mqtt.max_awaiting_rel")) == (41, 50)
    assert put(asks, "mqtt.max_inflight = 42", "?mode=replace").status == 200
    assert (held(asks, "mqtt.max_inflight"), held(asks, "mqtt.max_awaiting_rel")) == (42, 100)
    assert asks.ask("POST", "/configs_reset/mqtt?conf_path=max_inflight").status == 200
    assert held(asks, "mqtt.max_inflight") == 32
    missing = asks.ask("POST", "/configs_reset/mqtt?conf_path=colour")
    assert missing.problem == (400, "NO_DEFAULT_VALUE")
    assert asks.ask("POST", "/configs_reset/listeners").problem == (400, "BAD_REQUEST")


def test_what_was_changed_anywhere_can_be_taken_back(asks: RestSocket) -> None:
    for key, value, usual in (
        ("retainer.msg_expiry_interval", "5s", "0s"),
        ("listeners.tcp.default.mountpoint", '"plant/"', ""),
        ("authorization.no_match", "deny", "allow"),
    ):
        assert put(asks, f"{key} = {value}").status == 200
        assert held(asks, key) != usual
        root, _, path = key.partition(".")
        assert asks.ask("POST", f"/configs_reset/{root}?conf_path={path}").status == 200
        assert held(asks, key) == usual


def test_what_makes_no_sense_changes_nothing(asks: RestSocket) -> None:
    for text, code in (
        ("mqtt {", "UPDATE_FAILED"),
        ("", "UPDATE_FAILED"),
        ("colour = red", "UPDATE_FAILED"),
        ('include "/etc/passwd"', "UPDATE_FAILED"),
        ('mqtt {}include file("/etc/passwd")', "UPDATE_FAILED"),
        ("node.workers = 3", "UPDATE_FAILED"),
        ("mqtt.max_inflight = 0", "BAD_CONFIG"),
        ("mqtt.colour = red", "BAD_CONFIG"),
    ):
        assert (text, put(asks, text).problem) == (text, (400, code))
    ignored = put(asks, "node.workers = 3, alarm.size_limit = 999", "?ignore_readonly=true")
    assert ignored.status == 200
    assert held(asks, "alarm.size_limit") == 999
    assert asks.ask("PUT", "/configs/alarm", {"size_limit": -1}).problem == (400, "BAD_CONFIG")
    half = '{"validity_period": "\\ud800"}'
    json_text = {"content-type": "application/json"}
    assert asks.ask("PUT", "/configs/alarm", half, json_text).problem == (400, "BAD_REQUEST")
    deep = '{"actions":' * 200 + "1" + "}" * 200
    assert asks.ask("PUT", "/configs/alarm", deep, json_text).problem == (400, "BAD_REQUEST")
    assert asks.ask("PUT", "/configs/alarm", [1]).problem == (400, "BAD_REQUEST")
    assert asks.ask("PUT", "/configs/global_zone", {"log": {}}).problem == (400, "BAD_REQUEST")


def test_origins_say_what_can_be_changed_here(tmp_path: Path) -> None:
    with operated(tmp_path, "mqtt.max_inflight = 20\n") as operator:
        rest = RestSocket(operator.node.data_dir)
        refused = put(rest, "mqtt.max_inflight = 21")
        assert refused.problem == (409, "CONFLICT")
        assert "rookery.conf:1" in refused.json["message"]
        assert put(rest, "mqtt.max_awaiting_rel = 50").status == 200
        rows = {
            row["path"]: row for row in rest.ask("GET", "/configs_origins?key=mqtt").json["data"]
        }
        found = {
            name: (rows[f"mqtt.{name}"]["source"], rows[f"mqtt.{name}"]["changeable"])
            for name in ("max_inflight", "max_awaiting_rel", "max_packet_size")
        }
        assert found == {
            "max_inflight": ("file", False),
            "max_awaiting_rel": ("runtime", True),
            "max_packet_size": ("default", True),
        }
        row = rows["mqtt.max_inflight"]
        assert (row["value"], row["default"], row["hot"]) == (20, 32, True)
        assert row["description"]
        assert row["description_zh"]
        operator.file.write_text("mqtt.max_inflight = 22\n")
        assert "mqtt.max_inflight" in rest.ask("POST", "/configs_reload").json["changed"]
        operator.node.restart()
        assert held(rest, "mqtt.max_awaiting_rel") == 50
        operator.file.write_text("mqtt {")
        assert rest.ask("POST", "/configs_reload").problem == (400, "BAD_CONFIG")


@pytest.mark.parametrize("listener", ["dashboard.listeners.https", "listeners.ssl.extra"])
def test_a_certificate_that_is_not_there_is_refused_and_nothing_is_lost(
    shared: Operator, asks: RestSocket, listener: str
) -> None:
    absent = shared.node.data_dir / "absent.pem"
    files = f'ssl_options {{ certfile = "{absent}", keyfile = "{absent}" }}'
    before = asks.ask("GET", "/configs", headers=JSON).json
    sent = f'{listener} {{ bind = "127.0.0.1:0", {files} }}'

    refused = put(asks, f"mqtt.max_inflight = 7\n{sent}")

    assert refused.problem == (400, "UPDATE_FAILED")
    assert "ssl_options" in refused.json["message"]
    assert f"{absent}" in refused.json["message"]
    assert asks.ask("GET", "/configs", headers=JSON).json == before
    with shared.node.connect() as client:
        client.fence()
