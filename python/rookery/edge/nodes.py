"""Drivers and applications: made, set up, started and stopped."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rookery.edge import store
from rookery.edge.checks import check_node_name
from rookery.edge.core import Core, whole
from rookery.edge.drivers.base import DeviceError, DriverType, unsupported
from rookery.edge.errors import (
    NODE_EXIST,
    NODE_IS_RUNNING,
    NODE_IS_STOPPED,
    NODE_MAX_NODES,
    NODE_NOT_READY,
    NODE_SETTING_NOT_FOUND,
    NOT_RUNNING,
    PARAM_IS_WRONG,
    READ_FAILURE,
    EdgeError,
)
from rookery.edge.model import (
    NODES_MAX,
    Browsed,
    Node,
    NodeControl,
    NodeKind,
    NodeStatus,
)
from rookery.edge.plugins import PluginType
from rookery.edge.schema import checked, shown
from rookery.words import Words

LOG_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": 25,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}

_NO_LEVEL = Words("must be one of {levels}", "应为以下之一：{levels}")
_BROWSE = Words("browse", "浏览")


class Nodes:
    """Part of :class:`rookery.edge.service.EdgeService`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def list(
        self, kind: NodeKind | None = None, plugin: str = "", search: str = ""
    ) -> tuple[Node, ...]:
        """Nodes in the order in which they were made."""
        return tuple(
            node
            for node in self._core.state.nodes.values()
            if (kind is None or node.kind is kind)
            and plugin in ("", node.plugin)
            and search.lower() in node.name.lower()
        )

    def get(self, name: str) -> Node:
        """One.

        Raises:
            EdgeError: there is none of that name.
        """
        return self._core.state.node(name)

    @whole
    async def add(self, name: str, plugin: str, setting: Mapping[str, Any] | None = None) -> Node:
        """A new node; with settings it is started at once.

        Raises:
            EdgeError: the name is taken or cannot be one, there is no such plugin, or the settings
                are wrong.
        """
        check_node_name(name)
        core = self._core
        kind = core.plugins.require(plugin)
        made_setting = None if setting is None else self._checked(kind, setting, None)
        async with core.changing:
            state = core.state
            if name in state.nodes:
                raise EdgeError(NODE_EXIST, name=name)
            if len(state.nodes) >= NODES_MAX:
                raise EdgeError(NODE_MAX_NODES, most=NODES_MAX)
            node = Node(
                name=name,
                plugin=plugin,
                kind=kind.kind,
                setting=made_setting,
                is_wanted=made_setting is not None,
                order=max((one.order for one in state.nodes.values()), default=0) + 1,
            )
            await core.store.change(store.put_node(node))
            state.nodes[name] = node
            if node.kind is NodeKind.DRIVER:
                state.groups[name] = {}
            await core.engine.apply(node)
        return node

    @whole
    async def rename(self, name: str, new_name: str) -> Node:
        """Another name for it, wherever it is named; it is started again under that.

        Raises:
            EdgeError: there is none of that name, or the new one is taken or cannot be one.
        """
        check_node_name(new_name)
        core = self._core
        async with core.changing:
            node = core.state.node(name)
            if name == new_name:
                return node
            if new_name in core.state.nodes:
                raise EdgeError(NODE_EXIST, name=new_name)
            await core.store.change(store.rename_node(name, new_name))
            await core.engine.end(name)
            await core.engine.renamed(name, new_name)
            node = core.state.rename_node(name, new_name)
            await core.engine.apply(node)
            core.engine.resubscribe()
        return node

    @whole
    async def delete(self, name: str) -> None:
        """With its groups, tags, subscriptions and what it kept on disk.

        Raises:
            EdgeError: there is none of that name.
        """
        core = self._core
        async with core.changing:
            core.state.node(name)
            await core.store.change(store.delete_node(name))
            await core.engine.forget(name)
            core.state.delete_node(name)
            core.engine.resubscribe()

    def setting(self, name: str) -> dict[str, Any]:
        """As people may see it: secrets hidden.

        Raises:
            EdgeError: there is none of that name, or nobody has set it up.
        """
        node = self._core.state.node(name)
        if node.setting is None:
            raise EdgeError(NODE_SETTING_NOT_FOUND, name=name)
        return shown(self._core.plugins.type(node.plugin).fields, node.setting)

    @whole
    async def configure(self, name: str, setting: Mapping[str, Any]) -> None:
        """Set it up; it is started again with that, the first time it is started.

        Raises:
            EdgeError: there is none of that name, or a setting is wrong.
        """
        core = self._core
        async with core.changing:
            node = core.state.node(name)
            kind = core.plugins.require(node.plugin)
            made = self._checked(kind, setting, node.setting)
            is_wanted = node.is_wanted or node.setting is None
            await self._keep(replace(node, setting=made, is_wanted=is_wanted))

    @whole
    async def control(self, name: str, control: NodeControl) -> None:
        """Start or stop it; it stays so over a restart.

        Raises:
            EdgeError: there is none of that name, or it is so already, or is not set up.
        """
        core = self._core
        async with core.changing:
            node = core.state.node(name)
            if node.setting is None:
                raise EdgeError(NODE_NOT_READY, name=name)
            if control is NodeControl.START:
                core.plugins.require(node.plugin)
            is_running = name in core.engine.runners or name in core.engine.apps
            if control is NodeControl.START and is_running:
                raise EdgeError(NODE_IS_RUNNING, name=name)
            if control is NodeControl.STOP and not node.is_wanted:
                raise EdgeError(NODE_IS_STOPPED, name=name)
            await self._keep(replace(node, is_wanted=control is NodeControl.START))

    async def _keep(self, node: Node) -> None:
        core = self._core
        await core.store.change(store.put_node(node))
        core.state.nodes[node.name] = node
        await core.engine.apply(node)

    def status(self, name: str) -> NodeStatus:
        """How it is.

        Raises:
            EdgeError: there is none of that name.
        """
        return self._core.engine.status(self._core.state.node(name))

    def statuses(self) -> tuple[NodeStatus, ...]:
        """How all are."""
        return tuple(self._core.engine.status(node) for node in self._core.state.nodes.values())

    @whole
    async def set_log_level(self, name: str, level: str) -> None:
        """How much its log says: debug, info, notice, warn, error or fatal.

        Raises:
            EdgeError: there is no such node or level.
        """
        if level not in LOG_LEVELS:
            levels = ", ".join(LOG_LEVELS)
            reason = _NO_LEVEL.format(levels=levels)
            raise EdgeError(PARAM_IS_WRONG, name="level", reason=reason)
        core = self._core
        async with core.changing:
            node = replace(core.state.node(name), log_level=level)
            await core.store.change(store.put_node(node))
            core.state.nodes[name] = node
            apply_log_level(node)

    async def browse(self, name: str, parent: str = "") -> tuple[Browsed, ...]:
        """What is below a place in the tree of a driver's device; empty: its root.

        Raises:
            EdgeError: it is no driver that can, it does not run, or the device fails at it.
        """
        node = self._core.state.driver(name)
        kind = self._core.plugins.type(node.plugin)
        if not isinstance(kind, DriverType) or not kind.can_browse:
            raise unsupported(node.plugin, _BROWSE)
        runner = self._core.engine.runners.get(name)
        if runner is None:
            raise EdgeError(NOT_RUNNING, name=name)
        try:
            return tuple(await runner.ask(lambda driver: driver.browse(parent)))
        except DeviceError as error:
            raise EdgeError(READ_FAILURE, reason=error.words) from error

    @staticmethod
    def _checked(
        kind: PluginType, setting: Mapping[str, Any], before: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        made = checked(kind.fields, setting, before)
        kind.check_setting(made)
        return made


def apply_log_level(node: Node) -> None:
    """Its log says as much as it shall."""
    logger = logging.getLogger(f"rookery.edge.node.{node.name}")
    logger.setLevel(LOG_LEVELS.get(node.log_level, logging.INFO))
