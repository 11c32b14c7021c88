"""Holds the draft against the schema: what is not allowed there leaves it, and the lines say so.

Fails closed: where leaving one key out would open something, more goes: a listener without one of
its checks, a provider, a source. Without one of its sources authorization denies what is left.
"""

from __future__ import annotations

from rookery.config.check import check
from rookery.config.importing.draft import Draft
from rookery.config.importing.model import DENIES, NOBODY_LEFT, Entry, Outcome, Words
from rookery.config.problems import Problem
from rookery.config.schema import ROOT
from rookery.config.tree import Node, split_path

Path = tuple[str, ...]

ROUNDS_MAX = 50
# Left out of a listener these change how fast, not who.
HARMLESS_OF_LISTENER = {
    "max_conn_rate",
    "max_conn_burst",
    "messages_rate",
    "messages_burst",
    "bytes_rate",
    "bytes_burst",
    "tcp_options",
    "acceptors",
    "max_connections",
    "websocket",
    "ocsp",
    "handshake_timeout",
    "depth",
}
HARMLESS_OF_SERVICE = {
    "pool_size",
    "query_timeout",
    "connect_timeout",
    "request_timeout",
    "enable_pipelining",
    "auto_reconnect",
    "max_inactive",
}


def settle(draft: Draft) -> None:
    """Take out what the schema does not know, until it knows everything."""
    had_chain = bool(draft.get(("authentication",)))
    warnings: list[Problem] = []
    for _ in range(ROUNDS_MAX):
        checked = check(draft.tree, ROOT)
        warnings = checked.warnings
        if not checked.problems:
            break
        problem = max(checked.problems, key=lambda problem: _order(problem.path))
        path = _widened(tuple(split_path(problem.path)))
        if path[:2] == ("authorization", "sources"):
            draft.deny(DENIES)
        _drop(draft, path, Outcome.UNSUPPORTED, _words(problem))
    for problem in warnings:
        _drop(draft, tuple(split_path(problem.path)), Outcome.NOT_NEEDED, _words(problem))
    if had_chain and not draft.get(("authentication",)):
        draft.remark(NOBODY_LEFT)
    _prune(draft.tree)


def _order(path: str) -> tuple[tuple[bool, int, str], ...]:
    """Later items of lists go first, so that numbers keep their meaning."""
    return tuple(
        (part.isdigit(), int(part) if part.isdigit() else 0, part) for part in split_path(path)
    )


def _words(problem: Problem) -> Words:
    bare = problem._replace(origin=None)
    return Words(bare.text("en"), bare.text("zh"))


def _widened(path: Path) -> Path:
    """How much has to go so that nothing opens."""
    if path[0] == "listeners" and len(path) > 3:
        is_harmless = bool(HARMLESS_OF_LISTENER.intersection(path[3:5]))
        return path if is_harmless else path[:3]
    if path[0] == "authentication" and len(path) > 2:
        return path if path[2] in HARMLESS_OF_SERVICE else path[:2]
    if path[:2] == ("authorization", "sources") and len(path) > 3:
        return path if path[3] in HARMLESS_OF_SERVICE else path[:3]
    return path


def _drop(draft: Draft, path: Path, outcome: Outcome, why: Words) -> None:
    parent: Node | None = draft.tree
    for key in path[:-1]:
        parent = _child(parent, key)
    if parent is None or not _remove(parent, path[-1]):
        return
    for entry in draft.entries:
        _lose(entry, path, outcome, why)
    if isinstance(parent.value, list):
        for entry in draft.entries:
            entry.paths = [_moved_up(own, path) for own in entry.paths]


def _child(node: Node | None, key: str) -> Node | None:
    if node is None:
        return None
    if isinstance(node.value, dict):
        return node.value.get(key)
    if isinstance(node.value, list) and key.isdigit() and 0 < int(key) <= len(node.value):
        return node.value[int(key) - 1]
    return None


def _remove(parent: Node, key: str) -> bool:
    if isinstance(parent.value, dict):
        return parent.value.pop(key, None) is not None
    if isinstance(parent.value, list) and key.isdigit() and 0 < int(key) <= len(parent.value):
        del parent.value[int(key) - 1]
        return True
    return False


def _lose(entry: Entry, path: Path, outcome: Outcome, why: Words) -> None:
    inside = [own for own in entry.paths if own[: len(path)] == path]
    around = [own for own in entry.paths if len(own) < len(path) and path[: len(own)] == own]
    if not inside and not around:
        return
    entry.paths = [own for own in entry.paths if own not in inside]
    if entry.paths:
        if outcome is Outcome.UNSUPPORTED:
            entry.outcome = Outcome.CHANGED
            entry.notes.append(why)
    else:
        entry.outcome = outcome
        entry.notes = [why]


def _moved_up(own: Path, dropped: Path) -> Path:
    depth = len(dropped) - 1
    if len(own) <= depth or own[:depth] != dropped[:depth] or not own[depth].isdigit():
        return own
    index = int(own[depth])
    return (*own[:depth], str(index - 1), *own[depth + 1 :]) if index > int(dropped[-1]) else own


def _prune(node: Node, at: Path = ()) -> None:
    """Objects and lists that became empty say nothing; a zone that listeners name has to exist."""
    if not isinstance(node.value, dict):
        return
    for key, child in list(node.value.items()):
        _prune(child, (*at, key))
        if child.value in ({}, []) and not (at == ("zones",) or at[:1] == ("zones",)):
            del node.value[key]
