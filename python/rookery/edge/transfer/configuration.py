"""The whole configuration in JSON, in the shape of Neuron's export: ``nodes``, ``settings``, ``groups``, ``tags``,
``subscriptions``.

Secrets are written as ``******`` unless they are asked for; what is read as ``******`` stays what it is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rookery.config.secrets import HIDDEN
from rookery.edge.errors import (
    BODY_IS_WRONG,
    GROUP_EXIST,
    GROUP_NOT_EXIST,
    NODE_EXIST,
    NODE_NOT_EXIST,
    NODE_SETTING_INVALID,
    TAG_NAME_CONFLICT,
    EdgeError,
)
from rookery.edge.model import Group, Node, NodeKind, Plugin, Snapshot, Subscription, Tag
from rookery.edge.wire import tag_of, tag_row
from rookery.words import Words

Parts = Mapping[str, Sequence[Mapping[str, Any]]]
PARTS = ("nodes", "settings", "groups", "tags", "subscriptions")

_SECRET = Words(
    "is hidden in the file, and there is none here that it could stay: write it into the file",
    "文件中未包含该密文，本服务中也没有可沿用的值，请在文件中填写",
)


def exported(
    snapshot: Snapshot,
    plugins: Mapping[str, Plugin],
    *,
    drivers_only: bool = False,
    with_secrets: bool = False,
) -> dict[str, Any]:
    """What the file holds."""
    nodes = [node for node in snapshot.nodes if not drivers_only or node.kind is NodeKind.DRIVER]
    return {
        "nodes": [_node(node) for node in nodes],
        "settings": [
            {"node": node.name, "params": _params(node, plugins, with_secrets=with_secrets)}
            for node in nodes
            if node.setting is not None
        ],
        "groups": [
            {"driver": driver, "group": group.name, "interval": group.interval_ms}
            for driver, groups in snapshot.groups.items()
            for group in groups
        ],
        "tags": [
            {
                "driver": driver,
                "group": group.name,
                "tags": [tag_row(tag) for tag in group.tags.values()],
            }
            for driver, groups in snapshot.groups.items()
            for group in groups
            if group.tags
        ],
        "subscriptions": [
            {"app": one.app, "driver": one.driver, "group": one.group, "params": dict(one.params)}
            for one in (() if drivers_only else snapshot.subscriptions)
        ],
    }


def imported(
    parts: Parts, now: Snapshot, plugins: Mapping[str, Plugin], *, drivers_only: bool = False
) -> Snapshot:
    """What the service shall be; ``now`` is what it is.

    With ``drivers_only`` applications and subscriptions of the file are left out.

    Raises:
        EdgeError: something in the file refers to what is not there, or is there twice.
    """
    settings = {str(one["node"]): dict(one["params"]) for one in parts["settings"]}
    before = {node.name: node for node in now.nodes}
    nodes: dict[str, Node] = {}
    for order, raw in enumerate(parts["nodes"]):
        name, plugin_name = str(raw["name"]), str(raw["plugin"])
        plugin = plugins.get(plugin_name)
        if plugin is None:
            raise EdgeError(BODY_IS_WRONG, reason=_no_plugin(name, plugin_name))
        if drivers_only and plugin.kind is not NodeKind.DRIVER:
            continue
        if name in nodes:
            raise EdgeError(NODE_EXIST, name=name)
        setting = settings.get(name)
        if setting is not None:
            setting = _revealed(plugin, setting, before.get(name))
        nodes[name] = Node(
            name=name,
            plugin=plugin_name,
            kind=plugin.kind,
            setting=setting,
            # What was exported before it was told runs.
            is_wanted=bool(raw.get("running", True)) and setting is not None,
            log_level=str(raw.get("log_level") or "notice"),
            order=order,
        )
    groups = _groups(parts, nodes)
    subscriptions = tuple(
        Subscription(
            app=str(raw["app"]),
            driver=str(raw["driver"]),
            group=str(raw["group"]),
            params=dict(raw.get("params") or {}),
        )
        for raw in (() if drivers_only else parts["subscriptions"])
    )
    return Snapshot(nodes=tuple(nodes.values()), groups=groups, subscriptions=subscriptions)


def _node(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "plugin": node.plugin,
        "type": int(node.kind),
        "running": node.is_wanted,
        "log_level": node.log_level,
    }


def _secrets_of(plugin: Plugin | None) -> frozenset[str]:
    fields = plugin.schema if plugin is not None else {}
    return frozenset(
        name
        for name, about in fields.items()
        if isinstance(about, Mapping) and about.get("secret") is True
    )


def _params(node: Node, plugins: Mapping[str, Plugin], *, with_secrets: bool) -> dict[str, Any]:
    hidden = frozenset() if with_secrets else _secrets_of(plugins.get(node.plugin))
    return {
        name: HIDDEN if name in hidden and value else value
        for name, value in (node.setting or {}).items()
        if value is not None
    }


def _revealed(plugin: Plugin, setting: dict[str, Any], before: Node | None) -> dict[str, Any]:
    known = before.setting if before is not None and before.plugin == plugin.name else None
    for name in _secrets_of(plugin):
        if setting.get(name) == HIDDEN:
            if not known or not known.get(name):
                raise EdgeError(NODE_SETTING_INVALID, field=name, reason=_SECRET)
            setting[name] = known[name]
    return setting


def _groups(parts: Parts, nodes: Mapping[str, Node]) -> dict[str, tuple[Group, ...]]:
    made: dict[str, dict[str, Group]] = {
        name: {} for name, node in nodes.items() if node.kind is NodeKind.DRIVER
    }
    for raw in parts["groups"]:
        driver, name = str(raw["driver"]), str(raw["group"])
        groups = _of(made, driver)
        if name in groups:
            raise EdgeError(GROUP_EXIST, node=driver, name=name)
        groups[name] = Group(name=name, interval_ms=raw["interval"])
    for raw in parts["tags"]:
        driver, name = str(raw["driver"]), str(raw["group"])
        groups = _of(made, driver)
        if name not in groups:
            raise EdgeError(GROUP_NOT_EXIST, node=driver, name=name)
        tags: dict[str, Tag] = dict(groups[name].tags)
        for tag in map(tag_of, raw["tags"]):
            if tag.name in tags:
                raise EdgeError(TAG_NAME_CONFLICT, name=tag.name, group=name)
            tags[tag.name] = tag
        groups[name] = groups[name].with_tags(tags)
    return {driver: tuple(groups.values()) for driver, groups in made.items()}


def _of(made: dict[str, dict[str, Group]], driver: str) -> dict[str, Group]:
    found = made.get(driver)
    if found is None:
        raise EdgeError(NODE_NOT_EXIST, name=driver)
    return found


def _no_plugin(name: str, plugin: str) -> Words:
    return Words(f"node {name}: there is no plugin {plugin}", f"节点 {name}：插件 {plugin} 不存在")
