"""Tags of groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rookery.edge import store
from rookery.edge.checks import check_group, check_tag
from rookery.edge.conversion import device_value
from rookery.edge.core import Core, whole
from rookery.edge.drivers.base import DriverType
from rookery.edge.errors import (
    GROUP_MAX_GROUPS,
    TAG_MAX_TAGS,
    TAG_NAME_CONFLICT,
    TAG_NOT_EXIST,
    EdgeError,
)
from rookery.edge.model import GROUPS_OF_DRIVER_MAX, TAGS_MAX, Group, Tag

Check = Callable[[Tag], Tag]


class Tags:
    """Part of :class:`rookery.edge.service.EdgeService`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def list(self, node: str, group: str, search: str = "") -> tuple[Tag, ...]:
        """Those of a group whose name, address or description holds the text.

        Raises:
            EdgeError: there is no such group.
        """
        text = search.lower()
        return tuple(
            tag
            for tag in self._core.state.group(node, group).tags.values()
            if not text
            or any(text in part.lower() for part in (tag.name, tag.address, tag.description))
        )

    async def add(self, node: str, group: str, tags: Sequence[Tag]) -> int:
        """New ones, as many as are right before the first one that is not.

        Raises:
            EdgeError: one is wrong, or taken; ``index`` says how many went in.
        """
        return await self._put(node, group, tags, is_new=True)

    async def update(self, node: str, group: str, tags: Sequence[Tag]) -> int:
        """Other ones for those of the same names, in the same way.

        Raises:
            EdgeError: one is wrong, or not there; ``index`` says how many were changed.
        """
        return await self._put(node, group, tags, is_new=False)

    @whole
    async def _put(self, node: str, group: str, tags: Sequence[Tag], *, is_new: bool) -> int:
        core = self._core
        async with core.changing:
            found = core.state.group(node, group)
            check = self._check_of(node)
            made = dict(found.tags)
            wrong: EdgeError | None = None
            room = TAGS_MAX - core.state.tag_count
            good: list[Tag] = []
            for tag in tags:
                try:
                    if is_new and tag.name in made:
                        raise EdgeError(TAG_NAME_CONFLICT, group=group, name=tag.name)
                    if not is_new and tag.name not in made:
                        raise EdgeError(TAG_NOT_EXIST, group=group, name=tag.name)
                    if is_new and len(good) >= room:
                        raise EdgeError(TAG_MAX_TAGS, most=TAGS_MAX)
                    good.append(check(tag))
                    made[tag.name] = good[-1]
                except EdgeError as error:
                    wrong = error.at(len(good))
                    break
            if good:
                await core.store.change(store.put_tags(node, group, good))
                core.state.groups[node][group] = found.with_tags(made)
                core.engine.regroup(node)
        if wrong is not None:
            raise wrong
        return len(good)

    @whole
    async def delete(self, node: str, group: str, names: Sequence[str]) -> None:
        """All of them, or none.

        Raises:
            EdgeError: one is not there.
        """
        core = self._core
        async with core.changing:
            found = core.state.group(node, group)
            for name in names:
                if name not in found.tags:
                    raise EdgeError(TAG_NOT_EXIST, group=group, name=name)
            await core.store.change(store.delete_tags(node, group, names))
            gone = set(names)
            kept = {name: tag for name, tag in found.tags.items() if name not in gone}
            core.state.groups[node][group] = found.with_tags(kept)
            core.engine.regroup(node)

    @whole
    async def add_groups(self, node: str, groups: Sequence[tuple[str, int, Sequence[Tag]]]) -> None:
        """Groups with their tags, all or none; a group that is there gets the tags too.

        Raises:
            EdgeError: something is wrong; ``index`` is that of its group.
        """
        core = self._core
        async with core.changing:
            core.state.driver(node)
            check = self._check_of(node)
            made = dict(core.state.groups[node])
            count = core.state.tag_count
            for index, (name, interval_ms, tags) in enumerate(groups):
                try:
                    check_group(name, interval_ms)
                    before = made.get(name) or Group(name=name, interval_ms=interval_ms)
                    made[name] = _with(before, interval_ms, tags, check)
                    count += len(tags)
                    if len(made) > GROUPS_OF_DRIVER_MAX:
                        raise EdgeError(GROUP_MAX_GROUPS, node=node, most=GROUPS_OF_DRIVER_MAX)
                    if count > TAGS_MAX:
                        raise EdgeError(TAG_MAX_TAGS, most=TAGS_MAX)
                except EdgeError as error:
                    raise error.at(index) from None
            await core.store.change(*store.put_all((), {node: made.values()}))
            core.state.groups[node] = made
            core.engine.regroup(node)

    def _check_of(self, node: str) -> Check:
        return tag_check(self._core, plugin=self._core.state.driver(node).plugin)


def tag_check(core: Core, *, plugin: str) -> Check:
    """What gives a tag back as it is kept, or refuses it."""
    kind = core.plugins.type(plugin)

    def check(tag: Tag) -> Tag:
        check_tag(tag)
        if isinstance(kind, DriverType):
            kind.check(tag)
        if tag.is_static and tag.value is not None:
            # It is shown as it is written.
            unscaled = replace(tag, decimal=0.0, bias=0.0)
            return replace(tag, value=device_value(unscaled, tag.value))
        return tag

    return check


def _with(group: Group, interval_ms: int, tags: Sequence[Tag], check: Check) -> Group:
    made = dict(group.tags)
    for tag in tags:
        if tag.name in made:
            raise EdgeError(TAG_NAME_CONFLICT, group=group.name, name=tag.name)
        made[tag.name] = check(tag)
    return replace(group, interval_ms=interval_ms, tags=made)
