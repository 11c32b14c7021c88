"""What connectors need from the node, by the shape that they need it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rookery.connectors.base import Columns
from rookery.native.action_fields import (
    ActionCounters,
    ActionField,
    ActionItem,
    BufferSpec,
    Outcome,
)


class Buffer(Protocol):
    """Items on their way to one action; the core puts them in. Belongs to one event loop."""

    def take(self, max_items: int, max_bytes: int) -> list[ActionItem]:
        """The oldest items, none of a client that has others taken and not settled.

        Drops what is over its TTL. One item comes even if it has more than ``max_bytes``.
        """
        ...

    def settle(self, numbers: Iterable[int], outcome: Outcome) -> None:
        """Say what became of taken items."""
        ...

    def give_back(self, numbers: Iterable[int]) -> None:
        """Put taken items back where they were."""
        ...

    def expire(self) -> int:
        """Drop a bounded part of what is over its TTL; how many."""
        ...

    def count(self, *, retried: int = 0) -> None:
        """Count items that are sent again."""
        ...

    def offer_rows(
        self, rows: Sequence[str], fields: Sequence[ActionField], *, rule: str, key: int = 0
    ) -> int:
        """Put items in, made from rows as JSON; how many were taken."""
        ...

    def pause(self, is_paused: bool) -> None:
        """Whether items that come are dropped because the action is stopped."""
        ...

    def counters(self) -> ActionCounters: ...

    def reset_counters(self) -> None: ...

    async def wait(self) -> None:
        """Return when :meth:`take` may give something; at once until a take found nothing more.

        Raises:
            UnavailableError: the buffer is closed.
        """
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
        open_buffer: The buffer of an action by its id. What is in one that is open already stays,
            and the earlier object gets nothing more.
        ingest: Give a message of a source, named by its id, to the rules; how many took it.
        publish: Publish a message.
        render: Fill a template from a row as JSON.
    """

    open_buffer: Callable[[str, BufferSpec], Buffer]
    ingest: Callable[[str, Columns], Awaitable[int]]
    publish: Publish
    render: Callable[[str, str], str]
