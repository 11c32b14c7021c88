"""`rookery ctl rules`, `connectors` and `actions` on a node that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.ctl import Ctl
from harness.operator import eventually
from harness.rest_node import RestNode
from harness.web_service import WebService, web_service

SQL = 'SELECT payload.temp AS temp FROM "line/3/+" WHERE payload.temp > 80'
CONTEXT = json.dumps({"topic": "line/3/a", "clientid": "c", "payload": '{"temp": 91}'})


@pytest.fixture
def service() -> Iterator[WebService]:
    with web_service() as opened:
        yield opened


def test_a_rule_from_its_creation_to_its_end(ctl: Ctl) -> None:
    assert ctl.good("rules", "create", "--id", "r1", "--sql", SQL, "--action", "console").out == (
        "rule r1 runs\n"
    )
    row = next(row for row in ctl.json("rules", "list") if row["id"] == "r1")
    assert row["actions"] == [{"function": "console"}]
    assert "r1" in ctl.good("rules", "list").out
    assert ctl.good("rules", "show", "r1").members["sql"] == SQL
    assert ctl.good("rules", "disable", "r1").out == "disabled rule r1\n"
    assert ctl.json("rules", "show", "r1")["enable"] is False
    ctl.good("rules", "enable", "r1")
    assert ctl.good("rules", "metrics", "r1").members["matched"] == "0"
    ctl.good("rules", "reset", "r1")
    assert ctl.good("rules", "delete", "r1").out == "deleted rule r1\n"
    assert ctl("rules", "show", "r1").code == 1


def test_an_output_may_be_given_as_json(ctl: Ctl) -> None:
    output = {"function": "republish", "args": {"topic": "copy/${topic}"}}
    made = ("rules", "create", "--id", "r2", "--sql", SQL, "--action")
    ctl.good(*made, json.dumps(output))
    row = ctl.json("rules", "show", "r2")
    assert row["actions"][0]["args"]["topic"] == "copy/${topic}"
    ctl.good("rules", "delete", "r2")
    said = ctl(*made, '{"function": ')
    assert said.code == 1
    assert "no JSON object" in said.err


def test_a_source_that_is_not_there_is_told(ctl: Ctl) -> None:
    sql = 'SELECT * FROM "$sources/mqtt:nope"'
    assert ctl.good("rules", "create", "--id", "r3", "--sql", sql).out == (
        "rule r3 runs\nthere is no source mqtt:nope: nothing comes from there until it is made\n"
    )
    ctl.good("rules", "delete", "r3")


def test_a_rule_is_tried(ctl: Ctl) -> None:
    assert (
        json.loads(ctl.good("rules", "test", "--sql", SQL, "--context", CONTEXT).out)[0]["temp"]
        == 91
    )
    said = ctl("rules", "test", "--sql", SQL, "--context", '{"payload": "{}"}')
    assert said.code == 1
    said = ctl("rules", "test", "--sql", "SELEC *", "--context", CONTEXT)
    assert said.code == 1
    assert "line 1, column 1" in said.err
    assert ctl("rules", "test", "--context", CONTEXT).code == 1


def test_a_connector_an_action_and_a_rule_from_files(
    ctl: Ctl, rest: RestNode, service: WebService, tmp_path: Path
) -> None:
    connector, action, rule = (tmp_path / name for name in ("c.conf", "a.json", "r.conf"))
    connector.write_text(f'type = http, name = service, url = "{service.url}"')
    action.write_text(
        json.dumps({"type": "http", "name": "tell", "connector": "service",
                    "parameters": {"method": "post", "path": "/a", "body": "${.}"}})
    )  # fmt: skip
    rule.write_text(f'id = r2, sql = """{SQL}""", actions = ["http:tell"]')
    assert ctl.good("connectors", "test", "--file", str(connector)).out == f"{connector} works\n"
    assert (
        "made http:service, connected\n"
        in ctl.good("connectors", "create", "-f", str(connector)).out
    )
    assert "made http:tell, " in ctl.good("actions", "create", "-f", str(action)).out
    ctl.good("rules", "create", "-f", str(rule))
    eventually(lambda: ctl.json("actions", "show", "http:tell")["status"] == "connected")
    assert ctl.good("connectors", "list").table[0][:2] == ["http:service", "connected"]
    said = ctl("actions", "delete", "http:tell")
    assert said.code == 1
    assert "r2" in said.err
    assert ctl.good("actions", "metrics", "http:tell").members["matched"] == "0"
    ctl.good("actions", "delete", "http:tell", "--with-uses")
    ctl.good("connectors", "stop", "http:service")
    assert ctl.json("connectors", "show", "http:service")["status"] == "disconnected"
    ctl.good("connectors", "start", "http:service")
    ctl.good("connectors", "disable", "http:service")
    assert ctl("connectors", "start", "http:service").code == 1
    chinese = Ctl(rest.node.data_dir, environ={"ROOKERY_LANG": "zh"})
    assert "已禁用" in chinese.good("connectors", "list").out
    assert "已断开" in chinese.good("connectors", "list").out
    connector.write_text('type = http, name = away, url = "http://127.0.0.1:1"')
    said = chinese("connectors", "test", "-f", str(connector))
    assert "连接 127.0.0.1:1 被拒绝" in said.err
    said = chinese("connectors", "create", "-f", str(connector))
    assert said.out.startswith("已创建 http:away，已断开：连接 127.0.0.1:1 被拒绝")
    ctl.good("connectors", "delete", "http:away")
    ctl.good("connectors", "delete", "http:service")
    ctl.good("rules", "delete", "r2")
    assert ctl.json("connectors", "list") == []


def test_a_file_that_is_none_is_told(ctl: Ctl, tmp_path: Path) -> None:
    file = tmp_path / "bad.conf"
    file.write_text("type = {")
    said = ctl("connectors", "create", "--file", str(file))
    assert said.code == 1
    assert str(file) in said.err
    assert ctl("connectors", "create", "--file", str(tmp_path / "none")).code == 1
    assert "http" in ctl.good("connectors", "types").out
