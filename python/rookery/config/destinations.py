"""A secret goes nowhere but where it was written for.

Who may change settings sees no secret, and shall not read one by sending it to a place of one's own:
when the place changes that something is sent to, its secrets must be written again in the same change.

What is compared is what people are shown (:meth:`rookery.config.Config.effective`): every hidden value
there is a secret, whatever its name and whichever source it came from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from rookery.config.problems import Problem
from rookery.config.secrets import HIDDEN
from rookery.config.tree import join_path

KeyPath = tuple[str, ...]
Said = Callable[[KeyPath], Any]
"""What a change has at a path; none when it says nothing there."""

# A connector is the place that an action sends to.
_PLACE_KEY = re.compile(
    r"^(?:(?:\w{1,64}_)?(?:server|host|url|uri|address|endpoint|broker)(?:e?s)?|port|connector)$",
    re.IGNORECASE,
)
_INSIDE = ("parameters",)
_TLS = ("ssl", "ssl_options")
_PORTS = {"http": 80, "https": 443}
# By these an entry of a list is known wherever it stands.
_NAMES = ("mechanism", "backend", "type", "name")


class _Place(NamedTuple):
    """Where an object sends to: by key, and whether it does so over TLS."""

    keys: Mapping[str, str]
    has_tls: bool

    def moved_from(self, before: _Place) -> str | None:
        """The key that leads elsewhere now; none when everything goes where it went."""
        for key in (*before.keys, *self.keys):
            if before.keys.get(key) != self.keys.get(key):
                return key
        return "ssl.enable" if before.has_tls and not self.has_tls else None


def problems(old: Mapping[str, Any], new: Mapping[str, Any], said: Said) -> Iterator[Problem]:
    """What must be written again for ``new`` to hold instead of ``old``, both as they are shown."""
    for root, tree in new.items():
        if root in old and tree != old[root]:
            yield from of_tree(old[root], tree, said, (root,))
    yield from _of_connectors(old, new, said)


def of_tree(old: Any, new: Any, said: Said, at: KeyPath = ()) -> Iterator[Problem]:
    """The same for what stands at one place."""
    if isinstance(new, list) and isinstance(old, list):
        for index, item in enumerate(new):
            yield from of_tree(entry_like(item, old, index), item, said, (*at, str(index + 1)))
    if not isinstance(new, Mapping) or not isinstance(old, Mapping):
        return
    moved = _place(new).moved_from(_place(old))
    if moved is not None:
        yield from (
            Problem("secret_moved", join_path((*at, *path)), near=moved)
            for path in _kept(old, new, said, at)
        )
        return
    for key, item in new.items():
        yield from of_tree(old.get(key), item, said, (*at, str(key)))


def said_in(value: Any, path: KeyPath) -> Any:
    """What stands at ``path`` of what somebody wrote; entries of lists count from 1."""
    for key in path:
        if isinstance(value, list) and key.isdigit():
            value = value[int(key) - 1] if 0 < int(key) <= len(value) else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def entry_like(entry: Any, among: list[Any], index: int) -> Any:
    """Which of ``among`` is the one that ``entry`` is about: by its names, else by its place."""
    names = _names(entry)
    if names:
        return next((item for item in among if _names(item) == names), None)
    return among[index] if index < len(among) else None


def _names(entry: Any) -> tuple[str, ...]:
    if not isinstance(entry, Mapping):
        return ()
    return tuple(f"{key}={entry[key]}" for key in _NAMES if isinstance(entry.get(key), str))


def _of_connectors(old: Mapping[str, Any], new: Mapping[str, Any], said: Said) -> Iterator[Problem]:
    """Actions and sources send their own secrets to where their connector leads."""
    moved = dict(_moved_connectors(old.get("connectors", {}), new.get("connectors", {})))
    if not moved:
        return
    for kind in ("actions", "sources"):
        for type_, named in new.get(kind, {}).items():
            for name, entry in named.items():
                id_, before = f"{type_}:{name}", old.get(kind, {}).get(type_, {}).get(name)
                connector = (type_, str(entry.get("connector")))
                if connector not in moved or not isinstance(before, Mapping):
                    continue
                if before.get("connector") != entry.get("connector"):
                    continue  # said already
                for path in _kept(before, entry, said, (kind, type_, name)):
                    place = join_path(("connectors", *connector, moved[connector]))
                    yield Problem("secret_moved_of", place, value=id_, near=join_path(path))


def _moved_connectors(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, str], str]]:
    for type_, named in new.items():
        for name, entry in named.items():
            before = old.get(type_, {}).get(name)
            if isinstance(before, Mapping) and isinstance(entry, Mapping):
                moved = _place(entry).moved_from(_place(before))
                if moved is not None:
                    yield (type_, name), moved


def _kept(
    old: Mapping[str, Any], new: Mapping[str, Any], said: Said, at: KeyPath
) -> Iterator[KeyPath]:
    """Secrets in ``new`` that stood in ``old`` and were not written again."""
    before = set(_hidden(old))
    for path in _hidden(new):
        written = said((*at, *path))
        if path in before and (written is None or HIDDEN in str(written)):
            yield path


def _hidden(value: Any, at: KeyPath = ()) -> Iterator[KeyPath]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _hidden(item, (*at, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _hidden(item, (*at, str(index + 1)))
    elif isinstance(value, str) and HIDDEN in value and "://" not in value:
        # A URL says itself where its secrets go.
        yield at


def _place(entry: Mapping[str, Any]) -> _Place:
    keys = dict(_places(entry, ""))
    for inside in _INSIDE:
        if isinstance(below := entry.get(inside), Mapping):
            keys |= _places(below, f"{inside}.")
    tls: Mapping[str, Any] = next(
        (entry[key] for key in _TLS if isinstance(entry.get(key), Mapping)), {}
    )
    return _Place(keys, tls.get("enable") is True)


def _places(entry: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in entry.items():
        if _PLACE_KEY.match(str(key)) and (place := _normal(value)):
            yield f"{prefix}{key}", place


def _normal(value: Any) -> str:
    """A place so that two ways to write it are the same; nothing for what is none."""
    if isinstance(value, list | tuple):
        return ",".join(_normal(item) for item in value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip().lower()
    if "://" not in text:
        return ",".join(item.strip().rpartition("@")[2] for item in text.split(","))
    try:
        parts = urlsplit(text)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, '')}"
    except ValueError:
        return text
