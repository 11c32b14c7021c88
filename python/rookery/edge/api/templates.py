"""``/neuron/template``: devices of which there are many."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from rookery.edge.api.names import Interval, NodeName, PluginName, SettingGiven, TagsGiven
from rookery.edge.context import EdgeContext
from rookery.edge.rest.models import DONE, Done
from rookery.edge.templates import Template, group_rows, groups_of
from rookery.web.models import Model, Row

GROUPS_MAX = 512

TemplateName = Annotated[
    str, Field(max_length=1024, description="The template.", examples=["pump"])
]


class TemplateRow(Row):
    """A template in the list."""

    name: str = Field(description="Its name.", examples=["pump"])
    plugin: str = Field(description="What its nodes are.", examples=["Modbus TCP"])
    group_count: int = Field(description="Groups.", examples=[1])
    tag_count: int = Field(description="Tags.", examples=[12])


class TemplatesShown(Row):
    """Templates."""

    templates: list[TemplateRow] = Field(description="By name.")


class TemplateGroup(Model):
    """A group of a template."""

    name: TemplateName
    interval: Interval
    tags: TagsGiven = Field(default_factory=list)


class TemplateGiven(Model):
    """A template."""

    name: TemplateName
    plugin: PluginName
    groups: list[TemplateGroup] = Field(default_factory=list, max_length=GROUPS_MAX)


class TemplateShown(Row):
    """A template whole."""

    name: str = Field(description="Its name.", examples=["pump"])
    plugin: str = Field(description="What its nodes are.", examples=["Modbus TCP"])
    groups: list[dict[str, Any]] = Field(
        description="Groups with tags.",
        examples=[[{"name": "line-1", "interval": 1000, "tags": []}]],
    )


class FromNode(Model):
    """A template of a driver that is there."""

    name: TemplateName
    node: NodeName


class Instance(Model):
    """A node of a template."""

    name: TemplateName
    node: NodeName
    params: SettingGiven | None = Field(
        default=None, description="With settings it is started at once."
    )


NameQuery = Annotated[str, Query(max_length=1024, description="The template.", examples=["pump"])]


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/neuron", tags=["Templates"])

    @api.get("/template", summary="Templates, or one of them")
    async def templates(
        name: Annotated[str, Query(description="Only this one, whole.", examples=[""])] = "",
    ) -> TemplatesShown | TemplateShown:
        """Without a name the list."""
        if name:
            found = edge.templates.get(name)
            return TemplateShown(name=found.name, plugin=found.plugin, groups=group_rows(found))
        rows = [
            TemplateRow(
                name=one.name,
                plugin=one.plugin,
                group_count=len(one.groups),
                tag_count=one.tag_count,
            )
            for one in edge.templates.all()
        ]
        return TemplatesShown(templates=rows)

    @api.post("/template", summary="Add a template")
    async def add(given: TemplateGiven) -> Done:
        """A plugin with groups and tags."""
        await edge.templates.put(_template(given), is_new=True)
        return DONE

    @api.put("/template", summary="Replace a template")
    async def replace(given: TemplateGiven) -> Done:
        """Nodes that were made of it stay as they are."""
        await edge.templates.put(_template(given), is_new=False)
        return DONE

    @api.delete("/template", summary="Remove a template")
    async def remove(name: NameQuery) -> Done:
        """Nodes that were made of it stay."""
        await edge.templates.delete(name)
        return DONE

    @api.post("/template/node", summary="Make a template of a driver")
    async def of_node(given: FromNode) -> Done:
        """Of its groups and tags; its settings are not part of it."""
        await edge.templates.put(edge.templates.of_node(given.name, given.node), is_new=True)
        return DONE

    @api.post("/template/inst", summary="Make a driver of a template")
    async def instance(given: Instance) -> Done:
        """With its groups and tags."""
        await edge.templates.make_node(given.name, given.node, given.params)
        return DONE

    return api


def _template(given: TemplateGiven) -> Template:
    groups = groups_of([group.model_dump() for group in given.groups])
    return Template(name=given.name, plugin=given.plugin, groups=groups)
