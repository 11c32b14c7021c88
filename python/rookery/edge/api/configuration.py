"""``/neuron/global/…`` and tags as workbooks: the configuration as files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from rookery.edge.api.names import (
    AppName,
    DriverName,
    GroupName,
    Interval,
    NodeName,
    NodeQuery,
    PluginName,
    SettingGiven,
    TagsGiven,
)
from rookery.edge.context import EdgeContext
from rookery.edge.model import NodeKind
from rookery.edge.rest.models import DONE, Done
from rookery.edge.transfer import workbook
from rookery.edge.transfer.configuration import exported, imported
from rookery.edge.transfer.tags import with_rows
from rookery.edge.users import texts
from rookery.errors import NotAllowedError
from rookery.web.models import Model
from rookery.web.rest import BODY_BYTES_MAX, CurrentCaller

ROWS_MAX = 100_000
CONFIG_BYTES_MAX = 64 << 20


class NodeRow(Model):
    """A node."""

    name: NodeName
    plugin: PluginName
    type: int = Field(default=0, description="Told by the plugin.", examples=[1])
    running: bool = Field(default=True, description="Whether it shall run.")
    log_level: str = Field(default="notice", max_length=16, description="Least severe level.")


class SettingRow(Model):
    """Settings of a node."""

    node: NodeName
    params: SettingGiven


class GroupRow(Model):
    """A group."""

    driver: DriverName
    group: GroupName
    interval: Interval


class TagsRow(Model):
    """Tags of a group."""

    driver: DriverName
    group: GroupName
    tags: TagsGiven


class SubscriptionRow(Model):
    """An application gets a group."""

    app: AppName
    driver: DriverName
    group: GroupName
    params: dict[str, Any] | None = Field(default=None, description="What the application takes.")


class Configuration(Model):
    """All of it."""

    nodes: list[NodeRow] = Field(max_length=ROWS_MAX, description="Drivers and applications.")
    settings: list[SettingRow] = Field(default_factory=list, max_length=ROWS_MAX)
    groups: list[GroupRow] = Field(default_factory=list, max_length=ROWS_MAX)
    tags: list[TagsRow] = Field(default_factory=list, max_length=ROWS_MAX)
    subscriptions: list[SubscriptionRow] = Field(default_factory=list, max_length=ROWS_MAX)


class Imported(Done):
    """What was read."""

    groups: int = Field(description="Groups in the workbook.", examples=[2])
    tags: int = Field(description="Tags in the workbook.", examples=[120])


Secrets = Annotated[
    bool,
    Query(description="Write passwords and keys into the file; for administrators."),
]


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/neuron", tags=["Configuration"])
    _whole(api, edge)
    _tags(api, edge)
    return api


def _whole(api: APIRouter, edge: EdgeContext) -> None:
    @api.get("/global/config", summary="Export the whole configuration")
    async def export(caller: CurrentCaller, secrets: Secrets = False) -> dict[str, Any]:
        """Secrets are `******` unless they are asked for."""
        _refuse_secrets(caller.role, wanted=secrets)
        return exported(edge.service.snapshot(), _plugins(edge), with_secrets=secrets)

    @api.put(
        "/global/config",
        summary="Import a whole configuration",
        openapi_extra={BODY_BYTES_MAX: CONFIG_BYTES_MAX},
    )
    async def put(given: Configuration) -> Done:
        """It takes the place of what is there; checked first, and nothing changes when something is wrong."""
        now = edge.service.snapshot()
        await edge.service.replace(imported(given.model_dump(), now, _plugins(edge)))
        return DONE

    @api.get("/global/drivers", summary="Export drivers")
    async def export_drivers(caller: CurrentCaller, secrets: Secrets = False) -> dict[str, Any]:
        """With settings, groups and tags."""
        _refuse_secrets(caller.role, wanted=secrets)
        return exported(
            edge.service.snapshot(), _plugins(edge), drivers_only=True, with_secrets=secrets
        )

    @api.put(
        "/global/drivers",
        summary="Import drivers",
        openapi_extra={BODY_BYTES_MAX: CONFIG_BYTES_MAX},
    )
    async def put_drivers(given: Configuration) -> Done:
        """Drivers of the same name are replaced, others and applications stay."""
        now = edge.service.snapshot()
        after = imported(given.model_dump(), now, _plugins(edge), drivers_only=True)
        plugins = _plugins(edge)
        names = [row.name for row in given.nodes if plugins[row.plugin].kind is NodeKind.DRIVER]
        await edge.service.replace(after, drivers=names)
        return DONE


def _tags(api: APIRouter, edge: EdgeContext) -> None:
    @api.get(
        "/tags/export",
        summary="Export tags as a workbook",
        response_class=Response,
        responses={
            200: {"content": {workbook.MEDIA_TYPE: {}}, "description": "An XLSX workbook"},
        },
    )
    async def export_tags(
        node: NodeQuery,
        group: Annotated[str, Query(description="Only this group.", examples=["line-1"])] = "",
    ) -> Response:
        """A row for each tag."""
        groups = edge.service.groups.list(node)
        if group:
            groups = (edge.service.groups.get(node, group),)
        content = workbook.written(groups)
        headers = {"content-disposition": 'attachment; filename="tags.xlsx"'}
        return Response(content, media_type=workbook.MEDIA_TYPE, headers=headers)

    @api.post(
        "/tags/import",
        summary="Import tags from a workbook",
        openapi_extra={
            BODY_BYTES_MAX: workbook.BYTES_MAX,
            "requestBody": {
                "required": True,
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
            },
        },
    )
    async def import_tags(request: Request, node: NodeQuery) -> Imported:
        """Its first sheet: a head with the columns `group`, `interval`, `name`, `address`, `attribute`, `type`,
        `description`, `decimal`, `precision`, `bias`, `unit`, `value`; then a row for each tag. Groups are made,
        tags of the same name replaced; when a row is wrong, nothing changes.
        """
        edge.service.groups.list(node)
        rows = workbook.read(await request.body())
        after = with_rows(edge.service.snapshot(), node, rows)
        await edge.service.replace(after, drivers=[node])
        count = sum(len(tags) for tags in rows.groups.values())
        return Imported(groups=len(rows.groups), tags=count)


def _plugins(edge: EdgeContext) -> dict[str, Any]:
    return {plugin.name: plugin for plugin in edge.service.plugins.list()}


def _refuse_secrets(role: str, *, wanted: bool) -> None:
    if wanted and role != "administrator":
        words = texts.NOT_ALLOWED
        raise NotAllowedError(words.en, code="UNAUTHORIZED_ROLE", message_zh=words.zh)
