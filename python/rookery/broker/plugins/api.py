"""``/plugins`` in EMQX's shapes, with what runs and how besides."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, UploadFile
from pydantic import Field
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.broker.plugins.service import PluginService, described
from rookery.broker.plugins.shared import SharedPlugins
from rookery.errors import NotAllowedError, NotFoundError
from rookery.plugins.archive import ARCHIVE_BYTES_MAX
from rookery.web.models import Model, Row
from rookery.web.rest import BODY_BYTES_MAX, Caller, CurrentCaller, errors, example

Action = Literal["start", "stop", "restart", "enable", "disable"]
Name = Annotated[
    str,
    Path(description="`NAME-VERSION` of a plugin.", examples=["payload_transform-1.0.0"]),
]
EXAMPLE = {
    "name": "payload_transform-1.0.0",
    "rel_vsn": "1.0.0",
    "rel_apps": ["payload_transform-1.0.0"],
    "description": "Adds the time of arrival to JSON payloads",
    "author": ["Rookery"],
    "metadata_vsn": "1.0",
    "running_status": [{"node": "rookery@127.0.0.1", "status": "running"}],
    "status": "running",
    "error": "",
    "restarts": 0,
    "enable": True,
    "hookpoints": ["message.publish"],
    "run": {
        "workers": 1,
        "deadline_s": 5.0,
        "memory_max": 536870912,
        "topics": [],
        "failure": {"message.publish": "ignore"},
    },
    "has_settings": True,
    "readme": "",
}
_CONFIG = {"field": "received_at"}


class RunningStatus(Row):
    """Whether a plugin runs at a node."""

    node: str = Field(description="Name of the node.", examples=["rookery@127.0.0.1"])
    status: Literal["running", "stopped"] = Field(description="EMQX knows these two.")


class RunRow(Row):
    """How a plugin is run."""

    workers: int = Field(description="Worker processes.", examples=[1])
    deadline_s: float = Field(description="How long an answer may take, seconds.", examples=[5.0])
    memory_max: int = Field(
        description="Bytes of memory of a worker process, above which it is started anew.",
        examples=[536870912],
    )
    topics: list[str] = Field(
        description="Topic filters to which `message.*` hooks are limited; none: every topic.",
        examples=[[]],
    )
    failure: dict[str, str] = Field(
        description="By hookpoint, what holds without an answer: `deny`, `ignore` or `allow`.",
        examples=[{"message.publish": "ignore"}],
    )


class PluginRow(Row):
    """A plugin."""

    name: str = Field(description="`NAME-VERSION`.", examples=["payload_transform-1.0.0"])
    rel_vsn: str = Field(description="Its version.", examples=["1.0.0"])
    rel_apps: list[str] = Field(description="Itself.", examples=[["payload_transform-1.0.0"]])
    description: str = Field(description="What it is, in one line.", examples=["Demo"])
    author: list[str] = Field(description="Who wrote it.", examples=[["Rookery"]])
    metadata_vsn: str = Field(description="Version of the manifest.", examples=["1.0"])
    running_status: list[RunningStatus] = Field(description="Where it runs.")
    status: Literal["stopped", "starting", "running", "restarting", "crashed"] = Field(
        description="What its processes do; `crashed`: they failed too often, start it again."
    )
    error: str = Field(description="What went wrong last.", examples=[""])
    restarts: int = Field(description="Processes started anew since it was started.", examples=[0])
    enable: bool = Field(description="Whether it starts with the node.", examples=[True])
    hookpoints: list[str] = Field(description="Its hookpoints.", examples=[["message.publish"]])
    run: RunRow = Field(description="How it is run.")
    has_settings: bool = Field(description="Whether there is something to set.", examples=[True])
    readme: str = Field(description="Its README.", examples=[""])


class Position(Model):
    """Where a plugin goes."""

    position: str = Field(
        description="`front`, `rear`, `before:NAME-VERSION` or `after:NAME-VERSION`.",
        examples=["front"],
    )


class Allowed(Model):
    """What may be installed."""

    name: str = Field(description="`NAME-VERSION`.", examples=["payload_transform-1.0.0"])


class AllowedRow(Row):
    """What may be installed."""

    name: str = Field(description="`NAME-VERSION`.", examples=["payload_transform-1.0.0"])


class WorkerFigures(Row):
    """A worker process in figures, since it started."""

    worker: int = Field(description="Its number.", examples=[0])
    is_attached: bool = Field(description="Whether it can be asked.", examples=[True])
    asked: int = Field(
        description="Questions sent, about what clients do and about messages that the node was given.",
        examples=[10],
    )
    answered: int = Field(description="Questions answered in time.", examples=[10])
    late: int = Field(description="Questions whose deadline passed.", examples=[0])
    failed: int = Field(
        description="Questions that could not be sent, or that nobody waited for because the process "
        "had answered nothing for a whole deadline.",
        examples=[0],
    )
    told: int = Field(description="Notices sent.", examples=[10])
    dropped: int = Field(description="Notices left out.", examples=[0])
    open: int = Field(description="Questions that wait for an answer.", examples=[0])


def router(node: NodeContext) -> APIRouter:
    plugins, shared = node.services.plugins, node.services.shared_plugins
    api = APIRouter(tags=["Plugins"])
    _list(api, plugins, shared)
    _install(api, shared)
    _allow(api, plugins)
    _one(api, plugins, shared)
    _settings(api, plugins, shared)
    _action(api, shared)
    return api


def _list(api: APIRouter, plugins: PluginService, shared: SharedPlugins) -> None:
    @api.get(
        "/plugins",
        summary="List plugins",
        response_model=list[PluginRow],
        responses=example([EXAMPLE]),
    )
    async def list_plugins() -> Any:
        """Every plugin that is installed, in the order in which they are asked."""
        found, statuses = plugins.all(), await shared.statuses()
        return [described(plugin, plugins.report(plugin.id), statuses) for plugin in found]


def _install(api: APIRouter, plugins: SharedPlugins) -> None:
    @api.post(
        "/plugins/install",
        summary="Install a plugin",
        status_code=204,
        responses=errors("BAD_PLUGIN_INFO", "ALREADY_INSTALLED", "BAD_REQUEST", "EXCEED_LIMIT"),
        openapi_extra={
            BODY_BYTES_MAX: ARCHIVE_BYTES_MAX + (1 << 20),
            "requestBody": {
                "content": {
                    "multipart/form-data": {"example": {"plugin": "(the bytes of the archive)"}}
                }
            },
        },
    )
    async def install_plugin(plugin: UploadFile, caller: CurrentCaller) -> Response:
        """Install an archive made by `rookery plugin build`; it is not started.

        A plugin is code. Unless `plugins.install_requires_allow` is false somebody has to allow it
        first on the machine itself: `rookery ctl plugins allow NAME-VERSION`.
        """
        content = await plugin.read(ARCHIVE_BYTES_MAX + 1)
        await plugins.install(content, is_local=caller.via == "local")
        return Response(status_code=204)


def _allow(api: APIRouter, plugins: PluginService) -> None:
    @api.get(
        "/plugins/allowed",
        summary="List what may be installed",
        response_model=list[AllowedRow],
    )
    async def list_allowed() -> Any:
        """Names and versions that were allowed on the machine and are not installed yet."""
        return [{"name": name} for name in plugins.allowed()]

    @api.post(
        "/plugins/allowed",
        summary="Allow a plugin to be installed",
        status_code=204,
        responses=errors("BAD_REQUEST", "FORBIDDEN", "EXCEED_LIMIT"),
    )
    async def allow_plugin(body: Allowed, caller: CurrentCaller) -> Response:
        """Only by the node's own socket, so by whoever may log in to the machine."""
        _on_the_machine(caller)
        await plugins.allow(body.name)
        return Response(status_code=204)

    @api.delete(
        "/plugins/allowed/{name}",
        summary="Allow it no longer",
        status_code=204,
        responses=errors("NOT_FOUND", "FORBIDDEN"),
    )
    async def disallow_plugin(name: Name, caller: CurrentCaller) -> Response:
        """What is installed stays."""
        _on_the_machine(caller)
        await plugins.disallow(name)
        return Response(status_code=204)


