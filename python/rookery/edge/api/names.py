"""Types that operations share."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from rookery.web.models import Model

# What is wrong with a name is told by the service, with Neuron's number; this only bounds.
_LENGTH_MAX = 1024

NodeName = Annotated[
    str, Field(max_length=_LENGTH_MAX, description="A driver or application.", examples=["plc"])
]
AppName = Annotated[
    str, Field(max_length=_LENGTH_MAX, description="An application.", examples=["mqtt"])
]
DriverName = Annotated[
    str, Field(max_length=_LENGTH_MAX, description="A driver.", examples=["plc"])
]
GroupName = Annotated[
    str, Field(max_length=_LENGTH_MAX, description="A group of it.", examples=["line-1"])
]
TagName = Annotated[
    str, Field(max_length=_LENGTH_MAX, description="A tag of it.", examples=["temperature"])
]
PluginName = Annotated[
    str, Field(max_length=_LENGTH_MAX, description="A plugin.", examples=["Modbus TCP"])
]
NodeQuery = Annotated[
    str,
    Query(max_length=_LENGTH_MAX, description="A driver or application.", examples=["plc"]),
]
GroupQuery = Annotated[
    str, Query(max_length=_LENGTH_MAX, description="A group of it.", examples=["line-1"])
]
SettingGiven = Annotated[
    dict[str, Any],
    Field(
        description="Settings by name, as the schema of the plugin says; a secret that is sent as `******` stays.",
        examples=[{"host": "192.168.1.10", "port": 502}],
    ),
]
TagsGiven = Annotated[
    list[dict[str, Any]],
    Field(
        max_length=100_000,
        description="Tags: `name`, `address`, `type` (INT8 1, UINT8 2, INT16 3, UINT16 4, INT32 5, UINT32 6, INT64 "
        "7, UINT64 8, FLOAT 9, DOUBLE 10, BIT 11, BOOL 12, STRING 13, BYTES 14, WORD 16, DWORD 17, LWORD 18), "
        "`attribute` (the sum of read 1, write 2, subscribe 4, static 8), `decimal`, `bias`, `precision`, `unit`, "
        "`description`, `value` of a static one.",
        examples=[[{"name": "temperature", "address": "1!40001", "type": 3, "attribute": 1}]],
    ),
]
Interval = Annotated[
    int,
    Field(
        ge=0,
        le=1 << 53,
        description="How often its tags are read, in milliseconds.",
        examples=[1000],
    ),
]


class GroupGiven(Model):
    """A group with its tags."""

    group: GroupName
    interval: Interval
    tags: TagsGiven = Field(default_factory=list)
