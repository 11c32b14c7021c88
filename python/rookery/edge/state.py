"""The configuration in memory: what :mod:`rookery.edge.store` has on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rookery.edge.errors import (
    GROUP_NOT_ALLOW,
    GROUP_NOT_EXIST,
    GROUP_NOT_SUBSCRIBE,
    NODE_NOT_ALLOW_SUBSCRIBE,
    NODE_NOT_EXIST,
    TAG_NOT_EXIST,
    EdgeError,
)
from rookery.edge.model import Group, Node, NodeKind, Snapshot, Subscription, Tag

Key = tuple[str, str, str]
"""Of a subscription: application, driver, group."""


@dataclass(slots=True)
class State:
    """Changed by one task at a time, after the disk has it."""

    nodes: dict[str, Node] = field(default_factory=dict)
    groups: dict[str, dict[str, Group]] = field(default_factory=dict)
    subscriptions: dict[Key, Subscription] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Snapshot) -> State:
        made = cls(nodes={node.name: node for node in found.nodes})
        for node in found.nodes:
            if node.kind is NodeKind.DRIVER:
                made.groups[node.name] = {one.name: one for one in found.groups.get(node.name, ())}
        for one in found.subscriptions:
            made.subscriptions[one.app, one.driver, one.group] = one
        return made

    def snapshot(self) -> Snapshot:
        return Snapshot(
            nodes=tuple(self.nodes.values()),
            groups={name: tuple(groups.values()) for name, groups in self.groups.items()},
            subscriptions=tuple(self.subscriptions.values()),
        )

    def node(self, name: str) -> Node:
        """A node.

        Raises:
            EdgeError: there is none of that name.
        """
        found = self.nodes.get(name)
        if found is None:
            raise EdgeError(NODE_NOT_EXIST, name=name)
        return found

    def driver(self, name: str) -> Node:
        """A node that has groups.

        Raises:
            EdgeError: there is none of that name, or it is an application.
        """
        node = self.node(name)
        if node.kind is not NodeKind.DRIVER:
            raise EdgeError(GROUP_NOT_ALLOW, name=name)
        return node

    def app(self, name: str) -> Node:
        """A node that subscribes.

        Raises:
            EdgeError: there is none of that name, or it is a driver.
        """
        node = self.node(name)
        if node.kind is not NodeKind.APP:
            raise EdgeError(NODE_NOT_ALLOW_SUBSCRIBE, name=name)
        return node

    def group(self, node: str, name: str) -> Group:
        """A group of a driver.

        Raises:
            EdgeError: there is no such driver, or it has no such group.
        """
        self.driver(node)
        found = self.groups[node].get(name)
        if found is None:
            raise EdgeError(GROUP_NOT_EXIST, node=node, name=name)
        return found

    def tag(self, node: str, group: str, name: str) -> Tag:
        """A tag.

        Raises:
            EdgeError: there is none.
        """
        found = self.group(node, group).tags.get(name)
        if found is None:
            raise EdgeError(TAG_NOT_EXIST, name=name, group=group)
        return found

    def subscription(self, app: str, driver: str, group: str) -> Subscription:
        """A subscription.

        Raises:
            EdgeError: there is none.
        """
        self.app(app)
        found = self.subscriptions.get((app, driver, group))
        if found is None:
            raise EdgeError(GROUP_NOT_SUBSCRIBE, app=app, driver=driver, group=group)
        return found

    def of_app(self, app: str) -> tuple[Subscription, ...]:
        return tuple(one for one in self.subscriptions.values() if one.app == app)

    def of_driver(self, driver: str, group: str | None = None) -> tuple[Subscription, ...]:
        return tuple(
            one
            for one in self.subscriptions.values()
            if one.driver == driver and group in (None, one.group)
        )

    @property
    def tag_count(self) -> int:
        groups = (group for made in self.groups.values() for group in made.values())
        return sum(len(group.tags) for group in groups)

    def rename_node(self, name: str, new_name: str) -> Node:
        """With everything that names it; it stays where it stands."""
        node = replace(self.nodes[name], name=new_name)
        self.nodes = {
            new_name if key == name else key: node if key == name else one
            for key, one in self.nodes.items()
        }
        if name in self.groups:
            self.groups[new_name] = self.groups.pop(name)
        self._resubscribe(
            replace(one, app=new_name)
            if one.app == name
            else replace(one, driver=new_name)
            if one.driver == name
            else one
            for one in self.subscriptions.values()
        )
        return node

    def rename_group(self, node: str, name: str, made: Group) -> None:
        """A group under its new name, in its place, with its subscriptions."""
        self.groups[node] = {
            made.name if key == name else key: made if key == name else one
            for key, one in self.groups[node].items()
        }
        self._resubscribe(
            replace(one, group=made.name) if (one.driver, one.group) == (node, name) else one
            for one in self.subscriptions.values()
        )

    def delete_node(self, name: str) -> None:
        """With everything that belongs to it."""
        del self.nodes[name]
        self.groups.pop(name, None)
        kept = (one for one in self.subscriptions.values() if name not in (one.app, one.driver))
        self._resubscribe(kept)

    def delete_group(self, node: str, name: str) -> None:
        """With its subscriptions."""
        del self.groups[node][name]
        subscriptions: Mapping[Key, Subscription] = self.subscriptions
        self._resubscribe(
            one for one in subscriptions.values() if (one.driver, one.group) != (node, name)
        )

    def _resubscribe(self, subscriptions: Iterable[Subscription]) -> None:
        self.subscriptions = {(one.app, one.driver, one.group): one for one in subscriptions}
