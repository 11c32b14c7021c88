"""Lists that the node sorts, page by page, by a field that the caller names."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from harness.operator import Operator
from harness.rest import RestSocket

PROVIDER = "/authentication/" + quote("password_based:built_in_database", safe="")


def column(rest: RestSocket, path: str, sort: str, order: str = "asc") -> list[object]:
    """A field of every row, read one row a page."""
    found: list[object] = []
    page = 1
    while True:
        answer = rest.ask("GET", f"{path}?sort={sort}&order={order}&page={page}&limit=1").json
        found += [row[sort] for row in answer["data"]]
        if not answer["meta"]["hasnext"]:
            return found
        page += 1


def test_bans_are_sorted(asks: RestSocket) -> None:
    asks.ask("DELETE", "/banned")
    for who, until in (("b", "infinity"), ("c", 32503680000), ("a", 32503680001)):
        assert (
            asks.ask("POST", "/banned", {"as": "clientid", "who": who, "until": until}).status < 300
        )
    assert column(asks, "/banned", "who") == ["a", "b", "c"]
    assert column(asks, "/banned", "who", "desc") == ["c", "b", "a"]
    # For ever is longer than any time.
    assert column(asks, "/banned", "until")[-1] == "infinity"
    asks.ask("DELETE", "/banned")


def test_users_are_sorted(asks: RestSocket) -> None:
    made = {"mechanism": "password_based", "backend": "built_in_database"}
    assert asks.ask("POST", "/authentication", made).status < 300
    for name, is_superuser in (("b", False), ("a", True), ("c", True)):
        user = {"user_id": name, "password": "a long one", "is_superuser": is_superuser}
        assert asks.ask("POST", f"{PROVIDER}/users", user).status < 300
    assert column(asks, f"{PROVIDER}/users", "user_id", "desc") == ["c", "b", "a"]
    assert column(asks, f"{PROVIDER}/users", "is_superuser", "desc") == [True, True, False]
    assert asks.ask("DELETE", PROVIDER).status < 300


def test_files_are_sorted(asks: RestSocket) -> None:
    names = [asks.ask("POST", "/data/export").json["filename"] for _ in range(2)]
    assert column(asks, "/data/files", "filename") == sorted(names)
    assert column(asks, "/data/files", "filename", "desc") == sorted(names, reverse=True)
    for name in names:
        asks.ask("DELETE", f"/data/files/{name}")


def test_subscriptions_and_topics_are_sorted_and_filtered(
    asks: RestSocket, shared: Operator
) -> None:
    with shared.login(client_id="b") as b, shared.login(client_id="a") as a:
        b.subscribe("sorted/1", "sorted/3")
        a.subscribe("sorted/2", "sorted/3")
        found = column(asks, "/subscriptions", "topic")
        assert [topic for topic in found if str(topic).startswith("sorted/")] == [
            "sorted/1", "sorted/2", "sorted/3", "sorted/3",
        ]  # fmt: skip
        clients = column(asks, "/subscriptions", "clientid", "desc")
        assert [name for name in clients if name in ("a", "b")] == ["b", "b", "a", "a"]
        page = "/topics?like_topic=sorted/&sort=topic&order=desc&limit=2"
        answer = asks.ask("GET", page).json
        assert [row["topic"] for row in answer["data"]] == ["sorted/3", "sorted/2"]
        assert answer["meta"]["count"] == 3


@pytest.mark.parametrize(("path", "prefix"), [("retainer", ""), ("delayed", "$delayed/3600/")])
def test_messages_are_sorted_and_filtered(asks: RestSocket, path: str, prefix: str) -> None:
    for topic, qos in (("m/b", 1), ("m/c", 0), ("m/a", 1)):
        body = {"topic": f"{prefix}{topic}", "qos": qos, "payload": "x", "retain": not prefix}
        assert asks.ask("POST", "/publish", body).status < 300
    of = f"/mqtt/{path}/messages"
    rows = asks.ask("GET", f"{of}?like_topic=m/&sort=topic&order=desc").json["data"]
    assert [row["topic"] for row in rows] == ["m/c", "m/b", "m/a"]
    rows = asks.ask("GET", f"{of}?like_topic=m/&qos=1&sort=topic").json["data"]
    assert [row["topic"] for row in rows] == ["m/a", "m/b"]
    nobody = asks.ask("GET", f"{of}?like_from_clientid=nobody").json
    assert (nobody["data"], nobody["meta"]["count"]) == ([], 0)


def test_lists_in_memory_are_filtered(asks: RestSocket) -> None:
    name = asks.ask("POST", "/data/export").json["filename"]
    like = quote(name[-12:])
    assert asks.ask("GET", f"/data/files?like_filename={like}").json["meta"]["count"] == 1
    assert asks.ask("GET", "/data/files?like_filename=nothing").json["data"] == []
    asks.ask("DELETE", f"/data/files/{name}")
    assert asks.ask("GET", "/alarms?like_name=nothing&like_message=x").json["data"] == []
    assert asks.ask("GET", "/slow_subscriptions?like_topic=nothing").json["data"] == []


def test_lists_that_come_whole_are_paged_when_asked(asks: RestSocket) -> None:
    for name in ("beta", "alpha", "gamma"):
        made = {"type": "http", "name": name, "url": "http://127.0.0.1:1/", "enable": False}
        assert asks.ask("POST", "/connectors", made).status == 201
        assert asks.ask("POST", "/api_key", {"name": name, "desc": f"of {name}"}).status < 300
    try:
        assert column(asks, "/connectors", "name", "desc") == ["gamma", "beta", "alpha"]
        assert column(asks, "/api_key", "name") == ["alpha", "beta", "gamma"]
        page = asks.ask("GET", "/connectors?limit=2&sort=name").json
        assert [row["name"] for row in page["data"]] == ["alpha", "beta"]
        assert page["meta"] == {"page": 1, "limit": 2, "hasnext": True, "count": 3}
        assert [row["name"] for row in asks.ask("GET", "/connectors?find=GAM").json] == ["gamma"]
        assert asks.ask("GET", "/api_key?find=of+beta&page=1").json["meta"]["count"] == 1
        assert len(asks.ask("GET", "/connectors").json) == 3
        assert column(asks, "/users", "username") == ["admin"]
        assert asks.ask("GET", "/actions?sort=connector&page=1").json["data"] == []
    finally:
        for name in ("beta", "alpha", "gamma"):
            asks.ask("DELETE", f"/connectors/http%3A{name}")
            asks.ask("DELETE", f"/api_key/{name}")


def test_rules_of_clients_and_users_are_sorted(asks: RestSocket) -> None:
    rules = "/authorization/sources/built_in_database/rules"
    allowed = [{"permission": "allow", "action": "all", "topic": "t"}]
    for kind, name in (("clients", "clientid"), ("users", "username")):
        made = [{name: who, "rules": allowed} for who in ("b", "a", "c")]
        assert asks.ask("POST", f"{rules}/{kind}", made).status == 204
        assert column(asks, f"{rules}/{kind}", name) == ["a", "b", "c"]
        assert column(asks, f"{rules}/{kind}", name, "desc") == ["c", "b", "a"]
    assert asks.ask("DELETE", rules).status == 204


def test_the_audit_log_is_sorted_and_filtered(asks: RestSocket) -> None:
    for who in ("b", "a"):
        assert asks.ask("POST", "/banned", {"as": "clientid", "who": who}).status < 300
    assert asks.ask("DELETE", "/banned/clientid/nobody").status == 404
    assert asks.ask("DELETE", "/banned").status == 204
    for sort in ("http_method", "http_status_code", "operation_id", "created_at", "duration_ms"):
        asked = f"/audit?limit=1000&sort={sort}"
        found = [row[sort] for row in asks.ask("GET", asked).json["data"]]
        values = [value for value in found if value is not None]
        # What has none comes first.
        assert found[len(found) - len(values) :] == values
        assert len(values) >= 4
        assert values == sorted(values), sort
        backwards = asks.ask("GET", f"{asked}&order=desc").json["data"]
        assert [row[sort] for row in backwards] == found[::-1]
        second = asks.ask("GET", f"/audit?sort={sort}&page=2&limit=2").json
        assert [row[sort] for row in second["data"]] == found[2:4]
        assert second["meta"]["hasnext"] is (len(found) > 4)
    failed = "/audit?operation_type=banned&operation_result=failure&sort=source&limit=1"
    assert asks.ask("GET", failed).json["data"][0]["http_status_code"] == 404


def test_topics_that_are_counted_are_sorted(asks: RestSocket) -> None:
    for topic, messages in (("counted/b", 2), ("counted/a", 1), ("counted/c", 3)):
        assert asks.ask("POST", "/mqtt/topic_metrics", {"topic": topic}).status == 204
        for _ in range(messages):
            asks.ask("POST", "/publish", {"topic": topic, "payload": "x"})
    by = "/mqtt/topic_metrics?page=1&sort="
    rows = asks.ask("GET", f"{by}message.in.count&order=desc").json["data"]
    assert [row["topic"] for row in rows] == ["counted/c", "counted/b", "counted/a"]
    assert column(asks, "/mqtt/topic_metrics", "topic") == ["counted/a", "counted/b", "counted/c"]
    assert asks.ask("GET", f"{by}since&find=d/c").json["meta"]["count"] == 1
    assert len(asks.ask("GET", "/mqtt/topic_metrics").json) == 3
    for name in "abc":
        asks.ask("DELETE", f"/mqtt/topic_metrics/counted%2F{name}")


def test_traces_and_listeners_are_sorted(asks: RestSocket) -> None:
    for name in ("beta", "alpha"):
        trace = {"name": name, "type": "clientid", "clientid": f"of-{name}"}
        assert asks.ask("POST", "/trace", trace).status == 200
    assert column(asks, "/trace", "name") == ["alpha", "beta"]
    assert column(asks, "/trace", "name", "desc") == ["beta", "alpha"]
    assert [row["name"] for row in asks.ask("GET", "/trace?find=OF-ALPHA").json] == ["alpha"]
    assert asks.ask("DELETE", "/trace").status == 204
    ids = [row["id"] for row in asks.ask("GET", "/listeners").json]
    assert column(asks, "/listeners", "id", "desc") == sorted(ids, reverse=True)
    rows = asks.ask("GET", "/listeners?sort=running&order=desc&page=1").json["data"]
    assert rows[0]["status"]["running"] is True


@pytest.mark.parametrize(
    "path",
    [
        "/banned", "/alarms", "/slow_subscriptions", "/data/files", "/clients", "/subscriptions",
        "/topics", "/mqtt/retainer/messages", "/mqtt/delayed/messages", "/connectors", "/actions",
        "/sources", "/users", "/api_key", "/audit", "/mqtt/topic_metrics", "/trace", "/listeners",
        "/authorization/sources/built_in_database/rules/users",
        "/authorization/sources/built_in_database/rules/clients",
    ],
)  # fmt: skip
def test_what_is_no_field_is_refused(asks: RestSocket, path: str) -> None:
    assert asks.ask("GET", f"{path}?sort=colour").problem == (400, "BAD_REQUEST")
    assert asks.ask("GET", f"{path}?order=up").problem == (400, "BAD_REQUEST")


def test_settings_are_filtered_sorted_and_paged(asks: RestSocket) -> None:
    def ask(query: str) -> list[str]:
        answer = asks.ask("GET", f"/configs_origins?{query}").json
        assert answer["meta"]["count"] >= len(answer["data"])
        return [row["path"] for row in answer["data"]]

    assert len(ask("limit=7&page=2")) == 7
    alarms = ask("key=alarm")
    assert len(alarms) > 1
    assert ask("key=alarm&sort=path&order=desc") == sorted(alarms, reverse=True)
    assert ask("like=MAX_INFLIGHT&key=mqtt") == ["mqtt.max_inflight"]
    # What a key is about is searched in both languages.
    (row,) = asks.ask("GET", "/configs_origins?key=mqtt.max_inflight").json["data"]
    for language in ("description", "description_zh"):
        assert "mqtt.max_inflight" in ask(f"limit=10000&like={quote(row[language])}")
    assert ask("source=env") == []
    assert asks.ask("GET", "/configs_origins?source=wind").problem == (400, "BAD_REQUEST")


def test_levels_of_modules_are_sorted(asks: RestSocket) -> None:
    for module, level in (("rookery.b", "debug"), ("rookery.a", "error")):
        assert asks.ask("PUT", f"/log/levels/{module}", {"level": level}).status == 200
    assert column(asks, "/log/levels", "module") == ["rookery.a", "rookery.b"]
    assert column(asks, "/log/levels", "level") == ["debug", "error"]
    (row,) = asks.ask("GET", "/log/levels?like_module=.B").json["data"]
    assert row["module"] == "rookery.b"
    for module in ("rookery.a", "rookery.b"):
        assert asks.ask("DELETE", f"/log/levels/{module}").status == 204
