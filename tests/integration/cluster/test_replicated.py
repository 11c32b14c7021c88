"""What one node is told all nodes have: users, rules of access, bans, administrators, API keys."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.clock import Clock, clock_library
from harness.members import Member, members, until_all_see
from harness.node import Where
from harness.packets import ConnAck, Connect
from harness.waiting import until
from rookery.client.management import ManagementClient
from rookery.errors import RookeryError

USERS = "/api/v5/authentication/password_based%3Abuilt_in_database/users"
RULES = "/api/v5/authorization/sources/built_in_database/rules/users"
SETTINGS = {
    "authentication": "[{mechanism = password_based, backend = built_in_database, "
    "user_id_type = username}]",
    "authorization.sources": "[{type = built_in_database, enable = true}]",
    "authorization.no_match": "deny",
}
QUOTA_EXCEEDED = 0x97
PASSWORD = "a password of a device 1"


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    """The time of day of all of them."""
    if shutil.which("cc") is None:
        pytest.skip("there is no cc")
    folder = tmp_path_factory.mktemp("clock")
    return Clock(folder / "clock", clock_library(folder))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[list[Member]]:
    """Three nodes; the tests of this file are one story, in their order."""
    where = Where(prefix=clock.prefix)
    with members(tmp_path_factory.mktemp("replicated"), 3, where, **SETTINGS) as found:
        yield found


def rest(member: Member) -> ManagementClient:
    return ManagementClient(member.node.data_dir, timeout_s=20.0)


def users(member: Member) -> set[str]:
    return {row["user_id"] for row in rest(member).get(USERS)["data"]}


def add_user(member: Member, name: str) -> None:
    rest(member).post(USERS, {"user_id": name, "password": PASSWORD})


def state(member: Member) -> dict[str, Any]:
    found: dict[str, Any] = member.ctl.json("cluster", "status").get("state") or {}
    return found


def in_step(*those: Member) -> None:
    for member in those:
        until(lambda member=member: bool(state(member).get("in_step")), "in step")  # type: ignore[misc]


def lets_in(member: Member, username: str) -> bool:
    client = member.node.open()
    try:
        packet = Connect(f"c-{username}", username=username, password=PASSWORD.encode())
        return client.connect(packet).reason_code == 0
    except (OSError, AssertionError):
        return False
    finally:
        client.drop()


def test_who_joins_has_what_the_cluster_has_and_says_what_went(three: list[Member]) -> None:
    one, two, three_ = three
    add_user(one, "from-one")
    add_user(two, "from-two")
    rest(one).post(RULES, [{"username": "from-one", "rules": []}])
    two.join(one)
    in_step(one, two)

    assert users(two) == users(one) == {"from-one"}
    assert state(two)["replaced"]["users"] == 1
    assert "replaced" not in state(one)
    three_.join(two)
    in_step(*three)
    assert users(three_) == {"from-one"}


def test_a_change_on_any_node_is_there_on_all(three: list[Member]) -> None:
    one, two, three_ = three
    add_user(three_, "from-three")
    for member in three:
        until(lambda member=member: "from-three" in users(member), "the user is there")  # type: ignore[misc]
        assert lets_in(member, "from-three")

    rest(one).delete(f"{USERS}/from-three")
    until(lambda: not lets_in(two, "from-three"), "the user is gone")
    until(lambda: users(three_) == {"from-one"}, "the user is gone there too")


def test_rules_hold_on_every_node(three: list[Member]) -> None:
    one, two, _ = three
    asked = ("--username", "from-one", "--clientid", "c", "publish", "plant/1")

    def is_allowed() -> bool:
        found = two.ctl.json("acl", "explain", *asked)
        return bool(found["result"] == "allow")

    assert not is_allowed()
    rule = {"topic": "plant/#", "permission": "allow", "action": "all"}
    rest(one).put(f"{RULES}/from-one", {"username": "from-one", "rules": [rule]})
    until(is_allowed, "two has the rule")


def test_many_rows_are_one_change(three: list[Member]) -> None:
    one, two, _ = three

    def count(member: Member) -> int:
        found: int = rest(member).get(f"{RULES}?limit=1")["meta"]["count"]
        return found

    before = count(two)
    rest(one).post(RULES, [{"username": f"many-{n}", "rules": []} for n in range(1100)])
    until(lambda: count(two) == before + 1100, "all of them are there")
    with pytest.raises(RookeryError, match="many-7"):
        rest(two).post(RULES, [{"username": f"many-{n}", "rules": []} for n in (9999, 7)])
    assert count(one) == count(two) == before + 1100


def test_a_ban_ends_connections_of_every_node(three: list[Member]) -> None:
    one, two, three_ = three
    until(lambda: lets_in(three_, "from-one"), "let in")
    one.ctl.good("ban", "add", "username", "from-one")
    until(lambda: not lets_in(three_, "from-one"), "banned")

    two.ctl.good("ban", "delete", "username", "from-one")
    until(lambda: lets_in(one, "from-one"), "let in again")


def test_administrators_and_keys_are_those_of_the_cluster(three: list[Member]) -> None:
    one, two, three_ = three
    made = rest(one).post("/api/v5/api_key", {"name": "ci", "enable": True, "role": "viewer"})

    def names(member: Member) -> set[str]:
        return {row["name"] for row in rest(member).get("/api/v5/api_key")}

    until(lambda: names(three_) == {"ci"}, "the key is there")
    assert made["api_secret"] not in json.dumps(rest(three_).get("/api/v5/api_key"))
    rest(two).delete("/api/v5/api_key/ci")
    until(lambda: names(one) == set(), "the key is gone")


def test_settings_are_those_of_the_cluster_and_a_nodes_own_stay(three: list[Member]) -> None:
    one, two, three_ = three

    changed = rest(one).get("/api/v5/configs/alarm") | {"size_limit": 777}
    rest(one).put("/api/v5/configs/alarm", changed)
    for member in (two, three_):
        until(lambda member=member: size_limit(member) == 777, "the setting is there")  # type: ignore[misc]
    assert [member.status()[member.name] for member in three] == ["running"] * 3
    assert [state(member)["in_step"] for member in three] == [True] * 3


def size_limit(member: Member) -> int:
    found: int = rest(member).get("/api/v5/configs/alarm")["size_limit"]
    return found


def test_of_two_changes_at_once_no_one_is_lost_unseen(three: list[Member]) -> None:
    add_user(three[0], "contended")
    for member in three:
        until(lambda member=member: "contended" in users(member), "the user is there")  # type: ignore[misc]

    def change(round_: int, member: Member) -> str:
        try:
            rest(member).put(f"{USERS}/contended", {"is_superuser": round_ % 2 == 0})
        except RookeryError as error:
            return error.code
        return "made"

    with ThreadPoolExecutor(3) as pool:
        rounds = [set(pool.map(change, [number] * 3, three)) for number in range(5)]
    assert all("made" in outcomes for outcomes in rounds)
    assert set().union(*rounds) <= {"made", "CONFLICT"}

    def seen() -> set[bool]:
        return {rest(member).get(f"{USERS}/contended")["is_superuser"] for member in three}

    until(lambda: seen() == {True}, "all have the last change")


def test_who_was_away_goes_on_from_where_it_was(three: list[Member]) -> None:
    one, two, three_ = three
    three_.node.kill9()
    add_user(one, "meanwhile")
    rest(two).delete(f"{USERS}/contended")
    before = len(three_.node.log)
    changed = rest(one).get("/api/v5/configs/alarm") | {"size_limit": 778}
    rest(one).put("/api/v5/configs/alarm", changed)
    three_.start()
    in_step(three_)

    until(lambda: size_limit(three_) == 778, "what was set meanwhile holds")
    until(lambda: users(three_) == {"from-one", "meanwhile"}, "users made and gone meanwhile")
    assert "took over" not in "\n".join(three_.node.log[before:])


@pytest.mark.parametrize("days", [3, 40])
def test_who_was_away_for_days_is_a_member_and_has_everything(
    three: list[Member], clock: Clock, days: int
) -> None:
    one, _, three_ = three
    three_.node.kill9()
    name = f"after-{days}-days"
    add_user(one, name)
    before = len(three_.node.log)
    clock.jump(days * 86_400)
    three_.start()
    in_step(three_)

    until(lambda: name in users(three_) and users(three_) == users(one), "what was made meanwhile")
    until_all_see(three, {member.name: "running" for member in three}, "all see all")
    # What was deleted is remembered for 30 days: after that everything is compared anew.
    is_taken_over = "took over" in "\n".join(three_.node.log[before:])
    assert is_taken_over == (days > 29)
    rest(one).delete(f"{USERS}/{name}")
    until(lambda: name not in users(three_), "the user is gone")


def test_the_connection_quota_is_that_of_every_node(three: list[Member]) -> None:
    one, two, _ = three
    rest(one).put("/api/v5/license/setting", {"dynamic_max_connections": 1})

    def quota(member: Member) -> Any:
        return rest(member).get("/api/v5/license/setting")["dynamic_max_connections"]

    until(
        lambda: all(quota(member) == 1 for member in three), "the quota", shows=lambda: quota(two)
    )
    first = two.node.open(level=5)
    packet = Connect("first", username="from-one", password=PASSWORD.encode())
    assert first.connect(packet).reason_code == 0
    late = two.node.open(level=5)
    packet = Connect("late", username="from-one", password=PASSWORD.encode())
    late.send(packet)
    assert late.expect(ConnAck).reason_code == QUOTA_EXCEEDED
    first.disconnect()
    rest(two).put("/api/v5/license/setting", {"dynamic_max_connections": "infinity"})
    until(lambda: quota(one) == "infinity", "no quota", shows=lambda: quota(one))


def test_without_the_others_changes_are_refused_and_the_rest_goes_on(three: list[Member]) -> None:
    one, two, three_ = three
    two.node.kill9()
    three_.node.kill9()
    began = time.monotonic()
    with pytest.raises(RookeryError) as refused:
        add_user(one, "alone")
    assert refused.value.code == "SERVICE_UNAVAILABLE"
    assert time.monotonic() - began < 15

    assert users(one) == {"from-one", "meanwhile"}
    assert lets_in(one, "meanwhile")
    with pytest.raises(RookeryError) as refused:
        add_user(one, "alone")
    assert "nothing was changed" in str(refused.value) or "did not confirm" in str(refused.value)

    two.start()
    in_step(one, two)
    add_user(one, "together")
    until(lambda: "together" in users(two), "the user is there")


def test_who_leaves_keeps_its_copy_and_the_others_go_on(three: list[Member]) -> None:
    one, two, three_ = three
    three_.start()
    in_step(*three)
    three_.ctl.good("cluster", "leave", "--yes")
    add_user(three_, "mine")
    assert {"together", "mine"} <= users(three_)

    def is_taken() -> bool:
        try:
            add_user(one, "ours")
        except RookeryError:
            return "ours" in users(one)
        return True

    until(is_taken, "the two go on")
    until(lambda: "ours" in users(two), "the user is there")
    assert "mine" not in users(two)


def test_who_comes_back_has_what_the_cluster_has(three: list[Member]) -> None:
    one, _, three_ = three
    three_.join(one)
    in_step(three_)

    assert users(three_) == users(one)
    assert "mine" not in users(three_)
