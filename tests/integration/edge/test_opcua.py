"""An OPC UA server on loopback, browsed, read and written through an edge service."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua

import rookery
from harness.client import DEADLINE_S
from harness.cut_line import CutLine
from harness.modbus import ModbusDevice
from harness.opcua import Press, certificate
from rookery.edge.errors import EdgeError
from rookery.edge.model import Attribute, LinkState, Report, Tag, TagType
from rookery.edge.service import EdgeService

RW = Attribute.READ | Attribute.WRITE
KINDS = {
    "Speed": TagType.DOUBLE,
    "Count": TagType.INT32,
    "Running": TagType.BOOL,
    "Order": TagType.STRING,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    made = Press(tmp_path_factory.mktemp("press"))
    yield made
    made.stop()


@pytest.fixture
def press(server: Press) -> Press:
    server.reset()
    return server


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[EdgeService]:
    made = EdgeService(tmp_path / "edge", backoff_s=(0.05, 0.2))
    await made.open()
    yield made
    await made.close()


def tags(press: Press, *names: str) -> list[Tag]:
    return [
        Tag(name=name, type=KINDS[name], address=press.ids[name], attribute=RW)
        for name in names or KINDS
    ]


async def connect(service: EdgeService, port: int, *wanted: Tag, **setting: Any) -> None:
    given = {"url": f"opc.tcp://127.0.0.1:{port}", "timeout": 4000} | setting
    await service.nodes.add("press", "OPC UA", given)
    await service.groups.add("press", "all", 100)
    await service.tags.add("press", "all", wanted)


async def until(service: EdgeService, is_so: Callable[[Report], bool]) -> Report:
    async with asyncio.timeout(DEADLINE_S), service.values.follow("press", "all") as reports:
        async for report in reports:
            if is_so(report):
                return report
    raise AssertionError


@pytest.mark.parametrize("mode", [0, 1], ids=["read", "subscribe"])
async def test_values_are_read_and_written(service: EdgeService, press: Press, mode: int) -> None:
    await connect(service, press.port, *tags(press), update_mode=mode, sampling_interval=50)
    first = await until(service, lambda report: len(report.values) == 4)

    press.put("Count", ua.Variant(8, ua.VariantType.Int32))
    await until(service, lambda report: report.values.get("Count") == 8)
    for name, value in (("Speed", 20), ("Count", 3), ("Running", False), ("Order", "B-2")):
        await service.values.write("press", "all", name, value)

    assert first.values == {"Speed": 12.5, "Count": 7, "Running": True, "Order": "A-1"}
    found = {name: press.get(name) for name in KINDS}
    assert found == {"Speed": 20.0, "Count": 3, "Running": False, "Order": "B-2"}


async def test_the_tree_is_browsed_for_tags(service: EdgeService, press: Press) -> None:
    await connect(service, press.port, *tags(press))
    await until(service, lambda report: bool(report.values))

    top = {one.name: one for one in await service.nodes.browse("press")}
    inside = {one.name: one for one in await service.nodes.browse("press", top["Press"].id)}
    with pytest.raises(EdgeError, match="no node id"):
        await service.nodes.browse("press", "nonsense")

    assert top["Press"].has_children
    assert {name: one.type for name, one in inside.items()} == KINDS
    assert all(one.is_writable for one in inside.values())
    assert {name: one.id for name, one in inside.items()} == press.ids


async def test_a_node_that_is_not_there_spoils_no_other(service: EdgeService, press: Press) -> None:
    gone = Tag(name="gone", type=TagType.INT32, address="2!Nowhere")
    other = Tag(name="text", type=TagType.INT32, address=press.ids["Order"])
    await connect(service, press.port, gone, other, *tags(press, "Speed"))

    report = await until(service, lambda report: "Speed" in report.values)

    assert report.errors == {"gone": 3000, "text": 3007}


async def test_a_server_that_comes_back_is_read_again(service: EdgeService, press: Press) -> None:
    async with CutLine(press.port) as line:
        await connect(service, line.port, *tags(press, "Speed"))
        await until(service, lambda report: "Speed" in report.values)

        await line.cut()
        await until(service, lambda report: report.errors.get("Speed") == 3002)
        status = service.nodes.status("press")
        await line.mend()
        await until(service, lambda report: "Speed" in report.values)
        await service.close()

    assert status.link is LinkState.DISCONNECTED
    assert status.reason is not None
    assert str(line.port) in status.reason.zh


async def test_messages_are_encrypted_where_the_policy_says_so(
    service: EdgeService, press: Press, tmp_path: Path
) -> None:
    key, cert = await certificate(tmp_path, "edge", "urn:edge")

    def file(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    await connect(
        service,
        press.port,
        *tags(press),
        timeout=10_000,
        security_policy=1,
        cert=file(cert),
        key=file(key),
    )
    report = await until(service, lambda report: len(report.values) == 4)
    client = service._core.engine.runners["press"].driver._client  # type: ignore[attr-defined]

    assert report.values["Order"] == "A-1"
    assert client.security_policy.URI.endswith("#Basic256Sha256")


async def test_machines_of_both_kinds_reach_a_subscriber(
    service: EdgeService, press: Press
) -> None:
    async with (
        ModbusDevice() as device,
        rookery.Broker() as broker,
        broker.subscribe("neuron/#") as messages,
    ):
        await device.put(0, 0x4148, 0)
        await service.nodes.add("up", "MQTT", {"host": "127.0.0.1", "port": broker.port})
        await service.nodes.add("plc", "Modbus TCP", {"host": "127.0.0.1", "port": device.port})
        await connect(service, press.port, *tags(press, "Speed"))
        level = Tag(name="level", type=TagType.FLOAT, address="1!40001")
        await service.tags.add_groups("plc", [("all", 100, [level])])
        for node in ("plc", "press"):
            await service.subscriptions.add("up", node, "all")
        found: dict[str, Any] = {}
        async with asyncio.timeout(DEADLINE_S):
            async for message in messages:
                found[message.topic] = json.loads(message.payload)["values"]
                if len(found) == 2 and all(found.values()):
                    break
        await service.close()

    assert found == {"neuron/up/plc/all": {"level": 12.5}, "neuron/up/press/all": {"Speed": 12.5}}


async def test_security_needs_a_certificate(service: EdgeService) -> None:
    setting = {"url": "opc.tcp://127.0.0.1:4840", "security_policy": 1}

    with pytest.raises(EdgeError, match="cert: security needs") as caught:
        await service.nodes.add("press", "OPC UA", setting)

    assert caught.value.number == 2004


@pytest.mark.parametrize("address", ["Speed", "ns=2;x=1", "2!", "99999!a", "ns=1;i=abc"])
async def test_what_is_no_node_id_is_refused(service: EdgeService, address: str) -> None:
    await service.nodes.add("press", "OPC UA")
    await service.groups.add("press", "all", 1000)

    with pytest.raises(EdgeError) as caught:
        await service.tags.add("press", "all", [Tag(name="x", type=TagType.BOOL, address=address)])

    assert caught.value.number == 2205
