"""Alarms reach people: by a real mail server and a real HTTP server, through failures and a kill."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from harness.adoption import project
from harness.alarms import Receiver, Ward, receiver
from harness.client import DEADLINE_S
from harness.control import Asker, ControlProcess, World, control_world
from harness.mail import MailServer, text_of
from rookery.access.authority import Authority, now_utc
from rookery.control.alarms.catalogue import Severity
from rookery.control.alarms.ingest import CustomAlarm
from rookery.control.errors import OutOfReachError, TooManyError
from rookery.storage.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")
NO_END = aiohttp.ClientTimeout(None)
QUICK = ("control.alarms.retry=100ms", "control.alarms.targets=any")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with control_world(tmp_path_factory.mktemp("control"), sets=QUICK) as world:
        await world.set_up()
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def ward(world: World, request: pytest.FixtureRequest) -> Ward:
    token = await world.sign_in()
    return Ward(world, await project(world, token, f"{request.node.name[:40]} {new_id()}"))


class Program:
    """Something that raises alarms with the project's token."""

    def __init__(self, asker: Asker, path: str, token: str) -> None:
        self.asker, self.path, self.token = asker, path, token

    async def raises(self, message: str, **more: Any) -> int:
        body = {"message": message, "timestamp": str(int(time.time())), "severity": 1, **more}
        answer = await self.asker.ask(
            "POST", f"{self.path}/webhook", body, headers={"X-Rookery-Alarm-Token": self.token}
        )
        return answer.status


async def program(ward: Ward) -> Program:
    token = (await ward.ask("POST", "/token"))["token"]
    await ward.settings(isCustomEnabled=True)
    return Program(ward.world, ward.path, token)


async def settled(ward: Ward, count: int, state: str = "sent") -> list[Any]:
    """So many messages ended like that; looks whenever the server says that something changed."""
    headers = {"authorization": f"Bearer {ward.of.token}"}
    url = f"{ward.of.asker.url}/api{ward.path}/events"
    async with (
        asyncio.timeout(DEADLINE_S),
        ward.of.asker.client.get(url, headers=headers, timeout=NO_END) as stream,
    ):
        async for line in stream.content:
            if not line.startswith(b"data:"):
                continue
            rows = await ward.deliveries(state=state)
            if len(rows) >= count:
                return rows
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_mail_comes_over_tls_with_what_happened_and_that_it_is_over(
    ward: Ward, tmp_path: Path, tls: Any
) -> None:
    # The server's library warns of a sign-in that it did not make TLS for itself.
    signs_in: Any = {"user": "rookery", "password": "s3cret"} if tls == "starttls" else {}
    with MailServer(tmp_path, tls=tls, **signs_in) as server:
        held = await ward.settings(mail=server.settings())
        assert held["mail"]["isPasswordSet"] is bool(signs_in)
        assert "s3cret" not in str(held)
        await ward.channel(recipients=["ops@example.com", "night@example.com"], language="zh")
        raising = await program(ward)
        assert await raising.raises("输送带停止", uuid="belt", source="7 号线") == 202
        message = await asyncio.to_thread(server.next)
        assert message["To"] == "night@example.com, ops@example.com"
        assert "自定义告警: 7 号线" in message["Subject"]
        assert "输送带停止" in text_of(message)
        assert f"/w/{ward.of.org}/{ward.of.id}/alarms" in text_of(message)
        (row,) = await settled(ward, 1)
        assert (row["medium"], row["event"], row["attempts"]) == ("mail", "fired", 1)


async def test_a_mail_server_that_is_not_trusted_gets_nothing_and_the_log_says_why(
    ward: Ward, tmp_path: Path
) -> None:
    with MailServer(tmp_path, user="rookery", password="s3cret") as server:
        await ward.settings(mail=server.settings(caCertificate=""))
        channel = await ward.channel(recipients=["ops@example.com"])
        tried = await ward.ask("POST", f"/channels/{channel}/test", {"medium": "mail"})
        assert not tried["isSent"]
        assert "certificate" in tried["reason"]
        assert server.is_empty
        await ward.settings(mail=server.settings())
        tried = await ward.ask("POST", f"/channels/{channel}/test", {"medium": "mail"})
        assert tried["isSent"], tried
        message = await asyncio.to_thread(server.next)
        assert "Test" in message["Subject"]
        assert [row["state"] for row in await ward.deliveries()] == ["failed", "sent"]


