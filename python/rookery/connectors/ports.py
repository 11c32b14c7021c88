"""What connectors need from the node, by the shape that they need it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rookery.connectors.base import Columns
from rookery.native.action_fields import ActionCounters, ActionItem, BufferSpec, FieldSpec, Outcome


class Buffer(Protocol):
    """Items on their way to one action; the core puts them in. Belongs to one event loop."""

    def take(self, max_items: int, max_bytes: int) -> list[ActionItem]:
        """The oldest items, none of a client that has others taken and not settled.

        Drops what is over its TTL; ``take(0, 0)`` does nothing else.
        """
        ...

    def settle(self, numbers: Sequence[int], outcome: Outcome) -> None:
        """Say what became of taken items."""
        ...

    def give_back(self, numbers: Sequence[int]) -> None:
        """Put taken items back in front."""
        ...

    def note_retried(self, count: int) -> None:
        """Count items that are sent again."""
        ...

    def offer_row(self, fields: Sequence[FieldSpec], rule: str, key: int, row: str) -> bool:
        """Put an item in, made from a row as JSON; whether it fitted."""
        ...

    def pause(self, is_paused: bool) -> None:
        """Whether items that come are dropped because the action is stopped."""
        ...

    def counters(self) -> ActionCounters: ...

    def reset_counters(self) -> None: ...

    async def wait(self) -> None:
        """Return when :meth:`take` would give something, or the buffer was closed."""
        ...

    def close(self) -> None:
        """Drop everything. May be called twice."""
        ...


class Publish(Protocol):
    """Publishes a message on this node."""

    async def __call__(
        self,
        *,
        topic: str,
        payload: bytes,
        qos: int,
        retain: bool,
        user_properties: Sequence[tuple[str, str]],
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The node.

    Attributes:
        open_buffer: The buffer of an action by its id. One that is open already is replaced; rules
            put into the new one when they are set again.
        ingest: Give a message of a source, named by its id, to the rules; how many took it.
        publish: Publish a message.
        render: Fill a template from a row as JSON.
    """

    open_buffer: Callable[[str, BufferSpec], Buffer]
    ingest: Callable[[str, Columns], Awaitable[int]]
    publish: Publish
    render: Callable[[str, str], str]
