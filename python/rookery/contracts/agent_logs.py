"""What a batch of log records holds: lines of JSON, compressed, with bounds on both sides.

A record is known by its file and by the octet at which it begins there: whoever gets it twice keeps
it once. ``severity`` is that of RFC 5424, 0 *emergency* to 7 *debug*.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rookery.contracts.agent_fields import MessageError

SEVERITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
INFO = SEVERITIES.index("info")

RECORD_BYTES_MAX = 32 * 1024
"""Octets of one record; what is longer becomes several."""
# A broken octet becomes a character of three.
RAW_CHARS_MAX = RECORD_BYTES_MAX
MSG_CHARS_MAX = 1024
LOGGER_CHARS_MAX = 128
RECORDS_MAX = 2000
TEXT_BYTES_MAX = 256 * 1024
"""Octets of a batch before they are compressed."""
_NUMBER_MAX = 1 << 53
_TIME_MAX = 253_402_300_799_999  # the last moment of the year 9999: what comes later is no date


@dataclass(frozen=True)
class LogEntry:
    """One record. ``position`` is where it begins in its file, ``time_ms`` when it was written."""

    position: int
    time_ms: int
    severity: int
    logger: str
    msg: str
    raw: str

    def line(self) -> bytes:
        """As it travels, before it is compressed."""
        values = [self.position, self.time_ms, self.severity, self.logger, self.msg, self.raw]
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def pack(lines: Iterable[bytes]) -> bytes:
    """The body of a batch."""
    return zlib.compress(b"".join(lines), 6)


def unpack(body: bytes) -> list[LogEntry]:
    """The records of a body, whatever the bytes are.

    Raises:
        MessageError: they are none, or too many.
    """
    return list(_entries(_text(body)))


def _text(body: bytes) -> bytes:
    reader = zlib.decompressobj()
    try:
        # Never more than may be, however small the body is.
        text = reader.decompress(body, TEXT_BYTES_MAX)
    except zlib.error as error:
        raise MessageError("body: not compressed as it must be") from error
    if not reader.eof or reader.unused_data:
        raise MessageError(f"body: more than {TEXT_BYTES_MAX} bytes, or not whole")
    return text


def _entries(text: bytes) -> Iterator[LogEntry]:
    lines = text.split(b"\n")
    if lines.pop() or len(lines) > RECORDS_MAX:
        raise MessageError(f"body: more than {RECORDS_MAX} records, or not whole")
    for line in lines:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise MessageError("body: a record that is not JSON") from error
        yield _entry(values)


def _entry(values: Any) -> LogEntry:
    if not isinstance(values, list) or len(values) < 6:
        raise MessageError("body: a record without its fields")
    position, time_ms, severity, logger, msg, raw = values[:6]
    for number, most in ((position, _NUMBER_MAX), (time_ms, _TIME_MAX), (severity, 7)):
        if type(number) is not int or not 0 <= number <= most:
            raise MessageError("body: a record with a number out of bounds")
    for text, longest in (
        (logger, LOGGER_CHARS_MAX),
        (msg, MSG_CHARS_MAX),
        (raw, RAW_CHARS_MAX),
    ):
        if not isinstance(text, str) or len(text) > longest:
            raise MessageError("body: a record with a text out of bounds")
    return LogEntry(position, time_ms, severity, clean(logger), clean(msg), clean(raw))


def clean(text: str) -> str:
    """Without what no text has: control characters that are no tab or line end, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\t\n" else _shown(c) for c in text)


def _shown(character: str) -> str:
    number = ord(character)
    if number < 0x20 or 0x7F <= number < 0xA0 or 0xD800 <= number < 0xE000:
        return "\ufffd"
    # Other spaces and format characters are part of languages.
    return character
