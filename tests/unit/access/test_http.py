"""Authentication by an HTTP service, against a real one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from harness.http_service import HttpServer
from rookery.access.authn.built_in import BuiltInProvider, BuiltInSettings
from rookery.access.authn.http import HttpAuthnSettings, HttpProvider
from rookery.access.chain import AuthenticationChain, OnError
from rookery.access.errors import SettingError
from rookery.access.http_service import HttpSettings
from rookery.access.passwords.pool import HashPool
from rookery.access.passwords.verifier import Verifier
from rookery.access.request import AuthRequest
from rookery.access.tls import ClientTls
from rookery.access.users import UserService, UserStore
from rookery.access.verdict import (
    NOT_AUTHORIZED,
    SERVER_BUSY,
    SERVER_UNAVAILABLE,
    Admit,
    Ignore,
    Refuse,
)
from rookery.clock import Clock, ManualClock, SystemClock
from rookery.native.config import AclRule, AclTopic

REQUEST = AuthRequest(
    client_id="c/1",
    username="ann&x",
    password="pä?s".encode(),
    peer_host="10.0.0.9",
    cert_common_name="cn-1",
    cert_subject="CN=cn-1,O=x",
    client_attrs=(("site", "s1"),),
)


class running:  # noqa: N801 - reads as a word
    """A provider that is started and stopped."""

    def __init__(
        self,
        service: HttpServer,
        clock: Clock | None = None,
        on_error: OnError = "ignore",
        path: str = "/auth",
        **settings: Any,
    ) -> None:
        http = HttpSettings(url=service.url + path, **{"request_timeout_s": 60.0, **settings})
        self.provider = HttpProvider(
            HttpAuthnSettings(http=http, on_error=on_error), clock or SystemClock()
        )

    async def __aenter__(self) -> HttpProvider:
        await self.provider.start()
        return self.provider

    async def __aexit__(self, *_: object) -> None:
        await self.provider.stop()


BODY: Mapping[str, object] = {
    "user": "${username}",
    "pass": "${password}",
    "who": "${clientid}@${peerhost}",
    "cn": "${cert_common_name}",
    "subject": "${cert_subject}",
    "site": "${client_attrs.site}",
    "missing": "<${client_attrs.none}>",
    "number": 7,
    "nested": {"list": ["${username}"]},
}


async def test_post_sends_json(service: HttpServer) -> None:
    service.answer = {"result": "allow"}
    async with running(service, body=BODY, headers={"X-Key": "k-${clientid}"}) as provider:
        assert isinstance(await provider.authenticate(REQUEST), Admit)

    (asked,) = service.asked
    assert asked.method == "POST"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-key"] == "k-c/1"
    assert asked.json() == {
        "user": "ann&x",
        "pass": "pä?s",
        "who": "c/1@10.0.0.9",
        "cn": "cn-1",
        "subject": "CN=cn-1,O=x",
        "site": "s1",
        "missing": "<>",
        "number": 7,
        "nested": {"list": ["ann&x"]},
    }


async def test_post_sends_a_form(service: HttpServer) -> None:
    service.status = 204
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with running(service, headers=headers, body={"u": "${username}", "n": 7}) as provider:
        assert isinstance(await provider.authenticate(REQUEST), Admit)

    assert service.asked[0].body == b"u=ann%26x&n=7"


async def test_get_puts_everything_into_the_url(service: HttpServer) -> None:
    service.status = 204
    path = "/a/${clientid}?u=${username}&fixed=1"
    method: Literal["get"] = "get"
    async with running(service, path=path, method=method, body={"p": "${password}"}) as provider:
        assert isinstance(await provider.authenticate(REQUEST), Admit)

    (asked,) = service.asked
    assert (asked.method, asked.path) == ("GET", "/a/c%2F1")
    assert asked.query == {"u": "ann&x", "fixed": "1", "p": "pä?s"}


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (204, None, Admit),
        (200, {"result": "allow"}, Admit),
        (200, {"result": "deny"}, Refuse),
        (200, {"result": "ignore"}, Ignore),
        (200, {}, Ignore),
        (200, [], Ignore),
        (200, b"allow", Ignore),
        (201, {"result": "allow"}, Ignore),
        (302, {"result": "allow"}, Ignore),
        (401, {"result": "allow"}, Ignore),
        (500, {"result": "allow"}, Ignore),
        (503, {"result": "allow"}, Ignore),
    ],
)
async def test_what_answers_mean(
    service: HttpServer, status: int, answer: object, expected: type
) -> None:
    service.status, service.answer = status, answer
    async with running(service) as provider:
        assert isinstance(await provider.authenticate(REQUEST), expected)


async def test_deny_is_not_authorized(service: HttpServer) -> None:
    service.answer = {"result": "deny"}
    async with running(service) as provider:
        assert await provider.authenticate(REQUEST) == Refuse(
            NOT_AUTHORIZED, "the service said deny"
        )


async def test_what_comes_with_an_allow(service: HttpServer, clock: ManualClock) -> None:
    expire_s = clock.now_ms() // 1000 + 60
    service.answer = {
        "result": "allow",
        "is_superuser": "true",
        "client_attrs": {"group": "g1", "n": 3, "bad name!": "x", "nested": {}},
        "expire_at": expire_s,
        "acl": [{"permission": "deny", "action": "sub", "topic": "eq a/#", "qos": "0,1"}],
        "clientid_override": "c2",
    }
    async with running(service, clock) as provider:
        verdict = await provider.authenticate(REQUEST)

    assert verdict == Admit(
        is_superuser=True,
        client_attrs=(("group", "g1"), ("n", "3")),
        expire_at_ms=expire_s * 1000,
        acl=(
            AclRule(
                permission="deny",
                action="subscribe",
                qos=(0, 1),
                topics=(AclTopic(text="a/#", is_literal=True),),
            ),
        ),
        client_id_override="c2",
        reason="the service said allow",
    )


@pytest.mark.parametrize(
    "extra",
    [
        {"expire_at": 1},
        {"expire_at": 1e300},
        {"expire_at": "soon"},
        {"acl": [{"permission": "allow", "action": "fly", "topic": "a"}]},
        {"acl": [{"permission": "allow", "action": "all", "topic": "a/#/b"}]},
        {"acl": "all"},
    ],
)
async def test_an_allow_that_makes_no_sense_admits_nobody(
    service: HttpServer, extra: dict[str, object]
) -> None:
    service.answer = {"result": "allow", **extra}
    async with running(service) as provider:
        assert isinstance(await provider.authenticate(REQUEST), Refuse)


async def test_the_older_form_of_rules_denies_the_rest(service: HttpServer) -> None:
    service.answer = {"result": "allow", "acl": {"pub": ["a/${clientid}"], "all": ["b/#"]}}
    async with running(service) as provider:
        verdict = await provider.authenticate(REQUEST)

    assert isinstance(verdict, Admit)
    assert verdict.acl == (
        AclRule(permission="allow", action="publish", topics=(AclTopic(text="a/${clientid}"),)),
        AclRule(permission="allow", action="all", topics=(AclTopic(text="b/#"),)),
        AclRule(permission="deny", all_topics=True),
    )


async def test_answers_in_a_form(service: HttpServer) -> None:
    service.content_type = "application/x-www-form-urlencoded"
    service.answer = b"result=allow&is_superuser=1"
    async with running(service) as provider:
        verdict = await provider.authenticate(REQUEST)

    assert isinstance(verdict, Admit)
    assert verdict.is_superuser


async def test_an_answer_has_a_bound(service: HttpServer) -> None:
    service.answer = {"result": "allow", "padding": "x" * (1 << 20)}
    async with running(service) as provider:
        assert isinstance(await provider.authenticate(REQUEST), Ignore)


async def test_a_client_cannot_add_headers_nor_open_the_breaker(service: HttpServer) -> None:
    bad = AuthRequest(client_id="c\r\nX-Admin: 1", username="u", password=b"p")
    async with running(service, headers={"X-Id": "${clientid}"}, failures_max=1) as provider:
        for _ in range(3):
            assert isinstance(await provider.authenticate(bad), Ignore)

        assert service.asked == []
        assert not provider.service.guard.is_open


@pytest.mark.parametrize(
    ("on_error", "expected"),
    [("ignore", Ignore), ("deny", Refuse)],
)
async def test_what_a_dead_service_means(
    service: HttpServer, closed_port: int, on_error: OnError, expected: type
) -> None:
    service.url = f"http://127.0.0.1:{closed_port}"
    async with running(service, on_error=on_error) as provider:
        opinion = await provider.authenticate(REQUEST)

    assert isinstance(opinion, expected)
    if isinstance(opinion, Refuse):
        assert opinion.reason_code == SERVER_UNAVAILABLE


async def test_a_service_that_fails_is_left_alone_and_tried_again(
    service: HttpServer, clock: ManualClock
) -> None:
    service.status = 503
    async with running(service, clock, failures_max=2, reset_s=10) as provider:
        for _ in range(5):
            assert isinstance(await provider.authenticate(REQUEST), Ignore)
        assert len(service.asked) == 2

        service.status = 204
        clock.advance(10)
        assert isinstance(await provider.authenticate(REQUEST), Admit)
        assert isinstance(await provider.authenticate(REQUEST), Admit)


async def test_who_comes_when_all_places_are_taken_is_told_at_once(service: HttpServer) -> None:
    service.gate = asyncio.Event()
    service.answer = {"result": "allow"}
    async with running(service, max_inflight=2) as provider:
        waiting = [asyncio.create_task(provider.authenticate(REQUEST)) for _ in range(2)]
        await service.until_under_way(2)
        busy = await provider.authenticate(REQUEST)
        service.gate.set()

        assert isinstance(busy, Refuse)
        assert busy.reason_code == SERVER_BUSY
        assert all(isinstance(o, Admit) for o in await asyncio.gather(*waiting))


async def test_secrets_reach_no_log(
    service: HttpServer, closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers: list[object] = [b"hunter2", {"result": "allow", "acl": "hunter2?"}]
    method: Literal["get"] = "get"
    path = "/?p=${password}&key=hunter2"
    request = AuthRequest(client_id="c", password=b"hunter2")
    for answer in answers:
        service.answer = answer
        async with running(service, path=path, method=method) as provider:
            await provider.authenticate(request)
    service.url = f"http://127.0.0.1:{closed_port}"
    async with running(service, path=path, method=method) as provider:
        await provider.authenticate(request)

    assert "hunter2" not in caplog.text
    assert "hunter2" not in repr(HttpSettings(url="http://x", headers={"Authorization": "hunter2"}))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"url": "ftp://host/"}, "http://"),
        ({"url": "http://${clientid}/"}, "placeholders"),
        ({"url": "http://host:port/"}, "http://"),
        ({"url": "https://host/"}, "ssl.enable"),
        ({"url": "http://host/${nobody}"}, "${nobody}"),
        ({"url": "http://h/", "method": "get", "headers": {"Content-Type": "x"}}, "GET"),
        ({"url": "http://h/", "headers": {"Content-Type": "text/plain"}}, "content-type"),
        ({"url": "http://h/", "body": {"a": {"b": "${topic}"}}}, "body.a.b"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingError, match=problem.replace("$", r"\$").replace("{", r"\{")) as e:
        HttpProvider(HttpAuthnSettings(http=HttpSettings(**settings)), SystemClock())

    assert e.value.text("zh") != e.value.text("en")


async def test_a_certificate_file_that_is_not_there_is_named(service: HttpServer) -> None:
    tls = ClientTls(enable=True, cacertfile=Path("/nowhere/ca.pem"))
    with pytest.raises(SettingError, match=r"ssl\.cacertfile: /nowhere/ca\.pem"):
        async with running(service, ssl=tls):
            pass


async def test_a_slow_service_is_asked_about_many_at_once(service: HttpServer) -> None:
    """A hundred answers of 200 ms each are what five hundred logins a second need."""
    service.gate = asyncio.Event()
    service.answer = {"result": "allow"}
    async with running(service, request_timeout_s=60.0) as provider:
        chain = AuthenticationChain([provider], deadline_s=60.0)
        waiting = [asyncio.create_task(chain.authenticate(REQUEST)) for _ in range(100)]
        await service.until_under_way(100)
        service.gate.set()

        verdicts = await asyncio.gather(*waiting)

    assert all(isinstance(verdict, Admit) for verdict in verdicts)


async def test_a_service_that_hangs_costs_others_nothing(
    service: HttpServer, users: UserService, store: UserStore, pool: HashPool
) -> None:
    """Whoever asks it is answered by the deadline, whoever does not is answered at once."""
    service.gate = asyncio.Event()
    secret = await users.create("username", "device")
    assert secret is not None
    built_in = BuiltInProvider(BuiltInSettings(), store, users, Verifier(pool), SystemClock())
    device = AuthRequest(client_id="d", username="device", password=secret.reveal().encode())
    async with running(service, request_timeout_s=0.5, max_inflight=50) as provider:
        chain = AuthenticationChain([built_in, provider])
        waiting = [asyncio.create_task(chain.authenticate(REQUEST)) for _ in range(200)]
        await service.until_under_way(1)

        assert isinstance(await chain.authenticate(device), Admit)
        verdicts = await asyncio.gather(*waiting)
        assert provider.service.guard.is_open or provider.service.guard.counters.timed_out

    assert all(isinstance(verdict, Refuse) for verdict in verdicts)
    busy = [v for v in verdicts if isinstance(v, Refuse) and v.reason_code == SERVER_BUSY]
    assert len(busy) == 150
