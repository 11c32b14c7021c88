"""What a trace is."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rookery.access.topic_filters import is_topic_filter
from rookery.errors import BadRequestError

TraceType: TypeAlias = Literal["clientid", "topic", "ip_address"]
PayloadEncode: TypeAlias = Literal["text", "hex", "hidden"]
TraceFormatter: TypeAlias = Literal["text", "json"]
TraceStatus: TypeAlias = Literal["waiting", "running", "stopped"]

NAME = r"[A-Za-z][A-Za-z0-9_-]{0,199}"
DURATION_S = 10 * 60
"""How long a trace runs that has no end."""

VALUE_MAX = 65_535
_TIME_MAX_S = 253_402_300_799  # the year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One trace. Times are in seconds since 1970; ``number`` is its name in the core."""

    number: int
    name: str
    type: TraceType
    value: str
    start_at_s: int
    end_at_s: int
    payload_encode: PayloadEncode = "text"
    formatter: TraceFormatter = "text"
    is_stopped: bool = False

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            BadRequestError: a name, a value or a time is none.
        """
        if not re.fullmatch(NAME, self.name, re.ASCII):
            raise _invalid("names begin with a letter; letters, digits, - and _ follow, 200 in all")
        if not self.value or len(self.value.encode()) > VALUE_MAX or "\0" in self.value:
            raise _invalid(f"{self.type} is empty, too long, or holds what it cannot")
        if self.type == "ip_address":
            try:
                ipaddress.ip_address(self.value)
            except ValueError:
                raise _invalid(f"{self.value!r} is no IP address") from None
        if self.type == "topic" and not is_topic_filter(self.value):
            raise _invalid(f"topic: {self.value!r} is no topic filter")
        if not 0 <= self.start_at_s < self.end_at_s <= _TIME_MAX_S:
            raise _invalid("a trace ends after it starts")

    def status(self, now_s: float) -> TraceStatus:
        """What it does at a moment."""
        if self.is_stopped or now_s >= self.end_at_s:
            return "stopped"
        return "waiting" if now_s < self.start_at_s else "running"

    @property
    def condition(self) -> tuple[str, str, int]:
        """What a second trace may not have as well: subject and beginning."""
        return (self.type, self.value, self.start_at_s)

    def to_row(self) -> dict[str, Any]:
        """For the file of traces."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_row(cls, row: Any) -> Trace | None:
        """The inverse; none when it is no trace."""
        if not isinstance(row, dict):
            return None
        try:
            trace = cls(**row)
            trace.check()
        except (TypeError, ValueError, BadRequestError):
            return None
        words = trace.type in ("clientid", "topic", "ip_address")
        words = words and trace.payload_encode in ("text", "hex", "hidden")
        words = words and trace.formatter in ("text", "json")
        return trace if words and isinstance(trace.number, int) else None


def _invalid(text: str) -> BadRequestError:
    return BadRequestError(text, code="INVALID_PARAMS")
