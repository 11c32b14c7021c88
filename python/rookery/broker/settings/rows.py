"""What was changed while the node ran, as rows that nodes of a cluster have alike.

An object that has a name of its own (a listener, a connector, an action, a source, a rule) is a row, and
so is everything else of one part of the configuration together. What belongs to one node is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rookery.config.runtime import REMOVED, KeyPath

OWN = frozenset({"node", "cluster"})
"""Parts of the configuration that each node has for itself."""
SHARED: frozenset[KeyPath] = frozenset({("cluster", "links")})
"""What all nodes have alike all the same, each a row."""
NAMED = frozenset({"listeners", "connectors", "actions", "sources", "rule_engine"})
"""Parts of which each object is a row."""
_DEPTH = 3
TABLE = "settings"


def rows_of(tree: Mapping[str, Any]) -> dict[KeyPath, Any]:
    """What stands in the tree, by the places of its rows."""
    found: dict[KeyPath, Any] = {}
    for root, value in tree.items():
        if root in NAMED:
            found.update(_named((root,), value))
        elif root not in OWN:
            found[root,] = value
        elif isinstance(value, dict):
            found.update(
                ((root, key), child) for key, child in value.items() if is_shared((root, key))
            )
    return found


def is_shared(path: KeyPath) -> bool:
    """Whether a row at that place is for all nodes."""
    return path[0] not in OWN or path in SHARED


def _named(path: KeyPath, value: Any) -> Iterable[tuple[KeyPath, Any]]:
    if not isinstance(value, dict) or len(path) == _DEPTH:
        yield path, value
        return
    for key, child in value.items():
        yield from _named((*path, key), child)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[KeyPath, Any]:
    """Rows that are other ones after a change; :data:`REMOVED` where one is gone."""
    old, new = rows_of(before), rows_of(after)
    found = {path: value for path, value in new.items() if path not in old or old[path] != value}
    return found | dict.fromkeys(old.keys() - new.keys(), REMOVED)
