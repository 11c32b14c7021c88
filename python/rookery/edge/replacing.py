"""Puts another configuration in the place of the present one: an import, or what the control plane sends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace as changed
from typing import Any

from rookery.edge import store
from rookery.edge.apps.base import AppType
from rookery.edge.checks import check_group, check_node_name
from rookery.edge.core import Core, whole
from rookery.edge.errors import (
    GROUP_EXIST,
    GROUP_MAX_GROUPS,
    GROUP_NOT_EXIST,
    NODE_EXIST,
    NODE_MAX_NODES,
    TAG_MAX_TAGS,
    TAG_NAME_CONFLICT,
    EdgeError,
)
from rookery.edge.model import (
    GROUPS_OF_DRIVER_MAX,
    NODES_MAX,
    TAGS_MAX,
    Group,
    Node,
    NodeKind,
    Snapshot,
    Subscription,
)
from rookery.edge.nodes import apply_log_level
from rookery.edge.schema import checked
from rookery.edge.state import State
from rookery.edge.tags import tag_check


@whole
async def replace(core: Core, wanted: Snapshot, drivers: Collection[str] | None) -> None:
    """All of it, or those drivers alone; nothing changes where something is wrong.

    Raises:
        EdgeError: something in it is wrong.
    """
    async with core.changing:
        if drivers is not None:
            wanted = merged(core, changed(wanted, subscriptions=()), drivers)
        await put(core, checked_state(core, wanted))


async def put(core: Core, made: State, documents: Mapping[str, Any] | None = None) -> None:
    """Have it on disk, with these documents, and then running. Who calls holds ``core.changing``.

    Raises:
        UnavailableError: the disk does not take it; nothing was changed.
    """
    before = core.state
    await core.store.change(
        *(store.delete_node(name) for name in before.nodes),
        *store.put_all(
            made.nodes.values(), {name: one.values() for name, one in made.groups.items()}
        ),
        *(store.put_subscription(one) for one in made.subscriptions.values()),
        documents=documents,
    )
    gone = [name for name in before.nodes if name not in made.nodes]
    for name in gone:
        await core.engine.forget(name)
    core.state = core.engine.state = made
    for node in made.nodes.values():
        apply_log_level(node)
        if before.nodes.get(node.name) != node:
            await core.engine.apply(node)
        elif node.kind is NodeKind.DRIVER:
            core.engine.regroup(node.name)
    core.engine.resubscribe()


def merged(
    core: Core, wanted: Snapshot, names: Collection[str], gone: Collection[str] = ()
) -> Snapshot:
    """What is there, with these nodes of the other one instead of its own, without those that go."""
    now = core.state.snapshot()
    last = max((node.order for node in now.nodes), default=0)
    fresh = [node for node in wanted.nodes if node.name in names]
    taken = {*(node.name for node in fresh), *gone}
    groups = {name: made for name, made in now.groups.items() if name not in taken}
    groups |= {node.name: wanted.groups.get(node.name, ()) for node in fresh}
    places = {node.name: node.order for node in now.nodes}
    nodes = [node for node in now.nodes if node.name not in taken] + [
        changed(node, order=places.get(node.name, last + index + 1))
        for index, node in enumerate(fresh)
    ]
    apps = {node.name for node in fresh if node.kind is NodeKind.APP}
    given = {(one.app, one.driver, one.group) for one in wanted.subscriptions}
    kept = [
        one
        for one in now.subscriptions
        if one.app not in {*apps, *gone}
        and (one.app, one.driver, one.group) not in given
        and any(group.name == one.group for group in groups.get(one.driver, ()))
    ]
    return Snapshot(nodes=tuple(nodes), groups=groups, subscriptions=(*kept, *wanted.subscriptions))


def checked_state(core: Core, wanted: Snapshot) -> State:
    """As it is kept; nothing is changed.

    Raises:
        EdgeError: something in it is wrong.
    """
    made = State()
    if len(wanted.nodes) > NODES_MAX:
        raise EdgeError(NODE_MAX_NODES, most=NODES_MAX)
    for order, node in enumerate(sorted(wanted.nodes, key=lambda one: one.order), start=1):
        if node.name in made.nodes:
            raise EdgeError(NODE_EXIST, name=node.name)
        made.nodes[node.name] = changed(_node(core, node), order=order)
        if made.nodes[node.name].kind is NodeKind.DRIVER:
            made.groups[node.name] = _groups(core, node, wanted.groups.get(node.name, ()))
    if made.tag_count > TAGS_MAX:
        raise EdgeError(TAG_MAX_TAGS, most=TAGS_MAX)
    for one in wanted.subscriptions:
        made.subscriptions[one.app, one.driver, one.group] = _subscription(core, made, one)
    return made


def _node(core: Core, node: Node) -> Node:
    check_node_name(node.name)
    kind = core.plugins.require(node.plugin)
    if node.setting is None:
        return changed(node, kind=kind.kind, is_wanted=False)
    before = core.state.nodes.get(node.name)
    setting = checked(kind.fields, node.setting, before.setting if before else None)
    kind.check_setting(setting)
    return changed(node, kind=kind.kind, setting=setting)


def _groups(core: Core, node: Node, groups: Iterable[Group]) -> dict[str, Group]:
    check = tag_check(core, plugin=node.plugin)
    made: dict[str, Group] = {}
    for group in groups:
        check_group(group.name, group.interval_ms)
        if group.name in made:
            raise EdgeError(GROUP_EXIST, node=node.name, name=group.name)
        for name, tag in group.tags.items():
            if name != tag.name:
                raise EdgeError(TAG_NAME_CONFLICT, group=group.name, name=tag.name)
        before = core.state.groups.get(node.name, {}).get(group.name)
        checked_group = group.with_tags({name: check(tag) for name, tag in group.tags.items()})
        # One that is as it was goes on being read as it was.
        made[group.name] = checked_group if before is None or before != checked_group else before
    if len(made) > GROUPS_OF_DRIVER_MAX:
        raise EdgeError(GROUP_MAX_GROUPS, node=node.name, most=GROUPS_OF_DRIVER_MAX)
    return made


def _subscription(core: Core, made: State, one: Subscription) -> Subscription:
    node = made.app(one.app)
    made.driver(one.driver)
    if one.group not in made.groups[one.driver]:
        raise EdgeError(GROUP_NOT_EXIST, node=one.driver, name=one.group)
    kind = core.plugins.type(node.plugin)
    assert isinstance(kind, AppType)
    return changed(one, params=kind.check_params(one.params, one.app, one.driver, one.group))
