"""Commands that rules run on a real Redis."""

from __future__ import annotations

import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from harness.authority import Authority
from harness.databases import (
    Server,
    redis_cluster_of_one,
    redis_sentinel,
    redis_server,
    secure_redis_server,
)
from harness.sending import action_of, connector_of, item, reasons, working
from rookery.connectors.base import Recoverable, Unhealthy, Unrecoverable

PASSWORD = "it's secret"
PUSH = {"command_template": ["RPUSH", "${clientid}", "${payload}"]}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with redis_server() as running:
        yield running


@pytest.fixture
async def database(server: Server) -> AsyncIterator[redis.asyncio.Redis]:
    client = redis.asyncio.Redis(host=server.host, port=server.port, password=PASSWORD, db=2)
    yield client
    await client.config_set("maxmemory", 0)
    await client.flushall()
    await client.aclose()


def to(running: Server, /, **more: Any) -> dict[str, Any]:
    single = {"redis_type": "single", "server": running.address, "database": 2}
    return {"parameters": {**single, "password": PASSWORD, **more}}


async def stored(database: Any, key: str) -> list[bytes]:
    found: list[bytes] = await database.lrange(key, 0, -1)
    return found


async def test_values_are_arguments_whatever_is_in_them(
    server: Server, database: redis.asyncio.Redis
) -> None:
    async with working("redis", to(server), PUSH) as action:
        assert not await action.send([item("c1", "a b\r\nFLUSHALL\r\n")])
        assert not await action.send([item("c1", b"\xff\x00"), item("c 2", ""), item("c1", "end")])
    assert await stored(database, "c1") == [b"a b\r\nFLUSHALL\r\n", b"\xff\x00", b"end"]
    assert await stored(database, "c 2") == [b""]


async def test_a_command_that_is_refused_takes_no_other_with_it(
    server: Server, database: redis.asyncio.Redis
) -> None:
    await database.set("taken", "no list")
    async with working("redis", to(server), PUSH) as action:
        rows = [item("a", "1"), item("taken", "2"), item("a", "3")]
        failures = await action.send(rows)
        assert "WRONGTYPE" in reasons(failures)[rows[1].number]
        assert [failure.is_recoverable for failure in failures or ()] == [False]
        with pytest.raises(Unrecoverable, match="WRONGTYPE"):
            await action.send([rows[1]])
    assert await stored(database, "a") == [b"1", b"3"]


async def test_a_full_memory_is_waited_for(server: Server, database: redis.asyncio.Redis) -> None:
    async with working("redis", to(server), PUSH) as action:
        await database.config_set("maxmemory", 1)
        with pytest.raises(Recoverable, match="memory") as full:
            await action.send([item("a", "1"), item("a", "2")])
        assert not full.value.is_connection
        with pytest.raises(Recoverable, match="memory"):
            await action.send([item("a", "1")])
        await database.config_set("maxmemory", 0)
        assert not await action.send([item("a", "1"), item("a", "2")])
    assert await stored(database, "a") == [b"1", b"2"]


async def test_what_is_wrong_is_said_in_words(server: Server) -> None:
    with pytest.raises(Unhealthy, match="username or password") as refused:
        await connector_of("redis", to(server, password="wr0ng")).start()
    assert "wr0ng" not in str(refused.value)
    with pytest.raises(Unhealthy, match=r"connect to 127.0.0.1:1 refused: see whether"):
        await connector_of("redis", to(server, server="127.0.0.1:1")).start()
    with pytest.raises(Unhealthy, match=r"no database of that number: check database"):
        await connector_of("redis", to(server, database=1000)).start()
    cluster = {"redis_type": "cluster", "servers": server.address, "password": PASSWORD}
    with pytest.raises(Unhealthy, match="Redis"):
        await connector_of("redis", {"parameters": cluster}).start()


async def test_a_stopped_connector_keeps_what_is_to_be_sent(server: Server) -> None:
    connector = connector_of("redis", to(server))
    action = action_of("redis", connector, PUSH)
    with pytest.raises(Recoverable, match="stopped"):
        await action.send([item("a", "1")])
    with pytest.raises(Unhealthy, match="stopped"):
        await connector.check()


async def test_a_server_that_was_away_is_used_again() -> None:
    with redis_server("--appendonly", "yes", "--appendfsync", "always") as own:
        settings = {"parameters": {"redis_type": "single", "server": own.address}}
        async with working("redis", settings, PUSH) as action:
            assert not await action.send([item("a", "1")])
            own.stop()
            for batch in ([item("a", "2")], [item("a", "2"), item("a", "3")]):
                with pytest.raises(Recoverable) as away:
                    await action.send(batch)
                assert away.value.is_connection
            own.start()
            assert not await action.send([item("a", "2"), item("a", "3")])
            client = redis.asyncio.Redis(host=own.host, port=own.port)
            assert await stored(client, "a") == [b"1", b"2", b"3"]
            await client.aclose()


async def test_a_cluster() -> None:
    with redis_cluster_of_one() as own:
        settings = {"parameters": {"redis_type": "cluster", "servers": own.address}}
        async with working("redis", settings, PUSH) as action:
            rows = [item(f"c{i % 3}", str(i)) for i in range(9)]
            assert not await action.send(rows)
            assert not await action.send([item("c0", "9")])
            client = redis.asyncio.RedisCluster(host=own.host, port=own.port)
            await client.set("taken", "no list")
            assert await stored(client, "c0") == [b"0", b"3", b"6", b"9"]
            refused = item("taken", "x")
            assert reasons(await action.send([refused, item("c1", "end")])).keys() == {
                refused.number
            }
            await client.aclose()
        two = {"command_template": ["MSET", "${a}", "1", "${b}", "2"]}
        async with working("redis", settings, two) as action:
            apart = item("a", "1", "b", "2")
            with pytest.raises(Unrecoverable, match="same key slot"):
                await action.send([apart])
            together = item("{t}a", "1", "{t}b", "2")
            assert reasons(await action.send([together, apart])).keys() == {apart.number}
            own.stop()
            with pytest.raises(Recoverable):
                await action.send([together])
    # When a cluster goes, its client lets go of nodes without closing them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def test_a_master_behind_sentinels() -> None:
    with redis_sentinel() as sentinel:
        settings = {
            "parameters": {
                "redis_type": "sentinel",
                "servers": sentinel.address,
                "sentinel": "mymaster",
                "database": 1,
            }
        }
        async with working("redis", settings, PUSH) as action:
            assert not await action.send([item("a", "1"), item("a", "2")])
        with pytest.raises(Unhealthy, match=r"no master of that name: check sentinel"):
            wrong = {"parameters": settings["parameters"] | {"sentinel": "other"}}
            await connector_of("redis", wrong).start()


async def test_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "CA")
    pair = authority.issue("redis")
    with secure_redis_server(pair.cert, pair.key) as own:
        single = {"redis_type": "single", "server": own.address}
        tls = {
            "enable": True,
            "cacertfile": str(authority.cert),
            "server_name_indication": "disable",
        }
        async with working("redis", {"parameters": single, "ssl": tls}, PUSH) as action:
            assert not await action.send([item("a", "1"), item("a", "2")])
        with pytest.raises(Unhealthy, match=r"is not trusted .*: name its authority"):
            await connector_of("redis", {"parameters": single, "ssl": {"enable": True}}).start()
