"""One event of a trace as one line of its file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rookery.broker.trace.models import Trace
from rookery.native.rows import EventRow
from rookery.observability.visible import json_line, visible

PACKET_EVENTS = frozenset({"mqtt_packet_received", "mqtt_packet_sent"})


def line_of(trace: Trace, row: EventRow) -> str:
    """The line, without its end. What a client sent can neither end it nor control a terminal."""
    _, _, at_us, tag, msg, client_id, username, peer, topic, words, payload, length = row
    when = datetime.fromtimestamp(at_us / 1_000_000, UTC).astimezone().isoformat()
    more = {
        "username": username,
        "topic": topic,
        ("packet" if msg in PACKET_EVENTS else "reason"): words or None,
        "payload": None if payload is None else payload_text(trace, payload, length),
    }
    if trace.formatter == "json":
        entry: dict[str, Any] = {
            "time": when,
            "level": "debug",
            "tag": tag,
            "msg": msg,
            "clientid": client_id,
            "peername": peer,
        }
        entry |= {key: value for key, value in more.items() if value is not None}
        if payload is not None:
            entry["payload_encode"] = trace.payload_encode
        return json_line(entry)
    parts = [f"{key}: {visible(str(value))}" for key, value in more.items() if value is not None]
    who = f"{visible(client_id)}@{peer or ''}"
    return f"{when} [{tag}] {who} msg: {', '.join([msg, *parts])}"


def payload_text(trace: Trace, payload: bytes, length: int) -> str:
    """A payload as the trace wants it; what was cut off is told."""
    rest = f"...({length} bytes)" if length > len(payload) else ""
    if trace.payload_encode == "hidden":
        return "******"
    if trace.payload_encode == "hex":
        return payload.hex() + rest
    text = payload.decode("utf-8", "replace" if rest else "backslashreplace")
    return text.removesuffix("�") + rest if rest else text
