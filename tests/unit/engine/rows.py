"""Rows as the core makes them, for tests."""

from __future__ import annotations

from rookery.native.rows import EventRow

CLIENT_ROW = (
    "c1", "u1", True, "127.0.0.1:5000", "tcp:default", 5, 60, True,
    3600, 10, 20, 0, 7,
    1, 2, 3, 4, 5, False,
)  # fmt: skip
ID = (0, 1, 2, 3)


def message_row(topic: str = "t", payload: bytes = b"p") -> tuple[object, ...]:
    return (1, 2, 0, 1, False, False, topic, payload, b"", "c1", "u1", None, None)


def authenticate(number: int = 0, password: bytes | None = b"secret") -> EventRow:
    return ("ask", (0, 0, 0, number), "authenticate", CLIENT_ROW, password)


def authorize(number: int = 0, *, publish: bool = True, topic: str = "t") -> EventRow:
    asked = ("c1", "u1", publish, topic, 1, False)
    return ("ask", (0, 0, 0, number), "authorize", asked, None)


def publish(number: int = 0, payload: bytes = b"p") -> EventRow:
    return ("ask", (0, 0, 0, number), "publish", message_row(payload=payload), None)