async def test_a_storm_of_a_thousand_alarms_is_a_few_mails(ward: Ward, tmp_path: Path) -> None:
    with MailServer(tmp_path) as server:
        await ward.settings(mail={**server.settings(), "username": "", "password": None})
        await ward.channel(recipients=["ops@example.com"])
        token = (await program(ward)).token
        answers: list[Any] = []
        for start in range(0, 1000, 50):
            batch = (
                ward.world.control.alarms.ingest.take(
                    ward.of.org,
                    ward.of.id,
                    token,
                    CustomAlarm(
                        message=f"alarm {start + number}",
                        at_s=int(time.time()),
                        severity=Severity.NORMAL,
                    ),
                )
                for number in range(50)
            )
            answers += await asyncio.gather(*batch, return_exceptions=True)
        assert sum(isinstance(answer, str) for answer in answers) == 50
        refused = {type(answer) for answer in answers if not isinstance(answer, str)}
        assert refused <= {OutOfReachError, TooManyError}
        subjects: list[str] = []
        while not any("Alarm storm" in subject for subject in subjects):
            subjects.append((await asyncio.to_thread(server.next))["Subject"])
        assert len(subjects) <= 3
        assert server.is_empty
        assert (await ward.ask("GET", "/summary"))["current"] == 50


async def test_a_webhook_that_fails_is_called_again_until_it_takes_it_once(ward: Ward) -> None:
    async with receiver() as hook:
        hook.answers = [500, 503, 500]
        await ward.rule("webhook.failed", triggers=3)
        await ward.channel(
            webhook={
                "url": f"{hook.url}/alarm",
                "secret": "correct horse",
                "headers": [{"name": "Authorization", "value": "Bearer x"}],
            }
        )
        raising = await program(ward)
        await raising.raises("the belt stands", uuid="belt")
        calls = await hook.wait(4)
        (row,) = await settled(ward, 1)
        assert row["attempts"] == 4
        assert len(hook.calls) == 4
        assert {call.headers["X-Rookery-Delivery"] for call in calls} == {row["id"]}
        for call in calls:
            at = call.headers["X-Rookery-Timestamp"]
            mine = hmac.new(b"correct horse", f"{at}.".encode() + call.body, hashlib.sha256)
            assert call.headers["X-Rookery-Signature"] == f"sha256={mine.hexdigest()}"
            assert call.headers["Authorization"] == "Bearer x"
            assert call.json["data"]["Contents"] == "the belt stands"
        # Three failures in a row were an alarm, and the success ended it.
        (past,) = (await ward.ask("GET", "?state=history"))["items"]
        assert (past["kind"], past["endReason"]) == ("webhook.failed", "recovered")


async def test_what_will_never_work_is_given_up_and_sent_again_by_hand(ward: Ward) -> None:
    async with receiver() as hook:
        hook.answers = [404]
        await ward.channel(webhook={"url": f"{hook.url}/gone"})
        raising = await program(ward)
        await raising.raises("the belt stands", uuid="belt")
        (row,) = await settled(ward, 1, "failed")
        assert (row["attempts"], row["status"]) == (1, 404)
        # Whoever was not told of it is not told that it is over.
        await raising.raises("over", uuid="belt", status="resolved")
        await ward.ask("POST", f"/deliveries/{row['id']}/retry")
        await settled(ward, 1)
        assert len(hook.calls) == 2


async def test_redirects_are_not_followed(ward: Ward) -> None:
    async with receiver() as inside, receiver() as hook:
        hook.answers, hook.headers = [302], {"Location": f"{inside.url}/secret"}
        channel = await ward.channel(webhook={"url": f"{hook.url}/a"})
        tried = await ward.ask("POST", f"/channels/{channel}/test", {"medium": "webhook"})
        assert (tried["isSent"], tried["status"]) == (False, 302)
        assert inside.calls == []


