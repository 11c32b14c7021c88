"""``/connectors`` and ``/actions`` of a real node with a real web service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.operator import Operator, eventually
from harness.rest import RestSocket
from harness.web_service import WebService, web_service

AT = "/connectors/http%3Aservice"
ACTION_AT = "/actions/http%3Atell"
PARAMETERS = {"method": "post", "path": "/hot/${clientid}", "body": "${.}"}
ACTION = {"type": "http", "name": "tell", "connector": "service", "parameters": PARAMETERS}
RULE = {
    "id": "hot",
    "sql": 'SELECT payload.temp AS temp, clientid FROM "line/3/+" WHERE payload.temp > 80',
    "actions": ["http:tell"],
}


@pytest.fixture
def service() -> Iterator[WebService]:
    with web_service() as opened:
        yield opened


def connector(service: WebService, **members: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "name": "service",
        "url": service.url,
        "headers": {"x-key": "a secret"},
        "resource_opts": {"health_check_interval": "1s"},
        **members,
    }


@pytest.fixture
def defined(asks: RestSocket, service: WebService) -> Iterator[WebService]:
    """A connector, its action and a rule that uses it."""
    for path, body in (
        ("/connectors", connector(service)),
        ("/actions", ACTION),
        ("/rules", RULE),
    ):
        made = asks.ask("POST", path, body)
        assert made.status == 201, made.text
    yield service
    for path in ("/rules/hot", ACTION_AT, AT):
        asks.ask("DELETE", path)


def is_connected(asks: RestSocket, at: str = AT) -> bool:
    return bool(asks.ask("GET", at).json["status"] == "connected")


def test_a_connector_is_shown_with_what_it_does(asks: RestSocket, defined: WebService) -> None:
    eventually(lambda: is_connected(asks))
    row = asks.ask("GET", AT).json
    assert (row["type"], row["name"], row["url"]) == ("http", "service", defined.url)
    assert row["headers"] == {"x-key": "******"}
    assert (row["status_reason"], row["actions"], row["sources"]) == ("", ["http:tell"], [])
    assert row["node_status"][0]["status"] == "connected"
    assert row["connect_timeout"] == "15s"
    assert [item["name"] for item in asks.ask("GET", "/connectors").json] == ["service"]
    (action,) = asks.ask("GET", "/actions").json
    assert (action["connector"], action["rules"]) == ("service", ["hot"])
    assert action["parameters"]["path"] == "/hot/${clientid}"
    (detail,) = asks.ask("GET", "/rules/hot").json["action_details"]
    assert detail["id"] == "http:tell"


def test_the_answer_says_whether_what_was_made_works(asks: RestSocket, service: WebService) -> None:
    made = asks.ask("POST", "/connectors", connector(service))
    assert (made.json["status"], made.json["status_reason"]) == ("connected", "")
    made = asks.ask("POST", "/actions", ACTION)
    assert (made.json["status"], made.json["status_reason"]) == ("connected", "")
    assert asks.ask("DELETE", ACTION_AT).status == 204
    changed = asks.ask("PUT", AT, connector(service, url="http://127.0.0.1:1"))
    assert changed.json["status"] == "disconnected"
    assert changed.json["status_reason"].startswith("connect to 127.0.0.1:1 refused: see whether")
    off = asks.ask("PUT", AT, connector(service, enable=False))
    assert (off.json["status"], off.json["status_reason"]) == ("disconnected", "disabled")
    assert asks.ask("DELETE", AT).status == 204


def test_what_was_stopped_can_be_started_again(
    shared: Operator, asks: RestSocket, defined: WebService
) -> None:
    # The node itself is the other broker.
    bridge = {"type": "mqtt", "name": "self", "server": f"127.0.0.1:{shared.node.port}"}
    source = {"type": "mqtt", "name": "in", "connector": "self", "parameters": {"topic": "in/#"}}
    assert asks.ask("POST", "/connectors", bridge).status == 201
    assert asks.ask("POST", "/sources", source).json["status"] == "connected"
    for at in (AT, ACTION_AT, "/connectors/mqtt%3Aself", "/sources/mqtt%3Ain"):
        for operation in ("stop", "start", "restart"):
            answer = asks.ask("POST", f"{at}/{operation}")
            assert answer.status == 204, f"{at} {operation}: {answer.text}"
            assert is_connected(asks, at) is (operation != "stop")
    assert asks.ask("DELETE", "/sources/mqtt%3Ain").status == 204
    assert asks.ask("DELETE", "/connectors/mqtt%3Aself").status == 204


def test_what_is_needed_is_not_deleted(asks: RestSocket, defined: WebService) -> None:
    refused = asks.ask("DELETE", AT)
    assert refused.problem == (400, "BAD_REQUEST")
    assert refused.json["actions"] == ["http:tell"]
    refused = asks.ask("DELETE", ACTION_AT)
    assert refused.problem == (400, "BAD_REQUEST")
    assert refused.json["rules"] == ["hot"]
    assert asks.ask("DELETE", f"{ACTION_AT}?also_delete_dep_actions=true").status == 204
    assert asks.ask("GET", "/rules/hot").json["actions"] == []
    assert asks.ask("DELETE", AT).status == 204
    for at in (AT, ACTION_AT, f"{ACTION_AT}/metrics"):
        assert asks.ask("GET", at).problem == (404, "NOT_FOUND")


def test_a_secret_that_is_sent_back_hidden_stays(
    shared: Operator, asks: RestSocket, service: WebService
) -> None:
    body = connector(service)
    assert asks.ask("POST", "/connectors", body).status == 201
    shown = asks.ask("GET", AT).json
    changed = asks.ask("PUT", AT, {**shown, "description": "changed"})
    assert changed.status == 200, changed.text
    assert changed.json["description"] == "changed"
    assert changed.json["created_at"] == shown["created_at"]
    stored = (shared.node.data_dir / "configs" / "cluster.hocon").read_text()
    assert '"x-key": "a secret"' in stored
    audit = (shared.node.data_dir / "log" / "audit.jsonl").read_text()
    assert "a secret" not in audit
    assert "a secret" not in asks.ask("GET", "/configs?key=connectors").text
    assert asks.ask("DELETE", AT).status == 204


def test_a_secret_goes_nowhere_but_where_it_was_written_for(
    asks: RestSocket, defined: WebService
) -> None:
    shown = asks.ask("GET", AT).json
    with web_service() as other:
        moved = {**shown, "url": other.url}
        for method, path, body in (
            ("PUT", AT, moved),
            ("POST", "/connectors_probe", {**moved, "type": "http", "name": "service"}),
        ):
            refused = asks.ask(method, path, body)
            assert refused.problem == (400, "BAD_CONFIG"), refused.text
            assert refused.json["message"].startswith("headers.x-key: write the secret again: url ")
        action = {**ACTION, "parameters": {**PARAMETERS, "headers": {"x-key": "mine"}}}
        assert asks.ask("PUT", ACTION_AT, action).status == 200
        said = asks.ask("PUT", AT, {**moved, "headers": {"x-key": "another"}})
        assert said.problem == (400, "BAD_CONFIG")
        assert said.json["message"].startswith("url: http:tell would send its secret ")
    assert asks.ask("GET", AT).json["url"] == shown["url"]
    assert asks.ask("PUT", ACTION_AT, ACTION).status == 200
    assert asks.ask("PUT", AT, connector(defined, url="http://127.0.0.1:1")).status == 200


def test_settings_that_make_no_sense_are_refused(asks: RestSocket, defined: WebService) -> None:
    def refusal(path: str, body: Any, method: str = "POST") -> str:
        answer = asks.ask(method, path, body)
        assert answer.status == 400, answer.text
        message: str = answer.json["message"]
        return message

    other = connector(defined, name="other")
    assert "url" in refusal("/connectors", {**other, "url": "no url"})
    assert "unknown" in refusal("/connectors", {**other, "colour": "red"})
    assert "there are: http, mqtt" in refusal("/connectors", {**other, "type": "htp"})
    assert "already" in refusal("/connectors", connector(defined))
    assert "there is no connector http:nobody" in refusal(
        "/actions", {**ACTION, "name": "other", "connector": "nobody"}
    )
    assert "parameters.method" in refusal(
        ACTION_AT, {"connector": "service", "parameters": {"method": "jump"}}, "PUT"
    )
    assert asks.ask("GET", "/actions/nothing").problem == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/connectors", {"type": "http", "name": "x", "url": "http://h", "passwrod": "hunter2"}),
        ("/connectors", {"type": "pgsql", "name": "x", "database": "d", "username": "u",
                         "server": "u:hunter2@h:1"}),
        ("/connectors", {"type": "mqtt", "name": "x", "server": "h:1", "ssl": {"pasword": "hunter2"}}),
        ("/connectors_probe", {"type": "http", "url": "http://h", "pw": {"of": ["hunter2"]}}),
        ("/authentication", {"mechanism": "password_based", "backend": "redis", "server": "h:1",
                             "redis_type": "single", "passwrod": "hunter2", "cmd": "HMGET u h"}),
        ("/users", {"username": "u", "password": "a-Password-1", "pasword": "hunter2"}),
    ],
)  # fmt: skip
def test_a_secret_under_a_misspelt_name_or_in_an_address_is_written_nowhere(
    shared: Operator, asks: RestSocket, path: str, body: dict[str, Any]
) -> None:
    refused = asks.ask("POST", path, body)
    assert refused.status == 400
    assert "hunter2" not in refused.text
    assert shared.audited('"POST"', path, "******")
    assert not shared.audited("hunter2")


def test_neither_is_one_that_was_refused_before_it_was_looked_through(
    shared: Operator, asks: RestSocket
) -> None:
    source = {"type": "built_in_database", "enable": False}
    assert asks.ask("POST", "/authorization/sources", source).status == 204
    for method, path, body in (
        ("POST", "/authorization/sources", {**source, "pasword": "swordfish-1"}),
        ("PUT", "/authorization/sources/built_in_database", {"type": "file", "tkn": "swordfish-2"}),
        ("POST", "/listeners", {"type": "tcp", "name": "default", "o": {"passwrd": "swordfish-3"}}),
        ("POST", "/listeners", {"type": "what", "name": "x", "o": {"passwrd": "swordfish-4"}}),
        ("PUT", "/listeners/tcp:nobody", {"o": {"passwrd": "swordfish-5"}}),
        ("POST", "/cluster/join", {"node": "x@127.0.0.9", "pasword": "swordfish-6"}),
    ):
        assert asks.ask(method, path, body).status >= 400
        assert shared.audited(f'"{method}"', path, "******")
    assert not shared.audited("swordfish-")
    assert asks.ask("DELETE", "/authorization/sources/built_in_database").status == 204


def test_a_probe_says_whether_it_would_work(asks: RestSocket, service: WebService) -> None:
    assert asks.ask("POST", "/connectors_probe", connector(service)).status == 204
    service.close()
    failed = asks.ask("POST", "/connectors_probe", connector(service))
    assert failed.problem == (400, "TEST_FAILED")
    assert str(service.port) in failed.json["message"]
    assert asks.ask("GET", "/connectors").json == []


def test_a_connector_is_switched_off_and_on(asks: RestSocket, defined: WebService) -> None:
    eventually(lambda: is_connected(asks))
    assert asks.ask("PUT", f"{AT}/enable/false").status == 204
    row = asks.ask("GET", AT).json
    assert (row["enable"], row["status"], row["status_reason"]) == (
        False,
        "disconnected",
        "disabled",
    )
    assert asks.ask("POST", f"{AT}/start").problem == (400, "BAD_REQUEST")
    assert asks.ask("PUT", f"{AT}/enable/true").status == 204
    eventually(lambda: is_connected(asks))
    assert asks.ask("POST", f"{AT}/stop").status == 204
    row = asks.ask("GET", AT).json
    assert (row["status"], row["status_reason"], row["status_reason_zh"]) == (
        "disconnected",
        "stopped",
        "已停止",
    )
    assert asks.ask("POST", f"{AT}/start").status == 204
    assert asks.ask("POST", f"{AT}/restart").status == 204
    assert is_connected(asks)
    node = asks.ask("GET", "/nodes").json[0]["node"]
    assert asks.ask("POST", f"/nodes/{node}{AT}/start").status == 204
    assert asks.ask("POST", f"/nodes/nobody@x{AT}/start").problem == (404, "NOT_FOUND")


def test_a_service_that_is_down_has_an_alarm(
    shared: Operator, asks: RestSocket, defined: WebService
) -> None:
    eventually(lambda: is_connected(asks))
    defined.close()
    eventually(lambda: "connector:http:service" in shared.alarms())
    row = asks.ask("GET", AT).json
    assert row["status"] in ("disconnected", "connecting")
    assert str(defined.port) in row["status_reason"]
    defined.open()
    eventually(lambda: "connector:http:service" not in shared.alarms())
    assert is_connected(asks)


def test_types_say_what_their_forms_are_drawn_from(asks: RestSocket) -> None:
    types = {row["type"]: row for row in asks.ask("GET", "/connector_types").json}
    http = types["http"]
    assert http["connector"]["properties"]["url"]["x-zh"]["title"]
    assert "parameters" in http["action"]["properties"]
    assert http["source"] is None
    assert "http" in asks.ask("GET", "/action_types").json
    assert "mqtt" in asks.ask("GET", "/source_types").json


def test_messages_reach_the_service_through_an_outage(
    shared: Operator, asks: RestSocket, defined: WebService
) -> None:
    eventually(lambda: is_connected(asks, ACTION_AT))
    with shared.login(client_id="plc-3") as client:
        client.publish("line/3/oven", b'{"temp": 91}', qos=1)
        call = defined.called()
        assert (call.method, call.path) == ("POST", "/hot/plc-3")
        assert call.headers["x-key"] == "a secret"
        assert b'"temp":91' in call.body.replace(b" ", b"")
        defined.close()
        for temp in (92, 93, 94):
            client.publish("line/3/oven", b'{"temp": %d}' % temp, qos=1)
        client.publish("line/3/oven", b'{"temp": 20}', qos=1)
        defined.open()
        for temp in (92, 93, 94):
            assert b"%d" % temp in defined.called().body
    eventually(lambda: metrics(asks)["success"] == 4)
    counted = metrics(asks)
    parts = ("success", "failed", "dropped", "queuing", "inflight")
    assert counted["matched"] == sum(counted[part] for part in parts) == 4
    shown = asks.ask("GET", "/prometheus/data_integration").text
    assert 'emqx_action_success{id="http:tell"} 4' in shown
    assert 'emqx_rule_matched{id="hot"} 5' in shown
    assert 'emqx_connector_status{id="http:service"} 1' in shown
    assert asks.ask("PUT", f"{ACTION_AT}/metrics/reset").status == 204
    assert metrics(asks)["matched"] == 0


def metrics(asks: RestSocket) -> dict[str, int]:
    found: dict[str, int] = asks.ask("GET", f"{ACTION_AT}/metrics").json["metrics"]
    return found


def test_constants_of_a_request_are_shown_nowhere_and_stay(
    shared: Operator, asks: RestSocket, defined: WebService
) -> None:
    row = asks.ask("GET", ACTION_AT).json
    parameters = {
        **row["parameters"],
        "path": "/x?sig=hunter3&v=${temp}",
        "body": '{"api_key": "hunter3", "token": "${token}", "v": 1}',
    }
    body = {"connector": row["connector"], "parameters": parameters}
    assert asks.ask("PUT", ACTION_AT, body).status == 200
    shown = asks.ask("GET", ACTION_AT).json["parameters"]
    assert shown["path"] == "/x?sig=******&v=${temp}"
    assert shown["body"] == '{"api_key": ******, "token": "${token}", "v": 1}'
    configs = asks.ask("GET", "/configs?key=actions").text
    assert "hunter3" not in asks.ask("GET", "/actions").text + configs
    assert not shared.audited("hunter3")
    body["parameters"] = {**shown, "path": "/y?sig=******", "body": shown["body"].replace("1", "2")}
    assert asks.ask("PUT", ACTION_AT, body).status == 200
    stored = (shared.node.data_dir / "configs" / "cluster.hocon").read_text()
    assert "/y?sig=hunter3" in stored
    assert r"\"api_key\": \"hunter3\", \"token\": \"${token}\", \"v\": 2" in stored
    body["parameters"]["path"] = "/y?other=******"
    refused = asks.ask("PUT", ACTION_AT, body)
    assert refused.status == 400
    assert "write the secret again" in refused.text
