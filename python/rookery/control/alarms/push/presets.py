"""How DingTalk, Feishu, WeCom and Slack want to be called, and what their answers mean.

Each is a table row: the body, where its signature goes, how often it may be called, what a good answer is.
They answer refusals with status 200 and a number of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from rookery.control.alarms.push.messages import Origin, Told, headline, lines_of

ANSWER_LENGTH_TOLD = 200


class WebhookKind(StrEnum):
    """Who is called."""

    JSON = "json"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    WECOM = "wecom"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent.

    Attributes:
        body: The body, JSON.
        query: What is added to the query of the address.
    """

    body: bytes
    query: str = ""


Make = Callable[[Sequence[Told], Origin, str, int], Call]


@dataclass(frozen=True, slots=True)
class Preset:
    """How one of them is called.

    Attributes:
        make: Alarms, where they are from, the secret, the time → what is sent.
        refusal: What an answer with status 200 complains about; empty: nothing.
        gap_ms: Least time between two calls.
        at_once: Alarms that one call tells of.
    """

    make: Make
    refusal: Callable[[bytes], str]
    gap_ms: int
    at_once: int


def _cut(text: str, bytes_max: int) -> str:
    """A text that takes no more bytes than that, cut between characters."""
    raw = text.encode()
    return text if len(raw) <= bytes_max else raw[: bytes_max - 3].decode(errors="ignore") + "…"


def _plain_text(told: Sequence[Told], origin: Origin, bytes_max: int) -> str:
    parts = [headline(told, origin), ""]
    for each in told:
        parts.extend([*lines_of(each), ""])
    if origin.link:
        parts.append(origin.link)
    return _cut("\n".join(parts).strip(), bytes_max)


def _dingtalk_markup(told: Sequence[Told], origin: Origin) -> str:
    parts = [f"#### {_no_markup(headline(told, origin))}"]
    for each in told:
        parts.append("\n\n".join(_no_markup(line) for line in lines_of(each) if line))
    if origin.link:
        parts.append(f"[{origin.link}]({origin.link})")
    return _cut("\n\n---\n\n".join(parts), 18_000)


def _wecom_markup(told: Sequence[Told], origin: Origin) -> str:
    parts = [f"**{_no_markup(headline(told, origin))}**"]
    for each in told:
        color = "warning" if each.severity == "critical" else "comment"
        head, *rest = [_no_markup(line) for line in lines_of(each) if line]
        parts.append(
            "\n".join([f'> <font color="{color}">{head}</font>', *(f"> {line}" for line in rest)])
        )
    if origin.link:
        parts.append(f"[{origin.link}]({origin.link})")
    # 4096 bytes are refused beyond.
    return _cut("\n\n".join(parts), 4000)


def _no_markup(line: str) -> str:
    """What an alarm says is text and becomes neither a link nor a mention."""
    for sign in ("<", ">", "[", "]", "@", "`", "*", "#"):
        line = line.replace(sign, _WIDE[sign])
    return " ".join(line.split())


_WIDE: Mapping[str, str] = dict(zip("<>[]@`*#", "＜＞［］＠｀＊＃", strict=True))


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _dingtalk(told: Sequence[Told], origin: Origin, secret: str, now_ms: int) -> Call:
    body = {
        "msgtype": "markdown",
        "markdown": {"title": headline(told, origin), "text": _dingtalk_markup(told, origin)},
    }
    if not secret:
        return Call(_json(body))
    sign = _signed(secret.encode(), f"{now_ms}\n{secret}".encode())
    return Call(_json(body), f"timestamp={now_ms}&sign={quote(sign, safe='')}")


def _feishu(told: Sequence[Told], origin: Origin, secret: str, now_ms: int) -> Call:
    body: dict[str, Any] = {
        "msg_type": "text",
        # <at …> in a text would call people.
        "content": {"text": _plain_text(told, origin, 18_000).replace("<", _WIDE["<"])},
    }
    if secret:
        at_s = str(now_ms // 1000)
        # As documented: the text to be signed is the key, and what is signed is empty.
        body = {"timestamp": at_s, "sign": _signed(f"{at_s}\n{secret}".encode(), b""), **body}
    return Call(_json(body))


def _wecom(told: Sequence[Told], origin: Origin, _secret: str, _now_ms: int) -> Call:
    body = {"msgtype": "markdown", "markdown": {"content": _wecom_markup(told, origin)}}
    return Call(_json(body))


def _slack(told: Sequence[Told], origin: Origin, _secret: str, _now_ms: int) -> Call:
    text = _plain_text(told, origin, 30_000)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, entity)
    return Call(_json({"text": text}))


def _signed(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def _by_number(*names: str) -> Callable[[bytes], str]:
    """0 is well; whatever else is not."""

    def refusal(answer: bytes) -> str:
        try:
            found = json.loads(answer)
        except ValueError:
            found = None
        numbers = [found[name] for name in names if isinstance(found, dict) and name in found]
        if numbers and all(number == 0 for number in numbers):
            return ""
        return answer[:ANSWER_LENGTH_TOLD].decode(errors="replace") or "-"

    return refusal


def _slack_refusal(answer: bytes) -> str:
    found = answer[:ANSWER_LENGTH_TOLD].decode(errors="replace").strip()
    return "" if found == "ok" else found or "-"


PRESETS: Mapping[WebhookKind, Preset] = {
    # 20 a minute, and whoever exceeds it is blocked for ten.
    WebhookKind.DINGTALK: Preset(_dingtalk, _by_number("errcode"), 3_500, 20),
    # 100 a minute and 5 a second.
    WebhookKind.FEISHU: Preset(_feishu, _by_number("code", "StatusCode"), 1_000, 20),
    # 20 a minute.
    WebhookKind.WECOM: Preset(_wecom, _by_number("errcode"), 3_500, 10),
    # 1 a second.
    WebhookKind.SLACK: Preset(_slack, _slack_refusal, 1_200, 20),
}
