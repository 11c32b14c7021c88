"""Messages on their way to one client: queued, and in flight."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from rookery.broker.clients.models import MessagesAfter
from rookery.broker.management.context import NodeContext
from rookery.broker.rest.parameters import ClientIdNotFoundError, InvalidParameterError, message_id
from rookery.config.values import parse_bytesize
from rookery.native.lists import MessagePlace, WaitingMessage
from rookery.web.models import LIMIT_DEFAULT, LIMIT_MAX
from rookery.web.rest import errors, example, fast

PAYLOAD_BYTES_MAX = 64 << 20
START = "none"
END = "end_of_data"
_PLACE = re.compile(r"(\d{1,9})_([0-9a-f]{1,32})", re.ASCII)

PayloadAs = Literal["none", "base64", "plain"]
_Payload = Annotated[PayloadAs, Query(description="How payloads are shown; `plain` is UTF-8 text.")]
_Bytes = Annotated[
    str,
    Query(
        description="Most bytes of all payloads, at most 64MB; the first message comes anyway.",
        examples=["1MB"],
    ),
]
_Position = Annotated[
    str, Query(description="`meta.position` of the answer before; `none` at first.")
]
_Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Most messages.")]
_EXAMPLE: dict[str, Any] = {
    "msgid": "0006497B0AF1C3E80000000000000001", "topic": "plant/7", "qos": 1,
    "publish_at": 1769860800000, "from_clientid": "sensor-7", "from_username": None,
    "inserted_at": "1769860800000000000", "payload": "MjEuNQ==",
}  # fmt: skip


def add_to(api: APIRouter, node: NodeContext) -> None:
    """Add the operations."""

    async def read(
        clientid: str,
        payload: PayloadAs,
        bytes_max: str,
        position: str,
        limit: int,
        in_flight: bool,
    ) -> Response:
        if position == END:
            return fast({"data": [], "meta": {"start": END, "position": END}})
        after, bound = _place(position), _size(bytes_max)

        def take() -> dict[str, Any]:
            found = node.native.lists.client_messages(
                clientid, in_flight=in_flight, after=after, limit=limit, bytes_max=bound
            )
            if found is None:
                raise ClientIdNotFoundError(clientid)
            messages, following = found
            meta = {
                "start": _text(messages[0].place) if messages else START,
                "position": END if following is None else _text(following),
            }
            rows = [_row(message, payload, is_queued=not in_flight) for message in messages]
            return {"data": rows, "meta": meta}

        return fast(await asyncio.to_thread(take))

    responses = errors("INVALID_PARAMETER", "CLIENTID_NOT_FOUND")
    meta = {"start": "0_1", "position": END}

    @api.get(
        "/clients/{clientid}/mqueue_messages",
        summary="List messages queued for a client",
        response_model=MessagesAfter,
        responses=responses | example({"data": [{**_EXAMPLE, "mqueue_priority": 0}], "meta": meta}),
    )
    async def queued(
        clientid: str,
        payload: _Payload = "base64",
        max_payload_bytes: _Bytes = "1MB",
        position: _Position = START,
        limit: _Limit = LIMIT_DEFAULT,
    ) -> Response:
        """The next one to be delivered comes first."""
        return await read(clientid, payload, max_payload_bytes, position, limit, False)

    @api.get(
        "/clients/{clientid}/inflight_messages",
        summary="List messages in flight to a client",
        response_model=MessagesAfter,
        responses=responses | example({"data": [_EXAMPLE], "meta": meta}),
    )
    async def in_flight(
        clientid: str,
        payload: _Payload = "base64",
        max_payload_bytes: _Bytes = "1MB",
        position: _Position = START,
        limit: _Limit = LIMIT_DEFAULT,
    ) -> Response:
        """Sent and not acknowledged, the oldest first. A QoS 2 message whose PUBREC came is not
        among them: only its packet identifier is left.
        """
        return await read(clientid, payload, max_payload_bytes, position, limit, True)


def _row(waiting: WaitingMessage, payload: PayloadAs, *, is_queued: bool) -> dict[str, Any]:
    message = waiting.message
    row: dict[str, Any] = {
        "msgid": message_id(message.id),
        "topic": message.topic,
        "qos": waiting.qos,
        "publish_at": message.timestamp_ms,
        "from_clientid": message.client_id,
        "from_username": message.username,
        "inserted_at": str(message.timestamp_ms * 1_000_000),
    }
    if is_queued:
        row["mqueue_priority"] = waiting.priority
    if payload == "base64":
        row["payload"] = base64.b64encode(message.payload).decode()
    elif payload == "plain":
        row["payload"] = message.payload.decode(errors="replace")
    return row


def _text(place: MessagePlace) -> str:
    index, name = place
    return f"{index}_{name:x}"


def _place(text: str) -> MessagePlace | None:
    if text == START:
        return None
    match = _PLACE.fullmatch(text)
    if match is None:
        raise InvalidParameterError("position is what the answer before gave as meta.position")
    return int(match[1]), int(match[2], 16)


def _size(text: str) -> int:
    try:
        size = parse_bytesize(text)
    except ValueError:
        size = 0
    if not 0 < size <= PAYLOAD_BYTES_MAX:
        raise InvalidParameterError("max_payload_bytes is a size such as 1MB, at most 64MB")
    return size
