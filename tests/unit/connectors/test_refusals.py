"""What stands against settings of connectors is said in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rookery.connectors.checking import settings_of
from rookery.errors import BadRequestError

HTTP: dict[str, Any] = {"url": "http://127.0.0.1:1"}
MQTT: dict[str, Any] = {"server": "127.0.0.1"}
SOURCE: dict[str, Any] = {"connector": "c", "parameters": {"topic": "a/#"}}
ACTION: dict[str, Any] = {"connector": "c", "parameters": {}}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("kind", "type_", "item", "english", "chinese"),
    [
        ("connectors", "http", {}, "url: missing", "url：缺少该项"),
        ("connectors", "http", {**HTTP, "urll": 1}, "urll: unknown", "urll：未知配置项"),
        ("connectors", "http", {"url": "ftp://x"}, "url: must be http://host", "url：应为 http://主机"),
        ("connectors", "http", {"url": "http://u:p@x"}, "use the header", "请使用 authorization"),
        ("connectors", "http", {**HTTP, "pool_size": 0}, "pool_size: ", "pool_size：不得小于 1"),
        ("connectors", "http", {**HTTP, "headers": []}, "headers: must", "headers：应为由名称和字符串"),
        ("connectors", "http", {**HTTP, "headers": {"te": "x"}}, "made by", "由客户端自行生成"),
        ("connectors", "http", {**HTTP, "connect_timeout": "x"}, "a duration", "应为时长"),
        ("connectors", "http", {**HTTP, "connect_timeout": "9d"}, "from 1ms to 1h", "应为 1ms 到 1h 的时长"),
        ("connectors", "mqtt", {"server": "a:b"}, "must be host:port", "server：应为 主机:端口"),
        ("connectors", "mqtt", {**MQTT, "ssl": {"verify": "x"}}, "ssl.verify: ", "ssl.verify：应为 'verify_peer'"),
        ("connectors", "mqtt", {**MQTT, "keepalive": "1ms"}, "keepalive: ", "keepalive：应为整秒"),
        ("sources", "mqtt", {**SOURCE, "parameters": {"topic": "a/#/b"}}, "must be a topic filter", "应为主题过滤器"),
        ("sources", "mqtt", {**SOURCE, "connector": "?"}, "connector: ", "connector：格式不正确"),
        ("sources", "http", SOURCE, "there are no sources of type http", "没有 http 类型的数据源"),
        ("actions", "mqtt", {"connector": "c", "parameters": {"topic": "a/${b}/#"}}, "hold no +", "parameters.topic：不能包含 +"),
        (
            "actions",
            "http",
            {"connector": "c", "fallback_actions": [{"kind": "republish", "args": {"topic": "a/+"}}]},
            "fallback_actions.0.args.topic: must hold no +",
            "fallback_actions.0.args.topic：不能包含 +",
        ),
        ("actions", "mqtt", ACTION, "parameters.topic: missing", "parameters.topic：缺少该项"),
        (
            "actions",
            "mqtt",
            {"connector": "c", "parameters": {"topic": "t"}, "resource_opts": {"max_buffer_bytes": 1}},
            "must be a size from",
            "的大小",
        ),
        ("connectors", "disk_log", {"filepath": "../x"}, "must not hold ..", "不能包含 .."),
        ("connectors", "redis", {"parameters": {"redis_type": "no"}}, "parameters: ", "parameters：redis_type 应为 'single'、"),
        ("connectors", "redis", {"parameters": {}}, "parameters: ", "parameters：缺少 redis_type"),
    ],
)  # fmt: skip
def test_a_setting_that_does_not_fit(
    kind: str, type_: str, item: dict[str, Any], english: str, chinese: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        settings_of(kind, type_, item)
    assert english in caught.value.text()
    assert chinese in caught.value.text("zh")
    assert CHINESE.search(caught.value.text("zh"))


def test_what_stands_where_an_object_should_be_is_named_as_a_place_of_secrets() -> None:
    with pytest.raises(BadRequestError) as caught:
        settings_of("connectors", "http", {**HTTP, "ssl": ["password", "hunter2"]})
    assert list(caught.value.unknown_keys) == ["ssl"]
    assert "hunter2" not in caught.value.text()


def test_a_place_has_no_names_but_those_of_the_request() -> None:
    sentinel = {"parameters": {"redis_type": "sentinel", "servers": "h"}}
    with pytest.raises(BadRequestError) as caught:
        settings_of("connectors", "redis", sentinel)
    assert caught.value.text() == "parameters.sentinel: missing"
    kafka = {"bootstrap_hosts": "h:1", "authentication": ["plain", "hunter2"]}
    with pytest.raises(BadRequestError) as caught:
        settings_of("connectors", "kafka_producer", kafka)
    places = {line.partition(":")[0] for line in caught.value.text().splitlines()}
    assert places == {"authentication"}
    assert "authentication" in caught.value.unknown_keys
