"""Users and rules in databases of the operator: a real PostgreSQL and a real Redis."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import bcrypt
import pytest
import redis.asyncio

from harness.authority import Authority
from harness.databases import (
    Server,
    postgresql_server,
    redis_cluster_of_one,
    redis_server,
    secure_redis_server,
)
from harness.health import until
from rookery.access.authn.postgresql import PostgresqlAuthnSettings, PostgresqlProvider
from rookery.access.authn.redis import RedisAuthnSettings, RedisProvider
from rookery.access.authz.postgresql import PostgresqlSource
from rookery.access.authz.redis import RedisSource
from rookery.access.authz.request import AuthzRequest
from rookery.access.databases.postgresql import PostgresqlSettings
from rookery.access.databases.redis import RedisSettings
from rookery.access.errors import SettingError
from rookery.access.passwords.algorithms import HashSettings
from rookery.access.passwords.pool import HashPool
from rookery.access.passwords.verifier import Verifier
from rookery.access.request import AuthRequest
from rookery.access.tls import ClientTls
from rookery.access.verdict import Admit, Ignore, Refuse
from rookery.clock import ManualClock, SystemClock
from rookery.native.config import TopicAction
from rookery.native.rows import AclSubject
from rookery.types import Secret

PASSWORD = "it's secret"
EVIL = "x' OR '1'='1' --"
SALTED = HashSettings(name="sha256", salt_position="suffix")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server]:
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="module")
def redis_() -> Iterator[Server]:
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def redis_cluster() -> Iterator[Server]:
    with redis_cluster_of_one() as server:
        yield server


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "CA")


@pytest.fixture(scope="module")
def secure_redis(ca: Authority) -> Iterator[Server]:
    pair = ca.issue("redis")
    with secure_redis_server(pair.cert, pair.key) as server:
        yield server


@pytest.fixture
def verifier() -> Iterator[Verifier]:
    made = Verifier(HashPool(threads=1))
    yield made
    made.close()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def client(username: str | None, password: str = "public", **more: Any) -> AuthRequest:
    return AuthRequest(client_id="c1", username=username, password=password.encode(), **more)


def asking(
    topic: str, action: TopicAction = "publish", username: str | None = "ann", qos: int = 0
) -> AuthzRequest:
    subject = AclSubject("c1", username, "10.0.0.9")
    return AuthzRequest(subject=subject, action=action, topic=topic, qos=qos)


# ---- PostgreSQL -------------------------------------------------------------------------


def to_postgresql(server: Server, query: str, **more: Any) -> PostgresqlSettings:
    return PostgresqlSettings(
        server=server.address,
        database="postgres",
        username="rookery",
        password=Secret(PASSWORD),
        query=query,
        **more,
    )


@pytest.fixture
async def tables(postgresql: Server) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        host=postgresql.host,
        port=postgresql.port,
        user="rookery",
        password=PASSWORD,
        database="postgres",
    )
    await connection.execute(
        "CREATE TABLE mqtt_user (username text PRIMARY KEY, password_hash text, salt text, "
        "is_superuser boolean);"
        "CREATE TABLE device (id integer PRIMARY KEY, password_hash text);"
        "CREATE TABLE mqtt_acl (id serial, username text, permission text, action text, topic text, "
        "qos integer, retain integer)"
    )
    quoted = PASSWORD.replace("'", "''")
    await connection.execute(f"CREATE ROLE guest LOGIN PASSWORD '{quoted}'")
    yield connection
    await connection.execute("DROP TABLE mqtt_user, device, mqtt_acl; DROP ROLE guest")
    await connection.close()


USERS = (
    "SELECT password_hash, salt, is_superuser FROM mqtt_user WHERE username = ${username} LIMIT 1;"
)


async def test_users_of_postgresql(
    postgresql: Server, tables: asyncpg.Connection, verifier: Verifier
) -> None:
    await tables.executemany(
        "INSERT INTO mqtt_user VALUES ($1, $2, $3, $4)",
        [
            ("ann", sha256("publicslat"), "slat", True),
            ("bob", sha256("public"), None, None),
            ("eve", None, None, False),
            ("bad", "no hash", None, False),
        ],
    )
    settings = PostgresqlAuthnSettings(
        postgresql=to_postgresql(postgresql, USERS), password_hash_algorithm=SALTED
    )
    provider = PostgresqlProvider(settings, verifier, SystemClock())
    await provider.start()

    assert await provider.authenticate(client("ann")) == Admit(
        is_superuser=True, reason="the password is right"
    )
    assert isinstance(await provider.authenticate(client("bob")), Admit)
    assert isinstance(await provider.authenticate(client("ann", "Public")), Refuse)
    assert isinstance(await provider.authenticate(client("eve")), Refuse)
    assert isinstance(await provider.authenticate(client("bad", "no hash")), Refuse)
    assert isinstance(await provider.authenticate(client("nobody")), Ignore)
    assert isinstance(await provider.authenticate(client(None)), Ignore)
    assert isinstance(await provider.authenticate(client(EVIL)), Ignore)
    await provider.stop()
    await provider.stop()
    assert isinstance(await provider.authenticate(client("ann")), Ignore)


async def test_a_query_that_wants_another_type_is_logged(
    postgresql: Server,
    tables: asyncpg.Connection,
    verifier: Verifier,
    caplog: pytest.LogCaptureFixture,
) -> None:
    query = "SELECT password_hash FROM device WHERE id = ${username}"
    provider = PostgresqlProvider(
        PostgresqlAuthnSettings(postgresql=to_postgresql(postgresql, query)),
        verifier,
        SystemClock(),
    )
    await provider.start()

    assert isinstance(await provider.authenticate(client("7")), Ignore)
    await provider.stop()

    assert "not the type that the query wants" in caplog.text


async def test_slow_hashes_of_postgresql_are_remembered(
    postgresql: Server, tables: asyncpg.Connection, verifier: Verifier
) -> None:
    stored = bcrypt.hashpw(b"public", bcrypt.gensalt(4)).decode()
    await tables.execute("INSERT INTO mqtt_user VALUES ('ann', $1)", stored)
    # As EMQX 4 wrote it: a parameter in quotes.
    query = "SELECT password_hash FROM mqtt_user WHERE username = '${username}'"
    settings = PostgresqlAuthnSettings(
        postgresql=to_postgresql(postgresql, query),
        password_hash_algorithm=HashSettings(name="bcrypt"),
    )
    provider = PostgresqlProvider(settings, verifier, SystemClock())
    await provider.start()

    for _ in range(2):
        assert isinstance(await provider.authenticate(client("ann")), Admit)
    await provider.stop()

    assert verifier.cache.hits == 1


async def test_what_a_client_sends_does_not_make_postgresql_count_as_failed(
    postgresql: Server, tables: asyncpg.Connection, verifier: Verifier
) -> None:
    await tables.execute("INSERT INTO device VALUES (7, $1)", sha256("public"))
    query = "SELECT password_hash FROM device WHERE id = CAST(${username} AS text)::integer"
    settings = PostgresqlAuthnSettings(postgresql=to_postgresql(postgresql, query, failures_max=1))
    provider = PostgresqlProvider(settings, verifier, SystemClock())
    await provider.start()

    for name in ("seven", "99999999999999999999", "7\x00"):
        assert isinstance(await provider.authenticate(client(name)), Ignore)
    assert not provider.service.guard.is_open
    assert isinstance(await provider.authenticate(client("7")), Admit)
    await provider.stop()


async def test_a_query_that_is_wrong_is_logged_without_values(
    postgresql: Server,
    tables: asyncpg.Connection,
    verifier: Verifier,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "rookery")
    query = "SELECT nothing FROM mqtt_user WHERE username = ${username} AND salt = ${password}"
    settings = PostgresqlAuthnSettings(postgresql=to_postgresql(postgresql, query))
    provider = PostgresqlProvider(settings, verifier, SystemClock())
    await provider.start()

    assert isinstance(await provider.authenticate(client("ann", "hunter2")), Ignore)
    await provider.stop()

    assert 'column "nothing" does not exist' in caplog.text
    assert "hunter2" not in caplog.text
    assert PASSWORD not in repr(settings)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({}, ""),
        ({"password": Secret("wrong")}, "refuses user rookery with this password"),
        ({"database": "nowhere"}, "there is no database nowhere"),
        ({"query": "SELECT password_hash FROM nobody"}, 'relation "nobody" does not exist'),
        ({"username": "guest"}, "user guest has no right to this in database postgres"),
        (
            {"query": "SELECT salt FROM mqtt_user"},
            "selects no column password_hash; it selects: salt",
        ),
        ({"ssl": ClientTls(enable=True)}, "does not speak TLS"),
    ],
)
async def test_what_is_wrong_with_postgresql_is_known_before_a_client_comes(
    postgresql: Server,
    tables: asyncpg.Connection,
    verifier: Verifier,
    other: dict[str, Any],
    says: str,
) -> None:
    settings = dataclasses.replace(to_postgresql(postgresql, USERS), **other)
    provider = PostgresqlProvider(
        PostgresqlAuthnSettings(postgresql=settings), verifier, SystemClock()
    )
    await provider.start()
    reason = await until(provider.health, "disconnected" if says else "connected")
    await provider.stop()

    assert says in reason
    assert "wrong" not in reason


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({}, ""),
        ({"password": Secret("mistaken")}, "refuses username or password"),
        ({"password": None}, "wants a password"),
        ({"database": 99}, "has no database of that number"),
        ({"ssl": ClientTls(enable=True), "request_timeout_s": 2.0}, "does not speak TLS"),
    ],
)
async def test_what_is_wrong_with_redis_is_known_before_a_client_comes(
    redis_: Server, verifier: Verifier, other: dict[str, Any], says: str
) -> None:
    settings = dataclasses.replace(to_redis(redis_, HMGET), **other)
    provider = RedisProvider(RedisAuthnSettings(redis=settings), verifier, SystemClock())
    await provider.start()
    reason = await until(provider.health, "disconnected" if says else "connected")
    await provider.stop()

    assert says in reason
    assert "mistaken" not in reason


async def test_a_postgresql_that_hangs_is_left_alone_and_tried_again(
    postgresql: Server, tables: asyncpg.Connection, verifier: Verifier
) -> None:
    await tables.execute("INSERT INTO mqtt_user VALUES ('ann', $1)", sha256("public"))
    clock = ManualClock()
    settings = PostgresqlAuthnSettings(
        postgresql=to_postgresql(postgresql, USERS, request_timeout_s=0.3, failures_max=1),
        on_error="deny",
    )
    provider = PostgresqlProvider(settings, verifier, clock)
    await provider.start()

    with postgresql.paused():
        assert isinstance(await provider.authenticate(client("ann")), Refuse)
        assert isinstance(await provider.authenticate(client("ann")), Refuse)
    counters = provider.service.guard.counters
    assert (counters.timed_out, counters.refused_open) == (1, 1)
    clock.advance(10)
    while not counters.answered:
        # A machine that is busy may need more than the deadline for the first connection.
        await provider.authenticate(client("ann"))
        clock.advance(10)

    await provider.stop()


async def test_rules_of_postgresql(postgresql: Server, tables: asyncpg.Connection) -> None:
    await tables.executemany(
        "INSERT INTO mqtt_acl (username, permission, action, topic, qos, retain) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        [
            ("ann", "deny", "publish", "a/secret", None, None),
            ("ann", "allow", "publish", "a/#", 0, None),
            ("ann", "allow", "all", "c/${clientid}", None, None),
            ("ann", "permit", "all", "#", None, None),
            ("bob", "deny", "fly", "x", None, None),
        ],
    )
    query = (
        "SELECT permission, action, topic, qos, retain FROM mqtt_acl "
        "WHERE username = ${username} ORDER BY id"
    )
    source = PostgresqlSource(to_postgresql(postgresql, query), SystemClock())
    await source.start()

    found = {
        request: (await source.find(request)).verdict
        for request in (
            asking("a/secret"),
            asking("a/b"),
            asking("a/b", qos=1),
            asking("c/c1", "subscribe"),
            asking("c/c2"),
            asking("x", username="nobody"),
            asking("y", username="bob"),
        )
    }
    await source.stop()

    assert list(found.values()) == ["deny", "allow", "none", "allow", "none", "none", "deny"]


@pytest.mark.parametrize(
    "more",
    [{"server": "host:port"}, {"server": ""}, {"query": "SELECT ${nothing}"}],
)
def test_settings_of_postgresql_that_make_no_sense(
    postgresql: Server, verifier: Verifier, more: dict[str, Any]
) -> None:
    settings = {"server": postgresql.address, "database": "x", "query": USERS, **more}
    with pytest.raises(SettingError):
        PostgresqlProvider(
            PostgresqlAuthnSettings(postgresql=PostgresqlSettings(**settings)),
            verifier,
            SystemClock(),
        )


# ---- Redis ------------------------------------------------------------------------------


def to_redis(server: Server, cmd: str, **more: Any) -> RedisSettings:
    return RedisSettings(server=server.address, password=Secret(PASSWORD), cmd=cmd, **more)


@pytest.fixture
async def keys(redis_: Server) -> AsyncIterator[redis.asyncio.Redis]:
    connection = redis.asyncio.Redis(host=redis_.host, port=redis_.port, password=PASSWORD)
    yield connection
    await connection.flushall()
    await connection.aclose()


HMGET = "HMGET mqtt_user:${username} password_hash salt is_superuser"


async def test_users_of_redis(
    redis_: Server, keys: redis.asyncio.Redis, verifier: Verifier
) -> None:
    await keys.hset(
        "mqtt_user:ann",
        mapping={"password_hash": sha256("publicslat"), "salt": "slat", "is_superuser": "1"},
    )
    await keys.hset("mqtt_user:a b", mapping={"password_hash": sha256("public")})
    await keys.hset("mqtt_user:", mapping={"password_hash": sha256("public")})
    for cmd in (HMGET, "hgetall mqtt_user:${username}"):
        settings = RedisAuthnSettings(redis=to_redis(redis_, cmd), password_hash_algorithm=SALTED)
        provider = RedisProvider(settings, verifier, SystemClock())
        await provider.start()

        assert await provider.authenticate(client("ann")) == Admit(
            is_superuser=True, reason="the password is right"
        )
        assert isinstance(await provider.authenticate(client("a b")), Admit)
        assert isinstance(await provider.authenticate(client("ann", "x")), Refuse)
        assert isinstance(await provider.authenticate(client("nobody")), Ignore)
        assert isinstance(await provider.authenticate(client("ann password_hash")), Ignore)
        # Without a name the key would be another one.
        assert isinstance(await provider.authenticate(client(None)), Ignore)
        await provider.stop()
        await provider.stop()


async def test_a_redis_that_hangs_is_left_alone(
    redis_: Server, keys: redis.asyncio.Redis, verifier: Verifier
) -> None:
    settings = RedisAuthnSettings(
        redis=to_redis(redis_, HMGET, request_timeout_s=0.3, failures_max=1)
    )
    clock = ManualClock()
    provider = RedisProvider(settings, verifier, clock)
    await provider.start()

    with redis_.paused():
        assert isinstance(await provider.authenticate(client("ann")), Ignore)
    counters = provider.service.guard.counters
    assert counters.opened == 1
    clock.advance(10)
    while not counters.answered:
        await provider.authenticate(client("ann"))
        clock.advance(10)

    await provider.stop()


async def test_a_wrong_password_for_redis_is_not_told(
    redis_: Server, verifier: Verifier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    redis_settings = RedisSettings(server=redis_.address, password=Secret("hunter2"), cmd=HMGET)
    provider = RedisProvider(RedisAuthnSettings(redis=redis_settings), verifier, SystemClock())
    await provider.start()

    assert isinstance(await provider.authenticate(client("ann")), Ignore)
    await provider.stop()

    assert "hunter2" not in caplog.text + repr(redis_settings)


async def test_rules_of_redis(redis_: Server, keys: redis.asyncio.Redis) -> None:
    await keys.hset(
        "mqtt_acl:ann",
        mapping={
            "a/#": "publish",
            "a/b": '{"permission": "deny", "action": "publish", "qos": [1, 2]}',
            "c/+": '{"action": "all", "qos": 0}',
            "d": "fly",
            "e": "{no json",
        },
    )
    source = RedisSource(to_redis(redis_, "HGETALL mqtt_acl:${username}"), SystemClock())
    await source.start()

    verdicts = [
        (await source.find(request)).verdict
        for request in (
            asking("a/b"),
            asking("a/b", qos=1),
            asking("a/b", "subscribe"),
            asking("c/x", "subscribe"),
            asking("c/x", "subscribe", qos=1),
            asking("d"),
            asking("a/b", username=None),
        )
    ]
    await source.stop()

    assert verdicts == ["allow", "deny", "none", "allow", "none", "none", "none"]


@pytest.mark.parametrize(
    "more",
    [
        {"cmd": ""},
        {"cmd": "DEL mqtt_user:${username} x"},
        {"cmd": "HMGET key"},
        {"cmd": "HMGET 'key x"},
        {"cmd": "HMGET key salt"},
        {"cmd": "HMGET key:${nothing} password_hash"},
        {"server": None},
        {"redis_type": "sentinel", "servers": ("a:1",)},
        {"redis_type": "cluster"},
    ],
)
def test_settings_of_redis_that_make_no_sense(verifier: Verifier, more: dict[str, Any]) -> None:
    settings = {"server": "host", "cmd": HMGET, **more}
    with pytest.raises(SettingError):
        RedisProvider(RedisAuthnSettings(redis=RedisSettings(**settings)), verifier, SystemClock())


async def test_a_key_that_is_no_hash_does_not_make_redis_count_as_failed(
    redis_: Server, keys: redis.asyncio.Redis, verifier: Verifier
) -> None:
    await keys.set("mqtt_user:count", "7")
    await keys.hset("mqtt_user:ann", mapping={"password_hash": sha256("public")})
    settings = RedisAuthnSettings(redis=to_redis(redis_, HMGET, failures_max=1))
    provider = RedisProvider(settings, verifier, SystemClock())
    await provider.start()

    assert isinstance(await provider.authenticate(client("count")), Ignore)
    assert isinstance(await provider.authenticate(client("ann")), Admit)
    await provider.stop()


async def test_many_questions_wait_for_a_connection_of_a_cluster(
    redis_cluster: Server, verifier: Verifier
) -> None:
    settings = RedisAuthnSettings(
        redis=RedisSettings(
            redis_type="cluster",
            servers=(redis_cluster.address,),
            cmd="HMGET mqtt_user:${username} password_hash",
            pool_size=2,
        )
    )
    provider = RedisProvider(settings, verifier, SystemClock())
    await provider.start()

    opinions = await asyncio.gather(*(provider.authenticate(client(f"u{n}")) for n in range(50)))
    await provider.stop()

    assert {opinion.reason for opinion in opinions if isinstance(opinion, Ignore)} == {
        "there is no such key"
    }
    assert provider.service.guard.counters.failed == 0


# ---- TLS --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tls", "is_admitted"),
    [
        ({}, True),
        ({"server_name_indication": "localhost"}, True),
        ({"server_name_indication": "elsewhere"}, False),
        ({"server_name_indication": "disable"}, True),
        ({"server_name_indication": "elsewhere", "verify": "verify_none"}, True),
    ],
)
async def test_the_name_that_a_redis_must_prove(
    secure_redis: Server, ca: Authority, verifier: Verifier, tls: dict[str, Any], is_admitted: bool
) -> None:
    connection = redis.asyncio.Redis(
        host=secure_redis.host, port=secure_redis.port, ssl=True, ssl_cert_reqs="none"
    )
    await connection.hset("mqtt_user:ann", mapping={"password_hash": sha256("public")})
    await connection.aclose()
    ssl_ = ClientTls(enable=True, cacertfile=ca.cert, **tls)
    settings = RedisAuthnSettings(
        redis=RedisSettings(server=secure_redis.address, cmd=HMGET, ssl=ssl_)
    )
    provider = RedisProvider(settings, verifier, SystemClock())
    await provider.start()

    opinion = await provider.authenticate(client("ann"))
    await provider.stop()

    assert isinstance(opinion, Admit) is is_admitted
