"""What ``/connectors``, ``/actions`` and ``/sources`` take and give."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from rookery.broker.connectors.definitions import TYPES, Kind
from rookery.web.models import Model, Row, Settings

JsonSchema = dict[str, Any]
Status = Literal["connected", "connecting", "disconnected", "inconsistent"]

HTTP_CONNECTOR = {
    "type": "http",
    "name": "plant_service",
    "url": "http://127.0.0.1:8080/api",
    "headers": {"content-type": "application/json"},
}
HTTP_ACTION = {
    "type": "http",
    "name": "tell_plant",
    "connector": "plant_service",
    "parameters": {"method": "post", "path": "/alarms/${clientid}", "body": "${.}"},
    "resource_opts": {"request_ttl": "45s", "max_buffer_bytes": "256MB"},
}
MQTT_SOURCE = {
    "type": "mqtt",
    "name": "from_plant_2",
    "connector": "plant_2",
    "parameters": {"topic": "line/+/state", "qos": 1},
}
POSTED: dict[Kind, dict[str, Any]] = {
    "connectors": HTTP_CONNECTOR,
    "actions": HTTP_ACTION,
    "sources": MQTT_SOURCE,
}
_STATE = {
    "status": "connected",
    "status_reason": "",
    "status_since": "2026-01-31T12:00:00.000+00:00",
    "node_status": [{"node": "rookery@127.0.0.1", "status": "connected", "status_reason": ""}],
}
SHOWN: dict[Kind, dict[str, Any]] = {
    "connectors": {
        **HTTP_CONNECTOR,
        "enable": True,
        **_STATE,
        "actions": ["http:tell_plant"],
        "sources": [],
    },
    "actions": {
        **HTTP_ACTION,
        "enable": True,
        **_STATE,
        "rules": ["hot_line"],
        "last_error": "",
        "last_error_zh": "",
        "last_error_at": None,
    },
    "sources": {**MQTT_SOURCE, "enable": True, **_STATE, "rules": ["hot_line"]},
}


def sent_back(kind: Kind) -> dict[str, Any]:
    """An example of a PUT: no id in it."""
    return {key: value for key, value in POSTED[kind].items() if key not in ("type", "name")}


def _shape(kind: Kind, *, named: bool) -> JsonSchema:
    about = "Its other members depend on the type: `GET /connector_types` has their schema."
    properties: JsonSchema = {
        "enable": {"type": "boolean", "default": True, "description": "Whether it works."},
        "description": {"type": "string", "description": "For those who look after it."},
        "tags": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Words to find it by.",
        },
        "resource_opts": {"type": "object", "description": "How it starts, buffers and retries."},
    }
    required: list[str] = []
    if kind != "connectors":
        properties |= {
            "connector": {"type": "string", "description": "Name of a connector of the same type."},
            "parameters": {"type": "object", "description": "What is particular to the type."},
        }
        required = ["connector", "parameters"]
    if named:
        type_ = {"type": "string", "enum": list(TYPES[kind]), "description": "Its type."}
        name = {
            "type": "string",
            "description": "Its name.",
            "pattern": "^[0-9a-zA-Z][-0-9a-zA-Z_]*$",
        }
        properties = {"type": type_, "name": name, **properties}
        required = ["type", "name", *required]
    shown = POSTED[kind] if named else sent_back(kind)
    shape: JsonSchema = {
        "type": "object",
        "description": about,
        "properties": properties,
        "examples": [shown],
    }
    return shape | {"required": required, "additionalProperties": True}


class NewConnector(Settings):
    """A connector to create."""

    shape: ClassVar[JsonSchema] = _shape("connectors", named=True)


class ConnectorUpdate(Settings):
    """All settings of a connector."""

    shape: ClassVar[JsonSchema] = _shape("connectors", named=False)


class NewAction(Settings):
    """An action to create."""

    shape: ClassVar[JsonSchema] = _shape("actions", named=True)


class ActionUpdate(Settings):
    """All settings of an action."""

    shape: ClassVar[JsonSchema] = _shape("actions", named=False)


class NewSource(Settings):
    """A source to create."""

    shape: ClassVar[JsonSchema] = _shape("sources", named=True)


class SourceUpdate(Settings):
    """All settings of a source."""

    shape: ClassVar[JsonSchema] = _shape("sources", named=False)


class NodeStatus(Row):
    """How it does on one node."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    status: Status = Field(description="Whether it works there.", examples=["connected"])
    status_reason: str = Field("", description="Why it does not.", examples=[""])
    status_reason_zh: str = Field("", description="The same in Chinese.", examples=[""])


