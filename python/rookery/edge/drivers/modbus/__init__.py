"""Modbus over TCP, over a serial line, and the serial line's frames over TCP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.edge.drivers.base import Driver, DriverType
from rookery.edge.drivers.modbus.address import TYPES as TAG_TYPES
from rookery.edge.drivers.modbus.address import check_tag
from rookery.edge.drivers.modbus.settings import RTU_FIELDS, TCP_FIELDS
from rookery.words import Words


def _maker(line: str) -> Any:
    def make(setting: Mapping[str, Any]) -> Driver[Any]:
        from rookery.edge.drivers.modbus.driver import Modbus  # noqa: PLC0415 - needs the extra

        return Modbus(setting, line)

    return make


TYPES = (
    DriverType(
        name="Modbus TCP",
        title=Words("Modbus TCP", "Modbus TCP"),
        about=Words(
            "Controllers and meters that speak Modbus TCP", "支持 Modbus TCP 的控制器和仪表"
        ),
        fields=TCP_FIELDS,
        make=_maker("tcp"),
        check_tag=check_tag,
        types=TAG_TYPES,
        packages=("pymodbus",),
    ),
    DriverType(
        name="Modbus RTU over TCP",
        title=Words("Modbus RTU over TCP", "Modbus RTU over TCP"),
        about=Words("Modbus RTU behind a serial device server", "串口服务器之后的 Modbus RTU 设备"),
        fields=TCP_FIELDS,
        make=_maker("rtu_over_tcp"),
        check_tag=check_tag,
        types=TAG_TYPES,
        packages=("pymodbus",),
    ),
    DriverType(
        name="Modbus RTU",
        title=Words("Modbus RTU", "Modbus RTU"),
        about=Words("Modbus on a serial line", "串行线路上的 Modbus 设备"),
        fields=RTU_FIELDS,
        make=_maker("serial"),
        check_tag=check_tag,
        types=TAG_TYPES,
        packages=("pymodbus", "serial"),
    ),
)
