"""What refuses connectors, actions, sources and rules, to somebody who reads Chinese."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.operator import Operator
from harness.rest import RestSocket

ZH = {"accept-language": "zh-CN,zh;q=0.9"}
ENGLISH_WORDS = re.compile(r"[a-z]{2,} [a-z]{2,}")
HTTP = {"type": "http", "name": "away", "url": "http://127.0.0.1:1"}
MQTT = {"type": "mqtt", "name": "away", "server": "127.0.0.1:1"}
PGSQL = {"type": "pgsql", "name": "away", "server": "127.0.0.1:1", "database": "d", "username": "u"}
KAFKA = {"type": "kafka_producer", "name": "away", "bootstrap_hosts": "127.0.0.1:1"}
ELASTICSEARCH = {"type": "elasticsearch", "name": "away", "server": "127.0.0.1:1"}
REDIS: dict[str, Any] = {
    "type": "redis",
    "name": "away",
    "parameters": {"redis_type": "single", "server": "127.0.0.1:1"},
}
ACTION = {"type": "http", "name": "tell", "connector": "away", "parameters": {"path": "/x"}}
SOURCE = {"type": "mqtt", "name": "in", "connector": "away", "parameters": {"topic": "a/#"}}
RULE = {"id": "all", "sql": 'SELECT * FROM "t/#"', "actions": ["http:tell"]}


@pytest.fixture(scope="module")
def defined(shared: Operator) -> RestSocket:
    """A connector to nowhere, with an action and a rule."""
    rest = RestSocket(shared.node.data_dir)
    for path, body in (("/connectors", HTTP), ("/actions", ACTION), ("/rules", RULE)):
        made = rest.ask("POST", path, body)
        assert made.status == 201, made.text
    return rest


@pytest.mark.parametrize(
    ("method", "path", "body", "chinese"),
    [
        ("POST", "/connectors_probe", HTTP, "连接 127.0.0.1:1 被拒绝：请检查服务是否正在运行"),
        ("POST", "/connectors_probe", MQTT, "连接 127.0.0.1:1 被拒绝"),
        ("POST", "/connectors_probe", PGSQL, "连接 127.0.0.1:1 被拒绝"),
        ("POST", "/connectors_probe", KAFKA, "连接 127.0.0.1:1 被拒绝"),
        ("POST", "/connectors_probe", ELASTICSEARCH, "连接 127.0.0.1:1 被拒绝"),
        ("POST", "/connectors_probe", REDIS, "连接 127.0.0.1:1 被拒绝"),
        ("POST", "/actions_probe", ACTION, "连接 127.0.0.1:1 被拒绝"),
        ("POST", "/actions_probe", {**ACTION, "connector": "no"}, "不存在连接器 http:no"),
        ("POST", "/connectors", {**HTTP, "type": "htp"}, "没有 'htp' 类型的连接器，现有："),
        ("POST", "/connectors", {"type": "http"}, "name：缺少该项"),
        ("POST", "/connectors", {"name": "b"}, "type：缺少该项"),
        (
            "POST",
            "/rules",
            {**RULE, "id": "b", "actions": [{"function": "republish", "args": {"topic": "a/#"}}]},
            "actions.0.args.topic：\"a/#\"：\"a/#\" 不是有效的主题名",
        ),
        ("POST", "/connectors", {**HTTP, "name": "b", "url": "x"}, "url：应为 http://主机"),
        ("POST", "/connectors", HTTP, "name：连接器 http:away 已存在"),
        ("DELETE", "/connectors/http:away", None, "连接器 http:away 正被使用：动作 http:tell"),
        ("DELETE", "/actions/http:tell", None, "动作 http:tell 正被使用：规则 all"),
        ("POST", "/connectors/http:away/start", None, "连接器 http:away 已断开：连接 127.0.0.1:1 被拒绝"),
        ("GET", "/connectors/http:no", None, "不存在连接器 http:no"),
        ("GET", "/sources/nothing", None, "不存在数据源 nothing：ID 的格式为 类型:名称"),
        ("POST", "/nodes/no@x/actions/http:tell/start", None, "不存在节点 no@x"),
        ("POST", "/actions", {**ACTION, "name": "b", "connector": "no"}, "connector：不存在连接器 http:no"),
        ("POST", "/actions", {**ACTION, "name": "b", "parameters": {"body": "${x"}}, "占位符 \"${x\" 的格式应为"),
        ("POST", "/actions_probe", {**ACTION, "name": "b", "parameters": {"path": "/${"}}, "parameters.path：占位符 \"${\" 的格式应为"),
        ("POST", "/sources", {**SOURCE, "parameters": {"topic": "a/#/b"}}, "parameters.topic：应为主题过滤器"),
        ("POST", "/rules", {**RULE, "id": "b", "actions": ["http:no"]}, "actions.0：不存在动作 http:no，现有：http:tell"),
        ("POST", "/rules", {**RULE, "id": "b", "actions": ["htp:no"]}, "没有 htp 类型的动作"),
        ("POST", "/rules", {**RULE, "id": "b", "sql": 'SELECT * FROM "a/#/b"'}, "主题过滤器"),
        ("POST", "/rules", RULE, "id：规则 all 已存在"),
        ("GET", "/rules/no", None, "不存在规则 no"),
    ],
)  # fmt: skip
def test_the_reason_is_in_chinese(
    defined: RestSocket, method: str, path: str, body: Any, chinese: str
) -> None:
    told = defined.ask(method, path, body, ZH)
    assert told.status in (400, 404), told.text
    message = told.json["message"]
    assert chinese in message
    assert not ENGLISH_WORDS.search(message), message
    english = defined.ask(method, path, body)
    assert english.problem == told.problem
    assert not re.search(r"[\u4e00-\u9fff]", english.json["message"])


def test_alarms_and_details_of_rules_say_it_in_both(shared: Operator, defined: RestSocket) -> None:
    (detail,) = defined.ask("GET", "/rules/all").json["action_details"]
    assert "refused" in detail["status_reason"]
    assert "被拒绝" in detail["status_reason_zh"]
    for headers, said in (
        (ZH, "连接器 http:away 已断开：连接 127.0.0.1:1 被拒绝"),
        ({}, "refused"),
    ):
        alarms = defined.ask("GET", "/alarms", None, headers).json["data"]
        (message,) = [a["message"] for a in alarms if a["name"] == "connector:http:away"]
        assert said in message


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (["http:tell", "http:nobody"], "actions.1: there is no action http:nobody; there are: http:tell"),
        (["mqtt:nobody"], "actions.0: there is no action mqtt:nobody"),
    ],
)  # fmt: skip
def test_who_names_an_unknown_action_is_told_where_in_the_request(
    defined: RestSocket, actions: list[str], message: str
) -> None:
    for method, path in (("POST", "/rules"), ("PUT", "/rules/all")):
        body = {"sql": RULE["sql"], "actions": actions}
        refused = defined.ask(method, path, body)
        assert (refused.status, refused.json["message"]) == (400, message)


@pytest.mark.parametrize(
    "body", [[{"type": "http", "url": "http://h"}, "hunter2"], "password=hunter2", ["hunter2"]]
)
def test_a_body_that_is_no_object_leaves_nothing_in_the_audit(
    shared: Operator, defined: RestSocket, body: Any
) -> None:
    sent = [body] if isinstance(body, str) else body
    for path in ("/connectors", "/connectors_probe", "/rules", "/users"):
        assert defined.ask("POST", path, sent).status == 400
    assert defined.ask("PUT", "/connectors/http:away", sent).status == 400
    ssl = {**HTTP, "name": "b", "ssl": sent}
    assert defined.ask("POST", "/connectors", ssl).problem == (400, "BAD_REQUEST")
    assert shared.audited("not kept, it has not the form that is taken here")
    assert not shared.audited("hunter2")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/connectors", {**HTTP, "name": "b", "headers": ["Bearer hunter3"]}),
        (
            "POST",
            "/connectors",
            {**HTTP, "name": "b", "headers": [{"key": "authorization", "value": "Bearer hunter3"}]},
        ),
        ("PUT", "/connectors/http:away", {"url": 5, "headers": "hunter3"}),
        ("POST", "/connectors", {**KAFKA, "authentication": ["plain", "hunter3"]}),
        ("POST", "/connectors", {**REDIS, "parameters": {"auth": "hunter3"}}),
        ("POST", "/connectors_probe", {**HTTP, "ssl": "hunter3"}),
        ("POST", "/connectors", {**HTTP, "autorization": "hunter3"}),
        ("POST", "/connectors", {"type": "webhook", "name": "b", "creds": "hunter3"}),
        ("PUT", "/connectors/http:gone", {"creds": "hunter3"}),
        ("PUT", "/configs", {"connectors": {"http": {"x": {"headers": "hunter3"}}}}),
    ],
)
def test_a_member_of_another_form_leaves_nothing_in_the_audit(
    shared: Operator, defined: RestSocket, method: str, path: str, body: Any
) -> None:
    refused = defined.ask(method, path, body)
    assert refused.status in (400, 404), refused.text
    assert "hunter3" not in refused.text
    assert not shared.audited("hunter3")


def _of(**args: Any) -> dict[str, Any]:
    return {"function": "republish", "args": {"topic": "a", **args}}


@pytest.mark.parametrize(
    ("output", "member"),
    [
        (5, "actions.1: must be the id of an action, or an object whose function is republish or console"),
        ({"function": "jump"}, "actions.1: must be the id of an action"),
        ({"function": "republish", "args": {}}, "actions.1.args.topic: "),
        (_of(payload=5), "actions.1.args.payload: "),
        (_of(jump=5), "actions.1.args.jump: "),
        (_of(topic=""), "actions.1.args.topic: \"\" is not allowed here"),
        (_of(topic="a/#"), "actions.1.args.topic: \"a/#\": \"a/#\" is no topic name"),
        (_of(topic="a/${b"), "actions.1.args.topic: \"a/${b\": placeholder"),
        (_of(payload="${"), "actions.1.args.payload: \"${\": placeholder"),
        (_of(qos=3), "actions.1.args.qos: 3 is not allowed here; allowed: 0, 1, 2 or a placeholder"),
        (_of(retain="perhaps"), "actions.1.args.retain: \"perhaps\" is not allowed here"),
        (_of(direct_dispatch="${x}"), "actions.1.args.direct_dispatch: "),
        (_of(mqtt_properties={"Jump": "x"}), "actions.1.args.mqtt_properties.Jump: "),
        (
            _of(mqtt_properties={"Content-Type": "${"}),
            "actions.1.args.mqtt_properties.Content-Type: \"${\": placeholder",
        ),
        ("http", "actions.1: \"http\": an action is TYPE:NAME"),
        ("http:no", "actions.1: there is no action http:no"),
    ],
)  # fmt: skip
def test_a_refusal_of_outputs_names_the_member_of_the_request(
    defined: RestSocket, output: Any, member: str
) -> None:
    for method, path in (("POST", "/rules"), ("PUT", "/rules/all")):
        body = {"sql": RULE["sql"], "actions": ["http:tell", output]}
        refused = defined.ask(method, path, body)
        assert refused.status == 400
        assert refused.json["message"].startswith(member), refused.json["message"]
        chinese = defined.ask(method, path, body, ZH).json["message"]
        assert re.match(re.escape(member.partition(":")[0]) + "[:：]", chinese), chinese
        assert not ENGLISH_WORDS.search(chinese), chinese


@pytest.mark.parametrize(
    ("path", "body", "member"),
    [
        ("/rules", {**RULE, "id": "a b"}, "id: "),
        ("/rules", {**RULE, "id": "a" * 256}, "id: "),
        ("/rules", {**RULE, "id": ""}, "id: "),
        ("/rules", RULE, "id: there is a rule all already"),
        ("/connectors", {**HTTP, "name": "a\0b"}, "name: "),
        ("/connectors", {**HTTP, "name": "a" * 256}, "name: "),
        ("/connectors", {**HTTP, "name": 5}, "name: "),
        ("/connectors", HTTP, "name: there is a connector http:away already"),
        ("/actions", {**ACTION, "name": ""}, "name: "),
    ],
)
def test_a_refusal_of_a_name_names_its_member(
    defined: RestSocket, path: str, body: Any, member: str
) -> None:
    refused = defined.ask("POST", path, body)
    assert refused.status == 400
    assert refused.json["message"].startswith(member), refused.json["message"]
    chinese = defined.ask("POST", path, body, ZH).json["message"]
    assert re.match(re.escape(member.partition(":")[0]) + "[:：]", chinese), chinese
    assert not ENGLISH_WORDS.search(chinese), chinese


def test_a_wrong_placeholder_is_named_once(defined: RestSocket) -> None:
    body = {**ACTION, "name": "b", "parameters": {"body": "${a..b}"}}
    refused = defined.ask("POST", "/actions_probe", body)
    assert (refused.status, refused.json["code"]) == (400, "TEST_FAILED")
    assert refused.json["message"] == (
        'parameters.body: placeholder "${a..b" is not of the form ${a.b[1]}'
    )
    chinese = defined.ask("POST", "/actions_probe", body, ZH).json["message"]
    assert chinese == 'parameters.body：占位符 "${a..b" 的格式应为 ${a.b[1]}'
    headers = {"x-of": "${clientid}", "x-at": "t-${topic} ${}"}
    refused = defined.ask(
        "POST", "/actions_probe", {**ACTION, "name": "b", "parameters": {"headers": headers}}
    )
    assert refused.json["message"].startswith("parameters.headers.x-at: placeholder ")
    made = defined.ask("POST", "/actions", body)
    assert made.status == 400
    assert made.json["message"].startswith("http:b: parameters.body: placeholder "), made.json


def test_a_fallback_that_goes_round_is_refused_from_either_side(defined: RestSocket) -> None:
    def falls_back_to(topic: str) -> dict[str, Any]:
        fallback = {"kind": "republish", "args": {"topic": topic}}
        settings = {key: ACTION[key] for key in ("connector", "parameters")}
        return {**settings, "fallback_actions": [fallback]}

    refused = defined.ask("PUT", "/actions/http:tell", falls_back_to("t/undelivered"))
    assert refused.status == 400, refused.text
    told = refused.json["message"]
    assert "fallback_actions.0: it may publish to t/undelivered, from where" in told
    assert "rule all brings" in told
    refused = defined.ask("PUT", "/actions/http:tell", falls_back_to("${topic}"), ZH)
    assert "规则 all 会将该消息再次送回此动作" in refused.json["message"]
    taken = defined.ask("PUT", "/actions/http:tell", falls_back_to("undelivered/${topic}"))
    try:
        assert taken.status == 200, taken.text
        rule = {**RULE, "id": "round", "sql": 'SELECT * FROM "undelivered/#"'}
        refused = defined.ask("POST", "/rules", rule)
        assert refused.status == 400
        assert "rule round brings" in refused.json["message"]
        assert defined.ask("GET", "/rules/round").status == 404
    finally:
        back = {key: ACTION[key] for key in ("connector", "parameters")}
        defined.ask("PUT", "/actions/http:tell", back)


def test_a_form_that_there_is_not_is_told_without_the_value(asks: RestSocket) -> None:
    parameters = {**REDIS["parameters"], "redis_type": "swordfish"}
    refused = asks.ask("POST", "/connectors", {**REDIS, "parameters": parameters})
    assert refused.status == 400
    assert "swordfish" not in refused.text
    assert "redis_type is one of 'single'" in refused.text
