"""The certificate of the ports is one for the access address, as soon as that is set."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.client import DEADLINE_S
from harness.control import ADMIN, PASSWORD, World, control_world
from rookery.access.authority import Authority, now_utc
from rookery.control.settings.names import ACCESS_ADDRESS
from rookery.control.settings.store import SettingRow

PATH = "/configuration/server-access-name"


async def accepts(world: World, port: int, host: str) -> bool:
    """Whether somebody who trusts the authority, as agents do, takes what a port shows for ``host``."""
    tls = ssl.create_default_context(cafile=str(world.control.certificates.ca_file))
    try:
        async with asyncio.timeout(DEADLINE_S):
            _reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=tls, server_hostname=host
            )
    except ssl.SSLCertVerificationError:
        return False
    writer.close()
    return True


async def both_accept(world: World, host: str) -> list[bool]:
    """The console's port and the relay's."""
    console = urlsplit(world.url).port
    assert console is not None
    ports = (console, world.control.adoption.relay.ports["tls"])
    return [await accepts(world, port, host) for port in ports]


async def put(world: World, token: str, url: str) -> tuple[int, str]:
    answer = await world.ask("PUT", PATH, {"url": url}, token=token)
    return answer.status, answer.text


async def test_the_address_of_the_wizard_is_in_the_certificate(tmp_path: Path) -> None:
    async with control_world(tmp_path) as world:
        assert await both_accept(world, "control.example") == [False, False]
        given = {
            "email": ADMIN,
            "password": PASSWORD,
            "accessAddress": "https://Control.Example:8082",
        }
        assert (await world.ask("POST", "/setup", given)).status == 204
        assert await both_accept(world, "control.example") == [True, True]
        assert await both_accept(world, "127.0.0.1") == [True, True]
    # And it is after the next start.
    async with control_world(tmp_path) as world:
        assert await both_accept(world, "control.example") == [True, True]


async def test_another_address_is_taken_without_a_restart(world: World, admin: str) -> None:
    pinned = world.control.certificates.ca_sha256
    for url, host in (
        ("https://first.example", "first.example"),
        ("https://192.0.2.7:8082", "192.0.2.7"),
        ("https://[2001:db8::7]:8082", "2001:db8::7"),
        ("https://b\u00fccher.example", "xn--bcher-kva.example"),
    ):
        assert await put(world, admin, url) == (204, "")
        assert await both_accept(world, host) == [True, True]
    # Agents that registered under an earlier one still come in, by the authority that they know.
    assert await both_accept(world, "first.example") == [True, True]
    assert world.control.certificates.ca_sha256 == pinned
    before = world.control.certificates.certificate_file.read_bytes()
    assert await put(world, admin, "https://first.example:9") == (204, "")
    assert world.control.certificates.certificate_file.read_bytes() == before


async def test_what_no_certificate_can_hold_is_refused(world: World, admin: str) -> None:
    status, text = await put(world, admin, f"https://{'x' * 64}.example")
    assert status == 400
    assert "names no host" in text
    assert (await world.ask("GET", PATH, token=admin)).json["url"] == "https://127.0.0.1:8082"


async def test_what_another_process_set_is_taken_too(world: World, admin: str) -> None:
    async with world.control.database.write() as session:
        row = await session.get(SettingRow, ACCESS_ADDRESS)
        assert row is not None
        row.value = {"url": "https://other.example"}
    await world.control.server_certificate.look()
    assert await both_accept(world, "other.example") == [True, True]


async def test_brought_files_are_not_touched_and_it_is_told_when_they_do_not_fit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    brought = tmp_path / "brought"
    certificate, key = Authority(brought, now_utc()).sign_server(["127.0.0.1", "*.corp.example"], 9)
    before = certificate.read_bytes()
    sets = [f"control.tls.certfile={certificate}", f"control.tls.keyfile={key}"]
    async with control_world(tmp_path / "data", sets=sets) as world:
        admin = await world.set_up()
        for url, is_good in (
            ("https://c.corp.example", True),
            ("https://a.b.corp.example", False),
            ("https://control.example", False),
        ):
            assert (await put(world, admin, url))[0] == 204
            shown = (await world.ask("GET", PATH, token=admin)).json
            assert (shown["certificateProblem"] == "") == is_good
        shown = (await world.ask("GET", PATH, token=admin)).json
        assert "is not for control.example: agents on other machines" in shown["certificateProblem"]
        headers = {"accept-language": "zh-CN"}
        shown = (await world.ask("GET", PATH, token=admin, headers=headers)).json
        assert "中的证书不包含 control.example" in shown["certificateProblem"]
        await world.control.server_certificate.look()
    assert "is not for control.example" in caplog.text
    assert certificate.read_bytes() == before
