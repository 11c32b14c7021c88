"""Files of EMQX 5: the same language and the same names, so the schema decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rookery.config import sources
from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft
from rookery.config.importing.model import (
    Changed,
    Entry,
    Outcome,
    Setting,
    UnsupportedError,
    Words,
)
from rookery.config.importing.tables.node import OWN_DATA
from rookery.config.importing.tables.notes import THIS_MACHINE
from rookery.config.problems import Problem
from rookery.config.tree import DEFAULT, Node, join_path, merge

KeyPath = tuple[str, ...]

MOVED: Mapping[KeyPath, KeyPath] = {
    ("broker", "shared_subscription_strategy"): ("mqtt", "shared_subscription_strategy"),
    ("broker", "shared_subscription_initial_sticky_pick"): (
        "mqtt",
        "shared_subscription_initial_sticky_pick",
    ),
}
LEFT_OUT: Mapping[KeyPath, Words] = {("node", "data_dir"): OWN_DATA}
FILE_KEYS = ("cacertfile", "certfile", "keyfile", "crlfile", "public_key")
MOVED_NOTE = Words("moved", "已移动")
ANONYMOUS = Words(
    "no authentication is configured: EMQX admitted everybody, here only clients on this machine"
    " get in; access.anonymous changes that",
    "未配置认证：EMQX 允许所有客户端接入，此处仅本机客户端可接入，可通过 access.anonymous 修改",
)
NO_FILE = Words("there is no such file", "没有这个文件")
OWN_CERTIFICATES = Words(
    "EMQX opens 8883 and 8084 with certificates of its own even where nothing is written; here TLS"
    " listeners are opened by listeners.ssl and listeners.wss",
    "即使未写配置，EMQX 也会用自带证书打开 8883 与 8084；此处需在 listeners.ssl、listeners.wss 中配置",
)
BARE_PORT: KeyPath = ("dashboard", "listeners", "http", "bind")
# Where EMQX's own variables lead when its files lie as they were installed.
VARIABLES = ("EMQX_ETC_DIR", "EMQX_LOG_DIR", "EMQX_DATA_DIR")


def import_hocon(text: str, file: Path, draft: Draft) -> None:
    """Put everything of one file into ``draft``, later files over earlier ones.

    Raises:
        InvalidConfigError: it is not HOCON.
    """
    folders = {name: name.split("_")[1].lower() for name in VARIABLES}
    missing: list[Problem] = []
    tree = sources.parse_text(text, str(file), "file", folders, missing)
    for include in missing:
        where = include.origin or DEFAULT
        line = Setting(Path(where.where), where.line, "include", include.value)
        draft.leave(line, Outcome.UNKNOWN, NO_FILE)
    _as_list(tree)
    for path, node in _leaves(tree):
        setting = Setting(
            Path(node.origin.where), node.origin.line, join_path(path), _text(node.plain(), folders)
        )
        if path in LEFT_OUT:
            draft.leave(setting, Outcome.NOT_NEEDED, LEFT_OUT[path])
            _cut(tree, path)
            continue
        note = None
        if isinstance(node.value, str):
            note = _file_value(setting, path, node)
        if path == BARE_PORT and setting.value.isdigit() and setting.value != "0":
            note = THIS_MACHINE
        if path[0] == "listeners" and path[-2:-1] == ("ssl_options",):
            note = _without_what_is_old(path[-1], node) or note
        if path in MOVED:
            _cut(tree, path)
            draft.take(setting, MOVED[path], node.plain(), MOVED_NOTE)
            continue
        entry = Entry(setting, Outcome.CHANGED if note else Outcome.TAKEN)
        entry.paths.append(path)
        entry.value = node.plain()
        entry.notes.extend([note] if note else [])
        draft.entries.append(entry)
    draft.tree = merge(draft.tree, tree)


def finish(draft: Draft) -> None:
    """What the absence of a section meant."""
    if not draft.get(("listeners", "ssl")):
        draft.remark(OWN_CERTIFICATES)
    if not draft.get(("authentication",)) and draft.get(("access", "anonymous")) is None:
        draft.remark(ANONYMOUS)


def _text(value: Any, folders: Mapping[str, str]) -> str:
    text = value if isinstance(value, str) else to_json(value)
    for name, folder in folders.items():
        text = text.replace(f"${{{name}}}", folder)
    return text


def to_json(value: Any) -> str:
    """A value on one line."""
    import json  # noqa: PLC0415

    return json.dumps(value, ensure_ascii=False)


def _without_what_is_old(key: str, node: Node) -> Words | None:
    """Versions and suites that are left keep a listener; without any the schema says why."""
    convert = {"versions": to.versions, "ciphers": to.ciphers}.get(key)
    named = node.plain()
    if convert is None or not isinstance(named, list) or not named:
        return None
    text = ",".join(str(item) for item in named)
    try:
        kept = convert(Setting(Path(), 0, key, text))
    except UnsupportedError:
        return None
    if not isinstance(kept, Changed):
        return None
    node.value = [Node(item, node.origin) for item in kept.value]
    return kept.note


def _file_value(setting: Setting, path: KeyPath, node: Node) -> Words | None:
    """Names of certificate files are written in full; others only lose EMQX's variables."""
    if path[-1] in FILE_KEYS and "BEGIN " not in setting.value:
        found = to.file_path(setting)
        node.value = found.value if isinstance(found, Changed) else found
        return found.note if isinstance(found, Changed) else None
    node.value = setting.value
    return None


def _as_list(tree: Node) -> None:
    """One provider may stand alone."""
    if isinstance(tree.value, dict):
        chain = tree.value.get("authentication")
        if chain is not None and isinstance(chain.value, dict) and "mechanism" in chain.value:
            tree.value["authentication"] = Node([chain], chain.origin)


def _leaves(node: Node, at: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
    """As :func:`rookery.config.tree.leaves`, and into lists of objects."""
    if isinstance(node.value, dict) and node.value:
        for key, child in list(node.value.items()):
            yield from _leaves(child, (*at, key))
    elif isinstance(node.value, list) and any(isinstance(item.value, dict) for item in node.value):
        for number, item in enumerate(node.value, 1):
            yield from _leaves(item, (*at, str(number)))
    elif at:
        yield at, node


def _cut(tree: Node, path: KeyPath) -> None:
    node = tree
    for key in path[:-1]:
        if not isinstance(node.value, dict) or key not in node.value:
            return
        node = node.value[key]
    if isinstance(node.value, dict):
        node.value.pop(path[-1], None)
