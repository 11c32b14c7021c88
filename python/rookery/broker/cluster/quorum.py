"""Whether enough nodes run for changes of what all have alike.

More than half of the members have to run, of two both. Without them clients are served as before; what
needs the others is refused, and the node says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Quorum:
    """How it stands with that at the moment.

    Attributes:
        members: Nodes of the cluster.
        running: Those of them that run, as this one hears.
        needed: How many have to.
        has: Whether enough do.
    """

    members: int
    running: int
    needed: int
    has: bool

    @classmethod
    def of(cls, members: Iterable[str], running: Iterable[str], *, is_connected: bool) -> Quorum:
        """``is_connected``: this node hears the others at all."""
        names = set(members)
        run = len(names.intersection(running))
        needed = len(names) // 2 + 1
        return cls(len(names), run, needed, is_connected and run >= needed)

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)