def _on_the_machine(caller: Caller) -> None:
    if caller.via != "local":
        raise NotAllowedError(
            "only `rookery ctl plugins` on the machine itself may do this",
            message_zh="此操作只能在节点所在机器上通过 `rookery ctl plugins` 执行",
        )


def _one(api: APIRouter, plugins: PluginService, shared: SharedPlugins) -> None:
    @api.get(
        "/plugins/{name}",
        summary="Get a plugin",
        response_model=PluginRow,
        responses=errors("NOT_FOUND") | example(EXAMPLE),
    )
    async def get_plugin(name: Name) -> Any:
        """What it is and how it is doing."""
        return described(plugins.get(name), plugins.report(name), await shared.statuses())

    @api.delete(
        "/plugins/{name}",
        summary="Uninstall a plugin",
        status_code=204,
        responses=errors("NOT_FOUND"),
    )
    async def delete_plugin(name: Name) -> Response:
        """Stop and remove it. The last version takes settings and data with it."""
        await shared.uninstall(name)
        return Response(status_code=204)

    @api.get(
        "/plugins/{name}/workers",
        summary="List worker processes of a plugin",
        response_model=list[WorkerFigures],
        responses=errors("NOT_FOUND"),
    )
    async def plugin_workers(name: Name) -> Any:
        """What each process was asked and told."""
        return plugins.workers(name)

    @api.post(
        "/plugins/{name}/move",
        summary="Move a plugin",
        status_code=204,
        responses=errors("MOVE_FAILED", "NOT_FOUND"),
    )
    async def move_plugin(name: Name, body: Position) -> Response:
        """Change the order in which plugins are asked."""
        await shared.move(name, body.position)
        return Response(status_code=204)


