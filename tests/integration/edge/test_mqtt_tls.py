"""To a broker over TLS, with certificates on both sides."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import rookery
from harness.authority import Authority
from harness.client import DEADLINE_S
from rookery.edge.errors import EdgeError
from rookery.edge.model import LinkState, Tag, TagType
from rookery.edge.service import EdgeService


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[EdgeService]:
    made = EdgeService(tmp_path / "edge", backoff_s=(0.02, 0.1))
    await made.open()
    yield made
    await made.close()


def file(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


async def test_reports_go_over_tls_to_whom_the_certificate_names(
    service: EdgeService, tmp_path: Path
) -> None:
    for name in ("ca", "other"):
        (tmp_path / name).mkdir()
    authority = Authority(tmp_path / "ca", "Plant CA")
    other = Authority(tmp_path / "other", "Another CA")
    server, client = authority.issue("localhost"), authority.issue("edge")
    config = {
        "listeners.ssl.default.ssl_options": {
            "certfile": str(server.cert),
            "keyfile": str(server.key),
            "cacertfile": str(authority.cert),
            "verify": "verify_peer",
            "fail_if_no_peer_cert": True,
        }
    }
    listeners = {"ssl:default": "127.0.0.1:0"}
    broker = rookery.Broker(listeners=listeners, config=config, admission="everyone")
    await service.nodes.add("machine", "Simulator", {})
    count = Tag(name="count", type=TagType.INT64, address="counter")
    await service.tags.add_groups("machine", [("fast", 100, [count])])
    async with broker, broker.subscribe("plant") as messages:
        tls = {
            "host": "localhost",
            "port": broker.port,
            "ssl": True,
            "ca": file(authority.cert),
            "cert": file(client.cert),
            "key": file(client.key),
        }
        await service.nodes.add("up", "MQTT", tls)
        await service.subscriptions.add("up", "machine", "fast", {"topic": "plant"})
        async with asyncio.timeout(DEADLINE_S):
            first = await anext(aiter(messages))
        shown = service.nodes.setting("up")
        await service.nodes.configure("up", tls | {"key": shown["key"], "ca": file(other.cert)})
        async with asyncio.timeout(DEADLINE_S):
            while service.nodes.status("up").reason is None:
                await asyncio.sleep(0.02)
        status = service.nodes.status("up")
        with pytest.raises(EdgeError, match="cert"):
            await service.nodes.configure("up", tls | {"cert": file(other.cert)})

    assert "count" in json.loads(first.payload)["values"]
    assert shown["key"] == "******"
    assert status.link is LinkState.DISCONNECTED
    assert status.reason is not None
    assert "certificate" in status.reason.en
    assert "证书" in status.reason.zh
