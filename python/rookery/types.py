"""Names for plain values that would otherwise be mistaken for one another.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

from typing import NewType

ClientId = NewType("ClientId", str)
"""An MQTT client identifier."""

TopicName = NewType("TopicName", str)
"""Where a message is published: no wildcards."""

TopicFilter = NewType("TopicFilter", str)
"""What a subscription asks for: wildcards allowed."""

NodeName = NewType("NodeName", str)
"""``name@host``."""

ListenerId = NewType("ListenerId", str)
"""``type:name``, such as ``tcp:default``."""

ZoneName = NewType("ZoneName", str)
"""The name of a set of ``mqtt`` settings that listeners point at."""


class Secret:
    """Text that must not reach a log, a traceback or a REST answer by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
