"""The mail server of the control plane: settings, the test, and messages that have to arrive."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from harness.control import ADMIN, World
from harness.mail import MailServer, text_of
from rookery.clock import ManualClock
from rookery.control.mail import store
from rookery.control.mail.message import compose
from rookery.control.mail.outbox import FIRST_WAIT_MS, Letter
from rookery.control.mail.settings import MailSettings
from rookery.control.mail.smtp import deliver
from rookery.types import Secret

PATH = "/configuration/mail"
USER, SECRET = "rookery", "app-password-1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path, user=USER, password=SECRET) as server:
        yield server


async def got(server: MailServer) -> EmailMessage:
    return await asyncio.to_thread(server.next)


async def tried(world: World, token: str, given: dict[str, Any], language: str = "en") -> str:
    """Why the test failed; empty: it did not."""
    headers = {"accept-language": language}
    answer = await world.ask("POST", f"{PATH}/test", given, token=token, headers=headers)
    if answer.status == 204:
        return ""
    assert answer.problem == (400, "TEST_FAILED"), answer.text
    assert SECRET not in answer.text
    return str(answer.json["message"])


async def test_the_test_reaches_the_caller_and_keeps_nothing(
    world: World, admin: str, server: MailServer
) -> None:
    assert await tried(world, admin, server.settings(), "zh") == ""
    message = await got(server)
    assert message["To"] == ADMIN
    assert message["From"] == "Rookery <rookery@example.com>"
    assert "邮件服务器配置正确" in text_of(message)
    assert (await world.ask("GET", PATH, token=admin)).json["isSet"] is False


async def test_the_password_is_kept_sealed_and_shown_to_nobody(
    world: World, admin: str, server: MailServer, tmp_path: Path
) -> None:
    assert (await world.ask("PUT", PATH, server.settings(), token=admin)).status == 204
    shown = await world.ask("GET", PATH, token=admin)
    assert (shown.json["host"], shown.json["isPasswordSet"]) == ("localhost", True)
    audit = await world.ask("GET", "/audit", token=admin)
    assert SECRET not in shown.text + audit.text
    assert (tmp_path / "secrets.key").stat().st_mode & 0o777 == 0o600
    held = b"".join(file.read_bytes() for file in tmp_path.glob("control.db*"))
    assert b"localhost" in held
    assert SECRET.encode() not in held
    # The one that is kept goes to the server that it was given for, and to no other.
    kept = server.settings(password=None)
    assert await tried(world, admin, kept) == ""
    await got(server)
    answer = await world.ask("PUT", PATH, {**kept, "host": "127.0.0.1"}, token=admin)
    assert answer.problem == (400, "BAD_REQUEST")
    assert "enter it again" in answer.json["message"]


async def test_a_refusal_names_the_hop(world: World, admin: str, server: MailServer) -> None:
    good = server.settings()
    with socket.create_server(("localhost", 0)) as free:
        closed = free.getsockname()[1]
    said = {
        "name": await tried(world, admin, {**good, "host": "mail.invalid"}),
        "port": await tried(world, admin, {**good, "port": closed}),
        "authority": await tried(world, admin, {**good, "caCertificate": ""}),
        "password": await tried(world, admin, {**good, "password": "wrong"}),
        "early": await tried(world, admin, {**good, "security": "tls"}),
    }
    assert "mail.invalid cannot be resolved" in said["name"]
    assert "refuses the connection" in said["port"]
    assert "certificate of localhost is not trusted: " in said["authority"]
    assert "refuses user and password: 535" in said["password"]
    assert "starttls instead?" in said["early"]
    assert "拒绝连接" in await tried(world, admin, {**good, "port": closed}, "zh")
    server.refuses_recipient = ADMIN
    assert f"does not take mail for {ADMIN}: 550" in await tried(world, admin, good)


async def test_a_certificate_for_another_name_is_not_trusted(
    world: World, admin: str, tmp_path: Path
) -> None:
    with MailServer(tmp_path, tls="tls", name="mail.example.com") as server:
        said = await tried(world, admin, server.settings())
        assert "Hostname mismatch" in said
    with MailServer(tmp_path / "right", tls="tls") as server:
        assert await tried(world, admin, server.settings()) == ""


async def test_without_encryption_no_password_is_sent_elsewhere(world: World, admin: str) -> None:
    given = {"host": "mail.example.com", "port": 25, "security": "none", "sender": "a@example.com"}
    refused = await world.ask(
        "PUT", PATH, {**given, "username": USER, "password": SECRET}, token=admin
    )
    assert refused.problem == (400, "BAD_REQUEST")
    assert (await world.ask("PUT", PATH, given, token=admin)).status == 204


async def test_what_waits_is_sent_when_the_server_is_back(
    world: World, admin: str, server: MailServer, clock: ManualClock
) -> None:
    control = world.control
    await world.ask("PUT", PATH, server.settings(), token=admin)
    server.refuses = "451 4.7.1 greylisted"
    letter = Letter(
        recipient="bea@example.com",
        subject="hello",
        text="a link that lets somebody in",
        until_ms=clock.now_ms() + 3_600_000,
    )
    async with control.database.write() as session:
        await control.outbox.post(session, letter)
    await control.outbox.send_due()
    shown = (await world.ask("GET", PATH, token=admin)).json
    assert shown["waiting"] == 1
    assert "greylisted" in shown["lastError"]
    async with control.database.read() as session:
        (row,) = await store.due(session, clock.now_ms() + FIRST_WAIT_MS, 1)
    assert "link" not in row.body
    server.refuses = ""
    await control.outbox.send_due()
    assert server.is_empty
    clock.advance(FIRST_WAIT_MS / 1000)
    await control.outbox.send_due()
    assert "lets somebody in" in text_of(await got(server))
    assert (await world.ask("GET", PATH, token=admin)).json["waiting"] == 0


async def test_what_nobody_needs_any_more_is_given_up(
    world: World, admin: str, clock: ManualClock
) -> None:
    control = world.control
    letter = Letter(recipient="b@example.com", subject="s", text="t", until_ms=clock.now_ms() + 60)
    async with control.database.write() as session:
        await control.outbox.post(session, letter)
    await control.outbox.send_due()
    clock.advance(3600)
    await control.outbox.send_due()
    async with control.database.read() as session:
        assert await store.count(session) == 0


def test_a_subject_adds_no_headers() -> None:
    message = compose(
        ManualClock(), "Rookery <r@example.com>", ["a@example.com"], "x\r\nBcc: b@example.com", "é"
    )
    assert message["Bcc"] is None
    assert message["Subject"] == "x Bcc: b@example.com"
    assert message.as_bytes().isascii()


async def test_what_was_looked_at_is_connected_to_whatever_the_name_says_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looked: list[str] = []
    seen: list[list[str]] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **named: Any) -> Any:
        if host != "mail.example":
            return real(host, *rest, **named)
        looked.append(host)
        # The second time it is another machine.
        return real("127.0.0.1" if len(looked) == 1 else "192.0.2.1", *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with MailServer(tmp_path, tls="tls", name="mail.example") as server:
        mail = MailSettings(
            host="mail.example",
            port=server.port,
            security="tls",
            username="",
            password=Secret(""),
            sender="rookery@example.com",
            ca_certificate=server.ca,
        )
        message = compose(ManualClock(), mail.sender, [ADMIN], "s", "t")
        # The certificate is the name's, not the address's.
        await deliver(mail, [ADMIN], message, lambda addresses: seen.append(list(addresses)))
        assert (await got(server))["To"] == ADMIN

    assert (looked, seen) == (["mail.example"], [["127.0.0.1"]])
