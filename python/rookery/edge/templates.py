"""Templates: a plugin with groups and tags, for devices of which there are many.

Kept as one document beside the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rookery.edge.checks import check_group, check_node_name
from rookery.edge.errors import (
    GROUP_EXIST,
    NODE_NOT_ALLOW_UPDATE,
    PARAM_IS_WRONG,
    TAG_NAME_CONFLICT,
    TEMPLATE_EXIST,
    TEMPLATE_NOT_FOUND,
    EdgeError,
)
from rookery.edge.model import Group, NodeKind, Tag
from rookery.edge.wire import tag_of, tag_row
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.edge.service import EdgeService

DOCUMENT = "templates"
TEMPLATES_MAX = 200

_TOO_MANY = Words("there are {most} templates already", "模板数已达上限 {most}")
_NO_DRIVER = Words("templates are of drivers", "模板仅适用于南向驱动")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template."""

    name: str
    plugin: str
    groups: tuple[Group, ...]

    @property
    def tag_count(self) -> int:
        return sum(len(group.tags) for group in self.groups)


class Templates:
    """The templates of one edge service."""

    def __init__(self, service: EdgeService) -> None:
        self._service = service

    def all(self) -> Sequence[Template]:
        """By name."""
        return [_read(name, kept) for name, kept in sorted(self._kept().items())]

    def get(self, name: str) -> Template:
        """One of them.

        Raises:
            EdgeError: there is none of that name.
        """
        kept = self._kept().get(name)
        if kept is None:
            raise EdgeError(TEMPLATE_NOT_FOUND, name=name)
        return _read(name, kept)

    async def put(self, template: Template, *, is_new: bool) -> None:
        """Keep it.

        Raises:
            EdgeError: the name is taken, or is not there to be replaced; something in it is wrong.
        """
        kept = dict(self._kept())
        if is_new and template.name in kept:
            raise EdgeError(TEMPLATE_EXIST, name=template.name)
        if not is_new and template.name not in kept:
            raise EdgeError(TEMPLATE_NOT_FOUND, name=template.name)
        if is_new and len(kept) >= TEMPLATES_MAX:
            reason = _TOO_MANY.format(most=TEMPLATES_MAX)
            raise EdgeError(PARAM_IS_WRONG, name=template.name, reason=reason)
        check_node_name(template.name)
        if self._service.plugins.get(template.plugin).kind is not NodeKind.DRIVER:
            raise EdgeError(NODE_NOT_ALLOW_UPDATE, name=template.name, reason=_NO_DRIVER)
        for group in template.groups:
            check_group(group.name, group.interval_ms)
        kept[template.name] = _written(template)
        await self._service.store.put_document(DOCUMENT, kept)

    async def delete(self, name: str) -> None:
        """Nodes that were made of it stay.

        Raises:
            EdgeError: there is none of that name.
        """
        self.get(name)
        kept = {other: made for other, made in self._kept().items() if other != name}
        await self._service.store.put_document(DOCUMENT, kept)

    async def make_node(
        self, name: str, node: str, setting: Mapping[str, Any] | None = None
    ) -> None:
        """A driver of it: with its groups and tags, set up and started where there are settings.

        Raises:
            EdgeError: there is no such template, or the node cannot be made; then there is none.
        """
        template = self.get(name)
        await self._service.nodes.add(node, template.plugin)
        try:
            groups = [
                (group.name, group.interval_ms, list(group.tags.values()))
                for group in template.groups
            ]
            await self._service.tags.add_groups(node, groups)
            if setting is not None:
                await self._service.nodes.configure(node, setting)
        except EdgeError:
            await self._service.nodes.delete(node)
            raise

    def of_node(self, name: str, node: str) -> Template:
        """What a template of that driver would be.

        Raises:
            EdgeError: there is no such driver.
        """
        groups = self._service.groups.list(node)
        return Template(
            name=name, plugin=self._service.nodes.get(node).plugin, groups=tuple(groups)
        )

    def _kept(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = self._service.store.document(DOCUMENT)
        return found or {}


def groups_of(raw: Sequence[Mapping[str, Any]]) -> tuple[Group, ...]:
    """Groups as they are sent: ``name``, ``interval``, ``tags``.

    Raises:
        EdgeError: one is there twice, or a tag is wrong.
    """
    made: dict[str, Group] = {}
    for one in raw:
        name = one["name"]
        if name in made:
            raise EdgeError(GROUP_EXIST, node="", name=name)
        tags: dict[str, Tag] = {}
        for tag in map(tag_of, one["tags"]):
            if tag.name in tags:
                raise EdgeError(TAG_NAME_CONFLICT, group=name, name=tag.name)
            tags[tag.name] = tag
        made[name] = Group(name=name, interval_ms=one["interval"], tags=tags)
    return tuple(made.values())


def group_rows(template: Template) -> list[dict[str, Any]]:
    """Groups as they are sent."""
    return [
        {
            "name": group.name,
            "interval": group.interval_ms,
            "tags": [tag_row(tag) for tag in group.tags.values()],
        }
        for group in template.groups
    ]


def _written(template: Template) -> dict[str, Any]:
    return {"plugin": template.plugin, "groups": group_rows(template)}


def _read(name: str, kept: Mapping[str, Any]) -> Template:
    return Template(name=name, plugin=kept["plugin"], groups=groups_of(kept["groups"]))
