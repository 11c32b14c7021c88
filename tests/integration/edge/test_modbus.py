"""Modbus devices: pymodbus' servers on loopback, read and written through an edge service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType

from harness.client import DEADLINE_S
from harness.modbus import ModbusDevice, SerialLine
from rookery.edge.errors import EdgeError
from rookery.edge.model import Attribute, LinkState, Report, Tag, TagType, Write
from rookery.edge.service import EdgeService

RW = Attribute.READ | Attribute.WRITE


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[EdgeService]:
    made = EdgeService(tmp_path / "edge", backoff_s=(0.05, 0.2))
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def device() -> AsyncIterator[ModbusDevice]:
    async with ModbusDevice() as made:
        yield made


def tag(name: str, address: str, kind: TagType = TagType.UINT16, **more: Any) -> Tag:
    return Tag(name=name, type=kind, address=address, attribute=more.pop("attribute", RW), **more)


async def connect(
    service: EdgeService,
    device: ModbusDevice,
    *tags: Tag,
    plugin: str = "Modbus TCP",
    interval_ms: int = 100,
    **setting: Any,
) -> None:
    given = {"host": "127.0.0.1", "port": device.port, "timeout": 300} | setting
    await service.nodes.add("plc", plugin, given)
    await service.groups.add("plc", "all", interval_ms)
    await service.tags.add("plc", "all", tags)


async def until(service: EdgeService, is_so: Callable[[Report], bool]) -> Report:
    async with asyncio.timeout(DEADLINE_S), service.values.follow("plc", "all") as reports:
        async for report in reports:
            if is_so(report):
                return report
    raise AssertionError


async def test_types_are_read_in_one_request(service: EdgeService, device: ModbusDevice) -> None:
    await device.put(0, 42, 0x4148, 0, 0x6869, 0x2100, 0b1000, 0xFFFF)
    await connect(
        service,
        device,
        tag("word", "1!40001"),
        tag("float", "1!40002", TagType.FLOAT),
        tag("text", "1!40004.4", TagType.STRING),
        tag("bit", "1!40006.3", TagType.BIT),
        tag("flag", "1!40006.2", TagType.BOOL),
        tag("signed", "1!40007", TagType.INT16, decimal=0.5),
    )

    report = await until(service, lambda report: len(report.values) == 6)

    assert report.values == {
        "word": 42,
        "float": 12.5,
        "text": "hi!",
        "bit": 1,
        "flag": False,
        "signed": -0.5,
    }
    assert {one for one in device.requests if one[0] != 16} == {(3, 0, 7)}


@pytest.mark.parametrize(
    ("kind", "address", "value", "registers"),
    [
        (TagType.INT16, "1!40011", -2, [0xFFFE]),
        (TagType.FLOAT, "1!40011#LB", 1.5, [0, 0x3FC0]),
        (TagType.INT64, "1!40011#L", 1, [0x0100, 0, 0, 0]),
        (TagType.DOUBLE, "1!40011", 1.0, [0x3FF0, 0, 0, 0]),
        (TagType.STRING, "1!40011.4L", "ab", [0x6261, 0]),
        (TagType.BYTES, "1!40011.3", [1, 2, 3], [0x0102, 0x0300]),
        (TagType.BIT, "1!40011.15", 1, [0x8000]),
    ],
)
async def test_what_is_written_is_on_the_device(
    service: EdgeService,
    device: ModbusDevice,
    kind: TagType,
    address: str,
    value: Any,
    registers: list[int],
) -> None:
    await connect(service, device, tag("x", address, kind))
    await until(service, lambda report: "x" in report.values)

    await service.values.write("plc", "all", "x", value)

    assert await device.get(10, len(registers)) == registers


async def test_many_are_written_together(service: EdgeService, device: ModbusDevice) -> None:
    await connect(
        service,
        device,
        tag("a", "1!40001"),
        tag("b", "1!40002"),
        tag("coil", "1!00003", TagType.BOOL),
    )
    await until(service, lambda report: len(report.values) == 3)

    done = await service.values.write_all(
        "plc", [Write("all", "a", 1), Write("all", "b", 70_000), Write("all", "coil", True)]
    )
    report = await until(service, lambda report: report.values["coil"] is True)

    assert [one.error for one in done] == [0, 3007, 0]
    assert report.values == {"a": 1, "b": 0, "coil": True}


async def test_a_register_that_is_not_there_spoils_no_other(
    service: EdgeService, device: ModbusDevice
) -> None:
    await connect(
        service,
        device,
        tag("there", "1!40200"),
        tag("nowhere", "1!40201"),
        tag("elsewhere", "1!40001"),
    )

    report = await until(service, lambda report: len(report.values) == 2)

    assert set(report.values) == {"there", "elsewhere"}
    assert report.errors == {"nowhere": 3000}
    assert service.nodes.status("plc").link is LinkState.CONNECTED


async def test_a_write_that_is_refused_says_why(service: EdgeService, device: ModbusDevice) -> None:
    await connect(service, device, tag("nowhere", "1!40201"), tag("there", "1!40001"))
    await until(service, lambda report: "there" in report.values)

    with pytest.raises(EdgeError) as caught:
        await service.values.write("plc", "all", "nowhere", 1)

    assert caught.value.number == 3001
    assert "illegal data address" in caught.value.text("en")
    assert "非法数据地址" in caught.value.text("zh")


async def test_a_silent_station_spoils_no_other_and_is_left_out(
    service: EdgeService, device: ModbusDevice
) -> None:
    await connect(
        service,
        device,
        tag("dead", "7!40001"),
        tag("alive", "1!40001"),
        device_degrade=1,
        degrade_cycle=1,
    )

    report = await until(service, lambda report: "alive" in report.values)
    await until(service, lambda report: report.timestamp_ms > 0 and "alive" in report.values)

    assert report.errors == {"dead": 3015}


async def test_a_device_that_goes_and_comes_back_is_read_again(
    service: EdgeService, device: ModbusDevice
) -> None:
    await connect(service, device, tag("x", "1!40001"))
    await until(service, lambda report: "x" in report.values)

    await device.stop()
    gone = await until(service, lambda report: report.errors.get("x") == 3002)
    status = service.nodes.status("plc")
    await device.start()
    await device.put(0, 5)
    back = await until(service, lambda report: report.values.get("x") == 5)

    assert not gone.values
    assert status.link is LinkState.DISCONNECTED
    assert status.reason is not None
    assert str(device.port) in status.reason.en
    assert back.values == {"x": 5}
    assert service.nodes.status("plc").link is LinkState.CONNECTED


async def test_a_device_is_reached_at_its_backup(
    service: EdgeService, device: ModbusDevice
) -> None:
    setting: dict[str, Any] = {"port": 1, "backup_host": "127.0.0.1", "backup_port": device.port}
    await connect(service, device, tag("x", "1!40001"), **setting)

    await until(service, lambda report: "x" in report.values)
    await device.stop()
    await until(service, lambda report: report.errors.get("x") == 3002)
    status = service.nodes.status("plc")

    assert status.reason is not None
    assert str(device.port) in status.reason.en


async def test_a_device_that_does_not_answer_is_told_and_holds_up_no_other(
    service: EdgeService, device: ModbusDevice
) -> None:
    await connect(service, device, tag("x", "1!40001"))
    await until(service, lambda report: "x" in report.values)
    await service.nodes.add("other", "Simulator", {})
    await service.groups.add("other", "all", 100)
    await service.tags.add("other", "all", [Tag(name="n", type=TagType.INT32, address="counter")])

    device.answers.clear()
    await until(service, lambda report: report.errors.get("x") == 3015)
    before = service.metrics_of("other").groups[0].cycles_total
    async with asyncio.timeout(DEADLINE_S), service.values.follow("other", "all") as reports:
        async for _ in reports:
            if service.metrics_of("other").groups[0].cycles_total > before + 2:
                break
    device.answers.set()
    back = await until(service, lambda report: "x" in report.values)

    assert back.errors == {}


async def test_cycles_that_a_slow_device_misses_are_counted(
    service: EdgeService, device: ModbusDevice
) -> None:
    await connect(service, device, tag("x", "1!40001"), timeout=5000)
    await until(service, lambda report: "x" in report.values)

    device.answers.clear()
    asked = len(device.requests)
    async with asyncio.timeout(DEADLINE_S):
        while len(device.requests) == asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
    device.answers.set()
    await until(service, lambda report: service.metrics_of("plc").groups[0].missed_cycles_total > 0)

    assert service.metrics_of("plc").figures["missed_cycles_total"] > 0


async def test_frames_of_a_serial_line_over_tcp(service: EdgeService) -> None:
    async with ModbusDevice(framer=FramerType.RTU, stations=(1, 2)) as device:
        await device.put(3, 11, station=2)
        await connect(
            service,
            device,
            tag("x", "2!40004"),
            tag("y", "1!40004"),
            plugin="Modbus RTU over TCP",
        )

        report = await until(service, lambda report: len(report.values) == 2)
        await service.values.write("plc", "all", "y", 9)

        assert report.values == {"x": 11, "y": 0}
        assert await device.get(3) == [9]


async def test_devices_on_a_serial_line(service: EdgeService) -> None:
    device = ModbusDevice(stations=(1, 2))
    async with SerialLine() as line:
        await device.start_serial(line.ends[0])
        await device.put(3, 11, station=2)
        setting = {"device": line.ends[1], "baud": 19_200, "timeout": 1000}
        await service.nodes.add("plc", "Modbus RTU", setting)
        await service.groups.add("plc", "all", 100)
        await service.tags.add("plc", "all", [tag("x", "2!40004"), tag("y", "1!40004")])

        report = await until(service, lambda report: len(report.values) == 2)
        await service.values.write("plc", "all", "y", 9)
        found = await device.get(3)
        await service.close()
        await device.stop()

    assert report.values == {"x": 11, "y": 0}
    assert found == [9]


async def test_a_tag_is_tried_before_it_is_kept(service: EdgeService, device: ModbusDevice) -> None:
    await connect(service, device, tag("x", "1!40001"))
    await until(service, lambda report: "x" in report.values)
    await device.put(4, 77)

    good = await service.values.test("plc", "all", tag("new", "1!40005"))
    with pytest.raises(EdgeError, match="illegal data address") as caught:
        await service.values.test("plc", None, tag("new", "1!40250"))

    assert (good.value, good.error) == (77, 0)
    assert caught.value.number == 3000
