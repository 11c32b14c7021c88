"""``/banned`` of a real node."""

from __future__ import annotations

import pytest

from harness.operator import Operator
from harness.rest import RestSocket

BANS = (
    {"as": "clientid", "who": "sensor-1", "by": "me", "reason": "noise"},
    {"as": "username", "who": "sensor-1", "until": "2999-01-01T00:00:00+08:00"},
    {"as": "peerhost", "who": "192.0.2.7", "until": 32503680000},
    {"as": "peerhost_net", "who": "192.0.2.0/24", "at": "2026-01-01T00:00:00Z"},
    {"as": "clientid_re", "who": "^bad", "until": "infinity"},
)


@pytest.fixture
def banned(asks: RestSocket) -> RestSocket:
    asks.ask("DELETE", "/banned")
    for ban in BANS:
        made = asks.ask("POST", "/banned", ban)
        assert (made.status, made.json["who"]) == (200, ban["who"])
    return asks


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("", {"clientid", "username", "peerhost", "peerhost_net", "clientid_re"}),
        ("?clientid=sensor-1", {"clientid"}),
        ("?username=sensor-1", {"username"}),
        ("?username=sensor", set()),
        ("?peerhost=192.0.2.7", {"peerhost"}),
        ("?like_clientid=ensor", {"clientid"}),
        ("?like_username=ensor", {"username"}),
        ("?like_peerhost=192", {"peerhost"}),
        ("?like_peerhost_net=0%2F24", {"peerhost_net"}),
        ("?clientid=sensor-1&username=sensor-1", set()),
    ],
)
def test_bans_are_found(banned: RestSocket, query: str, kinds: set[str]) -> None:
    page = banned.ask("GET", f"/banned{query}").json
    assert {row["as"] for row in page["data"]} == kinds
    assert page["meta"]["count"] == len(kinds)


def test_bans_come_in_pages(banned: RestSocket) -> None:
    first = banned.ask("GET", "/banned?limit=2").json
    last = banned.ask("GET", "/banned?limit=2&page=3").json
    assert (len(first["data"]), first["meta"]["hasnext"]) == (2, True)
    assert (len(last["data"]), last["meta"]["hasnext"]) == (1, False)
    assert banned.ask("GET", "/banned?page=0").problem == (400, "BAD_REQUEST")


def test_a_ban_is_shown_as_it_was_made(banned: RestSocket) -> None:
    (row,) = banned.ask("GET", "/banned?clientid=sensor-1").json["data"]
    assert (row["by"], row["reason"], row["until"]) == ("me", "noise", "infinity")
    (row,) = banned.ask("GET", "/banned?username=sensor-1").json["data"]
    assert row["until"].startswith(("2998-12-31T", "2999-01-01T"))


def test_a_ban_is_made_once(banned: RestSocket) -> None:
    assert banned.ask("POST", "/banned", BANS[0]).problem == (400, "ALREADY_EXISTS")
    again = banned.ask("POST", "/banned?replace=true", {**BANS[0], "reason": "more noise"})
    assert (again.status, again.json["reason"]) == (200, "more noise")


def test_a_ban_that_makes_no_sense_is_refused(banned: RestSocket) -> None:
    for body in (
        {"as": "mood", "who": "bad"},
        {"as": "peerhost", "who": "nowhere"},
        {"as": "clientid_re", "who": "("},
        {"as": "clientid", "who": "x", "until": "yesterday"},
        {"as": "clientid", "who": "x", "until": 1},
        {"as": "clientid"},
        {"as": "clientid", "who": "x", "colour": "red"},
    ):
        assert banned.ask("POST", "/banned", body).problem == (400, "BAD_REQUEST")


def test_bans_are_lifted(banned: RestSocket) -> None:
    assert banned.ask("DELETE", "/banned/peerhost_net/192.0.2.0%2F24").status == 204
    missing = banned.ask("DELETE", "/banned/peerhost_net/192.0.2.0%2F24")
    assert missing.problem == (404, "NOT_FOUND")
    assert banned.ask("DELETE", "/banned").status == 204
    assert banned.ask("GET", "/banned").json["data"] == []


def test_who_is_banned_is_thrown_out_and_may_come_again(shared: Operator, asks: RestSocket) -> None:
    asks.ask("DELETE", "/banned")
    with shared.login(client_id="culprit") as culprit:
        asks.ask("POST", "/banned", {"as": "clientid", "who": "culprit"})
        culprit.expect_closed()
    with pytest.raises(AssertionError):
        shared.login(client_id="culprit")
    asks.ask("DELETE", "/banned/clientid/culprit")
    shared.login(client_id="culprit").disconnect()


@pytest.mark.parametrize("member", ["at", "until"])
@pytest.mark.parametrize("moment", [500_000_000_000, -1, "9999-12-31T23:59:59-12:00"])
def test_a_moment_that_no_calendar_has_is_refused(
    banned: RestSocket, member: str, moment: int | str
) -> None:
    ban = {"as": "clientid", "who": "far", member: moment}
    assert banned.ask("POST", "/banned", ban).problem == (400, "BAD_REQUEST")
    assert banned.ask("GET", "/banned").json["meta"]["count"] == len(BANS)
