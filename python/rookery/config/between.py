"""Rules of a configuration that need more than one key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rookery.config.build import listeners_of
from rookery.config.check import Checked
from rookery.config.problems import Problem
from rookery.config.tree import join_path
from rookery.config.values import Address, UnixAddress

Path = tuple[str, ...]

JWT_KEYS = {"hmac-based": "secret", "public-key": "public_key"}


def between_keys(checked: Checked) -> Iterator[Problem]:
    """What is wrong between values that are right by themselves."""
    values = checked.values
    yield from _listeners(checked)
    zones = {"": values["mqtt"], **{name: zone["mqtt"] for name, zone in values["zones"].items()}}
    for name, mqtt in zones.items():
        if mqtt.get("client_attrs_init") and not values["authentication"]:
            path = ("zones", name, "mqtt") if name else ("mqtt",)
            yield _needs(checked, (*path, "client_attrs_init"), "authentication")
    for index, provider in enumerate(values["authentication"], 1):
        yield from _provider(checked, ("authentication", str(index)), provider)
    for index, source in enumerate(values["authorization"]["sources"], 1):
        yield from _source(checked, ("authorization", "sources", str(index)), source)
    yield from _rewrite(checked)
    yield from _watermarks(checked)
    yield from _integration(checked)
    yield from _cluster(checked)
    kinds = ("mechanism", "backend")
    yield from _doubled(checked, ("authentication",), values["authentication"], kinds)
    sources = values["authorization"]["sources"]
    yield from _doubled(checked, ("authorization", "sources"), sources, ("type",))


def _listeners(checked: Checked) -> Iterator[Problem]:
    values = checked.values
    zones = {"default", *values["zones"]}
    taken: dict[Address | UnixAddress, str] = {}
    for kind, name, item in listeners_of(values):
        path = ("listeners", kind, name)
        if item["zone"] not in zones:
            yield Problem(
                "zone",
                join_path((*path, "zone")),
                checked.origins.get((*path, "zone")),
                value=item["zone"],
                allowed=", ".join(sorted(zones)),
            )
        if item["enable"]:
            yield from _same_bind(checked, (*path, "bind"), item["bind"], taken)
            if "ssl_options" in item:
                yield from _tls(checked, (*path, "ssl_options"), item["ssl_options"])
    v3 = values["management"]["listener"]["http"]
    if v3["enable"]:
        bind = ("management", "listener", "http", "bind")
        yield from _same_bind(checked, bind, v3["bind"], taken)
    for kind, item in values["dashboard"]["listeners"].items():
        path = ("dashboard", "listeners", kind)
        if item["bind"] is not None:
            yield from _same_bind(checked, (*path, "bind"), item["bind"], taken)
            if "ssl_options" in item:
                yield from _tls(checked, (*path, "ssl_options"), item["ssl_options"])


def _rewrite(checked: Checked) -> Iterator[Problem]:
    for index, rule in enumerate(checked.values["rewrite"], 1):
        dest = rule["dest_topic"]
        if rule["action"] != "subscribe" and ("+" in dest or "#" in dest):
            path = ("rewrite", str(index), "dest_topic")
            allowed = "a topic without + and #, except for action = subscribe"
            origin = checked.origins.get(path)
            yield Problem("value", join_path(path), origin, value=f'"{dest}"', allowed=allowed)


def _watermarks(checked: Checked) -> Iterator[Problem]:
    quota = checked.values["license"]
    low, high = quota["connection_low_watermark"], quota["connection_high_watermark"]
    if low >= high:
        path = ("license", "connection_low_watermark")
        allowed = "a percentage below license.connection_high_watermark"
        origin = checked.origins.get(path)
        yield Problem("value", join_path(path), origin, value=f"{low:.0%}", allowed=allowed)


def _same_bind(
    checked: Checked,
    path: Path,
    bind: Address | UnixAddress,
    taken: dict[Address | UnixAddress, str],
) -> Iterator[Problem]:
    if isinstance(bind, Address) and bind.port == 0:
        return
    if bind in taken:
        origin = checked.origins.get(path)
        yield Problem("same_bind", join_path(path), origin, value=str(bind), near=taken[bind])
    taken[bind] = join_path(path)


def _tls(checked: Checked, path: Path, options: dict[str, Any]) -> Iterator[Problem]:
    for name in ("certfile", "keyfile"):
        if not options[name]:
            yield Problem("no_certificate", join_path((*path, name)))
    if options["verify"] == "verify_peer" and not options["cacertfile"]:
        yield _needs(checked, (*path, "verify"), join_path((*path, "cacertfile")))
    # Without verification nobody is asked for a certificate: all would be refused, or none.
    if options.get("fail_if_no_peer_cert") and options["verify"] != "verify_peer":
        near = f"{join_path((*path, 'verify'))} = verify_peer"
        yield _needs(checked, (*path, "fail_if_no_peer_cert"), near)
    if options.get("crlfile") and options["verify"] != "verify_peer":
        near = f"{join_path((*path, 'verify'))} = verify_peer"
        yield _needs(checked, (*path, "crlfile"), near)


def _provider(checked: Checked, path: Path, item: dict[str, Any]) -> Iterator[Problem]:
    if item["mechanism"] == "jwt":
        algorithm = item["algorithm"]
        if item["use_jwks"]:
            if not item["endpoint"]:
                yield _needs(checked, (*path, "use_jwks"), join_path((*path, "endpoint")))
        elif algorithm is None:
            yield Problem("required", join_path((*path, "algorithm")))
        elif not item[JWT_KEYS[algorithm]]:
            near = join_path((*path, JWT_KEYS[algorithm]))
            yield _needs(checked, (*path, "algorithm"), near)
    yield from _redis(checked, path, item)


def _source(checked: Checked, path: Path, item: dict[str, Any]) -> Iterator[Problem]:
    if item["type"] == "file" and (item["path"] is None) == (item["rules"] is None):
        yield Problem("one_of", join_path(path), value="path", near="rules")
    yield from _redis(checked, path, item)


def _redis(checked: Checked, path: Path, item: dict[str, Any]) -> Iterator[Problem]:
    kind = item.get("redis_type")
    if kind is None:
        return
    needed = {"single": ("server",), "sentinel": ("servers", "sentinel"), "cluster": ("servers",)}
    for name in needed[kind]:
        if not item[name] and not (name == "servers" and item["server"]):
            yield _needs(checked, (*path, "redis_type"), join_path((*path, name)))


def _doubled(
    checked: Checked, path: Path, items: list[dict[str, Any]], kinds: tuple[str, ...]
) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for index, item in enumerate(items, 1):
        here = (*path, str(index))
        kind = ":".join(item[name] for name in kinds if name in item)
        if kind in seen:
            origin = checked.origins.get((*here, kinds[-1])) or checked.origins.get(path)
            yield Problem("doubled", join_path(here), origin, value=kind, near=seen[kind])
        seen.setdefault(kind, join_path(here))


def _needs(checked: Checked, path: Path, near: str) -> Problem:
    return Problem("needs", join_path(path), checked.origins.get(path), near=near)


def _cluster(checked: Checked) -> Iterator[Problem]:
    item = checked.values["cluster"]
    strategy = ("cluster", "discovery_strategy")
    if item["discovery_strategy"] in ("static", "dns"):
        if checked.values["node"]["cookie"] is None:
            yield _needs(checked, strategy, "node.cookie")
        if item["discovery_strategy"] == "static" and not item["static"]["seeds"]:
            yield _needs(checked, strategy, "cluster.static.seeds")
        if item["discovery_strategy"] == "dns" and not item["dns"]["name"]:
            yield _needs(checked, strategy, "cluster.dns.name")
    if item["nats"]["mode"] == "external" and not item["nats"]["servers"]:
        yield _needs(checked, ("cluster", "nats", "mode"), "cluster.nats.servers")
    if item["links"]:
        # Few nodes have links.
        from rookery.config import links  # noqa: PLC0415

        yield from links.problems(checked)


def _integration(checked: Checked) -> Iterator[Problem]:
    """Rules name actions, actions and sources name connectors of their type: they have to be there."""
    values = checked.values
    for kind in ("actions", "sources"):
        for type_, named in values[kind].items():
            there = values["connectors"].get(type_, {})
            for name, item in named.items():
                path = (kind, type_, name, "connector")
                wanted = item.get("connector")
                if not isinstance(wanted, str):
                    yield Problem("required", join_path(path), _first_origin(checked, path[:3]))
                elif wanted not in there:
                    yield _no_such(checked, path, f"{type_}:{wanted}", there, kind="no_connector")
    actions = values["actions"]
    for id_, rule in values["rule_engine"]["rules"].items():
        for index, output in enumerate(rule["actions"], 1):
            if isinstance(output, str):
                type_, _, name = output.partition(":")
                if name not in actions.get(type_, {}):
                    at = ("rule_engine", "rules", id_, "actions", str(index))
                    yield _no_such(checked, at, output, actions.get(type_, {}))
    yield from _fallbacks(checked, actions)


def _fallbacks(checked: Checked, actions: dict[str, Any]) -> Iterator[Problem]:
    for type_, named in actions.items():
        for name, item in named.items():
            path = ("actions", type_, name, "fallback_actions")
            entries = item.get("fallback_actions")
            for index, entry in enumerate(entries if isinstance(entries, list) else (), 1):
                at = (*path, str(index))
                if not isinstance(entry, dict) or entry.get("kind") != "reference":
                    continue
                other = str(entry.get("type")), str(entry.get("name"))
                if other == (type_, name):
                    reason = {"en": "an action is no fallback of its own"}
                    origin = checked.origins.get(path)
                    yield Problem("setting", join_path(at), origin, value=name, reasons=reason)
                elif other[1] not in actions.get(other[0], {}):
                    known = actions.get(other[0], {})
                    yield _no_such(checked, at, ":".join(other), known)


def _no_such(
    checked: Checked, path: Path, id_: str, there: Any, kind: str = "no_action"
) -> Problem:
    type_ = id_.partition(":")[0]
    allowed = ", ".join(f"{type_}:{name}" for name in sorted(there)[:20])
    kind = kind if allowed else f"{kind}_none"
    origin = checked.origins.get(path) or checked.origins.get(path[:-1])
    return Problem(kind, join_path(path), origin, value=id_, allowed=allowed)


def _first_origin(checked: Checked, path: Path) -> Any:
    """Where the first key below is written."""
    return next((o for at, o in checked.origins.items() if at[: len(path)] == path), None)
