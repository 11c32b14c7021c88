"""What goes of what is kept: fair between projects. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rookery.control.logs.models import Retention


class Held(NamedTuple):
    """A piece that goes as a whole.

    Attributes:
        number: Higher than those of older ones.
        day: Of its first record's arrival, as ``20260131``.
    """

    number: int
    project_id: str
    day: str
    size: int


def too_much(held: Iterable[Held], oldest_day: str, retention: Retention) -> list[Held]:
    """What is too old, beyond the bound of its project, or the oldest of whoever has most.

    The newest piece of each project stays, unless it is too old: it is written to.
    """
    kept: dict[str, list[Held]] = {}
    gone = []
    for piece in sorted(held):
        if piece.day < oldest_day:
            gone.append(piece)
        else:
            kept.setdefault(piece.project_id, []).append(piece)
    sizes = Counter({name: sum(one.size for one in theirs) for name, theirs in kept.items()})
    while (name := _loudest(kept, sizes, retention)) is not None:
        piece = kept[name].pop(0)
        sizes[name] -= piece.size
        gone.append(piece)
    return gone


def _loudest(
    kept: Mapping[str, Sequence[Held]], sizes: Counter[str], retention: Retention
) -> str | None:
    """Who has to let go of something."""
    can = [name for name in sizes if len(kept[name]) > 1]
    if not can:
        return None
    name = max(can, key=lambda one: (sizes[one], one))
    bound = retention.project_bytes_max
    is_beyond = bound is not None and sizes[name] > bound
    return name if is_beyond or sizes.total() > retention.bytes_max else None
