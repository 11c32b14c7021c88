"""Brokers, nodes, figures, listeners, alarms, bans and plugins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from harness.node import fresh_name
from harness.plugins import archive_of, multipart
from integration.rest_v3.conftest import PREFIX, V3, Start, V3Node

NODE = "rookery@127.0.0.1"
FILE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "openapi-v3.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
PLUGIN = """
    from rookery.plugins import Plugin

    class Probe(Plugin):
        pass
"""


def test_a_node_and_a_broker(app: V3) -> None:
    for noun in ("nodes", "brokers"):
        (row,) = app.data(f"/{noun}/")
        assert (row["node"], row["node_status"]) == (NODE, "Running")
        assert row["uptime"].endswith(" seconds")
        assert app.data(f"/{noun}/{NODE}")["node"] == NODE
        assert app.code("GET", f"/{noun}/other@host") == 101
    assert float(app.data(f"/nodes/{NODE}")["load1"]) >= 0


def test_figures_count(v3: V3Node, app: V3) -> None:
    before = app.data(f"/nodes/{NODE}/metrics")["messages.received"]
    with v3.node.connect() as client:
        client.publish("figures", b"x", qos=1)
        assert app.data("/stats")[0]["stats"]["live_connections.count"] >= 1
    (row,) = app.data("/metrics")
    assert row["node"] == NODE
    assert row["metrics"]["messages.received"] >= before + 1


def test_listeners_that_are_open(v3: V3Node, app: V3) -> None:
    (row,) = app.data("/listeners")
    assert row["node"] == NODE
    assert row["listeners"] == app.data(f"/nodes/{NODE}/listeners")
    assert "mqtt:tcp" in [item["protocol"] for item in row["listeners"]]


def test_alarms_that_hold_and_that_are_over(start_v3: Start) -> None:
    v3 = start_v3({"access.max_connections": "1", "license.connection_low_watermark": "10%"})
    app = v3.app()
    assert app.data("/alarms/history") == [{"node": NODE, "alarms": []}]
    (row,) = app.data("/alarms/present/")
    assert row["alarms"] == app.data(f"/alarms/present/{NODE}")
    for alarm in row["alarms"]:
        assert alarm["desc"]["summary"]
    assert app.whole("DELETE", "/alarms/history") == {"code": 0}


@pytest.mark.parametrize(("kind", "shown"), [("client_id", "client_id"), ("clientid", "client_id")])
def test_somebody_is_kept_out(v3: V3Node, app: V3, kind: str, shown: str) -> None:
    name = fresh_name("b")
    client = v3.node.connect(name, level=5)
    body = {"as": kind, "who": name, "reason": "test", "by": "nobody", "until": 4_000_000_000}

    row = app.whole("POST", "/banned", body)["data"]
    assert (row["as"], row["who"], row["until"]) == (shown, name, 4_000_000_000)
    client.expect_closed([0x98])
    assert row in app.data("/banned")
    assert app.whole("DELETE", f"/banned/{name}?as={kind}") == {"code": 0}
    assert app.code("DELETE", f"/banned/{kind}/{name}") == 102
    v3.node.connect(name).drop()


@pytest.mark.parametrize(
    ("body", "code"),
    [({"who": "x"}, 107), ({"as": "clientid"}, 107), ({"as": "colour", "who": "x"}, 108),
     ({"as": "ip_address", "who": "here"}, 108),
     ({"as": "clientid", "who": "x", "until": "soon"}, 108)],
)  # fmt: skip
def test_a_ban_that_makes_no_sense_is_refused(app: V3, body: Any, code: int) -> None:
    assert app.code("POST", "/banned", body) == code


def test_a_plugin_is_loaded_reloaded_unloaded(start_v3: Start) -> None:
    v3 = start_v3({"plugins.install_requires_allow": "false"})
    v3.running.local.post("/api/v5/plugins/install", multipart(archive_of(PLUGIN)))
    app, place = v3.app(), f"/nodes/{NODE}/plugins"

    assert [(row["name"], row["active"]) for row in app.data(place)] == [("probe-1.0.0", False)]
    assert app.code("PUT", f"{place}/probe/unload") == 111
    assert app.whole("PUT", f"{place}/probe/load") == {"code": 0}
    assert app.data("/plugins/")[0]["plugins"][0]["active"]
    assert app.code("PUT", f"{place}/probe-1.0.0/load") == 110
    assert app.whole("PUT", f"{place}/probe/reload") == {"code": 0}
    assert app.whole("PUT", "/plugins/probe/unload") == {"code": 0}
    assert not app.data(place)[0]["active"]
    assert app.code("PUT", f"{place}/nothing/load") == 102


def test_answers_are_as_the_document_says(v3: V3Node, app: V3) -> None:
    named = {"node": NODE, "clientid": fresh_name("d"), "username": "u", "app_id": "nobody"}
    topic = fresh_name("d/")
    asked = 0
    with v3.client(named["clientid"], "u") as client:
        client.subscribe(topic)
        for path, methods in DOCUMENT["paths"].items():
            if "get" not in methods:
                continue
            answer = app.ask("GET", path.format(**named, topic=topic))
            content = methods["get"]["responses"]["200"]["content"]["application/json"]
            schema = {**content["schema"], "components": DOCUMENT["components"]}
            problems = list(jsonschema_rs.Draft202012Validator(schema).iter_errors(answer.json))
            assert (answer.status, answer.json["code"], problems) == (200, 0, []), path
            asked += 1
    assert asked > 30
    assert DOCUMENT["servers"] == [{"url": PREFIX}]
