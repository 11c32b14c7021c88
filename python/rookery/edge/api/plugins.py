"""``/neuron/plugin`` and ``/neuron/schema``: what there is to connect, and the settings of each."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from rookery.edge.context import EdgeContext
from rookery.edge.model import Plugin
from rookery.web.language import LanguageQuery
from rookery.web.models import Row


class PluginShown(Row):
    """A kind of driver or application."""

    name: str = Field(description="Its name.", examples=["Modbus TCP"])
    node_type: int = Field(description="Driver 1, application 2.", examples=[1])
    title: str = Field(description="For people.", examples=["Modbus TCP"])
    description: str = Field(description="What it connects.")
    # What Neuron's pages and scripts look at.
    kind: int = Field(default=0, description="Part of the product: 0.", examples=[0])
    library: str = Field(default="", description="Empty: it is part of the product.")
    is_installed: bool = Field(description="Whether everything that it needs is here.")
    missing: str = Field(default="", description="What to install, if it is not.")
    can_browse: bool = Field(description="Whether the tags of a device can be looked through.")


class PluginsShown(Row):
    """Plugins."""

    plugins: list[PluginShown] = Field(description="By name.")


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/neuron", tags=["Plugins"])

    @api.get("/plugin", summary="Plugins")
    async def plugins(
        language: LanguageQuery,
        plugin: Annotated[str, Query(description="Only this one.", examples=[""])] = "",
    ) -> PluginsShown:
        """What drivers and applications may be."""
        found = (edge.service.plugins.get(plugin),) if plugin else edge.service.plugins.list()
        return PluginsShown(plugins=[_shown(one, language) for one in found])

    @api.get("/schema", summary="Settings of a plugin")
    async def schema(
        schema_name: Annotated[
            str, Query(description="The name of a plugin.", examples=["Modbus TCP"])
        ] = "",
        plugin: Annotated[str, Query(description="The same.")] = "",
    ) -> dict[str, Any]:
        """Each by name, with its type, bounds, default and texts: what draws the form."""
        return dict(edge.service.plugins.get(schema_name or plugin).schema)

    return api


def _shown(plugin: Plugin, language: str) -> PluginShown:
    return PluginShown(
        name=plugin.name,
        node_type=int(plugin.kind),
        title=plugin.title.text(language),
        description=plugin.description.text(language),
        is_installed=plugin.is_installed,
        missing=plugin.missing.text(language) if plugin.missing is not None else "",
        can_browse=plugin.can_browse,
    )
