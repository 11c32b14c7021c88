"""Holds a configuration against the schema: everything wrong with it at once, then plain values.

Owns what *unknown*, *not allowed* and *not available* mean. Knows no file and no environment.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path as FsPath
from typing import Any

from rookery.config.problems import Problem
from rookery.config.schema.model import (
    REQUIRED,
    UNSET,
    Address,
    Anything,
    BindAddress,
    Bool,
    ByteSize,
    CommaList,
    Custom,
    Duration,
    Field,
    FilePath,
    Float,
    Forms,
    Int,
    ListOf,
    MapOf,
    OneOf,
    Percent,
    Rate,
    SecretText,
    Status,
    Struct,
    Text,
    Type,
    WrongMember,
)
from rookery.config.secrets import (
    HIDDEN,
    header_without_secrets,
    is_address,
    looks_secret,
    quoted_without_secrets,
    service_url_without_secrets,
    template_without_secrets,
    url_without_secrets,
    without_secrets,
)
from rookery.config.tree import DEFAULT, Node, Origin, as_list, join_path, leaves, wrap
from rookery.config.values import format_bytesize, format_duration

SHOWN_VALUE_MAX = 60
NAMES_SHOWN = 6
ETC_DIRS = ("EMQX_ETC_DIR", "ROOKERY_ETC_DIR")

Path = tuple[str, ...]


class Checked:
    """What a check found.

    Attributes:
        values: Parsed values, complete with defaults, by key.
        shown: The same as people would write it, secrets hidden.
        origins: Where each value comes from.
        problems: What keeps the configuration from being used.
        warnings: What has no effect.
    """

    __slots__ = ("origins", "problems", "shown", "values", "warnings")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.shown: dict[str, Any] = {}
        self.origins: dict[Path, Origin] = {}
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []


def check(root: Node, schema: Struct) -> Checked:
    """Check everything, keep going after problems."""
    checker = _Checker(schema)
    values, shown = checker.struct(schema, root, ())
    result = checker.result
    result.values = values
    result.shown = shown
    return result


_ABSENT: Any = object()


class _Checker:
    def __init__(self, schema: Struct) -> None:
        self.result = Checked()
        self._schema = schema
        # Inside a feature that is absent only names and values are looked at.
        self._is_inside_absent = False

    # Every visitor returns the parsed value and the value to show.

    def struct(self, kind: Struct, node: Node, path: Path) -> tuple[Any, Any]:
        if not isinstance(node.value, dict):
            names = ", ".join(item.name for item in kind.fields[:NAMES_SHOWN])
            names += " …" if len(kind.fields) > NAMES_SHOWN else ""
            self._problem(
                "object", path, node, value=_shorten(node.plain(), *path[-1:]), allowed=names
            )
            return _ABSENT, _ABSENT
        known = {item.name for item in kind.fields}
        for key, child in node.value.items():
            if key not in known:
                self._unknown(key, known, path, child)
        values: dict[str, Any] = {}
        shown: dict[str, Any] = {}
        for item in kind.fields:
            written = node.value.get(item.name)
            value, text = self._field(item, written, (*path, item.name), kind.inherits)
            is_written = written is not None and written.value is not None
            if value is _ABSENT and item.default is REQUIRED and not is_written:
                self._problem("required", (*path, item.name), node)
            if value is not _ABSENT:
                values[item.name] = value
            if text is not _ABSENT:
                shown[item.name] = text
        return values, shown

    def _field(self, item: Field, node: Node | None, path: Path, inherits: bool) -> tuple[Any, Any]:
        if node is None or node.value is None:
            return self._default(item, path, inherits)
        if self._is_inside_absent:
            return self._of_type(item.type, node, path)
        if item.status is Status.REFUSED:
            if item.default is not UNSET and node.plain() == item.default:
                # What an older EMQX wrote out, and what holds here anyway.
                self._without_effect(item, node, path)
                return _ABSENT, _ABSENT
            self._problem("refused", path, node, reasons=_reasons(item))
            return _ABSENT, _ABSENT
        if item.status is Status.NOT_AVAILABLE:
            found = len(self.result.problems)
            self._inside_absent(item.type, node, path)
            self._not_available(item, item.type, node, path)
            if len(self.result.problems) == found and _says_something(item, node):
                self.result.warnings.append(Problem("ignored", join_path(path), node.origin))
            return _ABSENT, _ABSENT
        value, shown = self._of_type(item.type, node, path)
        if item.status is Status.ACCEPTED and value is not _ABSENT and not _is_default(item, node):
            self._without_effect(item, node, path)
        return value, shown

    def _without_effect(self, item: Field, node: Node, path: Path) -> None:
        self.result.warnings.append(
            Problem("no_effect", join_path(path), node.origin, reasons=_reasons(item))
        )

    def _default(self, item: Field, path: Path, inherits: bool) -> tuple[Any, Any]:
        if self._is_inside_absent or inherits or item.status is Status.NOT_AVAILABLE:
            return _ABSENT, _ABSENT
        if item.default is REQUIRED:
            return _ABSENT, _ABSENT
        if item.default is None:
            return None, _ABSENT
        value, shown = self._of_type(item.type, wrap(item.default, DEFAULT), path)
        return value, shown if item.status is Status.HONOURED else _ABSENT

    def _of_type(self, kind: Type, node: Node, path: Path) -> tuple[Any, Any]:
        if isinstance(kind, Struct):
            return self.struct(kind, node, path)
        if isinstance(kind, MapOf):
            return self._map(kind, node, path)
        if isinstance(kind, ListOf):
            return self._list(kind, node, path)
        if isinstance(kind, Forms):
            return self._form(kind, node, path)
        raw = node.plain()
        try:
            value = kind.parse(raw)
        except WrongMember as wrong:
            self._wrong_member(wrong, node, path)
            return _ABSENT, _ABSENT
        except ValueError as error:
            self._bad_value(kind, node, path, error.args)
            return _ABSENT, _ABSENT
        if isinstance(kind, FilePath):
            value = absolute_path(str(value), node.origin)
        self.result.origins[path] = node.origin
        return value, _shown(kind, raw, value, path)

    def _map(self, kind: MapOf, node: Node, path: Path) -> tuple[Any, Any]:
        if isinstance(node.value, str) and node.value in kind.words:
            self.result.origins[path] = node.origin
            return kind.words[node.value], node.value
        items = node.value
        if isinstance(items, list) and isinstance(kind.value, Anything):
            # A feature that is not looked into may be a list as well (authentication).
            items = {str(index): item for index, item in enumerate(items, 1)}
        if not isinstance(items, dict):
            self._bad_value(kind, node, path, ())
            return _ABSENT, _ABSENT
        usual = {} if self._is_inside_absent else kind.entries
        entries = {name: wrap(default, DEFAULT) for name, default in usual.items()}
        entries.update(items)
        values: dict[str, Any] = {}
        shown: dict[str, Any] = {}
        for name, child in entries.items():
            if child.value is None:
                continue
            if not re.fullmatch(kind.key_pattern, name):
                at = (*path, name)
                self._problem("name", at, child, value=_shorten(name), allowed=kind.key_form)
                continue
            value, text = self._of_type(kind.value, child, (*path, name))
            if value is not _ABSENT:
                values[name] = value
                # Headers, and what a service is sent: the user chooses these keys.
                hide = _HIDING.get(path[-1], without_secrets)
                shown[name] = hide(text, name) if isinstance(text, str) else text
        if not values:
            self.result.origins[path] = node.origin
        return values, shown

    def _form(self, kind: Forms, node: Node, path: Path) -> tuple[Any, Any]:
        if not isinstance(node.value, dict):
            value = _shorten(node.plain(), *path[-1:])
            self._problem("object", path, node, value=value, allowed=kind.allowed)
            return _ABSENT, _ABSENT
        named = [node.value[key].plain() for key in kind.keys if key in node.value]
        name = ":".join(map(str, named))
        if not self._is_inside_absent and name not in kind.forms:
            self._no_such_form(kind, node, path, named)
            return _ABSENT, _ABSENT
        form = kind.forms.get(name)
        return (_ABSENT, _ABSENT) if form is None else self.struct(form, node, path)

    def _no_such_form(self, kind: Forms, node: Node, path: Path, named: list[Any]) -> None:
        name = ":".join(map(str, named))
        missing = kind.keys[len(named)] if len(named) < len(kind.keys) else None
        if name in kind.absent:
            if _entry_is_off(kind, node):
                self.result.warnings.append(Problem("ignored", join_path(path), node.origin))
            else:
                self._problem("not_available", (*path, kind.keys[len(named) - 1]), node)
        elif missing and (not named or any(known.startswith(f"{name}:") for known in kind.forms)):
            self._problem("required", (*path, missing), node)
        else:
            at = (*path, kind.keys[len(named) - 1])
            allowed = "one of " + ", ".join(kind.forms)
            self._problem("value", at, node, value=_shorten(name), allowed=allowed)

    def _list(self, kind: ListOf, node: Node, path: Path) -> tuple[Any, Any]:
        items = as_list(node)
        if items is None and kind.single and isinstance(node.value, dict) and node.value:
            items = [node]
        if items is None and node.value == {}:
            items = []
        if items is None:
            self._bad_value(kind, node, path, ())
            return _ABSENT, _ABSENT
        if len(items) > kind.longest:
            self._problem("too_long", path, node, allowed=str(kind.longest))
            return _ABSENT, _ABSENT
        values: list[Any] = []
        shown: list[Any] = []
        for index, item in enumerate(items, 1):
            value, text = self._of_type(kind.item, item, (*path, str(index)))
            if value is not _ABSENT:
                values.append(value)
                shown.append(text)
        self.result.origins[path] = node.origin
        return values, shown

    # -- features that are not there ------------------------------------------------

    def _inside_absent(self, kind: Type, node: Node, path: Path) -> None:
        self._is_inside_absent = True
        origins = dict(self.result.origins)
        try:
            self._of_type(kind, node, path)
        finally:
            self._is_inside_absent = False
            self.result.origins = origins

    def _not_available(self, item: Field | None, kind: Type, node: Node, path: Path) -> None:
        if _entry_is_off(kind, node) if item is None else _is_off(kind, node, item.default):
            return
        children: Iterable[tuple[str, Field | None, Type, Node]] = ()
        if isinstance(kind, MapOf) and isinstance(node.value, dict):
            children = [(name, None, kind.value, child) for name, child in node.value.items()]
        elif item is not None and isinstance(kind, Anything):
            for below in _asking(node, kind.runs):
                self._problem("not_available", (*path, *below), node)
            return
        elif (
            isinstance(kind, Struct) and isinstance(node.value, dict) and kind.get("enable") is None
        ):
            children = [
                (known.name, known, known.type, node.value[known.name])
                for known in kind.fields
                if known.name in node.value and known.status is Status.NOT_AVAILABLE
            ]
        if not children:
            self._problem("not_available", path, node)
        for name, known_item, child_kind, child in children:
            self._not_available(known_item, child_kind, child, (*path, name))

    # -- problems -------------------------------------------------------------------

    def _bad_value(self, kind: Type, node: Node, path: Path, said: Sequence[object]) -> None:
        raw = node.plain()
        if isinstance(kind, OneOf) and raw in kind.absent:
            self._problem("not_available", path, node, value=str(raw))
            return
        # Only rules of one key speak in sentences that are worth repeating.
        is_said = isinstance(kind, Custom) and any(said)
        reasons = dict(zip(("en", "zh"), map(str, said), strict=False)) if is_said else {}
        is_hidden = isinstance(kind, SecretText) or looks_secret(path[-1])
        value = HIDDEN if is_hidden else _shorten(raw, path[-1])
        allowed = kind.allowed
        if isinstance(kind, Text) and isinstance(raw, str) and len(raw) > kind.longest:
            allowed = f"up to {kind.longest} characters"
        self._problem("value", path, node, value=value, allowed=allowed, reasons=reasons)

    def _wrong_member(self, wrong: WrongMember, node: Node, path: Path) -> None:
        at = (*path, *wrong.at)
        value = _shorten(wrong.found, at[-1]) if wrong.kind == "value" else ""
        reasons = dict(wrong.reasons)
        self._problem(wrong.kind, at, node, value=value, allowed=wrong.allowed, reasons=reasons)

    def _unknown(self, key: str, known: set[str], path: Path, node: Node) -> None:
        from rookery.config.nearest import moved_to, nearest  # noqa: PLC0415

        full = (*path, key)
        moved = {
            (*full, *below): target
            for below, _ in (*leaves(node), ((), node))
            if (target := moved_to((*full, *below))) is not None
        }
        for at, target in moved.items():
            if len(moved) == 1 or at != full:
                self._problem("moved", at, node, near=target)
        if moved:
            return
        paths = (at for at, item in walk(self._schema) if item.status is Status.HONOURED)
        near = nearest(full, known, paths)
        if near:
            self._problem("unknown_near", full, node, near=near)
        else:
            self._problem("unknown", full, node)

    def _problem(self, kind: str, path: Path, node: Node, **words: Any) -> None:
        self.result.problems.append(Problem(kind, join_path(path), node.origin, **words))


def absolute_path(text: str, origin: Origin) -> str:
    """Where ``text`` points: what a file says is relative to that file.

    ``${EMQX_ETC_DIR}`` and ``${ROOKERY_ETC_DIR}`` are the folder of the configuration file unless
    the environment says otherwise.
    """
    if not text or text.startswith("-----BEGIN"):
        return text
    is_in_file = origin.kind in ("file", "runtime") and origin.where
    base = FsPath(origin.where).absolute().parent if is_in_file else FsPath.cwd()
    for name in ETC_DIRS:
        mark = f"${{{name}}}"
        if text.startswith(mark):
            text = os.environ.get(name, str(base)) + text[len(mark) :]
    return str(base / FsPath(text).expanduser())


def walk(schema: Struct, at: Path = ()) -> Iterable[tuple[Path, Field]]:
    """Every field below ``schema`` with its path; names the user chooses are ``<name>``."""
    for item in schema.fields:
        path = (*at, item.name)
        yield path, item
        kind: Type = item.type
        while isinstance(kind, (MapOf, ListOf)):
            path = (*path, "<name>" if isinstance(kind, MapOf) else "<n>")
            kind = kind.value if isinstance(kind, MapOf) else kind.item
        if isinstance(kind, Struct):
            yield from walk(kind, path)
        elif isinstance(kind, Forms):
            for form in kind.forms.values():
                yield from walk(form, path)


def _is_off(kind: Type, node: Node, default: object) -> bool:
    """Whether what stands there asks for nothing that an absent feature would have to do."""
    raw = node.plain()
    if raw in (None, "", [], {}) or raw == default:
        return True
    if isinstance(raw, dict) and raw.get("enable") in (False, "false"):
        return True
    if isinstance(kind, MapOf):
        items = list(node.value.values()) if isinstance(node.value, dict) else as_list(node) or []
        return all(_entry_is_off(kind.value, item) for item in items)
    if isinstance(kind, Struct) and isinstance(node.value, dict):
        switch = kind.get("enable") or kind.get("bind")
        if switch is not None and (switch.default is False or switch.default == 0):
            return switch.name not in node.value or _is_off(
                switch.type, node.value[switch.name], switch.default
            )
        return switch is None and all(
            known.name in node.value and _is_off(known.type, node.value[known.name], known.default)
            for known in kind.fields
            if known.name in node.value
        )
    if isinstance(kind, Anything):
        return next(_asking(node, kind.runs), None) is None
    return not isinstance(kind, (ListOf, Struct)) and _same(kind, raw, default)


def _entry_is_off(kind: Type, node: Node) -> bool:
    if isinstance(kind, MapOf):
        return _is_off(kind, node, None)
    raw = node.plain()
    return raw is None or (isinstance(raw, dict) and raw.get("enable") in (False, "false"))


def _asking(node: Node, runs: Collection[str]) -> Iterator[Path]:
    """Where something is switched on below ``node``, as deep as it can be told.

    ``runs`` names the objects whose entries run unless they are switched off.
    """
    value = node.value
    if isinstance(value, list):
        if any(not _entry_is_off(Anything(), item) for item in value):
            yield ()
    elif isinstance(value, dict):
        switch = value["enable"].value if "enable" in value else None
        if switch in (False, "false"):
            return
        if switch in (True, "true"):
            yield ()
            return
        for key, child in value.items():
            if key in runs and isinstance(child.value, dict):
                entries = child.value.items()
                yield from ((key, name) for name, e in entries if not _entry_is_off(Anything(), e))
            else:
                yield from ((key, *below) for below in _asking(child, runs))


def _says_something(item: Field, node: Node) -> bool:
    """Whether anything stands there beside what would hold without it, and is not switched off."""
    if isinstance(node.value, dict):
        switches = (node.value[key].value for key in ("enable", "bind") if key in node.value)
        if any(switch in (False, "false", 0, "0") for switch in switches):
            return False
    return not _is_default(item, node) and any(
        leaf.value not in (None, "", False, "false") and leaf.plain() not in ([], {})
        for _, leaf in leaves(node)
    )


def _same(kind: Any, raw: object, default: object) -> bool:
    try:
        return bool(kind.parse(raw) == kind.parse(default))
    except ValueError:
        return False


def _is_default(item: Field, node: Node) -> bool:
    raw = node.plain()
    if isinstance(item.type, (Struct, MapOf, ListOf)):
        return bool(raw == item.default)
    return raw == item.default or (item.default is not None and _same(item.type, raw, item.default))


def _reasons(item: Field) -> dict[str, str]:
    return {"en": item.instead, "zh": item.instead_zh} if item.instead else {}


_HIDING: Mapping[str, Callable[[Any, str], Any]] = {
    "headers": header_without_secrets,
    "body": template_without_secrets,
}


def _shown(kind: Type, raw: Any, value: Any, path: Path) -> Any:
    """What stands at ``path``, without what is nobody's business."""
    if isinstance(kind, (Bool, Int, Float)) and raw not in getattr(kind, "words", ()):
        return value  # in the environment everything is text
    if isinstance(kind, CommaList):
        return list(value)
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return _as_text(kind, raw, value)
    if isinstance(kind, SecretText):
        return HIDDEN
    if isinstance(kind, Anything):
        # Below its own key, which says that the values of headers are secrets.
        return without_secrets({path[-1]: raw})[path[-1]]
    if isinstance(raw, str):
        is_asked = is_address(path[-1]) and "://" in raw
        return service_url_without_secrets(raw) if is_asked else url_without_secrets(raw)
    if isinstance(raw, list):
        return [url_without_secrets(item) if isinstance(item, str) else item for item in raw]
    return raw


def _as_text(kind: Type, raw: float, value: Any) -> Any:
    """A number as what is text everywhere else: ``5000`` as ``5s``."""
    if isinstance(kind, Duration):
        return format_duration(value)
    if isinstance(kind, ByteSize):
        return format_bytesize(value)
    if isinstance(kind, Percent):
        return f"{raw * 100:g}%"
    return str(raw) if isinstance(kind, (Rate, Text, Address, BindAddress)) else raw


def _shorten(raw: object, key: str = "") -> str:
    """``raw``, which stands at ``key``, in HOCON, of which JSON is a part, with secrets hidden."""
    shown = quoted_without_secrets(raw, key)
    text = json.dumps(shown, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_VALUE_MAX else text[: SHOWN_VALUE_MAX - 1] + "…"