def _settings(api: APIRouter, plugins: PluginService, shared: SharedPlugins) -> None:
    @api.get(
        "/plugins/{name}/schema",
        summary="Get the schema of a plugin's settings",
        response_model=dict[str, Any],
        responses=errors("NOT_FOUND") | example({"type": "object", "properties": {}}),
    )
    async def plugin_schema(name: Name) -> Any:
        """A JSON schema, of which a form can be drawn."""
        schema = plugins.get(name).schema
        if schema is None:
            raise NotFoundError(f"{name} has no settings")
        return dict(schema)

    @api.get(
        "/plugins/{name}/config",
        summary="Get a plugin's settings",
        response_model=dict[str, Any],
        responses=errors("NOT_FOUND") | example(_CONFIG),
    )
    async def plugin_config(name: Name) -> Any:
        """What holds, with defaults; secrets are shown as `******`."""
        return plugins.config(name)

    @api.put(
        "/plugins/{name}/config",
        summary="Change a plugin's settings",
        status_code=204,
        responses=errors("BAD_CONFIG", "NOT_FOUND"),
    )
    async def change_plugin_config(
        name: Name, body: Annotated[dict[str, Any], Body(examples=[_CONFIG])]
    ) -> Response:
        """Replace the settings, whole. A plugin that runs takes them at once or refuses them."""
        await shared.configure(name, body)
        return Response(status_code=204)

    @api.put(
        "/plugins/{name}/run",
        summary="Change how a plugin is run",
        status_code=204,
        responses=errors("BAD_REQUEST", "NOT_FOUND", "PLUGIN_FAILED"),
    )
    async def change_plugin_run(
        name: Name, body: Annotated[dict[str, Any], Body(examples=[{"workers": 2}])]
    ) -> Response:
        """`workers`, `deadline_s`, `memory_max`, `topics`, `failure`; what is absent stays. A plugin
        that runs is started anew.
        """
        await shared.configure_run(name, body)
        return Response(status_code=204)


def _action(api: APIRouter, plugins: SharedPlugins) -> None:
    @api.put(
        "/plugins/{name}/{action}",
        summary="Start or stop a plugin",
        status_code=204,
        responses=errors("NOT_FOUND", "BAD_CONFIG", "PLUGIN_FAILED"),
    )
    async def act_on_plugin(name: Name, action: Action) -> Response:
        """`start` and `stop`, now and whenever the node starts; `restart` loads the code anew, the
        old processes have ended then; `enable` and `disable` say only whether it starts with the
        node.

        `start` while another version runs is an upgrade: that one ends first and starts with the node
        no more, the new one is asked in its place, and what clients ask meanwhile waits for it. If it
        fails, it is tried again and its `failure` answers; `start` of the one before goes back.
        """
        match action:
            case "start":
                await plugins.start(name)
            case "stop":
                await plugins.stop(name)
            case "restart":
                await plugins.restart(name)
            case "enable" | "disable":
                await plugins.set_enabled(name, enable=action == "enable")
        return Response(status_code=204)
