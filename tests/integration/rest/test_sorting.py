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


@pytest.mark.parametrize(
    "path",
    [
        "/banned", "/alarms", "/slow_subscriptions", "/data/files", "/clients", "/subscriptions",
        "/topics", "/mqtt/retainer/messages", "/mqtt/delayed/messages", "/connectors", "/actions",
        "/sources", "/users", "/api_key",
    ],
)  # fmt: skip
def test_what_is_no_field_is_refused(asks: RestSocket, path: str) -> None:
    assert asks.ask("GET", f"{path}?sort=colour").problem == (400, "BAD_REQUEST")
    assert asks.ask("GET", f"{path}?order=up").problem == (400, "BAD_REQUEST")
