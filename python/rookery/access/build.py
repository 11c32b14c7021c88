"""From the configuration, by EMQX's names, to providers and sources.

What comes in has been checked by the schema: durations are milliseconds, secrets are
:class:`~rookery.types.Secret`, files are absolute paths, what has a default has a value. What only
the parts themselves can judge (templates, keys, expressions) is judged here, and an error says which
entry it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from rookery.access.authn.built_in import BuiltInProvider, BuiltInSettings
from rookery.access.authn.cinfo import Check, ClientInfoProvider
from rookery.access.authn.http import HttpAuthnSettings, HttpProvider
from rookery.access.authn.jwt import JwtProvider, JwtSettings
from rookery.access.authn.postgresql import PostgresqlAuthnSettings, PostgresqlProvider
from rookery.access.authn.redis import RedisAuthnSettings, RedisProvider
from rookery.access.authn.scram import ScramProvider, ScramSettings
from rookery.access.authn.x509 import CertificateProvider
from rookery.access.authz.http import HttpSource
from rookery.access.authz.postgresql import PostgresqlSource
from rookery.access.authz.redis import RedisSource
from rookery.access.authz.source import Source
from rookery.access.chain import AuthenticationChain, Provider
from rookery.access.databases.postgresql import PostgresqlSettings
from rookery.access.databases.redis import RedisSettings
from rookery.access.errors import EntryError, SettingError, Words
from rookery.access.http_service import HttpSettings
from rookery.access.passwords.algorithms import (
    ARGON2_LANES,
    ARGON2_MEMORY_KIB,
    ARGON2_PASSES,
    DEFAULT_COST,
    Argon2Cost,
    HashSettings,
)
from rookery.access.stores import Stores
from rookery.access.tls import ClientTls
from rookery.clock import Clock

Entry: TypeAlias = Mapping[str, Any]

# A question has to be answered before the core stops waiting, and the chain before that.
CHAIN_SHARE = 0.9
QUESTION_SHARE = 0.8

_TWICE = Words(
    "{where}: {id} is there twice; every kind can be there once",
    "{where}：{id} 重复，每种只能配置一次",
)
_UNKNOWN = Words("{where}: {id} is not known", "{where}：未知的类型 {id}")
ASKED = frozenset({"http", "postgresql", "redis"})
"""Types of authorization sources that the core cannot decide by itself."""


def chain(
    entries: Sequence[Entry], stores: Stores, clock: Clock, *, answer_timeout_s: float = 5.0
) -> AuthenticationChain:
    """The chain of ``authentication``, not started. Entries that are switched off are left out.

    Args:
        entries: ``authentication``, as checked.
        stores: Where built-in users are, and what verifies passwords.
        clock: What the time is.
        answer_timeout_s: How long the core waits for an answer, seconds.

    Raises:
        SettingError: an entry cannot be used; says which and why in both languages.
    """
    longest_s = answer_timeout_s * QUESTION_SHARE
    stores.users.cost = argon2_cost(entries)
    providers: list[Provider] = []
    for number, entry in enumerate(entries, start=1):
        if not entry.get("enable", True):
            continue
        with _At("authentication", number, _id_of(entry)):
            provider = _provider(entry, stores, clock, longest_s)
            if any(_is_same(provider, other) for other in providers):
                raise SettingError(_TWICE.format(where=entry["mechanism"], id=provider.id))
        providers.append(provider)
    return AuthenticationChain(providers, clock, deadline_s=answer_timeout_s * CHAIN_SHARE)


def argon2_cost(entries: Sequence[Entry]) -> Argon2Cost:
    """What hashes of new passwords cost, by the entry of the built-in users."""
    for entry in entries:
        said = entry.get("password_hash_algorithm") or {}
        if entry.get("backend") == "built_in_database" and said.get("name") == "argon2id":
            return Argon2Cost(
                memory_kib=said.get("memory", ARGON2_MEMORY_KIB),
                passes=said.get("iterations", ARGON2_PASSES),
                lanes=said.get("parallelism", ARGON2_LANES),
            )
    return DEFAULT_COST


def sources(
    entries: Sequence[Entry], clock: Clock, *, answer_timeout_s: float = 5.0
) -> dict[str, Source]:
    """The sources of ``authorization.sources`` that are asked, not started, by name.

    Their names are their types; files and the built-in database are rules and none of these.

    Raises:
        SettingError: an entry cannot be used; says which and why in both languages.
    """
    longest_s = answer_timeout_s * QUESTION_SHARE
    made: dict[str, Source] = {}
    for number, entry in enumerate(entries, start=1):
        if not entry.get("enable", True) or entry["type"] not in ASKED:
            continue
        with _At("authorization.sources", number, f"{entry['type']} source"):
            source = _source(entry, clock, longest_s)
            if source.name in made:
                raise SettingError(_TWICE.format(where="type", id=source.name))
        made[source.name] = source
    return made


class _At:
    """Says which entry an error is about, and leaves out of it what the entry calls itself."""

    def __init__(self, where: str, number: int, *own: str) -> None:
        self._place = f"{where}.{number}"
        self._own = own

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, SettingError):
            raise EntryError(self._place, self._within(error.words)) from error

    def _within(self, words: Words) -> Words:
        en, zh = words
        for own in self._own:
            for mark in (".", ": ", "："):
                en, zh = en.removeprefix(own + mark), zh.removeprefix(own + mark)
        return Words(en, zh)


def _is_same(one: Provider, other: Provider) -> bool:
    return one.id == other.id and set(one.methods) == set(other.methods)


# ---- providers --------------------------------------------------------------------------


def _id_of(entry: Entry) -> str:
    backend = entry.get("backend")
    return f"{entry['mechanism']}:{backend}" if backend else str(entry["mechanism"])


def _provider(entry: Entry, stores: Stores, clock: Clock, longest_s: float) -> Provider:
    id_ = _id_of(entry)
    make = _PROVIDERS.get(id_)
    if make is None:
        raise SettingError(_UNKNOWN.format(where="mechanism", id=id_))
    return make(entry, stores, clock, longest_s)


def _built_in(entry: Entry, stores: Stores, clock: Clock, _longest_s: float) -> Provider:
    file = entry.get("bootstrap_file")
    settings = BuiltInSettings(
        user_id_type=entry.get("user_id_type", "username"),
        password_hash_algorithm=_hashing(entry.get("password_hash_algorithm")),
        bootstrap_file=Path(file) if file else None,
        bootstrap_type=entry.get("bootstrap_type", "plain"),
    )
    return BuiltInProvider(settings, stores.user_store, stores.users, stores.verifier, clock)


def _http(entry: Entry, _stores: Stores, clock: Clock, longest_s: float) -> Provider:
    settings = HttpAuthnSettings(
        http=_http_settings(entry, longest_s), on_error=entry.get("on_error", "ignore")
    )
    return HttpProvider(settings, clock)


def _postgresql(entry: Entry, stores: Stores, clock: Clock, longest_s: float) -> Provider:
    settings = PostgresqlAuthnSettings(
        postgresql=_postgresql_settings(entry, longest_s),
        password_hash_algorithm=_hashing(entry.get("password_hash_algorithm")),
        on_error=entry.get("on_error", "ignore"),
    )
    return PostgresqlProvider(settings, stores.verifier, clock)


def _redis(entry: Entry, stores: Stores, clock: Clock, longest_s: float) -> Provider:
    settings = RedisAuthnSettings(
        redis=_redis_settings(entry, longest_s),
        password_hash_algorithm=_hashing(entry.get("password_hash_algorithm")),
        on_error=entry.get("on_error", "ignore"),
    )
    return RedisProvider(settings, stores.verifier, clock)


def _jwt(entry: Entry, _stores: Stores, clock: Clock, longest_s: float) -> Provider:
    endpoint = None
    if entry.get("use_jwks"):
        endpoint = HttpSettings(
            method="get",
            url=entry.get("endpoint") or "",
            url_key="endpoint",
            headers=entry.get("headers") or {},
            request_timeout_s=longest_s,
            ssl=_tls(entry.get("ssl")),
        )
    is_public = entry.get("algorithm") == "public-key"
    settings = JwtSettings(
        from_=entry.get("from", "password"),
        secret=None if is_public else entry.get("secret"),
        secret_base64_encoded=entry.get("secret_base64_encoded", False),
        public_key=entry.get("public_key") if is_public else None,
        endpoint=endpoint,
        refresh_interval_s=entry.get("refresh_interval", 300_000) / 1000,
        verify_claims=entry.get("verify_claims") or {},
        acl_claim_name=entry.get("acl_claim_name", "acl"),
        disconnect_after_expire=entry.get("disconnect_after_expire", True),
    )
    return JwtProvider(settings, clock)


def _cinfo(entry: Entry, _stores: Stores, _clock: Clock, _longest_s: float) -> Provider:
    return ClientInfoProvider(
        [
            Check(is_match=tuple(check["is_match"]), result=check["result"])
            for check in entry["checks"]
        ]
    )


def _scram(entry: Entry, stores: Stores, clock: Clock, _longest_s: float) -> Provider:
    settings = ScramSettings(
        algorithm=entry.get("algorithm", "sha256"),
        iteration_count=entry.get("iteration_count", 4096),
    )
    return ScramProvider(settings, stores.user_store, clock)


def _x509(entry: Entry, _stores: Stores, _clock: Clock, _longest_s: float) -> Provider:
    return CertificateProvider(entry.get("require", "any"))


_PROVIDERS: dict[str, Callable[[Entry, Stores, Clock, float], Provider]] = {
    "password_based:built_in_database": _built_in,
    "password_based:http": _http,
    "password_based:postgresql": _postgresql,
    "password_based:redis": _redis,
    "jwt": _jwt,
    "cinfo": _cinfo,
    "scram:built_in_database": _scram,
    "x509": _x509,
}


# ---- sources ----------------------------------------------------------------------------


def _source(entry: Entry, clock: Clock, longest_s: float) -> Source:
    on_error = entry.get("on_error", "ignore")
    match entry["type"]:
        case "http":
            return HttpSource(_http_settings(entry, longest_s), clock, on_error=on_error)
        case "postgresql":
            settings = _postgresql_settings(entry, longest_s)
            return PostgresqlSource(settings, clock, on_error=on_error)
    return RedisSource(_redis_settings(entry, longest_s), clock, on_error=on_error)


# ---- settings ---------------------------------------------------------------------------


def _seconds(entry: Entry, name: str, default_s: float, longest_s: float) -> float:
    """A duration, cut to what is left of the core's patience."""
    value = entry.get(name)
    return min(longest_s, default_s if value is None else value / 1000)


