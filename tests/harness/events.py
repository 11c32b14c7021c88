"""Events of a node of this process, waited for as its reader does: by the descriptor."""

from __future__ import annotations

import select
from typing import Any, Protocol

from harness.client import DEADLINE_S
from rookery.native.rows import EventRow


class Source(Protocol):
    """A node."""

    def fileno(self) -> int: ...

    def drain(self, max: int, /) -> list[EventRow]: ...


def await_events(node: Source, kind: str) -> list[Any]:
    """Events up to the first ones of that kind; those of the kind."""
    seen: list[EventRow] = []
    while not (found := [row for row in seen if row[0] == kind]):
        ready, _, _ = select.select([node.fileno()], [], [], DEADLINE_S)
        assert ready, f"no event {kind!r} within {DEADLINE_S:g} s: {seen}"
        seen += node.drain(1000)
    return found
