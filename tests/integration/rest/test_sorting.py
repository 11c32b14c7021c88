"""Lists that the node sorts, page by page, by a field that the caller names."""

from __future__ import annotations

from urllib.parse import quote

import pytest

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


@pytest.mark.parametrize(
    "path", ["/banned", "/alarms", "/slow_subscriptions", "/data/files", "/clients"]
)
def test_what_is_no_field_is_refused(asks: RestSocket, path: str) -> None:
    assert asks.ask("GET", f"{path}?sort=colour").problem == (400, "BAD_REQUEST")
    assert asks.ask("GET", f"{path}?order=up").problem == (400, "BAD_REQUEST")
