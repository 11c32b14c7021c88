"""The new file while it is being put together: values with the old lines they came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from rookery.config.importing.model import Changed, Entry, Outcome, Remark, Setting, Words
from rookery.config.tree import Node, Origin, wrap

Path = tuple[str, ...]


class Part(NamedTuple):
    """An authentication provider or an authorization source."""

    plugin: str
    """Which plugin it was: their order is that of the loaded ones."""
    value: dict[str, Any]
    entries: list[Entry]


class Draft:
    """Grows during an import.

    Attributes:
        tree: What will be written.
        entries: What became of every line, in the order of the files.
        remarks: What belongs to no line.
        sources: Authorization sources that lie in front of the file's.
        providers: The authentication chain, not yet in its order.
        users: What will stand in the file of users: rows of a built-in database.
        acl_named: The line that names the file of rules.
        asked_authn: Plugins of which some line was read: a chain was wanted.
        asked_authz: Plugins that decided about topics.
    """

    def __init__(self) -> None:
        self.tree = Node({}, Origin("file"))
        self.entries: list[Entry] = []
        self.remarks: list[Remark] = []
        self.providers: list[Part] = []
        self.sources: list[Part] = []
        self.users: list[dict[str, Any]] = []
        self.acl_named: Setting | None = None
        self.asked_authn: set[str] = set()
        self.asked_authz: set[str] = set()

    def take(self, setting: Setting, path: Path, value: Any, note: Words | None = None) -> Entry:
        """``setting`` stands at ``path`` with ``value``; with a note it counts as changed."""
        if isinstance(value, Changed):
            value, note = value
        entry = Entry(setting, Outcome.TAKEN if note is None else Outcome.CHANGED)
        entry.notes.extend([note] if note else [])
        self.entries.append(entry)
        self.put(entry, path, value)
        return entry

    def put(self, entry: Entry, path: Path, value: Any) -> None:
        """One more place for a line."""
        entry.paths.append(path)
        entry.value = value
        self._put(path, wrap(value, _origin(entry.setting)))

    def imply(self, path: Path, value: Any) -> None:
        """A value that no line asked for."""
        self._put(path, wrap(value, Origin("file")))

    def leave(self, setting: Setting, outcome: Outcome, note: Words | None = None) -> Entry:
        """``setting`` is not written."""
        entry = Entry(setting, outcome)
        entry.notes.extend([note] if note else [])
        self.entries.append(entry)
        return entry

    def merge(self, settings: Iterable[Setting], note: Words | None = None) -> list[Entry]:
        """Lines that become part of something put together; the caller says where."""
        outcome = Outcome.TAKEN if note is None else Outcome.CHANGED
        return [self.leave(setting, outcome, note) for setting in settings]

    def deny(self, words: Words) -> None:
        """What no source decides is denied, whatever was written."""
        path = ("authorization", "no_match")
        self.imply(path, "deny")
        self.remark(words)
        for entry in self.entries:
            if path in entry.paths and entry.value != "deny":
                entry.value, entry.outcome = "deny", Outcome.CHANGED
                entry.notes.append(words)

    def remark(self, words: Words) -> None:
        """Something to know that belongs to no line; said once."""
        if Remark(words) not in self.remarks:
            self.remarks.append(Remark(words))

    def get(self, path: Path) -> Any:
        """The plain value at ``path``, or None."""
        node: Node | None = self.tree
        for key in path:
            if node is None or not isinstance(node.value, dict):
                return None
            node = node.value.get(key)
        return None if node is None else node.plain()

    def _put(self, path: Path, value: Node) -> None:
        node = self.tree
        for key in path[:-1]:
            if not isinstance(node.value, dict):
                return
            node = node.value.setdefault(key, Node({}, value.origin))
        if isinstance(node.value, dict):
            node.value[path[-1]] = value


def _origin(setting: Setting) -> Origin:
    return Origin("file", str(setting.file), setting.line)
