"""What messages look like: bodies, signatures, what the chat services want, where nothing is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.control.alarms.push.messages import Origin, Told, told_of
from rookery.control.alarms.push.network import (
    ForbiddenTargetError,
    Targets,
    check_literal,
    is_allowed,
)
from rookery.control.alarms.push.presets import PRESETS, WebhookKind
from rookery.control.alarms.push.signature import signature
from rookery.control.alarms.push.store import Event
from rookery.control.alarms.push.template import DEFAULT, body_of, checked
from rookery.control.errors import InvalidError

T = 1_700_000_000_000
ORIGIN = Origin(
    org="east", project="plant", address="https://control.example.com:8082",
    path="/w/1/2/alarms", channel="night", language="en",
)  # fmt: skip
CONTENT: dict[str, Any] = {
    "id": "a" * 16, "kind": "agent.lost", "message": "the agent is gone", "messageZh": "代理离线",
    "severity": "critical", "resourceType": "cluster", "resourceId": "c" * 16,
    "resourceName": "plant-1", "startsAt": T, "endsAt": None,
}  # fmt: skip


def told(**changes: Any) -> Told:
    return told_of(Event.FIRED, {**CONTENT, **changes}, ORIGIN)


def test_the_usual_body_nests_what_ecp_nests() -> None:
    body = json.loads(body_of("", told(), ORIGIN, T))
    assert body["data"]["Alarm Name"] == "Agent lost"
    assert body["data"]["Contents"] == "the agent is gone"
    assert body["data"]["Level"] == "Critical"
    assert body["data"]["Alert Time"] == "2023-11-14 22:13:20 UTC"
    assert body["data"]["Alarm Link"] == "https://control.example.com:8082/#/w/1/2/alarms"
    assert (body["severity"], body["data"]["Status"]) == ("critical", "fired")
    assert checked(DEFAULT) == DEFAULT


def test_a_body_speaks_the_language_of_its_channel() -> None:
    chinese = Origin(org="东", project="工厂", address="", path="", channel="夜班", language="zh")
    body = json.loads(body_of("", told_of(Event.FIRED, CONTENT, chinese), chinese, T))
    assert (body["data"]["Alarm Name"], body["data"]["Contents"]) == ("代理离线", "代理离线")
    assert body["data"]["Level"] == "严重"


@given(st.text(max_size=200))
def test_nothing_that_an_alarm_says_changes_the_form_of_a_body(message: str) -> None:
    template = '{"a": ["${name}", {"${kind}": "x${contents}y"}], "t": "${alerttime}", "n": 1}'
    body = json.loads(body_of(template, told(message=message), ORIGIN, T))
    assert body["a"][1] == {"agent.lost": f"x{message}y"}
    assert body["n"] == 1


@pytest.mark.parametrize(
    "template",
    [
        "no json",
        "[]",
        '{"a": "${name} ${contents}"}',
        '{"a": "${name} ${contents} ${alerttime} ${password}"}',
        "[" * 100_000,
        '{"a":' * 40 + '"${name} ${contents} ${alerttime}"' + "}" * 40,
    ],
)
def test_templates_that_cannot_be_used_are_refused(template: str) -> None:
    with pytest.raises(InvalidError):
        checked(template)


def test_a_signature_is_what_the_guide_says() -> None:
    body = b'{"a":1}'
    expected = hmac.new(b"s3cret", b"1700000000." + body, hashlib.sha256).hexdigest()
    assert signature("s3cret", 1_700_000_000, body) == f"sha256={expected}"


def test_dingtalk_is_signed_in_the_address() -> None:
    call = PRESETS[WebhookKind.DINGTALK].make([told()], ORIGIN, "SEC123", T)
    query = parse_qs(call.query)
    expected = hmac.new(b"SEC123", f"{T}\nSEC123".encode(), hashlib.sha256).digest()
    assert query == {"timestamp": [str(T)], "sign": [base64.b64encode(expected).decode()]}
    body = json.loads(call.body)
    assert body["msgtype"] == "markdown"
    assert "plant-1" in body["markdown"]["title"]
    assert "the agent is gone" in body["markdown"]["text"]


def test_feishu_is_signed_in_the_body() -> None:
    body = json.loads(PRESETS[WebhookKind.FEISHU].make([told()], ORIGIN, "k", T).body)
    expected = hmac.new(f"{T // 1000}\nk".encode(), b"", hashlib.sha256).digest()
    assert body["timestamp"] == str(T // 1000)
    assert body["sign"] == base64.b64encode(expected).decode()
    assert body["msg_type"] == "text"
    assert "the agent is gone" in body["content"]["text"]


def test_wecom_and_slack_have_their_key_in_the_address() -> None:
    wecom = json.loads(PRESETS[WebhookKind.WECOM].make([told()], ORIGIN, "", T).body)
    assert wecom["msgtype"] == "markdown"
    assert '<font color="warning">' in wecom["markdown"]["content"]
    slack = json.loads(PRESETS[WebhookKind.SLACK].make([told()], ORIGIN, "", T).body)
    assert set(slack) == {"text"}


@pytest.mark.parametrize("kind", PRESETS)
def test_what_an_alarm_says_calls_nobody_and_stays_within_what_is_taken(kind: WebhookKind) -> None:
    many = [told(message="<at user_id='all'>@all</at> [x](http://evil) " + "长" * 900)] * 20
    raw = PRESETS[kind].make(many, ORIGIN, "", T).body
    body = raw.decode()
    assert "<at" not in body
    assert "@all</" not in body
    if kind in (WebhookKind.DINGTALK, WebhookKind.WECOM):
        # The others take it as text.
        assert "](http://evil)" not in body
    assert len(raw) < (4096 if kind is WebhookKind.WECOM else 40_000)


@pytest.mark.parametrize(
    ("kind", "answer", "is_good"),
    [
        (WebhookKind.DINGTALK, b'{"errcode":0,"errmsg":"ok"}', True),
        (WebhookKind.DINGTALK, b'{"errcode":310000,"errmsg":"sign not match"}', False),
        (WebhookKind.FEISHU, b'{"code":0,"msg":"success","StatusCode":0}', True),
        (WebhookKind.FEISHU, b'{"code":19021,"msg":"sign match fail"}', False),
        (WebhookKind.WECOM, b'{"errcode":0,"errmsg":"ok"}', True),
        (WebhookKind.WECOM, b'{"errcode":45009,"errmsg":"freq out of limit"}', False),
        (WebhookKind.WECOM, b"<html>", False),
        (WebhookKind.SLACK, b"ok", True),
        (WebhookKind.SLACK, b"invalid_payload", False),
    ],
)
def test_a_refusal_with_status_200_is_one(
    kind: WebhookKind, answer: bytes, *, is_good: bool
) -> None:
    refusal = PRESETS[kind].refusal(answer)
    assert (refusal == "") is is_good
    assert is_good or refusal in answer.decode()


ADDRESSES = {
    "127.0.0.1": (False, False),
    "::1": (False, False),
    "::ffff:127.0.0.1": (False, False),
    "0.0.0.0": (False, False),
    "169.254.169.254": (False, False),
    "fe80::1%eth0": (False, False),
    "224.0.0.1": (False, False),
    "10.1.2.3": (True, False),
    "192.168.1.1": (True, False),
    "::ffff:10.0.0.1": (True, False),
    "fd00::1": (True, False),
    "::7f00:1": (False, False),
    "64:ff9b::7f00:1": (False, False),
    "64:ff9b::a00:1": (True, False),
    "2002:a00:1::1": (True, False),
    "8.8.8.8": (True, True),
    "64:ff9b::808:808": (True, True),
    "2606:4700::1111": (True, True),
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_messages_go_only_where_they_may(address: str) -> None:
    private, public = ADDRESSES[address]
    assert is_allowed(address, Targets.PRIVATE) is private
    assert is_allowed(address, Targets.PUBLIC) is public
    assert is_allowed(address, Targets.ANY)
    if not private:
        with pytest.raises(ForbiddenTargetError):
            check_literal(address, Targets.PRIVATE)


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "0", "LOCALHOST.",
     "console.localhost", "１２７.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:127.0.0.1"],
)  # fmt: skip
def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(ForbiddenTargetError, match=r"127\.0\.0\.1|0\.0\.0\.0|::ffff"):
        check_literal(host, Targets.PRIVATE)


def test_an_address_is_written_as_everybody_reads_it() -> None:
    with pytest.raises(ForbiddenTargetError, match=r"write 10\.0\.0\.1 instead of 10\.1") as error:
        check_literal("10.1", Targets.PRIVATE)
    assert error.value.text("zh") == "请将 10.1 写为 10.0.0.1"
    for host in (
        "10.0.0.1",
        "FD00::1",
        "fd00:0::1",
        "mail.example.com",
        "mail.example.com.",
        "1.example",
    ):
        check_literal(host, Targets.PRIVATE)
