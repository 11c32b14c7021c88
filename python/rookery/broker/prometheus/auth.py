"""Authentication, authorization and bans, one provider and source at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rookery.broker.access import AccessService
from rookery.config import Config
from rookery.observability.exposition import Family, Labels, Number

Row = tuple[str, dict[str, Any]]


async def auth_families(access: AccessService, config: Config) -> list[Family]:
    """What ``/prometheus/auth`` shows. Providers and sources that are switched off are shown too."""
    providers = [(_provider_id(item), item) for item in config["authentication"]]
    sources = [(item["type"], item) for item in config["authorization.sources"]]
    return [
        *_providers(access, providers),
        *await _users(access, providers),
        *_sources(access, sources),
        *await _bans(access),
    ]


def _providers(access: AccessService, rows: Sequence[Row]) -> list[Family]:
    said: dict[str, Any] = {id_: access.provider_status(id_) for id_, _ in rows}
    return [
        _gauge("authn", "enable", "Whether a provider is switched on", rows, _is_enabled),
        _answers("authn", "Whether a provider answers", said),
        _counter("authn", "total", "Logins a provider was asked about", said),
        _counter("authn", "success", "Logins a provider admitted", said),
        _counter("authn", "failed", "Logins a provider refused", said),
        _counter("authn", "nomatch", "Logins a provider knew nothing about", said),
    ]


async def _users(access: AccessService, rows: Sequence[Row]) -> list[Family]:
    values: list[tuple[Labels, Number]] = []
    for id_, item in rows:
        if id_ == "password_based:built_in_database":
            count = await access.access.stores.user_store.count(item["user_id_type"])
            values.append((_labels(id_), count))
    text = "Users of the built-in database"
    return [Family("emqx_authn_users_count", "gauge", text, "emqx_authn", tuple(values))]


def _sources(access: AccessService, rows: Sequence[Row]) -> list[Family]:
    said: dict[str, Any] = {name: access.source_status(name) for name, _ in rows}
    return [
        _gauge("authz", "enable", "Whether a source is switched on", rows, _is_enabled),
        _answers("authz", "Whether a source answers", said),
        _counter("authz", "total", "Actions a source was asked about", said),
        _counter("authz", "allow", "Actions a source allowed", said),
        _counter("authz", "deny", "Actions a source denied", said),
        _counter("authz", "nomatch", "Actions a source knew nothing about", said),
    ]


async def _bans(access: AccessService) -> list[Family]:
    count = len(await access.access.stores.bans.all()) if access.access.has_stores else 0
    text = "Bans that hold"
    return [Family.single("emqx_banned_count", "gauge", text, "emqx_banned", count)]


def _gauge(part: str, name: str, help_: str, rows: Sequence[Row], read: Any) -> Family:
    values = tuple((_labels(id_), int(bool(read(id_, item)))) for id_, item in rows)
    return Family(f"emqx_{part}_{name}", "gauge", help_, f"emqx_{part}", values)


def _answers(part: str, help_: str, said: dict[str, Any]) -> Family:
    values = tuple((_labels(id_), int(row["status"] == "connected")) for id_, row in said.items())
    return Family(f"emqx_{part}_status", "gauge", help_, f"emqx_{part}", values)


def _counter(part: str, name: str, help_: str, said: dict[str, Any]) -> Family:
    """Rules that the core decides by are not counted one source at a time: they are left out."""
    values = tuple(
        (_labels(id_), row["metrics"][name]) for id_, row in said.items() if "metrics" in row
    )
    return Family(f"emqx_{part}_{name}", "counter", help_, f"emqx_{part}", values)


def _is_enabled(_id: str, item: dict[str, Any]) -> bool:
    return bool(item["enable"])


def _provider_id(item: dict[str, Any]) -> str:
    backend = item.get("backend")
    return f"{item['mechanism']}:{backend}" if backend else str(item["mechanism"])


def _labels(id_: str) -> Labels:
    return {"id": id_}
