"""What ``/configs`` takes and gives."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from rookery.config.json_schema import JsonSchema, json_schema
from rookery.config.schema import ROOT
from rookery.config.schema.model import Status, Struct, Type
from rookery.web.models import Row, Settings

ROOTS = ("alarm", "broker", "dashboard", "log", "sys_topics", "sysmon")
"""Roots with an operation of their own in EMQX; those that have no key with an effect have none."""

ZONE = ("mqtt", "flapping_detect", "force_shutdown")
"""The roots of ``/configs/global_zone`` that a zone of ours has."""


def roots_with_keys() -> tuple[str, ...]:
    """Those of :data:`ROOTS` that this version has."""
    return tuple(name for name in ROOTS if _has_keys(type_of(name)))


def honoured_roots() -> tuple[str, ...]:
    """Every root that means something to this version."""
    return tuple(field.name for field in ROOT.fields if field.status is Status.HONOURED)


def _has_keys(kind: Type) -> bool:
    return isinstance(kind, Struct) and any(
        field.status is Status.HONOURED for field in kind.fields
    )


def type_of(name: str) -> Type:
    """The type of a root."""
    field = ROOT.get(name)
    assert field is not None
    return field.type


def shape_of(name: str) -> type[Settings]:
    """A root as JSON."""
    return _made(name, json_schema(type_of(name), with_required=False))


def zone_shape() -> type[Settings]:
    """``global_zone`` as JSON."""
    properties = {name: json_schema(type_of(name), with_required=False) for name in ZONE}
    return _made("global_zone", {"type": "object", "properties": properties})


def _made(name: str, shape: JsonSchema) -> type[Settings]:
    title = "".join(word.capitalize() for word in name.split("_")) + "Config"
    return type(title, (Settings,), {"shape": shape, "__module__": __name__, "__doc__": name})


ConfigSource: TypeAlias = Literal["default", "runtime", "file", "env", "set"]
"""What set a value."""


class ConfigValue(Row):
    """A value and where it comes from."""

    path: str = Field(description="The key.", examples=["mqtt.max_inflight"])
    value: Any = Field(description="What holds; secrets are hidden.", examples=[32])
    origin: str = Field(description="What set it, for people.", examples=["default"])
    source: ConfigSource = Field(
        description="`runtime` was changed while a node ran, `set` on the command line.",
        examples=["default"],
    )
    changeable: bool = Field(
        description="Whether it can be changed here. What a file, the environment or the command "
        "line sets is changed there.",
        examples=[True],
    )
    hot: bool = Field(description="Whether a change holds without a restart.", examples=[True])
    default: Any = Field(description="What holds when nobody says otherwise.", examples=[32])
    description: str = Field(description="What it is about.", examples=["Most messages in flight."])
    description_zh: str = Field(description="The same in Chinese.", examples=["最大飞行窗口。"])


class AppliedRow(Row):
    """What reading the configuration again changed."""

    changed: list[str] = Field(description="Keys that hold now.", examples=[["log.console.level"]])
    needs_restart: list[str] = Field(
        description="Keys that wait for a restart.", examples=[["node.workers"]]
    )
