"""Finds where a record begins, and what it says of itself: EMQX's text and JSON formats.

2024-12-04T10:21:47.168000+00:00 [warning] tag: AUTHN, msg: refused, clientid: c1
1733307707168000 [error] …
{"time":1733307707168000,"level":"warning","msg":"refused"}
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from rookery.contracts.agent_logs import (
    INFO,
    LOGGER_CHARS_MAX,
    MSG_CHARS_MAX,
    SEVERITIES,
    clean,
)

_DATE = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
_START = re.compile(rb"%b|\d{10,16} \[|\{\"" % _DATE)
_TEXT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
    r"\s?(?P<zone>Z|[+-]\d\d:?\d\d)?(?P<rest>.*)",
    re.DOTALL,
)
_EPOCH = re.compile(r"(?P<number>\d{10,16})(?P<rest> \[.*)", re.DOTALL)
_LEVEL = re.compile(r"\s*\[(?P<level>[A-Za-z]+)\]:?\s*(?P<rest>.*)", re.DOTALL)
_MSG = re.compile(r"(?:^|, |\s)msg: (?P<msg>[^,\n]{1,1024})")
_LOGGER = re.compile(r"(?P<logger>[A-Za-z_][\w.-]{0,127}): ")
_WORDS = {name: number for number, name in enumerate(SEVERITIES)}
_WORDS.update({"warn": 4, "err": 3, "crit": 2, "emerg": 0, "fatal": 2, "trace": 7})
_TIME_MAX_MS = 1 << 53


class Told(NamedTuple):
    """What a record says of itself; None is what it does not say."""

    time_ms: int | None
    severity: int | None
    logger: str
    msg: str


def is_start(line: bytes) -> bool:
    """Whether a record begins with this line; else it goes on with it."""
    return _START.match(line) is not None


def told_by(raw: str) -> Told:
    """What a record says of itself."""
    if raw.startswith("{"):
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            return _of_object(value)
    found = _EPOCH.match(raw)
    if found is not None:
        return _of_text(_of_number(int(found["number"])), found["rest"])
    found = _TEXT.match(raw)
    if found is not None:
        return _of_text(_of_date(found), found["rest"])
    return Told(None, None, "", _short(raw))


def _of_text(time_ms: int | None, rest: str) -> Told:
    level = _LEVEL.match(rest)
    severity = _WORDS.get(level["level"].lower()) if level is not None else None
    text = level["rest"] if level is not None else rest
    msg = _MSG.search(text)
    logger = _LOGGER.match(text) if msg is None else None
    if logger is not None:
        return Told(time_ms, severity, logger["logger"], _short(text[logger.end() :]))
    return Told(time_ms, severity, "", _short(msg["msg"] if msg is not None else text))


def _of_object(value: dict[str, Any]) -> Told:
    time: Any = value.get("time", value.get("timestamp", value.get("ts")))
    time_ms: int | None = None
    if isinstance(time, str):
        found = _TEXT.match(time)
        if found is not None:
            time_ms = _of_date(found)
        elif time.isdecimal() and len(time) <= 16:
            time_ms = _of_number(int(time))
    elif isinstance(time, (int, float)) and not isinstance(time, bool) and 0 <= time < 1e19:
        time_ms = _of_number(int(time))
    level = value.get("level", value.get("severity"))
    severity = _WORDS.get(level.lower()) if isinstance(level, str) else None
    logger = value.get("logger", value.get("mfa"))
    msg = value.get("msg", value.get("message"))
    return Told(
        time_ms,
        severity,
        clean(logger)[:LOGGER_CHARS_MAX] if isinstance(logger, str) else "",
        _short(msg if isinstance(msg, str) else json.dumps(msg if msg is not None else value)),
    )


def _of_number(number: int) -> int | None:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, by how many digits it has."""
    for digits, factor in ((11, 1000.0), (14, 1.0), (17, 0.001), (20, 0.000001)):
        if number < 10 ** (digits):
            return min(int(number * factor), _TIME_MAX_MS)
    return None


def _of_date(found: re.Match[str]) -> int | None:
    zone = found["zone"]
    offset = None
    if zone == "Z":
        offset = timezone.utc
    elif zone:
        sign = -1 if zone[0] == "-" else 1
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        if hours < 24 and minutes < 60:
            offset = timezone(sign * timedelta(hours=hours, minutes=minutes))
    part = int((found["part"] or "0").ljust(3, "0")[:3])
    try:
        year, month, day = map(int, found["date"].split("-"))
        hour, minute, second = map(int, found["clock"].split(":"))
        # Without a zone it is that of this machine.
        seconds = datetime(year, month, day, hour, minute, second, tzinfo=offset).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return max(0, round(seconds) * 1000 + part)


def _short(text: str) -> str:
    first = text.strip().split("\n", 1)[0]
    return clean(first)[:MSG_CHARS_MAX]


def severity_of(told: Told, before: int | None) -> int:
    """Its own, or that of what it goes on with."""
    if told.severity is not None:
        return told.severity
    return INFO if before is None else before
