"""Groups of drivers: what is read together, and how often."""

from __future__ import annotations

from dataclasses import replace

from rookery.edge import store
from rookery.edge.checks import check_group
from rookery.edge.core import Core, whole
from rookery.edge.errors import GROUP_EXIST, GROUP_MAX_GROUPS, EdgeError
from rookery.edge.model import GROUPS_OF_DRIVER_MAX, Group


class Groups:
    """Part of :class:`rookery.edge.service.EdgeService`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def list(self, node: str) -> tuple[Group, ...]:
        """Of a driver.

        Raises:
            EdgeError: it is none.
        """
        self._core.state.driver(node)
        return tuple(self._core.state.groups[node].values())

    def all(self) -> tuple[tuple[str, Group], ...]:
        """Of all drivers, with the driver's name."""
        groups = self._core.state.groups
        return tuple((node, group) for node, made in groups.items() for group in made.values())

    def get(self, node: str, group: str) -> Group:
        """One.

        Raises:
            EdgeError: there is none.
        """
        return self._core.state.group(node, group)

    @whole
    async def add(self, node: str, name: str, interval_ms: int) -> Group:
        """A new one, without tags.

        Raises:
            EdgeError: it is no driver, or the group is there already or cannot be one.
        """
        core = self._core
        async with core.changing:
            core.state.driver(node)
            check_group(name, interval_ms)
            groups = core.state.groups[node]
            if name in groups:
                raise EdgeError(GROUP_EXIST, node=node, name=name)
            if len(groups) >= GROUPS_OF_DRIVER_MAX:
                raise EdgeError(GROUP_MAX_GROUPS, node=node, most=GROUPS_OF_DRIVER_MAX)
            group = Group(name=name, interval_ms=interval_ms)
            await core.store.change(store.put_group(node, group))
            groups[name] = group
            core.engine.regroup(node)
        return group

    @whole
    async def update(
        self, node: str, name: str, *, new_name: str | None = None, interval_ms: int | None = None
    ) -> Group:
        """Another name or interval; subscriptions stay.

        Raises:
            EdgeError: there is no such group, or what it shall be cannot be one or is taken.
        """
        core = self._core
        async with core.changing:
            before = core.state.group(node, name)
            group = replace(
                before,
                name=name if new_name is None else new_name,
                interval_ms=before.interval_ms if interval_ms is None else interval_ms,
            )
            check_group(group.name, group.interval_ms)
            if group.name != name and group.name in core.state.groups[node]:
                raise EdgeError(GROUP_EXIST, node=node, name=group.name)
            await core.store.change(
                store.rename_group(node, name, group.name), store.put_group(node, group)
            )
            core.state.rename_group(node, name, group)
            core.engine.regroup(node)
            core.engine.resubscribe()
        return group

    @whole
    async def delete(self, node: str, name: str) -> None:
        """With its tags and subscriptions.

        Raises:
            EdgeError: there is none.
        """
        core = self._core
        async with core.changing:
            core.state.group(node, name)
            await core.store.change(store.delete_group(node, name))
            core.state.delete_group(node, name)
            core.engine.regroup(node)
            core.engine.resubscribe()
