"""Changes made while a node runs: a file in the data directory, below the configuration file.

**Precedence** is that of :mod:`rookery.config.load`: what the configuration file, the environment or
``--set`` says stands above a change made here. A change that would not hold at the next start is
refused and says which line stands against it, so that nothing is lost by surprise.

**File.** ``configs/cluster.hocon``: written whole or not at all, readable by its owner alone (it may
hold secrets), with at most :data:`BACKUPS_MAX` older versions beside it.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rookery.config import destinations, on_machine
from rookery.config.load import RUNTIME_FILE, Config
from rookery.config.problems import InvalidConfigError, Problem
from rookery.config.schema.along import type_at
from rookery.config.secrets import HIDDEN, is_shown, stands_for_a_secret, with_its_secrets
from rookery.config.sources import read_file
from rookery.config.tree import Node, Origin, join_path, leaves, wrap
from rookery.errors import ConflictError

BACKUPS_MAX = 10
HEAD = """\
# Changes made while the node ran; Rookery writes this file and keeps older ones beside it.
# The configuration file stands above it: what is to hold for good is best written there.
"""

KeyPath = tuple[str, ...]
Tree = dict[str, Any]

REMOVED: Any = ("removed",)
"""Instead of a value: nothing stands in the file at that path."""

_ABSENT: Any = object()


class RuntimeChanges:
    """The file, and what would hold after a change. Nothing is written before :meth:`save`."""

    def __init__(self, data_dir: Path) -> None:
        self.file = data_dir / RUNTIME_FILE
        self._tree: Tree = {}
        if self.file.is_file():
            read = read_file(self.file, "runtime", {}).plain()
            self._tree = read if isinstance(read, dict) else {}

    @property
    def tree(self) -> Tree:
        """All that stands in the file, secrets included; never changed in its place."""
        return self._tree

    def taken(self, config: Config, changes: Mapping[KeyPath, Any]) -> tuple[Config, Tree]:
        """What would hold with changes that another node made and checked; here a stronger source
        may stand above them.

        Raises:
            InvalidConfigError: that would be no good configuration of this node.
        """
        tree = self._tree
        for path, value in changes.items():
            tree = _with(tree, path, copy.deepcopy(value))
        return config.sources.load(wrap(tree, Origin("runtime", str(self.file)))), tree

    def at(self, path: KeyPath) -> Any:
        """What stands in the file at ``path``, secrets included; none when nothing does."""
        found = _at(self._tree, path)
        return None if found is _ABSENT else copy.deepcopy(found)

    def changed(self, config: Config, changes: Mapping[KeyPath, Any]) -> tuple[Config, Tree]:
        """What would hold if each value stood at its path; none takes away what stands there.

        Hidden secrets in a value (as they are shown) mean those that hold now.

        Raises:
            InvalidConfigError: that would be no good configuration.
            ConflictError: a stronger source says otherwise.
        """
        new, tree = self._with_changes(config, changes)
        said = partial(_said, changes)
        found = list(destinations.problems(config.effective(), new.effective(), said))
        found += on_machine.problems(config, new, tree)
        if found:
            raise InvalidConfigError(found)
        return new, tree

    def _with_changes(self, config: Config, changes: Mapping[KeyPath, Any]) -> tuple[Config, Tree]:
        tree = self._tree
        strong = config.sources.above_runtime()
        shown = config.effective()
        lost: list[Problem] = []
        for path, value in changes.items():
            known = _at(self._tree, path)
            known = None if known is _ABSENT else known
            holds = _at(shown, path)
            meant = unhidden(value, known, holds)
            lost += lost_secrets(value, meant, known, holds, path)
            _refuse_weaker(strong, path, value)
            if meant != HIDDEN:
                tree = _with(tree, path, copy.deepcopy(meant))
        if lost:
            raise InvalidConfigError(lost)
        origin = Origin("runtime", str(self.file))
        return config.sources.load(wrap(tree, origin)), tree

    def save(self, tree: Tree, now_ms: int) -> None:
        """Make ``tree`` what holds at the next start."""
        if tree == self._tree:
            return
        self.file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if self.file.exists():
            self._back_up(now_ms)
        text = HEAD + json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
        fresh = self.file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.file)
        self._tree = tree

    def _back_up(self, now_ms: int) -> None:
        when = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y.%m.%d.%H.%M.%S.%f")[:-3]
        os.link(self.file, _free_name(self.file.with_name(f"{self.file.name}.{when}")))
        older = sorted(self.file.parent.glob(f"{self.file.name}.*.bak"))
        for path in older[:-BACKUPS_MAX]:
            with contextlib.suppress(OSError):
                path.unlink()


def _free_name(stem: Path) -> Path:
    name = stem.with_name(f"{stem.name}.bak")
    number = 1
    while name.exists():
        name = stem.with_name(f"{stem.name}.{number}.bak")
        number += 1
    return name


def _at(tree: Any, path: KeyPath) -> Any:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return _ABSENT
        tree = tree[key]
    return tree


def _with(tree: Tree, path: KeyPath, value: Any) -> Tree:
    """``tree`` with ``value`` at ``path``; :data:`REMOVED` takes away what stands there.

    What the path does not go through is shared, so that a change costs its own size and not that of
    everything: nobody changes a tree in its place.
    """
    key, *below = path
    changed = dict(tree)
    if below:
        inner = tree.get(key)
        changed[key] = _with(inner if isinstance(inner, dict) else {}, tuple(below), value)
    elif value == REMOVED:
        changed.pop(key, None)
    else:
        changed[key] = value
    return changed


def unhidden(value: Any, known: Any, shown: Any = None, key: str = "") -> Any:
    """``value`` with hidden secrets replaced by the ones that ``known`` has in their places.

    A member that is hidden and not known is left out: what a stronger source says goes on, which
    is ``shown`` so.
    """
    if value == HIDDEN:
        return known if known is not None else value
    if is_shown(value, known):
        return known
    if isinstance(value, str):
        return with_its_secrets(value, known, key)
    if isinstance(value, dict):
        there = known if isinstance(known, dict) else {}
        return {
            key: unhidden(item, there.get(key), _member(shown, key), str(key))
            for key, item in value.items()
            if there.get(key) is not None or not _is_elsewhere(item, _member(shown, key))
        }
    if isinstance(value, list):
        return [
            unhidden(item, *(_entry(item, each, index) for each in (known, shown)))
            for index, item in enumerate(value)
        ]
    return value


def _is_elsewhere(item: Any, shown: Any) -> bool:
    return isinstance(item, str) and HIDDEN in item and item in (HIDDEN, shown)


def lost_secrets(
    value: Any, meant: Any, known: Any, shown: Any = None, at: KeyPath = ()
) -> Iterator[Problem]:
    """Where ``value`` hides a secret that nothing answers for: it would be kept as its mask.

    Args:
        value: What was written.
        meant: What :func:`unhidden` made of it.
        known: What was stored there.
        shown: What holds there as it is shown: a stronger source may have the secret.
        at: Where all of them are.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            there, before, holds = (_member(each, key) for each in (meant, known, shown))
            yield from lost_secrets(item, there, before, holds, (*at, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            there = meant[index] if isinstance(meant, list) and index < len(meant) else None
            before, holds = (_entry(item, each, index) for each in (known, shown))
            yield from lost_secrets(item, there, before, holds, (*at, str(index + 1)))
    elif isinstance(value, str) and HIDDEN in value and (meant != known or meant is None):
        is_left = meant in (None, HIDDEN)
        # Of rules texts are shown as they are: stars in them are what is sent.
        is_mask = is_left or (at[:1] != ("rule_engine",) and stands_for_a_secret(meant))
        if is_mask and not (is_left and value == shown):
            yield Problem("secret_lost", join_path(at))


def _entry(item: Any, among: Any, index: int) -> Any:
    return destinations.entry_like(item, among, index) if isinstance(among, list) else None


def _member(tree: Any, key: str) -> Any:
    return tree.get(key) if isinstance(tree, dict) else None


def _said(changes: Mapping[KeyPath, Any], path: KeyPath) -> Any:
    """What the changes write at ``path`` themselves; none when they leave it to others."""
    for base, value in changes.items():
        if path[: len(base)] == base:
            return destinations.said_in(value, path[len(base) :])
    return None


def merged(base: Any, over: Any) -> Any:
    """``over`` put into ``base``, objects key by key."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}
    return over


def _refuse_weaker(strong: Node, path: KeyPath, value: Any) -> None:
    node: Node | None = strong
    for depth, key in enumerate(path):
        if node is None:
            return
        if not isinstance(node.value, dict):
            raise _conflict(path[:depth], node)
        node = node.value.get(key)
    if node is None:
        return
    if value is REMOVED or value is None or not isinstance(node.value, dict):
        if value is not REMOVED and node.plain() == value:
            return
        raise _conflict(path, node)
    for below, leaf in leaves(node):
        asked = _at(value, below)
        if asked is _ABSENT or asked == HIDDEN or is_shown(asked, leaf.plain()):
            continue
        if not _is_same((*path, *below), asked, leaf.plain()):
            raise _conflict((*path, *below), leaf)


def _is_same(path: KeyPath, asked: Any, known: Any) -> bool:
    """Whether both mean the same: what is shown as ``5s`` may be written as 5000."""
    if asked == known:
        return True
    parse = getattr(type_at(path), "parse", None)
    if parse is None:
        return False
    try:
        return bool(parse(asked) == parse(known))
    except ValueError:
        return False


def _conflict(path: KeyPath, node: Node) -> ConflictError:
    name = join_path(path)
    return ConflictError(
        f"{name} is set by {node.origin}, which stands above changes made while the node runs: "
        "change it there, then `rookery ctl conf reload`",
        code="CONFLICT",
        message_zh=f"{name} 由 {node.origin} 设置，其优先级高于运行时的修改："
        "请在该处修改，再执行 `rookery ctl conf reload`",
    )
