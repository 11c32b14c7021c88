"""A service that answers with JSON, read through an edge service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from harness.client import DEADLINE_S
from rookery.edge.model import LinkState, Report, Tag, TagType
from rookery.edge.service import EdgeService

BODY = {
    "room": [{"temperature": 21.5, "name": "hall", "open": False, "count": "12"}],
    "a.b": 1e400,
    "big": 1 << 70,
    "none": None,
}


class Device:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.body: Any = BODY
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self.server = TestServer(app, host="127.0.0.1")

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, request.headers.get("Authorization", "")))
        if request.path == "/api/gone":
            raise web.HTTPNotFound
        if isinstance(self.body, bytes):
            return web.Response(body=self.body)
        return web.json_response(self.body)


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    made = Device()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[EdgeService]:
    made = EdgeService(tmp_path / "edge", backoff_s=(0.05, 0.2))
    await made.open()
    yield made
    await made.close()


async def connect(service: EdgeService, device: Device, **addresses: tuple[str, TagType]) -> None:
    setting = {"url": str(device.server.make_url("/api")), "username": "u", "password": "p"}
    await service.nodes.add("web", "HTTP JSON", setting)
    await service.groups.add("web", "all", 100)
    tags = [Tag(name=name, type=kind, address=at) for name, (at, kind) in addresses.items()]
    await service.tags.add("web", "all", tags)


async def until(service: EdgeService, is_so: Callable[[Report], bool]) -> Report:
    async with asyncio.timeout(DEADLINE_S), service.values.follow("web", "all") as reports:
        async for report in reports:
            if is_so(report):
                return report
    raise AssertionError


async def test_values_come_out_of_a_document(service: EdgeService, device: Device) -> None:
    await connect(
        service,
        device,
        temperature=("room.0.temperature", TagType.DOUBLE),
        name=("room.0.name", TagType.STRING),
        open=("room.0.open", TagType.BOOL),
        count=("room.0.count", TagType.UINT8),
        infinite=(r"a\.b", TagType.INT32),
        big=("big", TagType.INT64),
        none=("none", TagType.INT64),
        nowhere=("room.1.name", TagType.STRING),
        gone=("/gone#x", TagType.STRING),
    )

    report = await until(service, lambda report: len(report.values) == 4)

    assert report.values == {"temperature": 21.5, "name": "hall", "open": False, "count": 12}
    assert report.errors == {
        "infinite": 3007,
        "big": 3007,
        "none": 3000,
        "nowhere": 3000,
        "gone": 3000,
    }
    assert {auth for _, auth in device.asked} == {"Basic dTpw"}


async def test_what_is_no_json_is_told(service: EdgeService, device: Device) -> None:
    await connect(service, device, temperature=("room.0.temperature", TagType.DOUBLE))
    await until(service, lambda report: "temperature" in report.values)

    device.body = b"<html>"
    await until(service, lambda report: report.errors.get("temperature") == 3009)
    device.body = BODY
    await until(service, lambda report: "temperature" in report.values)
    await device.server.close()
    await until(service, lambda report: report.errors.get("temperature") == 3002)

    assert service.nodes.status("web").link is LinkState.DISCONNECTED
    assert "p" not in service.nodes.setting("web")["password"]