class EntryRow(Row):
    """A connector, an action or a source: its settings, how it does, and who needs it."""

    model_config: ClassVar = {"extra": "allow"}

    type: str = Field(description="Its type.", examples=["http"])
    name: str = Field(description="Its name.", examples=["plant_service"])
    enable: bool = Field(description="Whether it works.", examples=[True])
    description: str = Field("", description="For those who look after it.", examples=[""])
    tags: list[str] = Field(default_factory=list, description="Words to find it by.", examples=[[]])
    resource_opts: dict[str, Any] = Field(
        default_factory=dict,
        description="How it starts, buffers and retries.",
        examples=[{"health_check_interval": "15s"}],
    )
    status: Status = Field(description="Whether it works at the moment.", examples=["connected"])
    status_reason: str = Field("", description="Why it does not.", examples=[""])
    status_reason_zh: str = Field("", description="The same in Chinese.", examples=[""])
    status_since: str | None = Field(
        None, description="Since when.", examples=["2026-01-31T12:00:00.000+00:00"]
    )
    node_status: list[NodeStatus]
    created_at: int | None = Field(
        None, description="When it was made, milliseconds since 1970.", examples=[1769860800000]
    )
    last_modified_at: int | None = Field(
        None, description="When it was changed, milliseconds since 1970.", examples=[1769860800000]
    )


class ConnectorRow(EntryRow):
    """A connector."""

    actions: list[str] = Field(
        description="Ids of actions through it.", examples=[["http:tell_plant"]]
    )
    sources: list[str] = Field(description="Ids of sources through it.", examples=[[]])


class ChannelRow(EntryRow):
    """An action or a source."""

    connector: str = Field(description="Name of its connector.", examples=["plant_service"])
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="What is particular to the type.",
        examples=[HTTP_ACTION["parameters"]],
    )
    rules: list[str] = Field(description="Ids of the rules that use it.", examples=[["hot_line"]])


class ActionRow(ChannelRow):
    """An action."""

    last_error: str = Field(
        "",
        description="Why its service did not take something, most recently; it stays when all is well again.",
        examples=["PostgreSQL refuses the row: division by zero (SQLSTATE 22012)"],
    )
    last_error_zh: str = Field(
        "",
        description="The same in Chinese.",
        examples=["PostgreSQL 拒绝该行：division by zero (SQLSTATE 22012)"],
    )
    last_error_at: str | None = Field(
        None, description="When that was.", examples=["2026-01-31T12:00:00.000+00:00"]
    )


class Figures(Row):
    """What became of what rules handed to an action; matched is the sum of the others."""

    matched: int = Field(description="Messages handed to it.", examples=[120])
    success: int = Field(description="Messages that were sent.", examples=[117])
    failed: int = Field(description="Messages that the service will never take.", examples=[1])
    dropped: int = Field(description="Messages that were given up.", examples=[0])
    dropped_queue_full: int = Field(
        alias="dropped.queue_full", description="… because the buffer was full.", examples=[0]
    )
    dropped_expired: int = Field(
        alias="dropped.expired", description="… because their time was over.", examples=[0]
    )
    dropped_resource_not_found: int = Field(
        alias="dropped.resource_not_found", description="… as the action is gone.", examples=[0]
    )
    dropped_resource_stopped: int = Field(
        alias="dropped.resource_stopped", description="… as the action is stopped.", examples=[0]
    )
    dropped_other: int = Field(
        alias="dropped.other", description="… for another reason.", examples=[0]
    )
    queuing: int = Field(description="Messages that wait.", examples=[2])
    inflight: int = Field(description="Messages under way.", examples=[0])
    retried: int = Field(description="Messages that were sent again.", examples=[3])
    received: int = Field(description="Messages that a source brought in.", examples=[0])
    rate: float = Field(description="Messages per second, lately.", examples=[2.5])
    rate_max: float = Field(description="The highest rate there was.", examples=[10.0])
    rate_last5m: float = Field(description="The rate of the last 5 minutes.", examples=[1.2])


class NodeFigures(Row):
    """The same on one node."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    metrics: Figures


class EntryMetrics(Row):
    """Figures of an action or a source."""

    metrics: Figures
    node_metrics: list[NodeFigures]


class TypeRow(Row):
    """A type of connector with what forms are drawn from."""

    type: str = Field(description="Its name.", examples=["http"])
    title: str = Field(description="What it is called.", examples=["HTTP server"])
    title_zh: str = Field(description="The same in Chinese.", examples=["HTTP 服务"])
    description: str = Field(description="What it is for.", examples=["Calls a web service."])
    description_zh: str = Field(description="The same in Chinese.", examples=["调用 Web 服务。"])
    is_available: bool = Field(description="Whether its package is there.", examples=[True])
    missing: str = Field(description="What to install otherwise.", examples=[""])
    missing_zh: str = Field(description="The same in Chinese.", examples=[""])
    connector: dict[str, Any] = Field(
        description="JSON schema of a connector, without `type` and `name`.",
        examples=[{"type": "object", "properties": {"url": {"type": "string", "title": "URL"}}}],
    )
    action: dict[str, Any] | None = Field(
        None, description="The same of its actions; null: it has none.", examples=[None]
    )
    source: dict[str, Any] | None = Field(
        None, description="The same of its sources; null: it has none.", examples=[None]
    )


class Refusal(Model):
    """Who still needs what was to be deleted."""

    code: str
    message: str
    rules: list[str] = Field(default_factory=list)
    actions: list[str] = Field(default_factory=list)
    sources: list[str] = Field(default_factory=list)
