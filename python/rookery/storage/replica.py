"""What a store is to the other nodes of its cluster: rows that each of them keeps a copy of.

A node that is in no cluster has stores and nobody who looks at them; nothing of this is in their way.
In a cluster every change of a row gets a revision before it is kept: it is proposed with the revision
that the row has here, and refused where another node changed the row meanwhile. What others changed
arrives as rows with revisions that grow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from rookery.errors import ConflictError, UnavailableError


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, or that there is none any more.

    Attributes:
        table: Which table.
        key: What the row is found by; texts.
        values: Its columns, plain values of JSON; none: it is gone.
        ends_ms: When it ends by itself on every node; none: never.
    """

    table: str
    key: tuple[str, ...]
    values: Mapping[str, Any] | None
    ends_ms: int | None = None


class Revised(NamedTuple):
    """A row and its revision; 0: it never had one."""

    row: Row
    revision: int


class Mark(NamedTuple):
    """How far a store has followed the others.

    Attributes:
        origin: Which history the revisions are of.
        revision: Everything up to it is here.
        seen_ms: When that was so.
    """

    origin: str
    revision: int
    seen_ms: int


class ChangedElsewhereError(ConflictError):
    """Another node changed the same meanwhile: this change was not made."""

    code = "CONFLICT"

    def __init__(self) -> None:
        super().__init__(
            "the same was changed on another node at the same time, so nothing was changed here: "
            "look at it again and repeat what is still wanted",
            message_zh="同一对象同时在其他节点上被修改，本次修改未生效：请查看最新内容后再决定是否重试",
        )


class NotReplicatedError(UnavailableError):
    """The other nodes could not be told, so nothing was changed."""


Propose: TypeAlias = Callable[[Sequence[Revised]], Sequence[int]]
"""Called on a thread that may wait, with rows and the revisions that they have here: the revisions that
they get. Raises ChangedElsewhereError or NotReplicatedError; then nothing may be kept."""

Ready: TypeAlias = Callable[[], Awaitable[None]]
"""Waits, not for long, until something can be proposed. Raises NotReplicatedError."""

Changed: TypeAlias = Callable[[frozenset[str]], Awaitable[None]]
"""Told which tables are other ones than before. What others changed next waits for it, so it holds
nothing that waits for a change of this node."""


class Replica(Protocol):
    """A store that keeps a copy of what all nodes have."""

    name: str

    async def open(self, ready: Ready, propose: Propose) -> None:
        """Wait for ``ready`` and ask ``propose`` before every change from now on."""

    async def close(self) -> None:
        """Ask nobody any more. May be called twice."""

    async def mark(self) -> Mark | None:
        """How far it has followed; none: never."""

    async def rows(self) -> list[Row]:
        """Everything in it."""

    async def adopt(self, revised: Sequence[Revised], mark: Mark) -> None:
        """These are the revisions of what is here."""

    async def replace(self, revised: Sequence[Revised], mark: Mark) -> dict[str, int]:
        """Have these rows and no others; how many of its own it lost, by table."""

    async def apply(self, revised: Sequence[Revised], mark: Mark) -> None:
        """Take what others changed, in that order."""
