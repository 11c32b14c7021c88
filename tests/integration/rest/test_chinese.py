"""Refusals are told in Chinese to whoever asks for it, without an English sentence in them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.rest import RestSocket

ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}|\b(?:no|is|has|already|there|not)\b")
CHINESE = re.compile("[\u4e00-\u9fff]")
BUILT_IN = "/authentication/password_based%3Abuilt_in_database"
PROVIDER = {"mechanism": "password_based", "backend": "built_in_database"}
ADMINISTRATOR = {"username": "ann", "password": "short", "role": "administrator"}
RULES = "/authorization/sources/built_in_database/rules/users"
WRONG_RULE = [{"username": "a", "rules": [{"topic": "#a", "action": "all", "permission": "deny"}]}]
Asked = tuple[str, str, Any]
REFUSED: list[Asked] = [
    ("GET", "/nowhere", None),
    ("PATCH", "/clients", None),
    ("POST", "/authentication", PROVIDER),
    ("GET", "/authentication/jwt", None),
    ("PUT", f"{BUILT_IN}/position/nowhere", None),
    ("PUT", "/authentication/order", [{"id": "x"}]),
    ("PUT", BUILT_IN, {"mechanism": "jwt"}),
    ("GET", f"{BUILT_IN}/users/nobody", None),
    ("GET", "/authorization/sources/http", None),
    ("PUT", "/authorization/settings", {"colour": 1}),
    ("POST", "/authorization/sources/built_in_database/move", {"position": "x"}),
    ("POST", RULES, WRONG_RULE),
    ("GET", f"{RULES}/nobody", None),
    ("POST", "/banned", {"as": "clientid", "who": "x", "until": "x"}),
    ("DELETE", "/banned/clientid/nobody", None),
    ("GET", "/clients/nobody", None),
    ("GET", "/clients?proto_ver=x", None),
    ("GET", "/clients_v2?cursor=x", None),
    ("GET", "/mqtt/retainer/message/none", None),
    ("PUT", "/mqtt/auto_subscribe", [{"topic": "a"}] * 21),
    ("PUT", "/mqtt/auto_subscribe", [{"topic": "a/#/b"}]),
    ("POST", "/mqtt/topic_metrics", {"topic": "#"}),
    ("GET", "/mqtt/topic_metrics/none", None),
    ("POST", "/listeners", {"type": "tcp", "name": "default", "bind": "127.0.0.1:0"}),
    ("POST", "/listeners", {"type": "quic", "name": "x", "bind": "127.0.0.1:0"}),
    ("POST", "/listeners/tcp:none/start", None),
    ("PUT", "/configs", {"node": {"name": "x"}}),
    ("PUT", "/configs", {}),
    ("PUT", "/license/setting", {"connection_low_watermark": "99%"}),
    ("GET", "/error_codes/ADDRESS_NOT_PROVEN", None),
    ("POST", "/configs_reset/mqtt?conf_path=none", None),
    ("GET", "/configs?key=none.x", None),
    ("POST", "/users", ADMINISTRATOR),
    ("DELETE", "/users/nobody", None),
    ("GET", "/api_key/none", None),
    ("POST", "/api_key", {"name": "k", "expired_at": "x"}),
    ("DELETE", "/trace/none", None),
    ("GET", "/plugins/none", None),
    ("POST", "/plugins/allowed", {"name": "x y"}),
    ("GET", "/nodes/none/stats", None),
    ("POST", "/data/import", {"filename": "none"}),
    ("POST", "/sso/code", None),
    ("POST", "/login", {"username": "ann", "password": "x"}),
    ("GET", "/error_codes/NOPE", None),
    ("POST", "/login", {"sso_code": "x" * 32}),
    ("GET", "/clients?fields=foo", None),
    ("GET", "/audit?gte_created_at=x", None),
    ("GET", "/mqtt/delayed/messages/rookery@127.0.0.1/00", None),
    ("POST", "/trace", {"name": "t", "type": "topic", "topic": "a/#/b"}),
    ("POST", "/alarms/force_deactivate", {"name": "none"}),
    ("POST", "/users", {**ADMINISTRATOR, "password": "aaaaaaaa"}),
    ("POST", "/data/files/none.tar.gz", None),
    ("GET", "/data/files/none.tar.gz", None),
]


@pytest.fixture(scope="module", autouse=True)
def _configured(shared: Any) -> None:
    rest = RestSocket(shared.node.data_dir)
    assert rest.ask("POST", "/authentication", PROVIDER).status == 200
    assert rest.ask("POST", "/authorization/sources", {"type": "built_in_database"}).status == 204


def test_a_bad_topic_of_a_trace_is_named(asks: RestSocket) -> None:
    trace = {"name": "t", "type": "topic", "topic": "a/#/b"}
    assert asks.ask("POST", "/trace", trace).json["message"].startswith("topic: ")


@pytest.mark.parametrize(("method", "path", "body"), REFUSED)
def test_a_refusal_is_told_in_chinese(asks: RestSocket, method: str, path: str, body: Any) -> None:
    answer = asks.ask(method, path, body, {"accept-language": "zh-CN"})
    assert 400 <= answer.status < 500
    message = answer.json["message"]
    assert CHINESE.search(message), message
    assert not ENGLISH.search(message), message