def _bounds(entry: Entry, longest_s: float) -> dict[str, Any]:
    breaker = entry.get("breaker") or {}
    return {
        "connect_timeout_s": _seconds(entry, "connect_timeout", 2.0, longest_s),
        "request_timeout_s": _seconds(entry, "request_timeout", 5.0, longest_s),
        "max_inflight": entry.get("max_inflight", 1024),
        "failures_max": breaker.get("failures", 5),
        "reset_s": breaker.get("reset_timeout", 10_000) / 1000,
        "ssl": _tls(entry.get("ssl")),
    }


def _http_settings(entry: Entry, longest_s: float) -> HttpSettings:
    return HttpSettings(
        method=entry["method"],
        url=entry["url"],
        headers=entry.get("headers") or {},
        body=entry.get("body") or {},
        **_bounds(entry, longest_s),
    )


def _postgresql_settings(entry: Entry, longest_s: float) -> PostgresqlSettings:
    return PostgresqlSettings(
        server=entry["server"],
        database=entry["database"],
        query=entry["query"],
        username=entry.get("username"),
        password=entry.get("password"),
        pool_size=entry.get("pool_size", 8),
        **_bounds(entry, longest_s),
    )


def _redis_settings(entry: Entry, longest_s: float) -> RedisSettings:
    return RedisSettings(
        redis_type=entry.get("redis_type", "single"),
        server=entry.get("server"),
        servers=tuple(entry.get("servers") or ()),
        sentinel=entry.get("sentinel"),
        database=entry.get("database", 0),
        cmd=entry["cmd"],
        username=entry.get("username"),
        password=entry.get("password"),
        pool_size=entry.get("pool_size", 8),
        **_bounds(entry, longest_s),
    )


def _hashing(entry: Entry | None) -> HashSettings:
    said = entry or {"name": "argon2id"}
    name = said["name"]
    if name == "pbkdf2":
        return HashSettings(
            name=name,
            mac_fun=said["mac_fun"],
            iterations=said["iterations"],
            dk_length=said.get("dk_length") or 0,
        )
    return HashSettings(name=name, salt_position=said.get("salt_position", "prefix"))


def _tls(entry: Entry | None) -> ClientTls:
    said = entry or {}

    def file(name: str) -> Path | None:
        return Path(said[name]) if said.get(name) else None

    return ClientTls(
        enable=said.get("enable", False),
        verify=said.get("verify", "verify_peer"),
        cacertfile=file("cacertfile"),
        certfile=file("certfile"),
        keyfile=file("keyfile"),
        password=said.get("password"),
        server_name_indication=said.get("server_name_indication"),
    )
