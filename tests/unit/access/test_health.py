"""A backend says how it is before a client comes, and why it cannot be asked."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.health import until
from harness.http_service import HttpServer, http_server
from harness.ports import free_port
from rookery.access import service as services
from rookery.access.authn.http import HttpAuthnSettings, HttpProvider
from rookery.access.authn.jwt import JwtProvider, JwtSettings
from rookery.access.errors import SettingError
from rookery.access.http_service import HttpSettings
from rookery.access.tls import ClientTls
from rookery.clock import SystemClock
from rookery.types import Secret


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LOOK_AGAIN_S", 0.02)
    monkeypatch.setattr(services, "SPACING_S", 0.01)


@asynccontextmanager
async def provider_of(url: str, **settings: object) -> AsyncIterator[HttpProvider]:
    http = HttpSettings(url=url, **settings)  # type: ignore[arg-type]
    provider = HttpProvider(HttpAuthnSettings(http=http), SystemClock())
    assert provider.health.state == "connecting"
    await provider.start()
    try:
        yield provider
    finally:
        await provider.stop()


async def test_a_service_that_nobody_asked_says_how_it_is(service: HttpServer) -> None:
    async with provider_of(service.url) as provider:
        assert await until(provider.health, "connected") == ""
    assert service.asked == []


async def test_a_service_that_comes_later_is_found() -> None:
    port = free_port()
    url = f"http://ann:hunter2@127.0.0.1:{port}/auth"
    async with provider_of(url) as provider:
        reason = await until(provider.health, "disconnected")
        assert f"connect to 127.0.0.1:{port} refused" in reason
        assert f"连接 127.0.0.1:{port} 被拒绝" in reason
        assert "hunter2" not in reason
        async with http_server(HttpServer(url=f"http://127.0.0.1:{port}")):
            assert await until(provider.health, "connected") == ""


async def test_a_port_without_tls_is_no_wrong_password(service: HttpServer) -> None:
    url = service.url.replace("http:", "https:")
    async with provider_of(url, ssl=ClientTls(enable=True)) as provider:
        assert "does not speak TLS" in await until(provider.health, "disconnected")


async def test_a_port_that_is_silent_about_tls_is_reached() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
    with silent:
        async with provider_of(url, ssl=ClientTls(enable=True), connect_timeout_s=0.1) as provider:
            reason = await until(provider.health, "disconnected")
    assert "does not answer a TLS handshake: switch ssl.enable off" in reason
    assert "未应答 TLS 握手" in reason


async def test_keys_that_cannot_be_fetched_are_said_to_be_missing(service: HttpServer) -> None:
    service.status = 404
    settings = JwtSettings(endpoint=HttpSettings(method="get", url=service.url))
    provider = JwtProvider(settings, SystemClock())
    assert provider.health is not None
    await provider.start()
    assert "answered 404 without keys" in await until(provider.health, "disconnected")
    await provider.stop()

    secret = JwtSettings(secret=Secret("0123456789abcdef0123456789abcdef"))
    assert JwtProvider(secret, SystemClock()).health is None


@pytest.mark.parametrize("header", ["authorization", "Authorization"])
def test_two_passwords_for_one_service_are_refused(header: str) -> None:
    settings = HttpSettings(url="http://ann:hunter2@auth.example/x", headers={header: "Bearer x"})
    with pytest.raises(SettingError) as caught:
        HttpProvider(HttpAuthnSettings(http=settings), SystemClock())
    assert caught.value.text().startswith("url: a user in it and headers.authorization exclude")
    assert caught.value.text("zh").startswith("url：")


@pytest.mark.parametrize("url", ["http://******@auth.example/x", "http://h/x?token=******"])
def test_a_hidden_password_is_not_taken_for_one(url: str) -> None:
    settings = HttpSettings(url=url)
    with pytest.raises(SettingError) as caught:
        HttpProvider(HttpAuthnSettings(http=settings), SystemClock())
    assert caught.value.text().startswith("url: a part of it is hidden")
    assert caught.value.text("zh").startswith("url：")


@pytest.mark.parametrize(
    "url", ["https://ann:hunter2@auth.example/x", "ftp://ann:hunter2@auth.example/x"]
)
def test_a_refused_address_is_shown_without_its_password(url: str) -> None:
    with pytest.raises(SettingError) as caught:
        HttpProvider(HttpAuthnSettings(http=HttpSettings(url=url)), SystemClock())
    assert "hunter2" not in caught.value.text() + caught.value.text("zh")
    assert "auth.example" in caught.value.text()
