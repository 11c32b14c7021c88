"""Topics that HTTP may not publish to: those that a client may not either, as the core checks them."""

from __future__ import annotations

from typing import NamedTuple

DELAYED = "$delayed/"
DELAY_MAX_S = 42_949_670
"""The longest delay; larger numbers are a time in seconds since 1970."""
NOT_AUTHORIZED = 135
TOPIC_NAME_INVALID = 144

_RESERVED = ("$SYS/", "$share/", "$queue/", "$LINK/")


class Objection(NamedTuple):
    """Why nothing can be published to a topic."""

    reason_code: int
    message: str


_RESERVED_TOPIC = Objection(NOT_AUTHORIZED, "not_authorized")
_OFF = Objection(TOPIC_NAME_INVALID, "delayed_publish_is_off")
_BAD_DELAY = Objection(TOPIC_NAME_INVALID, "delay_invalid")


def objection(topic: str, now_ms: int, *, is_delayed_on: bool) -> Objection | None:
    """Why nothing can be published to ``topic``."""
    if _is_reserved(topic):
        return _RESERVED_TOPIC
    if not topic.startswith(DELAYED):
        return None
    if not is_delayed_on:
        return _OFF
    seconds, _, inner = topic.removeprefix(DELAYED).partition("/")
    if not (inner and seconds.isascii() and seconds.isdecimal() and len(seconds) <= 19):
        return _BAD_DELAY
    delay = int(seconds)
    # A moment further away than the longest delay is a mistake.
    if delay > DELAY_MAX_S and abs(delay * 1000 - now_ms) > DELAY_MAX_S * 1000:
        return _BAD_DELAY
    return _RESERVED_TOPIC if _is_reserved(inner) else None


def _is_reserved(topic: str) -> bool:
    return topic == "$SYS" or topic.startswith(_RESERVED)
