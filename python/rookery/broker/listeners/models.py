"""What ``/listeners`` takes and gives."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rookery.config.build import LISTENER_KINDS
from rookery.config.json_schema import JsonSchema, json_schema
from rookery.config.schema.listeners import LISTENERS
from rookery.config.schema.model import MapOf
from rookery.web.models import Row, Settings

Kind = Literal["tcp", "ssl", "ws", "wss"]
EXAMPLE = {"type": "tcp", "name": "extra", "bind": "0.0.0.0:11883", "max_connections": 1000}

_STATE: JsonSchema = {
    "id": {"type": "string", "description": "`TYPE:NAME`.", "readOnly": True},
    "running": {"type": "boolean", "description": "Whether clients can connect.", "readOnly": True},
    "current_connections": {
        "type": "integer",
        "description": "Connections that are open.",
        "readOnly": True,
    },
    "error": {"type": "string", "description": "Why it does not run.", "readOnly": True},
}


def _form(kind: str, *, shown: bool, required: tuple[str, ...]) -> JsonSchema:
    """A listener of one kind."""
    field = LISTENERS.get(kind)
    assert field is not None
    assert isinstance(field.type, MapOf)
    schema = json_schema(field.type.value, with_required=False)
    named = {
        "type": {"type": "string", "enum": [kind], "description": "Kind of listener."},
        "name": {"type": "string", "description": "Its name."},
    }
    properties = {**named, **(_STATE if shown else {}), **schema["properties"]}
    return {"type": "object", "title": kind, "properties": properties, "required": list(required)}


def _forms(*, shown: bool, required: tuple[str, ...]) -> JsonSchema:
    forms = [_form(kind, shown=shown, required=required) for kind in LISTENER_KINDS]
    return {"oneOf": forms, "description": "A listener; `type` says which keys it has."}


def _update_schema() -> JsonSchema:
    """Keys of all kinds; the id in the path says which kind it is."""
    properties: JsonSchema = {}
    for kind in LISTENER_KINDS:
        properties |= _form(kind, shown=True, required=())["properties"]
    properties["type"] = {"type": "string", "enum": list(LISTENER_KINDS)}
    return {"type": "object", "properties": properties}


class NewListener(Settings):
    """A listener to create."""

    shape: ClassVar[JsonSchema] = _forms(shown=False, required=("type", "name"))


class ListenerUpdate(Settings):
    """What changes about a listener."""

    shape: ClassVar[JsonSchema] = _update_schema()


class Listener(Settings):
    """A listener with all its settings and what it does."""

    shape: ClassVar[JsonSchema] = _forms(
        shown=True, required=("id", "type", "name", "running", "enable", "bind")
    )


class ListenerState(Row):
    """What a listener does."""

    running: bool | Literal["inconsistent"] = Field(
        description="Whether clients can connect; `inconsistent` where some can.", examples=[True]
    )
    max_connections: int | Literal["infinity"] = Field(
        description="Most connections.", examples=["infinity"]
    )
    current_connections: int = Field(description="Connections that are open.", examples=[3])


class NodeListenerState(Row):
    """What a listener does on one node."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    status: ListenerState


class ListenerRow(Row):
    """A listener in a list."""

    id: str = Field(description="`TYPE:NAME`.", examples=["tcp:default"])
    type: Kind = Field(description="Kind of listener.", examples=["tcp"])
    name: str = Field(description="Its name.", examples=["default"])
    enable: bool = Field(description="Whether it is opened when the node starts.", examples=[True])
    number: int = Field(description="Nodes that have it.", examples=[1])
    bind: str = Field(description="Address and port.", examples=["0.0.0.0:1883"])
    error: str | None = Field(None, description="Why it does not run.", examples=[None])
    status: ListenerState
    node_status: list[NodeListenerState]


class TypeRow(Row):
    """Listeners of one kind."""

    type: Kind = Field(description="Kind of listener.", examples=["tcp"])
    enable: bool = Field(description="Whether one of them is enabled.", examples=[True])
    ids: list[str] = Field(description="Which there are.", examples=[["tcp:default"]])
    status: ListenerState
    node_status: list[NodeListenerState]
