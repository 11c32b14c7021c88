"""A device that is not there, for trying things out: its values move by themselves."""

from __future__ import annotations

from rookery.edge.drivers.base import DriverType
from rookery.edge.drivers.simulator.address import check_tag
from rookery.edge.drivers.simulator.driver import Simulator
from rookery.edge.schema import Field
from rookery.words import Words

TYPE = DriverType(
    name="Simulator",
    title=Words("Simulator", "模拟器"),
    about=Words(
        "Values that move by themselves: counters, waves, random numbers, and memory to write to",
        "自动变化的模拟数据：计数、正弦波、随机数，以及可写入的内存点位",
    ),
    fields=(
        Field(
            name="latency",
            type="int",
            title=Words("Latency (ms)", "延时（毫秒）"),
            about=Words("How long the device takes to answer", "模拟设备每次应答所需的时间"),
            default=0,
            high=60_000,
        ),
    ),
    make=Simulator,
    check_tag=check_tag,
)
