"""What is different between two configurations, in counts and names of fields: values may be secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rookery.edge.model import Group, Node, NodeKind
from rookery.edge.state import State

Change: TypeAlias = Literal["new", "changed", "same", "removed"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Of groups, tags or subscriptions."""

    added: int = 0
    removed: int = 0
    changed: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What becomes of one node.

    Attributes:
        settings: Names of settings that change; ``running`` and ``log_level`` are among them.
    """

    name: str
    plugin: str
    kind: NodeKind
    change: Change
    settings: tuple[str, ...] = ()
    groups: Counts = Counts()
    tags: Counts = Counts()
    subscriptions: Counts = Counts()


def differences(before: State, after: State, names: Collection[str]) -> Sequence[Difference]:
    """Of these nodes, and of applications whose subscriptions change, by name."""
    keys = {*before.subscriptions, *after.subscriptions}
    apps = {
        app
        for app, driver, group in keys
        if before.subscriptions.get((app, driver, group))
        != after.subscriptions.get((app, driver, group))
    }
    found = (_of_node(before, after, name) for name in sorted({*names, *apps}))
    return [one for one in found if one is not None]


def is_any(found: Sequence[Difference]) -> bool:
    """Whether anything is different."""
    return any(one.change != "same" for one in found)


def _of_node(before: State, after: State, name: str) -> Difference | None:
    old, new = before.nodes.get(name), after.nodes.get(name)
    node = new or old
    if node is None:
        return None
    old_groups, new_groups = before.groups.get(name, {}), after.groups.get(name, {})
    settings = _settings(old, new)
    groups = _counts({key: one.interval_ms for key, one in old_groups.items()},
                     {key: one.interval_ms for key, one in new_groups.items()})  # fmt: skip
    tags = _counts(_tags(old_groups), _tags(new_groups))
    subscriptions = _counts(
        {key: one for key, one in before.subscriptions.items() if key[0] == name},
        {key: one for key, one in after.subscriptions.items() if key[0] == name},
    )
    is_changed = bool(
        settings
        or groups
        or tags
        or subscriptions
        or (old is not None and new is not None and old.plugin != new.plugin)
    )
    change: Change = "changed" if is_changed else "same"
    if old is None or new is None:
        change = "new" if old is None else "removed"
    return Difference(
        name=name,
        plugin=node.plugin,
        kind=node.kind,
        change=change,
        settings=settings,
        groups=groups,
        tags=tags,
        subscriptions=subscriptions,
    )


def _settings(old: Node | None, new: Node | None) -> tuple[str, ...]:
    one, other = _flat(old), _flat(new)
    return tuple(sorted(name for name in {*one, *other} if one.get(name) != other.get(name)))


def _flat(node: Node | None) -> dict[str, Any]:
    if node is None:
        return {}
    return {**(node.setting or {}), "running": node.is_wanted, "log_level": node.log_level}


def _tags(groups: Mapping[str, Group]) -> dict[Any, Any]:
    return {(group, name): tag for group, one in groups.items() for name, tag in one.tags.items()}


def _counts(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Counts:
    return Counts(
        len(new.keys() - old.keys()),
        len(old.keys() - new.keys()),
        sum(old[key] != new[key] for key in old.keys() & new.keys()),
    )
