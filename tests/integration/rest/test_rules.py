"""``/rules`` and what people write rules with, on a real node."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.operator import Operator
from harness.rest import RestSocket

SQL = 'SELECT payload.temp AS temp, clientid FROM "line/3/+" WHERE payload.temp > 80'
REPUBLISH = {"function": "republish", "args": {"topic": "alarms/${clientid}", "payload": "${temp}"}}
RULE = {
    "id": "hot",
    "name": "hot line",
    "sql": SQL,
    "actions": [REPUBLISH, {"function": "console"}],
}
HOT = {
    "event_type": "message_publish",
    "topic": "line/3/a",
    "clientid": "c1",
    "payload": '{"temp": 91}',
}
COLD = {**HOT, "payload": '{"temp": 20}'}


@pytest.fixture
def rule(asks: RestSocket) -> Any:
    made = asks.ask("POST", "/rules", RULE)
    assert made.status == 201, made.text
    yield made.json
    asks.ask("DELETE", "/rules/hot")


def test_a_rule_is_made_shown_changed_and_removed(
    shared: Operator, asks: RestSocket, rule: dict[str, Any]
) -> None:
    assert (rule["id"], rule["from"], rule["enable"]) == ("hot", ["line/3/+"], True)
    assert rule["created_at"] == rule["last_modified_at"]
    assert [detail.get("function") for detail in rule["action_details"]] == ["republish", "console"]
    assert asks.ask("GET", "/rules/hot").json == rule
    changed = asks.ask("PUT", "/rules/hot", {"sql": 'SELECT * FROM "a/b"', "enable": False})
    assert changed.status == 200, changed.text
    assert (changed.json["enable"], changed.json["actions"]) == (False, [])
    assert changed.json["created_at"] == rule["created_at"]
    assert asks.ask("PUT", "/rules/hot/enable/true").status == 204
    assert asks.ask("GET", "/rules/hot").json["enable"] is True
    assert asks.ask("DELETE", "/rules/hot").status == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/metrics"), ("PUT", "/enable/true")):
        assert asks.ask(method, f"/rules/hot{path}").problem == (404, "NOT_FOUND")
    assert asks.ask("PUT", "/rules/hot", {"sql": SQL}).problem == (404, "NOT_FOUND")
    assert shared.audited('"PUT"', "/rules/hot", '{"name": "hot line"', '\\"a/b\\"')


def test_a_source_that_is_not_there_is_taken_and_shown(asks: RestSocket) -> None:
    sql = 'SELECT * FROM "$sources/mqtt:nope", "$bridges/mqtt:no", "t/#"'
    made = asks.ask("POST", "/rules", {"id": "silent", "sql": sql})
    try:
        assert made.status == 201, made.text
        assert made.json["from"] == ["t/#", "$sources/mqtt:nope", "$bridges/mqtt:no"]
        first, second = made.json["source_details"]
        assert (first["id"], first["status"], first["enable"]) == (
            "mqtt:nope",
            "disconnected",
            False,
        )
        why = "there is no source mqtt:nope: nothing comes from there until it is made"
        assert first["status_reason"] == why
        assert first["status_reason_zh"].startswith("不存在数据源 mqtt:nope")
        assert second["id"] == "mqtt:no"
        assert asks.ask("GET", "/rules?source=mqtt:nope").json["meta"]["count"] == 1
    finally:
        asks.ask("DELETE", "/rules/silent")


def test_a_rule_that_makes_no_sense_is_refused(asks: RestSocket, rule: dict[str, Any]) -> None:
    def refusal(**members: Any) -> tuple[int, str]:
        answer = asks.ask("POST", "/rules", {"id": "other", "sql": SQL, **members})
        return answer.status, answer.json["message"]

    status, message = refusal(sql='SELECT *\nFORM "a"')
    assert status == 400
    assert "line 2, column" in message
    assert refusal(actions=["http:nobody"])[0] == 400
    assert "there is no action http:nobody" in refusal(actions=["http:nobody"])[1]
    assert refusal(actions=[{"function": "republish", "args": {"qos": 1}}])[0] == 400
    assert refusal(actions=[{"function": "shout"}])[0] == 400
    assert refusal(id="no/id")[0] == 400
    assert asks.ask("POST", "/rules", RULE).problem == (400, "ALREADY_EXISTS")
    assert [row["id"] for row in asks.ask("GET", "/rules").json["data"]] == [rule["id"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rules", {"id": "once", "sql": SQL}),
        ("/connectors", {"type": "disk_log", "name": "once", "filepath": "once.log"}),
    ],
)
def test_of_many_at_once_one_makes_it(asks: RestSocket, path: str, body: dict[str, Any]) -> None:
    with ThreadPoolExecutor(6) as together:
        made = [together.submit(asks.ask, "POST", path, body) for _ in range(6)]
    found = sorted(answer.result().status for answer in made)
    assert (
        asks.ask("DELETE", f"{path}/{'once' if path == '/rules' else 'disk_log:once'}").status
        == 204
    )
    assert found == [201, 400, 400, 400, 400, 400]


def test_rules_are_found_by_what_they_select_from(asks: RestSocket, rule: dict[str, Any]) -> None:
    second = {
        "id": "second",
        "sql": 'SELECT * FROM "$events/client/connected", "x/y"',
        "enable": False,
    }
    assert asks.ask("POST", "/rules", second).status == 201
    try:
        for query, expected in (
            ("", ["hot", "second"]),
            ("?enable=true", ["hot"]),
            ("?from=x/y", ["second"]),
            ("?from=x", []),
            ("?like_id=o", ["hot", "second"]),
            ("?like_from=line", ["hot"]),
            ("?match_from=line/%23", ["hot"]),
            ("?match_from=x/%2B", ["second"]),
            ("?match_from=%23", ["hot", "second"]),
            ("?action=http:nobody", []),
            ("?source=mqtt:nobody", []),
            ("?sort=id&order=desc", ["second", "hot"]),
            ("?sort=matched", ["hot", "second"]),
            ("?page=2&limit=1", ["second"]),
        ):
            rows = asks.ask("GET", f"/rules{query}").json["data"]
            assert [row["id"] for row in rows] == expected, query
        assert asks.ask("GET", "/rules?enable=perhaps").problem == (400, "BAD_REQUEST")
    finally:
        asks.ask("DELETE", "/rules/second")


def test_sql_is_tried_without_a_rule(asks: RestSocket) -> None:
    answer = asks.ask("POST", "/rule_test", {"sql": SQL, "context": HOT})
    assert (answer.status, answer.json) == (200, [{"temp": 91, "clientid": "c1"}])
    assert asks.ask("POST", "/rule_test", {"sql": SQL, "context": COLD}).problem == (
        412,
        "NOT_MATCH",
    )
    wrong = asks.ask("POST", "/rule_test", {"sql": "SELEC *", "context": HOT})
    assert wrong.problem == (400, "BAD_REQUEST")
    assert "line 1, column 1" in wrong.json["message"]
    for sql, context, chinese in (
        ("SELEC *", HOT, '第 1 行第 1 列：此处应为 SELECT 或 FOREACH，实际为 "SELEC"'),
        (SQL, COLD, "规则没有选取其中任何内容"),
    ):
        body = {"sql": sql, "context": context}
        told = asks.ask("POST", "/rule_test", body, {"accept-language": "zh-CN"})
        assert told.json["message"] == chinese


def test_what_is_half_written_is_previewed_without_an_error(asks: RestSocket) -> None:
    def preview(sql: str, context: dict[str, Any], language: str = "en") -> Any:
        body = {"sql": sql, "context": context}
        answer = asks.ask("POST", "/rule_preview", body, {"accept-language": language})
        assert answer.status == 200, answer
        return answer.json

    assert preview(SQL, HOT) == {"rows": [{"temp": 91, "clientid": "c1"}], "problem": None}
    assert preview(SQL, COLD) == {"rows": [], "problem": None}
    assert preview("SELECT\n FR", HOT)["problem"]["line"] == 2
    wrong = preview("SELEC *", HOT, "zh-CN")
    assert wrong["rows"] == []
    assert (wrong["problem"]["line"], wrong["problem"]["column"]) == (1, 1)
    assert wrong["problem"]["message"].startswith("第 1 行第 1 列：此处应为 SELECT")
    failed = preview('SELECT abs(topic) AS x FROM "#"', HOT)["problem"]
    assert (failed["line"], failed["column"]) == (None, None)
    assert "abs" in failed["message"]
    assert asks.ask("POST", "/rule_preview", {"sql": 7}).problem == (400, "BAD_REQUEST")


def test_a_trial_answers_with_a_bounded_number_of_rows(asks: RestSocket) -> None:
    def tried(count: int, headers: dict[str, str] | None = None) -> Any:
        context = {"topic": "t", "username": "u" * 1000}
        context["payload"] = json.dumps({"x": ["é"] * count})
        sql = 'FOREACH payload.x AS e DO e, username FROM "t"'
        return asks.ask("POST", "/rule_test", {"sql": sql, "context": context}, headers)

    assert tried(3).json == [{"e": "é", "username": "u" * 1000}] * 3
    assert tried(0).problem == (412, "NOT_MATCH")
    refused = tried(5000)
    assert refused.problem == (400, "BAD_REQUEST")
    assert "result is larger than 4194304 octets" in refused.json["message"]
    assert "4194304" in tried(5000, {"accept-language": "zh"}).json["message"]


def test_a_rule_is_tried_without_being_counted(asks: RestSocket, rule: dict[str, Any]) -> None:
    assert asks.ask("POST", "/rules/hot/test", {"context": HOT}).json == [
        {"temp": 91, "clientid": "c1"}
    ]
    assert asks.ask("POST", "/rules/hot/test", {"context": COLD}).problem == (412, "NOT_MATCH")
    assert asks.ask("POST", "/rules/nobody/test", {"context": HOT}).problem == (404, "NOT_FOUND")
    assert asks.ask("GET", "/rules/hot/metrics").json["metrics"]["matched"] == 0


def test_what_rules_are_written_with_is_listed(asks: RestSocket) -> None:
    events = {row["event"]: row for row in asks.ask("GET", "/rule_events").json}
    connected = events["$events/client/connected"]
    assert connected["title"].keys() == {"en", "zh"}
    assert "clientid" in connected["columns"]
    assert connected["sql_example"].startswith("SELECT")
    functions = {row["name"]: row for row in asks.ask("GET", "/rule_functions").json}
    assert functions["upper"]["examples"]


def test_rules_and_their_settings_survive_a_restart(operator: Operator, rest: RestSocket) -> None:
    assert rest.ask("POST", "/rules", RULE).status == 201
    assert rest.ask("PUT", "/rule_engine", {"ignore_sys_message": False}).status == 200
    operator.node.restart()
    assert rest.ask("GET", "/rules/hot").json["sql"] == SQL
    assert rest.ask("GET", "/rule_engine").json["ignore_sys_message"] is False


def test_a_rule_says_what_it_did(shared: Operator, asks: RestSocket, rule: dict[str, Any]) -> None:
    with shared.login(client_id="c1") as client, shared.login() as watcher:
        watcher.subscribe("alarms/#")
        client.publish("line/3/a", b'{"temp": 91}', qos=1)
        message = watcher.receive()
        assert (message.topic_name, message.payload) == ("alarms/c1", b"91")
        client.publish("line/3/a", b'{"temp": 20}', qos=1)
    metrics = asks.ask("GET", "/rules/hot/metrics").json["metrics"]
    assert (metrics["matched"], metrics["passed"], metrics["failed"]) == (2, 1, 1)
    assert metrics["failed.no_result"] == 1
    assert (metrics["actions.total"], metrics["actions.success"]) == (2, 2)
    assert asks.ask("PUT", "/rules/hot/metrics/reset").status == 204
    assert asks.ask("GET", "/rules/hot").json["metrics"]["matched"] == 0


def test_alarms_are_events(shared: Operator, asks: RestSocket) -> None:
    rule = {
        "id": "alarming",
        "sql": 'SELECT name, message FROM "$events/sys/alarm_activated"',
        "actions": [
            {"function": "republish", "args": {"topic": "told/${name}", "payload": "${message}"}}
        ],
    }
    assert asks.ask("POST", "/rules", rule).status == 201
    broken = {"type": "http", "name": "nobody", "url": "http://127.0.0.1:9"}
    with shared.login() as watcher:
        watcher.subscribe("told/#")
        assert asks.ask("POST", "/connectors", broken).status == 201
        message = watcher.receive()
        assert message.topic_name == "told/connector:http:nobody"
        assert b"connector http:nobody is" in message.payload
    assert asks.ask("DELETE", "/connectors/http%3Anobody").status == 204
    assert asks.ask("DELETE", "/rules/alarming").status == 204
    assert "connector:http:nobody" not in shared.alarms()


def test_a_changed_file_is_taken_into_use(operator: Operator, rest: RestSocket) -> None:
    operator.file.write_text('rule_engine.rules.r { sql = "SELECT * FROM \\"a\\"" }')
    assert rest.ask("POST", "/configs_reload").status == 200
    assert rest.ask("GET", "/rules/r").json["from"] == ["a"]
    refused = rest.ask("PUT", "/rules/r", {"sql": 'SELECT * FROM "b"'})
    assert refused.problem == (409, "CONFLICT")
    operator.file.write_text('rule_engine.rules.r { sql = "SELEC" }')
    refused = rest.ask("POST", "/configs_reload")
    assert refused.status == 400
    assert f"{operator.file}:1: rule_engine.rules.r.sql" in refused.json["message"]
    assert rest.ask("GET", "/rules/r").json["from"] == ["a"]


def test_an_export_holds_rules_and_connectors(operator: Operator, rest: RestSocket) -> None:
    connector = {
        "type": "http",
        "name": "c",
        "url": "http://127.0.0.1:9",
        "headers": {"x-key": "k1"},
    }
    assert rest.ask("POST", "/connectors", connector).status == 201
    assert rest.ask("POST", "/rules", RULE).status == 201
    filename = rest.ask("POST", "/data/export").json["filename"]
    assert rest.ask("DELETE", "/rules/hot").status == 204
    assert rest.ask("DELETE", "/connectors/http%3Ac").status == 204
    assert rest.ask("POST", "/data/import", {"filename": filename}).status == 204
    assert rest.ask("GET", "/rules/hot").json["actions"] == RULE["actions"]
    assert rest.ask("GET", "/connectors/http%3Ac").json["headers"] == {"x-key": "******"}
    stored = (operator.node.data_dir / "configs" / "cluster.hocon").read_text()
    assert '"x-key": "k1"' in stored
