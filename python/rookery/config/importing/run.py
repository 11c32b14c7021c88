"""One import: which file is what, everything in one draft, checked, as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rookery.config.importing import conversions as to
from rookery.config.importing import flat, hocon_import
from rookery.config.importing.draft import Draft, Part
from rookery.config.importing.flat_import import import_flat
from rookery.config.importing.model import DENIES, Entry, Outcome, Remark, Setting, Words
from rookery.config.importing.settle import settle
from rookery.config.importing.writing import to_hocon
from rookery.config.schema import ROOT
from rookery.config.tree import Node
from rookery.errors import RookeryError

CheckAcl = Callable[[str, str], int]
"""Parses rules (text, file name) and counts them; raises what says line and column."""

ACL_FILE = "acl.conf"
USERS_FILE = "users.json"
FILES_MAX = 1000

_TERM = re.compile(r"\s*(%.*\n|\s)*\{\s*(allow|deny)\b")
_LOADED = re.compile(r"^\s*\{?\s*'?(emqx_\w+)'?\s*(?:,\s*(true|false)\s*\})?\s*\.", re.MULTILINE)
_PLUGIN_FILE = re.compile(r"emqx_\w+\.conf")

IN_FILE = Words("read; see the rules file", "已读取，见规则文件")
NO_ACL = Words("the file is not there: give acl.conf too", "文件不存在，请同时给出 acl.conf")
NOT_LOADED = Words(
    "only plugins of loaded_plugins were imported; these files were left out: ",
    "仅迁移 loaded_plugins 中的插件，以下文件未迁移：",
)


class Imported(NamedTuple):
    """What came of it. Nothing is written yet."""

    tree: Node
    entries: Sequence[Entry]
    remarks: Sequence[Remark]
    acl: str | None
    """Text of the rules file that belongs beside the new one."""
    acl_source: Path | None
    users: Sequence[Mapping[str, Any]]

    def text(self, heading: Sequence[str], comments: Mapping[tuple[str, ...], list[str]]) -> str:
        """The new file."""
        head = "".join(f"# {line}\n" if line else "#\n" for line in heading)
        return f"{head}\n{to_hocon(self.tree, comments)}"


class _Inputs:
    """The given files by their kind."""

    def __init__(self) -> None:
        self.flat: list[flat.FlatFile] = []
        self.hocon: list[tuple[str, Path]] = []
        self.acl: list[tuple[str, Path]] = []
        self.loaded: list[str] | None = None


def import_files(files: Sequence[Path], check_acl: CheckAcl) -> Imported:
    """Read old files. The new one, the rules and the users are to lie beside each other.

    Raises:
        InvalidConfigError: one cannot be read at all.
    """
    draft = Draft()
    inputs = _sorted_out(_spread(files, draft))
    import_flat(inputs.flat, draft, inputs.loaded)
    for text, path in inputs.hocon:
        hocon_import.import_hocon(text, path, draft)
    if inputs.hocon:
        hocon_import.finish(draft)
    if draft.users:
        draft.providers = [_with_users(part) for part in draft.providers]
    _put(_in_order(draft.providers, inputs.loaded), ("authentication",), draft)
    acl, acl_source = _rules(inputs, draft, check_acl)
    settle(draft)
    order = {path: number for number, path in enumerate(_files_of(draft))}
    draft.entries.sort(key=lambda entry: (order[entry.setting.file], entry.setting.line))
    tree = Node(_as_schema(draft.tree), draft.tree.origin)
    return Imported(tree, draft.entries, draft.remarks, acl, acl_source, draft.users)


def _spread(files: Sequence[Path], draft: Draft) -> list[Path]:
    """A folder stands for the files of an installation in it."""
    found: list[Path] = []
    for given in files:
        if not given.is_dir():
            found.append(given)
            continue
        loaded = [
            path
            for path in (given / "loaded_plugins", given.parent / "data" / "loaded_plugins")
            if path.is_file()
        ][:1]
        plugins = sorted([*given.glob("plugins/*.conf"), *given.glob("emqx_*.conf")])
        found += [path for path in (given / "emqx.conf", given / ACL_FILE) if path.is_file()]
        found += [path for path in plugins if loaded]
        found += loaded
        if plugins and not loaded:
            names = ", ".join(path.name for path in plugins)
            draft.remark(Words(NOT_LOADED.en + names, NOT_LOADED.zh + names))
    return found[:FILES_MAX]


def _sorted_out(files: Sequence[Path]) -> _Inputs:
    inputs = _Inputs()
    for path in files:
        text = flat.read_text(path)
        if path.name.startswith("loaded_plugins"):
            inputs.loaded = (inputs.loaded or []) + [
                name for name, state in _LOADED.findall(text) if state != "false"
            ]
        elif _TERM.match(text) or path.name == ACL_FILE:
            inputs.acl.append((text, path))
        elif _is_flat(text):
            inputs.flat.append(flat.parse(text, path))
        else:
            inputs.hocon.append((text, path))
    return inputs


def _is_flat(text: str) -> bool:
    """Some roots are in both generations: the file as a whole decides."""
    if not flat.looks_flat(text):
        return False
    from rookery.config.importing.matching import Matcher  # noqa: PLC0415
    from rookery.config.importing.tables import ROWS  # noqa: PLC0415

    matcher = Matcher(ROWS)
    keys = flat.keys(text)
    old = sum(matcher.find(key) is not None for key in keys)
    new = sum(_is_new(key) for key in keys)
    return old >= new


def _is_new(key: str) -> bool:
    field = ROOT.get(key.split(".", maxsplit=1)[0])
    return field is not None


def _in_order(parts: list[Part], loaded: Sequence[str] | None) -> list[Part]:
    if loaded is None:
        return parts
    return sorted(
        parts, key=lambda part: loaded.index(part.plugin) if part.plugin in loaded else len(loaded)
    )


def _with_users(part: Part) -> Part:
    if part.value.get("backend") != "built_in_database":
        return part
    file = {"bootstrap_file": USERS_FILE, "bootstrap_type": "plain"}
    return part._replace(value={**part.value, **file})


def _put(parts: Sequence[Part], path: tuple[str, ...], draft: Draft) -> None:
    if not parts:
        return
    draft.imply(path, [part.value for part in parts])
    for number, part in enumerate(parts, 1):
        for entry in part.entries:
            entry.paths.append((*path, str(number)))


def _rules(inputs: _Inputs, draft: Draft, check_acl: CheckAcl) -> tuple[str | None, Path | None]:
    """The file of rules stands behind the other sources, as it did."""
    sources = list(_in_order(draft.sources, inputs.loaded))
    named = draft.acl_named
    given = list(inputs.acl)
    if named is not None and not given:
        path = to.find_beside(named.file, named.value)
        if path is not None:
            given.append((flat.read_text(path), path))
    existing = _hocon_file_source(draft)
    if existing is not None and not given:
        path = to.find_beside(existing.setting.file, existing.setting.value)
        if path is not None:
            given.append((flat.read_text(path), path))
    text, origin = given[-1] if given else (None, None)
    if named is not None:
        draft.leave(
            named,
            Outcome.TAKEN if text is not None else Outcome.UNSUPPORTED,
            None if text is not None else NO_ACL,
        )
    if text is not None and origin is not None:
        if not _is_good(text, origin, draft, check_acl):
            text = None
        elif existing is None:
            part = Part("", {"type": "file", "path": ACL_FILE}, [])
            sources.append(part)
    if existing is not None:
        _point_to(existing, draft, has_rules=text is not None)
    if sources:
        _put(sources, ("authorization", "sources"), draft)
    if text is None and (inputs.acl or named is not None):
        draft.deny(DENIES)
    return text, origin if text is not None else None


def _hocon_file_source(draft: Draft) -> Entry | None:
    """The line that names the rules file in a file of EMQX 5."""
    sources = draft.get(("authorization", "sources"))
    if not isinstance(sources, list):
        return None
    for number, source in enumerate(sources, 1):
        if isinstance(source, dict) and source.get("type") == "file":
            path = ("authorization", "sources", str(number), "path")
            for entry in draft.entries:
                if path in entry.paths:
                    return entry
    return None


def _point_to(entry: Entry, draft: Draft, *, has_rules: bool) -> None:
    """The source reads the copy; without one it is left out and everything it allowed with it."""
    number = entry.paths[0][2]
    sources = draft.get(("authorization", "sources"))
    if has_rules:
        sources[int(number) - 1]["path"] = ACL_FILE
        entry.outcome, entry.notes = Outcome.CHANGED, [IN_FILE]
        entry.value = ACL_FILE
    else:
        del sources[int(number) - 1]
        entry.paths, entry.outcome, entry.notes = [], Outcome.UNSUPPORTED, [NO_ACL]
        draft.deny(DENIES)
    draft.imply(("authorization", "sources"), sources)


def _is_good(text: str, path: Path, draft: Draft, check_acl: CheckAcl) -> bool:
    setting = Setting(path, 1, ACL_FILE, "")
    try:
        count = check_acl(text, str(path))
    except RookeryError as error:
        problem = Words(str(error), str(error))
        draft.leave(setting, Outcome.UNSUPPORTED, problem)
        return False
    entry = draft.leave(setting, Outcome.TAKEN)
    entry.value = count
    return True


def _files_of(draft: Draft) -> list[Path]:
    """In the order in which they were read."""
    return list(dict.fromkeys(entry.setting.file for entry in draft.entries))


def _as_schema(tree: Node) -> dict[str, Node]:
    """The sections in the order of the reference page."""
    if not isinstance(tree.value, dict):
        return {}
    order = {field.name: number for number, field in enumerate(ROOT.fields)}
    names = sorted(tree.value, key=lambda name: order.get(name, len(order)))
    return {name: tree.value[name] for name in names}
