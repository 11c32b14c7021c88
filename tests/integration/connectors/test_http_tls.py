"""HTTP actions over TLS: who signed the server, and what people hear when nobody known did."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from harness.authority import Authority
from harness.connector_manager import managed
from harness.http_service import http_server
from rookery.connectors.status import State


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "CA")


async def test_a_server_is_believed_when_its_signer_is_named(
    authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.cert, pair.key)
    actions = {"http:out": {"connector": "web"}}
    async with http_server(tls=tls) as server, managed(tmp_path) as it:
        url = server.url.replace("127.0.0.1", "localhost")
        await it.apply({"http:web": {"url": url, "ssl": {"enable": True}}}, actions)
        it.buffers["http:out"].offer("1")
        status = await it.until("connector", "http:web", State.DISCONNECTED)
        assert status.reason is not None
        assert "certificate of localhost" in status.reason.en
        assert "name its authority in ssl.cacertfile" in status.reason.en
        trusted = {"enable": True, "cacertfile": str(authority.cert)}
        await it.apply({"http:web": {"url": url, "ssl": trusted}}, actions)
        await it.until_counted("http:out", success=1)
        assert server.asked[0].json() == 1


async def test_a_certificate_that_is_not_there_is_a_reason(tmp_path: Path) -> None:
    broken = {"enable": True, "cacertfile": str(tmp_path / "none.pem")}
    async with managed(tmp_path) as it:
        await it.apply({"http:web": {"url": "https://localhost", "ssl": broken}})
        status = await it.until("connector", "http:web", State.DISCONNECTED)
        assert status.reason is not None
        assert "ssl.cacertfile" in status.reason.en
        assert status.reason.zh != status.reason.en