async def test_a_certificate_that_nobody_trusts_is_not_called(ward: Ward, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", now_utc())
    authority.sign_server(("localhost",), 30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca" / "server.pem", tmp_path / "ca" / "server.key")
    hook = Receiver()
    app = web.Application()
    app.router.add_route("POST", "/{path:.*}", hook.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        url = f"https://localhost:{runner.addresses[0][1]}/a"
        channel = await ward.channel(webhook={"url": url})
        tried = await ward.ask("POST", f"/channels/{channel}/test", {"medium": "webhook"})
    finally:
        await runner.cleanup()
    assert not tried["isSent"]
    assert "certificate" in tried["reason"]
    assert hook.calls == []


async def test_chat_services_are_told_many_at_once_and_believed_when_they_refuse(
    ward: Ward,
) -> None:
    async with receiver() as hook:
        hook.text = '{"errcode": 310000, "errmsg": "sign not match"}'
        channel = await ward.channel(
            webhook={"kind": "dingtalk", "url": f"{hook.url}/robot/send?access_token=t"}
        )
        tried = await ward.ask("POST", f"/channels/{channel}/test", {"medium": "webhook"})
        assert not tried["isSent"]
        assert "sign not match" in tried["reason"]
        hook.text = '{"errcode": 0, "errmsg": "ok"}'
        raising = await program(ward)
        await raising.raises("first")
        await hook.wait(2)
        for number in range(5):
            await raising.raises(f"later {number}")
        calls = await hook.wait(3)
        assert all(f"later {number}" in calls[2].json["markdown"]["text"] for number in range(5))
        assert calls[2].path.startswith("/robot/send?access_token=t")


async def test_the_machine_itself_is_not_called_unless_it_was_allowed(tmp_path: Path) -> None:
    async with control_world(tmp_path / "control") as world, receiver() as hook:
        there = Ward(world, await project(world, await world.set_up()))
        for host in ("127.0.0.1", "localhost", "127.1"):
            url = hook.url.replace("127.0.0.1", host)
            refused = await there.try_it(
                "POST", "/channels", {"name": "x", "webhook": {"url": url}}
            )
            assert refused.problem == (400, "BAD_REQUEST")
            assert "control.alarms.targets" in refused.text
        assert hook.calls == []


async def test_a_process_that_is_killed_while_it_sends_loses_no_message(tmp_path: Path) -> None:
    sets = [part for item in QUICK for part in ("--set", item)]
    process = ControlProcess(tmp_path / "control", *sets)
    hangs, seen = asyncio.Event(), []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        seen.append(request.headers["X-Rookery-Delivery"])
        if len(seen) == 1:
            return web.Response(status=500)
        if len(seen) == 2:
            hangs.set()
            await asyncio.sleep(DEADLINE_S)
        return web.Response()

    app = web.Application()
    app.router.add_route("POST", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        await asyncio.to_thread(process.start)
        async with aiohttp.ClientSession() as client:
            asker = Asker(process.url, client)
            of = await project(asker, await asker.set_up())
            ward = Ward(asker, of)  # type: ignore[arg-type]
            await ward.channel(webhook={"url": f"http://127.0.0.1:{runner.addresses[0][1]}/"})
            raising = await program(ward)
            await raising.raises("the belt stands")
            async with asyncio.timeout(DEADLINE_S):
                await hangs.wait()
            await asyncio.to_thread(process.kill)
            await asyncio.to_thread(process.start)
            again = Asker(process.url, client)
            of.asker, of.token = again, await again.sign_in()
            ward = Ward(again, of)  # type: ignore[arg-type]
            await settled(ward, 1)
    finally:
        await asyncio.to_thread(process.kill)
        await runner.cleanup()
    assert len(seen) == 3
    assert len(set(seen)) == 1  # by that a receiver knows that it has it already
