"""Machines and gateways with an OPC UA server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.edge.drivers.base import Driver, DriverType
from rookery.edge.drivers.opcua.address import check_tag
from rookery.edge.drivers.opcua.settings import FIELDS, check_setting
from rookery.words import Words


def _make(setting: Mapping[str, Any]) -> Driver[Any]:
    from rookery.edge.drivers.opcua.driver import OpcUa  # noqa: PLC0415 - needs the extra

    return OpcUa(setting)


TYPE = DriverType(
    name="OPC UA",
    title=Words("OPC UA", "OPC UA"),
    about=Words(
        "Machines with an OPC UA server; its tree can be browsed for tags",
        "带 OPC UA 服务器的设备，可浏览地址空间选择点位",
    ),
    fields=FIELDS,
    make=_make,
    check_tag=check_tag,
    check_setting=check_setting,
    packages=("asyncua",),
    can_browse=True,
)
