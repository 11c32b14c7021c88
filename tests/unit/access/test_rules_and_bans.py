"""Rules and bans that are kept in the data directory."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rookery.access.authz.rule_store import RuleOwner, RuleStore
from rookery.access.bans import BanService, read_bans
from rookery.access.database import Database
from rookery.access.errors import AccessError
from rookery.clock import ManualClock
from rookery.errors import ConfigError, ExceedsLimitError, NotFoundError, StartError
from rookery.native.config import AclRule, AclTopic, AclWho, Ban

ALLOW = {"permission": "allow", "action": "publish", "topic": "a/${clientid}"}
DENY = {
    "permission": "deny",
    "action": "all",
    "topics": ["b", "eq #"],
    "qos": [1],
    "retain": True,
    "ipaddr": "10.0.0.0/8",
    "username_re": "^a",
}


@pytest.fixture
def rules(database: Database) -> RuleStore:
    return RuleStore(database, rules_max=3)


async def test_rules_are_given_to_the_core_in_their_order(rules: RuleStore) -> None:
    await rules.put(RuleOwner("all"), [DENY])
    await rules.put(RuleOwner("username", "ann"), [ALLOW])
    await rules.put(RuleOwner("clientid", "c1"), [DENY, ALLOW])

    source = await rules.source()

    assert (source.name, source.kind) == ("built_in_database", "rules")
    assert [rule.line for rule in source.rules] == [1, 2, 3, 4]
    owner = AclWho(kind="clientid", values=("c1",))
    narrowed = (
        AclWho(kind="username", values=("^a",), is_regex=True),
        AclWho(kind="ipaddr", values=("10.0.0.0/8",)),
    )
    assert source.rules[0] == AclRule(
        permission="deny",
        who=AclWho(kind="and", members=(owner, AclWho(kind="and", members=narrowed))),
        qos=(1,),
        retain=True,
        topics=(AclTopic(text="b"), AclTopic(text="#", is_literal=True)),
        line=1,
    )
    assert source.rules[1].who == owner
    assert source.rules[2].who == AclWho(kind="username", values=("ann",))
    assert source.rules[3].who == AclWho(kind="and", members=narrowed)


async def test_rules_are_listed_and_removed(rules: RuleStore) -> None:
    for name in ("b", "a"):
        await rules.put(RuleOwner("username", name), [ALLOW])

    assert await rules.get(RuleOwner("username", "a")) == [ALLOW]
    page, count = await rules.find("username", limit=1)
    assert (page, count) == ([(RuleOwner("username", "a"), [ALLOW])], 2)
    rest, _ = await rules.find("username", start=1)
    some, fit = await rules.find("username", like="b")
    assert (rest, fit) == (some, 1)

    await rules.delete(RuleOwner("username", "a"))
    with pytest.raises(NotFoundError):
        await rules.get(RuleOwner("username", "a"))
    with pytest.raises(NotFoundError):
        await rules.delete(RuleOwner("username", "a"))
    assert await rules.clear() == 1
    assert (await rules.source()).rules == ()


@pytest.mark.parametrize(
    ("owner", "given", "problem"),
    [
        (RuleOwner("username"), [ALLOW], "a name is missing"),
        (RuleOwner("all", "x"), [ALLOW], "a name is missing"),
        (RuleOwner("all"), [ALLOW] * 4, "more than 3"),
        (RuleOwner("all"), [ALLOW, {}], "rule 2: permission"),
        (RuleOwner("all"), [{**ALLOW, "qos": 3}], "rule 1: qos"),
        (RuleOwner("all"), [{**ALLOW, "retain": "maybe"}], "rule 1: retain"),
        (RuleOwner("all"), [{**ALLOW, "action": ["publish"]}], "rule 1: action"),
        (RuleOwner("all"), [{**ALLOW, "topic": 7}], "rule 1: topic"),
        (RuleOwner("all"), [{**ALLOW, "ipaddr": "here"}], "rule 1: ipaddr"),
        (RuleOwner("all"), ["allow"], "rule 1: a rule must be an object"),
    ],
)
async def test_rules_that_are_none_change_nothing(
    rules: RuleStore, owner: RuleOwner, given: list[Any], problem: str
) -> None:
    await rules.put(RuleOwner("all"), [ALLOW])

    with pytest.raises(AccessError, match=problem) as caught:
        await rules.put(owner, given)

    assert caught.value.text("zh") != caught.value.text("en")
    assert await rules.get(RuleOwner("all")) == [ALLOW]


# ---- bans -------------------------------------------------------------------------------


class Core:
    """Keeps what it was given, and refuses what the real one could not search."""

    def __init__(self) -> None:
        self.bans: list[Ban] = []

    def apply(self, bans: Sequence[Ban]) -> None:
        if any("(?=" in ban.who for ban in bans):
            raise ConfigError(["look-around is not available"])
        self.bans = list(bans)


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
def bans(database: Database, clock: ManualClock, core: Core) -> BanService:
    service = BanService(database, clock)
    service.open(core.apply)
    return service


async def test_a_ban_is_kept_and_told(
    bans: BanService, core: Core, tmp_path: Path, clock: ManualClock
) -> None:
    kept = await bans.create("username", "bob", by="ann", reason="noise")

    assert kept.at_ms == clock.now_ms()
    assert core.bans == [Ban(kind="username", who="bob", reason="noise")]
    assert await bans.all() == [kept]
    assert list(read_bans(tmp_path / "access.db", clock.now_ms())) == core.bans


def test_bans_of_no_file(tmp_path: Path) -> None:
    assert read_bans(tmp_path / "none.db", 0) == ()
    (tmp_path / "empty.db").touch()
    with pytest.raises(StartError, match=r"empty\.db: file is empty"):
        read_bans(tmp_path / "empty.db", 0)
    (tmp_path / "bad.db").write_text("no database " * 100)
    with pytest.raises(StartError, match=r"bad\.db"):
        read_bans(tmp_path / "bad.db", 0)


async def test_a_ban_is_changed_and_lifted(
    bans: BanService, core: Core, clock: ManualClock
) -> None:
    await bans.create("clientid", "c1")
    await bans.create("clientid", "c1", until_ms=clock.now_ms() + 5)
    assert core.bans == [Ban(kind="clientid", who="c1", until_ms=clock.now_ms() + 5)]

    await bans.delete("clientid", "c1")

    assert core.bans == []
    with pytest.raises(NotFoundError):
        await bans.delete("clientid", "c1")


async def test_all_bans_are_lifted(bans: BanService, core: Core) -> None:
    await bans.create("clientid", "c1")
    await bans.create("clientid", "c2")

    assert await bans.clear() == 2
    assert (core.bans, await bans.all()) == ([], [])


async def test_what_has_ended_is_forgotten(
    bans: BanService, core: Core, clock: ManualClock
) -> None:
    await bans.create("clientid", "c1", until_ms=clock.now_ms() + 1000)
    await bans.create("clientid", "c2")
    clock.advance(1)

    assert [entry.who for entry in await bans.all()] == ["c2"]
    await bans.create("clientid", "c3")
    assert {ban.who for ban in core.bans} == {"c2", "c3"}


async def test_a_client_that_flaps_is_banned_for_a_while(
    bans: BanService, core: Core, clock: ManualClock
) -> None:
    entry = await bans.on_flapping("c1", ban_ms=300_000, peer="10.0.0.1:5")

    assert entry.by == "flapping detector"
    assert core.bans[0].until_ms == clock.now_ms() + 300_000


@pytest.mark.parametrize(
    ("kind", "who", "kept"),
    [
        ("peerhost", "::FFFF:1", "::ffff:1"),
        ("peerhost_net", "10.1.2.3/8", "10.0.0.0/8"),
        ("clientid_re", "^d[0-9]+$", "^d[0-9]+$"),
    ],
)
async def test_who_is_written_in_one_way(bans: BanService, kind: str, who: str, kept: str) -> None:
    assert (await bans.create(kind, who)).who == kept


@pytest.mark.parametrize(
    ("kind", "who"),
    [
        ("peerhost", "10.0.0.0/8"),
        ("peerhost", "host"),
        ("peerhost_net", "10.0.0.0/33"),
        ("clientid_re", "("),
        ("clientid", ""),
        ("username", "a\0b"),
        ("mac", "x"),
    ],
)
async def test_nobody_of_that_kind(bans: BanService, core: Core, kind: str, who: str) -> None:
    with pytest.raises(AccessError) as caught:
        await bans.create(kind, who)

    assert caught.value.text("zh") != caught.value.text("en")
    assert core.bans == []


async def test_what_the_core_refuses_is_not_kept(bans: BanService, core: Core) -> None:
    await bans.create("clientid", "c1")

    with pytest.raises(ConfigError):
        await bans.create("clientid_re", "(?=x)")

    assert [entry.who for entry in await bans.all()] == ["c1"]
    assert [ban.who for ban in core.bans] == ["c1"]


async def test_a_ban_in_the_past_makes_no_sense(bans: BanService, clock: ManualClock) -> None:
    with pytest.raises(AccessError):
        await bans.create("clientid", "c1", until_ms=clock.now_ms())


async def test_there_is_a_bound(
    bans: BanService, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rookery.access.bans.service.REGEX_BANS_MAX", 1)
    await bans.create("clientid_re", "a")
    await bans.create("clientid_re", "a", reason="again")

    with pytest.raises(ExceedsLimitError):
        await bans.create("username_re", "b")

    assert [ban.who for ban in core.bans] == ["a"]
    await bans.create("clientid", "c")


def test_bans_are_read_where_nothing_can_be_shared(tmp_path: Path) -> None:
    """As on a full disk, where the memory that readers share has no room."""
    path = tmp_path / "access.db"
    database = Database(path)
    database.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO bans VALUES ('clientid', 'evil', '', 'noise', 1, NULL)")
        connection.commit()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        found = read_bans(path, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [ban.who for ban in found] == ["evil"]


@pytest.mark.parametrize("left", ["nothing", "no tables", "no format"])
def test_a_file_without_its_tables_is_no_new_one(tmp_path: Path, left: str) -> None:
    path = tmp_path / "access.db"
    Database(path).close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if left != "no format":
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table'"
            ).fetchall():
                connection.execute(f"DROP TABLE {table}")
        if left != "no tables":
            connection.execute("PRAGMA user_version = 0")

    with pytest.raises(StartError, match="put a copy of it back"):
        read_bans(path, 0)
    with pytest.raises(StartError, match="put a copy of it back"):
        Database(path)
