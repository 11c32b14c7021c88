"""Retained messages as a part of an export.

They are put back as they were, whoever is subscribed is not told: identity, time, publisher and
what is left of their expiry stay. Messages of the node itself (``$SYS``) are not part of it.

**Bounds.** An export has :data:`BYTES_MAX` of them.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Iterator
from itertools import islice

from rookery.broker.backup.parts import Each, OpenRows, Row, number_in, text_in
from rookery.clock import Clock
from rookery.errors import BadRequestError, ExceedsLimitError, InternalError
from rookery.native.lists import Lists, MessageQuery
from rookery.native.models import Message
from rookery.native.properties import Properties, decode_properties, encode_properties

NAME = "retained"
BYTES_MAX = 2 << 30
PAGE_ROWS = 10_000
AT_ONCE = 1000
_ID_MAX = (1 << 128) - 1
_TIME_MAX = (1 << 63) - 1


class RetainedPart:
    """Retained messages."""

    name = NAME

    def __init__(self, lists: Lists, clock: Clock) -> None:
        self._lists = lists
        self._clock = clock

    def read(self) -> Iterable[Row]:
        size = 0
        for topic in self._topics():
            message = self._lists.retained(topic)
            # It may have gone meanwhile.
            if message is None or message.is_sys:
                continue
            size += len(topic) + len(message.payload)
            if size > BYTES_MAX:
                raise ExceedsLimitError(
                    f"retained messages are more than {BYTES_MAX} bytes: export without them"
                )
            yield _row(message)

    async def restore(self, rows: OpenRows) -> None:
        await asyncio.to_thread(self._restore, rows)

    def _topics(self) -> Iterator[str]:
        offset = 0
        while True:
            heads, _ = self._lists.retained_page(MessageQuery(), offset, PAGE_ROWS)
            yield from (head.topic for head in heads)
            if len(heads) < PAGE_ROWS:
                return
            offset += len(heads)

    def _restore(self, rows: OpenRows) -> None:
        messages = Each(rows, _message)
        # All of them are looked at before one is put in place.
        for _ in messages:
            pass
        wanted = kept = 0
        now_ms = self._clock.now_ms()
        living = (m for m in messages if m.expires_at_ms is None or m.expires_at_ms > now_ms)
        while some := list(islice(living, AT_ONCE)):
            wanted += len(some)
            kept += self._lists.retain(some)
        if kept < wanted:
            raise ExceedsLimitError(
                f"{wanted - kept} of {wanted} found no room; see the settings of the retainer"
            )


def _row(message: Message) -> Row:
    return {
        "topic": message.topic,
        "payload": base64.b64encode(message.payload).decode(),
        "qos": message.qos,
        "client_id": message.client_id,
        "username": message.username,
        "properties": base64.b64encode(encode_properties(message.properties)).decode(),
        "id": f"{message.id:032x}",
        "timestamp_ms": message.timestamp_ms,
        "expires_at_ms": message.expires_at_ms,
    }


def _message(row: Row) -> Message:
    topic = text_in(row, "topic")
    if not 0 < len(topic.encode()) <= 65_535 or set(topic) & {"#", "+", "\0"}:
        raise BadRequestError("topic is no topic name")
    username = row.get("username")
    expires_at_ms = row.get("expires_at_ms")
    return Message(
        topic=topic,
        payload=base64.b64decode(text_in(row, "payload"), validate=True),
        qos=_within(number_in(row, "qos"), 2),
        retain=True,
        client_id=text_in(row, "client_id"),
        username=None if username is None else text_in(row, "username"),
        properties=_properties(base64.b64decode(text_in(row, "properties"), validate=True)),
        id=_within(int(text_in(row, "id"), 16), _ID_MAX),
        timestamp_ms=_within(number_in(row, "timestamp_ms"), _TIME_MAX),
        expires_at_ms=None
        if expires_at_ms is None
        else _within(number_in(row, "expires_at_ms"), _TIME_MAX),
    )


def _properties(encoded: bytes) -> Properties:
    try:
        found = decode_properties(encoded)
        encode_properties(found)
    except (IndexError, InternalError) as error:
        raise BadRequestError(f"properties: {error}") from None
    return found


def _within(value: int, most: int) -> int:
    if not 0 <= value <= most:
        raise BadRequestError(f"{value} is not from 0 to {most}")
    return value
