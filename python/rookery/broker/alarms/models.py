"""What an alarm is, and how EMQX writes it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rookery.broker.alarms.messages import Message, Value, in_language

_US = 1000  # microseconds in a millisecond


@dataclass(frozen=True, slots=True)
class Alarm:
    """A condition. ``deactivated_at_ms`` is none while it lasts.

    ``message`` is what it says in English; ``key`` and ``params`` say the same in other languages.
    """

    name: str
    message: str
    activated_at_ms: int
    details: Mapping[str, Any] = field(default_factory=dict)
    deactivated_at_ms: int | None = None
    key: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        return self.deactivated_at_ms is None

    def text(self, language: str = "en") -> str:
        """What it says."""
        return in_language(Message(self.message, self.key, self.params), language)

    def to_notice(self) -> dict[str, Any]:
        """The payload of the ``$SYS`` notice; times in microseconds since 1970."""
        ended = self.deactivated_at_ms
        return {
            "name": self.name,
            "message": self.message,
            "details": dict(self.details),
            "activate_at": self.activated_at_ms * _US,
            "deactivate_at": "infinity" if ended is None else ended * _US,
            "activated": self.is_active,
        }
