"""``/neuron/node…``: drivers and applications, their settings, whether they run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from rookery.edge.api.names import NodeName, NodeQuery, PluginName, SettingGiven
from rookery.edge.api.streams import HEADERS, LIFE_S, may_still_look
from rookery.edge.context import EdgeContext
from rookery.edge.model import Node, NodeControl, NodeKind, NodeStatus
from rookery.edge.rest.models import DONE, Done
from rookery.web.language import LanguageQuery
from rookery.web.models import Model, Row

LOOK_S = 1.0
"""How often the stream looks for what changed; it tells nothing else."""
STILL_HERE_S = 15.0

LogLevel = Literal["debug", "info", "notice", "warn", "error", "fatal"]


class NodeShown(Row):
    """A driver or application."""

    name: str = Field(description="Its name.", examples=["plc"])
    plugin: str = Field(description="What it is.", examples=["Modbus TCP"])
    type: int = Field(description="Driver 1, application 2.", examples=[1])
    running: int = Field(description="Init 1, ready 2, running 3, stopped 4.", examples=[3])
    link: int = Field(description="Disconnected 0, connected 1.", examples=[1])
    rtt: int = Field(description="Milliseconds that the last answer took.", examples=[12])
    reason: str = Field(
        default="",
        description="Why it is not connected.",
        examples=[""],
    )
    since: int = Field(
        default=0,
        description="When the link came to be as it is, in milliseconds since 1970.",
        examples=[1769846400000],
    )
    log_level: str = Field(default="notice", description="Least severe level logged of it.")
    group_count: int = Field(default=0, description="Groups of a driver.", examples=[2])
    tag_count: int = Field(default=0, description="Tags of a driver.", examples=[120])


class NodesShown(Row):
    """Drivers or applications."""

    nodes: list[NodeShown] = Field(description="In the order in which they were made.")


class NodeGiven(Model):
    """A new node."""

    name: NodeName
    plugin: PluginName
    params: SettingGiven | None = Field(
        default=None, description="With settings it is started at once."
    )


class RenameGiven(Model):
    """Another name."""

    name: NodeName
    new_name: NodeName


class NodeNamed(Model):
    """Which one."""

    name: NodeName


class SettingShown(Row):
    """Settings; secrets are `******`."""

    node: str = Field(description="Of which.", examples=["plc"])
    params: dict[str, Any] = Field(
        description="By name.", examples=[{"host": "192.168.1.10", "port": 502}]
    )


class NodeSettingGiven(Model):
    """Settings."""

    node: NodeName
    params: SettingGiven


class ControlGiven(Model):
    """What it is told."""

    node: NodeName
    cmd: Literal[0, 1] = Field(description="Start 0, stop 1.", examples=[0])


class StateShown(Row):
    """How a node is."""

    node: str = Field(description="Of which.", examples=["plc"])
    running: int = Field(description="Init 1, ready 2, running 3, stopped 4.", examples=[3])
    link: int = Field(description="Disconnected 0, connected 1.", examples=[1])
    rtt: int = Field(description="Milliseconds that the last answer took.", examples=[12])
    log_level: str = Field(description="Least severe level logged of it.", examples=["notice"])


class StatesShown(Row):
    """How all nodes are."""

    states: list[StateShown] = Field(description="In the order in which they were made.")


class LogLevelGiven(Model):
    """How much is logged of a node."""

    node: NodeName | None = Field(default=None, description="Of which; none: of the service alone.")
    level: LogLevel = Field(description="Least severe level.", examples=["debug"])
    # As in Neuron, where one request changes the core along.
    core: bool = Field(default=True, description="Of the service itself, too.")


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/neuron", tags=["Nodes"])
    _nodes(api, edge)
    _one(api, edge)
    return api


def shown(edge: EdgeContext, node: Node, status: NodeStatus, language: str) -> NodeShown:
    """A row of the list."""
    groups = edge.service.groups.list(node.name) if node.kind is NodeKind.DRIVER else ()
    return NodeShown(
        name=node.name,
        plugin=node.plugin,
        type=int(node.kind),
        running=int(status.state),
        link=int(status.link),
        rtt=status.rtt_ms,
        reason=status.reason.text(language) if status.reason is not None else "",
        since=status.since_ms,
        log_level=node.log_level,
        group_count=len(groups),
        tag_count=sum(len(group.tags) for group in groups),
    )


def _all(edge: EdgeContext, nodes: tuple[Node, ...], language: str) -> list[NodeShown]:
    statuses = {status.node: status for status in edge.service.nodes.statuses()}
    return [
        shown(edge, node, statuses[node.name], language) for node in nodes if node.name in statuses
    ]


def _nodes(api: APIRouter, edge: EdgeContext) -> None:
    @api.get("/node", summary="Nodes")
    async def nodes(
        language: LanguageQuery,
        type: Annotated[
            Literal["1", "2"] | None, Query(description="Drivers 1, applications 2; none: both.")
        ] = None,
        plugin: Annotated[str, Query(description="Only of this one.")] = "",
        node: Annotated[str, Query(description="What the name holds.")] = "",
    ) -> NodesShown:
        """Drivers and applications, with how they are."""
        kind = None if type is None else NodeKind(int(type))
        return NodesShown(nodes=_all(edge, edge.service.nodes.list(kind, plugin, node), language))

    @api.get(
        "/node/stream",
        summary="Nodes, and changes as they happen",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}, "description": "A stream"}},
    )
    async def stream(request: Request, language: LanguageQuery) -> Response:
        """Server-sent events: `nodes` with the list, at first and whenever something in it changed."""
        return StreamingResponse(
            _changes(edge, request, language), media_type="text/event-stream", headers=HEADERS
        )

    @api.post("/node", summary="Add a node")
    async def add(given: NodeGiven) -> Done:
        """With `params` it is set up and started."""
        await edge.service.nodes.add(given.name, given.plugin, given.params)
        return DONE

    @api.put("/node", summary="Rename a node")
    async def rename(given: RenameGiven) -> Done:
        """Its groups, tags and subscriptions stay."""
        await edge.service.nodes.rename(given.name, given.new_name)
        return DONE

    @api.delete("/node", summary="Remove a node")
    async def remove(given: NodeNamed) -> Done:
        """With its groups, tags and subscriptions."""
        await edge.service.nodes.delete(given.name)
        return DONE


def _one(api: APIRouter, edge: EdgeContext) -> None:
    @api.get("/node/setting", summary="Settings of a node")
    async def setting(node: NodeQuery) -> SettingShown:
        """Secrets are shown as `******`."""
        return SettingShown(node=node, params=dict(edge.service.nodes.setting(node)))

    @api.post("/node/setting", summary="Set up a node")
    async def configure(given: NodeSettingGiven) -> Done:
        """They hold at once; a node that is set up for the first time is started."""
        await edge.service.nodes.configure(given.node, given.params)
        return DONE

    @api.get("/node/state", summary="How a node is")
    async def state(
        node: Annotated[str, Query(description="Which one; none: all.", examples=["plc"])] = "",
    ) -> StateShown | StatesShown:
        """Whether it runs, and whether the other side answers."""
        if node:
            return _state(edge, edge.service.nodes.status(node))
        return StatesShown(
            states=[_state(edge, status) for status in edge.service.nodes.statuses()]
        )

    @api.post("/node/ctl", summary="Start or stop a node")
    async def control(given: ControlGiven) -> Done:
        """It stays so after a restart."""
        await edge.service.nodes.control(given.node, NodeControl(given.cmd))
        return DONE

    @api.put("/log/level", summary="How much is logged")
    async def level(given: LogLevelGiven) -> Done:
        """Of a node, and of the service itself unless `core` is false."""
        if given.node is not None:
            await edge.service.nodes.set_log_level(given.node, given.level)
        if given.core:
            edge.log_lines.set_level_of_service(given.level)
        return DONE


def _state(edge: EdgeContext, status: NodeStatus) -> StateShown:
    return StateShown(
        node=status.node,
        running=int(status.state),
        link=int(status.link),
        rtt=status.rtt_ms,
        log_level=edge.service.nodes.get(status.node).log_level,
    )


async def _changes(edge: EdgeContext, request: Request, language: str) -> AsyncIterator[str]:
    began_s = told_s = edge.clock.monotonic_s()
    told = ""
    while edge.clock.monotonic_s() - began_s < LIFE_S and may_still_look(edge, request):
        rows = _all(edge, edge.service.nodes.list(), language)
        now = json.dumps([row.model_dump() for row in rows], ensure_ascii=False)
        if now != told:
            told, told_s = now, edge.clock.monotonic_s()
            yield f"event: nodes\ndata: {now}\n\n"
        elif edge.clock.monotonic_s() - told_s > STILL_HERE_S:
            told_s = edge.clock.monotonic_s()
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_S)
