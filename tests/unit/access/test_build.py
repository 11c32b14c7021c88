"""From EMQX's names to providers and sources."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rookery.access import build
from rookery.access.authn.built_in import BuiltInProvider
from rookery.access.errors import EntryError, SettingError
from rookery.access.passwords.algorithms import Argon2Cost, HashSettings
from rookery.access.request import AuthRequest
from rookery.access.stores import Stores
from rookery.access.verdict import Admit, Continue
from rookery.clock import ManualClock
from rookery.types import Secret


@pytest.fixture
def stores(tmp_path: Path, clock: ManualClock) -> Iterator[Stores]:
    opened = Stores(tmp_path, clock)
    yield opened
    opened.close()
    opened.close()


CLOCK = ManualClock()
BUILT_IN: dict[str, Any] = {
    "mechanism": "password_based",
    "backend": "built_in_database",
    "enable": True,
}
HTTP: dict[str, Any] = {
    "mechanism": "password_based",
    "backend": "http",
    "enable": True,
    "method": "post",
    "url": "http://127.0.0.1:1/",
    "request_timeout": 30_000,
    "max_inflight": 7,
    "breaker": {"failures": 3, "reset_timeout": 2000},
    "on_error": "deny",
}
POSTGRESQL: dict[str, Any] = {
    "mechanism": "password_based",
    "backend": "postgresql",
    "server": "db:5432",
    "database": "mqtt",
    "query": "SELECT password_hash FROM u WHERE n = ${username}",
    "password_hash_algorithm": {
        "name": "pbkdf2", "mac_fun": "sha512", "iterations": 9, "dk_length": None,
    },
}  # fmt: skip
REDIS: dict[str, Any] = {
    "mechanism": "password_based",
    "backend": "redis",
    "server": "redis:6379",
    "cmd": "HMGET u:${username} password_hash",
}
JWT: dict[str, Any] = {
    "mechanism": "jwt",
    "algorithm": "hmac-based",
    "use_jwks": False,
    "secret": Secret("x" * 40),
    "refresh_interval": 300_000,
}
CINFO: dict[str, Any] = {
    "mechanism": "cinfo",
    "checks": [{"is_match": ("is_empty(username)",), "result": "deny"}],
}
SCRAM: dict[str, Any] = {
    "mechanism": "scram",
    "backend": "built_in_database",
    "algorithm": "sha256",
}
X509: dict[str, Any] = {"mechanism": "x509", "require": "cn"}


async def test_every_kind_of_provider(stores: Stores) -> None:
    entries: list[dict[str, Any]] = [CINFO, BUILT_IN, HTTP, POSTGRESQL, REDIS, JWT, SCRAM, X509]

    chain = build.chain(entries, stores, CLOCK)

    assert [provider.id for provider in chain.providers] == [
        "cinfo",
        "password_based:built_in_database",
        "password_based:http",
        "password_based:postgresql",
        "password_based:redis",
        "jwt",
        "scram:built_in_database",
        "x509",
    ]
    assert chain.methods == ("SCRAM-SHA-256",)
    await chain.start()
    await chain.stop()


async def test_a_chain_works(stores: Stores) -> None:
    users = stores.users
    await users.create("username", "ann", Secret("public"))
    await users.create_scram("sha256", "ann", Secret("public"))
    chain = build.chain([BUILT_IN, SCRAM], stores, CLOCK)
    await chain.start()

    plain = AuthRequest(client_id="c1", username="ann", password=b"public")
    scram = AuthRequest(client_id="c1", method="SCRAM-SHA-256", data=b"n,,n=ann,r=abc")

    assert isinstance(await chain.authenticate(plain), Admit)
    assert isinstance(await chain.authenticate(scram), Continue)
    await chain.stop()


def test_nothing_configured_is_no_chain(stores: Stores) -> None:
    assert not build.chain([], stores, CLOCK)
    assert not build.chain([{**HTTP, "enable": False}], stores, CLOCK)


def test_questions_end_before_the_core_gives_up(stores: Stores) -> None:
    chain = build.chain([HTTP], stores, CLOCK, answer_timeout_s=2.0)

    (provider,) = chain.providers
    guard = provider.service.guard.settings  # type: ignore[attr-defined]
    assert guard.deadline_s < 2.0
    assert (guard.concurrency_max, guard.failures_max, guard.open_s) == (7, 3, 2.0)


def test_two_methods_of_scram_are_two_providers(stores: Stores) -> None:
    chain = build.chain([SCRAM, {**SCRAM, "algorithm": "sha512"}], stores, CLOCK)

    assert chain.methods == ("SCRAM-SHA-256", "SCRAM-SHA-512")


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([HTTP, HTTP], r"authentication\.2: .*twice"),
        ([BUILT_IN, {**HTTP, "url": "http://${clientid}/"}], r"authentication\.2: url"),
        ([{"mechanism": "magic"}], r"authentication\.1: .*magic"),
        ([{**JWT, "secret": None}], r"authentication\.1: one of secret"),
        (
            [{**CINFO, "checks": [{"is_match": ("(",), "result": "deny"}]}],
            r"authentication\.1: checks\.1",
        ),
    ],
)
def test_errors_name_the_entry(stores: Stores, entries: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(SettingError, match=problem) as caught:
        build.chain(entries, stores, CLOCK)

    assert caught.value.text("zh").startswith("authentication.")


async def test_sources_that_are_asked(clock: ManualClock) -> None:
    entries: list[dict[str, Any]] = [
        {"type": "file", "path": "/etc/acl.conf"},
        {**HTTP, "type": "http"},
        {"type": "built_in_database"},
        {**POSTGRESQL, "type": "postgresql"},
        {**REDIS, "type": "redis", "cmd": "HGETALL acl:${username}"},
        {**REDIS, "type": "redis", "enable": False},
    ]

    made = build.sources(entries, clock)

    assert list(made) == ["http", "postgresql", "redis"]
    for source in made.values():
        await source.start()
        await source.stop()


def test_errors_name_the_source(clock: ManualClock) -> None:
    entry = {**REDIS, "type": "redis", "cmd": "DEL ${username}"}

    with pytest.raises(SettingError, match=r"authorization\.sources\.1: cmd"):
        build.sources([entry], clock)


async def test_without_a_data_directory_nothing_is_kept(clock: ManualClock) -> None:
    stores = Stores(None, clock)
    await stores.users.create("username", "ann")
    folder = stores.database.path.parent
    stores.close()

    assert not folder.exists()


def test_how_passwords_are_hashed(stores: Stores) -> None:
    entry = {
        **BUILT_IN,
        "password_hash_algorithm": {
            "name": "argon2id", "memory": 8192, "iterations": 3, "parallelism": 2,
        },
        "bootstrap_file": "/etc/users.csv",
    }  # fmt: skip

    (provider,) = build.chain([entry], stores, CLOCK).providers

    assert isinstance(provider, BuiltInProvider)
    assert provider.settings.bootstrap_file == Path("/etc/users.csv")
    assert provider.settings.password_hash_algorithm == HashSettings(name="argon2id")
    assert build.argon2_cost([entry]) == Argon2Cost(memory_kib=8192, passes=3, lanes=2)
    assert build.argon2_cost([HTTP]) == Argon2Cost()


@pytest.mark.parametrize(
    ("entry", "package", "extra"),
    [(POSTGRESQL, "asyncpg", "postgres"), (REDIS, "redis", "redis")],
)
def test_an_extra_that_is_missing_is_named(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any], package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(SettingError, match=rf"rookery\[{extra}\]") as caught:
        build.chain([entry], stores, CLOCK)

    assert f"rookery[{extra}]" in caught.value.text("zh")


def test_what_nobody_configured_is_not_loaded() -> None:
    """A node without services and tokens does not pay for their libraries."""
    program = (
        "import sys; import rookery.access.build; "
        "print([m for m in ('aiohttp', 'jwt', 'cryptography', 'argon2', 'bcrypt', 'asyncpg', "
        "'redis') if m in sys.modules])"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "[]"


def test_an_entry_that_cannot_be_used_is_named_by_its_place_or_by_its_keys(stores: Stores) -> None:
    url = {**HTTP, "url": "ftp://ann:hunter2@auth.example/"}
    with pytest.raises(EntryError) as caught:
        build.chain([BUILT_IN, url], stores, CLOCK)
    assert caught.value.text().startswith("authentication.2: url: ftp://******@auth.example/")
    seen = caught.value.seen_from(("authentication", "2"))
    assert seen.text().startswith("url: ")
    assert seen.text("zh").startswith("url：")

    server = {**POSTGRESQL, "server": "ann:hunter2@db:1"}
    with pytest.raises(EntryError) as caught:
        build.chain([server], stores, CLOCK)
    assert caught.value.text() == "authentication.1: server: ******@db:1 is not host:port"
