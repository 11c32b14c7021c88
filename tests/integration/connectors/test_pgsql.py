"""Rows that rules write into a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from harness.authority import Authority
from harness.databases import Server, postgresql_server
from harness.sending import action_of, connector_of, item, reasons, working
from rookery.connectors.base import Recoverable, Unhealthy
from rookery.native.action_fields import UNDEFINED, JsonText

PASSWORD = "it's secret"
EVIL = "'); DROP TABLE reading; --"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql_server() as running:
        yield running


def address(server: Server) -> dict[str, Any]:
    login = {"user": "rookery", "password": PASSWORD, "database": "postgres"}
    return {"host": server.host, "port": server.port, **login}


@pytest.fixture
async def database(server: Server) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(**address(server))
    await connection.execute(
        "CREATE TYPE mood AS ENUM ('good', 'bad');"
        "CREATE TABLE reading (n serial, client text, line integer UNIQUE DEFERRABLE, "
        "value double precision, at timestamptz, doc jsonb, raw bytea, ok boolean, "
        "tags text[], feels mood, exact numeric)"
    )
    yield connection
    await connection.execute("DROP TABLE IF EXISTS reading; DROP TYPE mood")
    await connection.close()


def to(server: Server, **more: Any) -> dict[str, Any]:
    return {
        "server": server.address,
        "database": "postgres",
        "username": "rookery",
        "password": PASSWORD,
        **more,
    }


INSERT = {"sql": "INSERT INTO reading (client, line) VALUES (${clientid}, ${payload.line})"}


async def stored(database: asyncpg.Connection) -> list[tuple[Any, ...]]:
    return [
        tuple(row) for row in await database.fetch("SELECT client, line FROM reading ORDER BY n")
    ]


async def test_values_take_the_types_of_their_columns(
    server: Server, database: asyncpg.Connection
) -> None:
    columns = "client, line, value, at, doc, raw, ok, tags, feels, exact"
    names = columns.split(", ")
    values = ", ".join(f"${{{name}}}" for name in names)
    parameters = {"sql": f"INSERT INTO reading ({columns}) VALUES ({values});"}
    async with working("pgsql", to(server), parameters) as action:
        rows = [
            item("c1", 3, 21.5, "2026-01-01T12:00:00Z", JsonText('{"a":[1]}'), b"\xff", True,
                 JsonText('["x","y"]'), "good", JsonText("12345678901234567890.5")),
            item(7, 4.0, 21, None, "{}", "text", "f", UNDEFINED, UNDEFINED, "1.10"),
            item(EVIL, "5", "1e3", "now", "null", UNDEFINED, 1, JsonText("[]"), "bad", 3),
        ]  # fmt: skip
        assert not await action.send(rows)
    found = await database.fetch(
        "SELECT client, line, value, extract(epoch FROM at)::bigint, doc::text, raw, ok, tags, "
        "feels::text, exact::text FROM reading ORDER BY n"
    )
    first, second, third = (tuple(row) for row in found)
    assert first == (
        *("c1", 3, 21.5, 1_767_268_800, '{"a": [1]}', b"\xff", True, ["x", "y"], "good"),
        "12345678901234567890.5",
    )
    assert second == ("7", 4, 21.0, None, "{}", b"text", False, None, None, "1.10")
    assert third[:3] == (EVIL, 5, 1000.0)
    assert third[4:] == ("null", None, True, [], "bad", "3")


@pytest.mark.parametrize("without_prepared", [False, True], ids=["prepared", "unprepared"])
async def test_a_row_that_is_refused_takes_no_other_with_it(
    server: Server, database: asyncpg.Connection, without_prepared: bool
) -> None:
    settings = to(server, disable_prepared_statements=without_prepared)
    async with working("pgsql", settings, INSERT) as action:
        rows = [item(f"c{i}", "abc" if i in {2, 5} else i) for i in range(7)]
        failures = reasons(await action.send(rows))
        assert failures.keys() == {rows[2].number, rows[5].number}
        assert "integer" in failures[rows[2].number]
        assert await stored(database) == [(f"c{i}", i) for i in (0, 1, 3, 4, 6)]
        # One alone, and one that breaks a constraint.
        alone, again = item("c", b"\xff"), item("c", 3)
        assert reasons(await action.send([alone])).keys() == {alone.number}
        assert "SQLSTATE 23505" in reasons(await action.send([again]))[again.number]
        assert not await action.send([item("c", None)])


async def test_whatever_a_row_makes_fail_takes_no_other_with_it(
    server: Server, database: asyncpg.Connection
) -> None:
    # SQLSTATE 21000, a cardinality, and one of the user's own.
    two = (
        "INSERT INTO reading (client, line) SELECT ${clientid}, "
        "(SELECT n FROM generate_series(1, CASE WHEN ${payload.line}::int = 2 THEN 2 ELSE 1 END) n)"
    )
    await database.execute(
        "CREATE OR REPLACE FUNCTION odd(line integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN "
        "IF line = 2 THEN RAISE 'no such line' USING ERRCODE = 'ZX001'; END IF; RETURN line; END $$"
    )
    own = "INSERT INTO reading (client, line) VALUES (${clientid}, odd(${payload.line}))"
    try:
        for sql, state in ((two, "21000"), (own, "ZX001")):
            await database.execute("TRUNCATE reading; ALTER TABLE reading DROP CONSTRAINT IF EXISTS "
                                   "reading_line_key")  # fmt: skip
            async with working("pgsql", to(server), {"sql": sql}) as action:
                rows = [item(f"c{i}", i) for i in range(4)]
                failures = reasons(await action.send(rows))
            assert failures.keys() == {rows[2].number}
            assert f"SQLSTATE {state}" in failures[rows[2].number]
            assert [client for client, _ in await stored(database)] == ["c0", "c1", "c3"]
    finally:
        await database.execute("DROP FUNCTION odd")


async def test_a_constraint_that_counts_at_the_end_fails_its_row_only(
    server: Server, database: asyncpg.Connection
) -> None:
    await database.execute("ALTER TABLE reading ADD UNIQUE (client) DEFERRABLE INITIALLY DEFERRED")
    async with working("pgsql", to(server), INSERT) as action:
        rows = [item("a", 1), item("a", 2), item("c", 3)]
        assert reasons(await action.send(rows)).keys() == {rows[1].number}
    assert await stored(database) == [("a", 1), ("c", 3)]


async def test_a_missing_table_is_told_and_waited_for(
    server: Server, database: asyncpg.Connection
) -> None:
    async with working("pgsql", to(server), INSERT) as action:
        assert not await action.send([item("a", 1)])
        await database.execute("ALTER TABLE reading RENAME TO elsewhere")
        with pytest.raises(Unhealthy, match='relation "reading" does not exist'):
            await action.check()
        with pytest.raises(Recoverable, match="42P01"):
            await action.send([item("b", 2)])
        await database.execute("ALTER TABLE elsewhere RENAME TO reading")
        await action.check()
        assert not await action.send([item("b", 2)])
    assert await stored(database) == [("a", 1), ("b", 2)]


async def test_a_column_may_change_its_type(server: Server, database: asyncpg.Connection) -> None:
    async with working("pgsql", to(server), INSERT) as action:
        assert not await action.send([item("a", 1)])
        await database.execute("ALTER TABLE reading ALTER line TYPE text")
        await action.check()
        assert not await action.send([item("b", "two"), item("c", 3)])
    assert await stored(database) == [("a", "1"), ("b", "two"), ("c", "3")]


async def test_what_is_wrong_is_said_in_words(server: Server) -> None:
    wrong = connector_of("pgsql", to(server) | {"password": "wrong"})
    with pytest.raises(
        Unhealthy, match="refuses user rookery with this password: check"
    ) as refused:
        await wrong.start()
    assert "wrong" not in str(refused.value)
    away = connector_of("pgsql", to(server) | {"server": "127.0.0.1:1"})
    with pytest.raises(Unhealthy, match=r"connect to 127.0.0.1:1 refused: see whether"):
        await away.start()
    none = connector_of("pgsql", to(server) | {"database": "nowhere"})
    with pytest.raises(Unhealthy, match=r"no database nowhere at 127.0.0.1:"):
        await none.start()
    tls = connector_of("pgsql", to(server, ssl={"enable": True, "verify": "verify_none"}))
    with pytest.raises(Unhealthy, match=r"does not speak TLS: switch ssl.enable off"):
        await tls.start()


async def test_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "CA")
    pair = authority.issue("postgresql")
    with postgresql_server(pair.cert, pair.key) as own:
        trusted = {"enable": True, "cacertfile": str(authority.cert)}
        no_name = {"server_name_indication": "disable"}
        unverified = {"enable": True, "verify": "verify_none"}
        for good in (trusted | no_name, unverified):
            async with working("pgsql", to(own, ssl=good), {"sql": "SELECT ${a}::text"}) as action:
                assert not await action.send([item("x")])
        # Not who it says that it is, and signed by somebody else.
        other = {"server_name_indication": "somebody.else"}
        for bad, says in (
            (trusted | other, "is for another name .*somebody.else"),
            (
                {"enable": True, **no_name},
                "is not trusted .*: name its authority in ssl.cacertfile",
            ),
        ):
            with pytest.raises(Unhealthy, match=says):
                await connector_of("pgsql", to(own, ssl=bad)).start()
        missing = trusted | {"cacertfile": str(tmp_path / "none.pem")}
        with pytest.raises(Unhealthy, match="cacertfile"):
            await connector_of("pgsql", to(own, ssl=missing)).start()


async def test_a_stopped_connector_keeps_what_is_to_be_sent(server: Server) -> None:
    connector = connector_of("pgsql", to(server))
    action = action_of("pgsql", connector, INSERT)
    with pytest.raises(Recoverable, match="stopped"):
        await action.send([item("a", 1)])
    with pytest.raises(Unhealthy, match="stopped"):
        await connector.check()


async def test_nothing_is_lost_or_twice_when_the_server_goes_within_a_batch(
    server: Server, database: asyncpg.Connection
) -> None:
    async with working("pgsql", to(server), INSERT) as action:
        # The third row is refused, which makes the batch go in pieces; a lock stops the pieces.
        rows = [item(f"c{i}", "abc" if i == 2 else i) for i in range(4)]
        async with database.transaction():
            await database.execute("LOCK TABLE reading")
            sending = asyncio.create_task(action.send(rows))
            await _waiting_for_the_lock(database)
            await database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
            )
            with pytest.raises(Recoverable):
                await sending
        assert reasons(await action.send(rows)).keys() == {rows[2].number}
    assert await stored(database) == [("c0", 0), ("c1", 1), ("c3", 3)]


async def test_a_database_that_is_only_busy_is_not_gone(
    server: Server, database: asyncpg.Connection
) -> None:
    connector = connector_of("pgsql", to(server, pool_size=1))
    action = action_of("pgsql", connector, INSERT)
    await connector.start()
    async with database.transaction():
        await database.execute("LOCK TABLE reading")
        sending = [asyncio.create_task(action.send([item("a", line)])) for line in range(3)]
        await _waiting_for_the_lock(database)
        await connector.check()
    await asyncio.gather(*sending)
    assert await stored(database) == [("a", 0), ("a", 1), ("a", 2)]
    await connector.stop()


async def _waiting_for_the_lock(database: asyncpg.Connection) -> None:
    while not await database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        await database.execute("SELECT pg_sleep(0.01)")
