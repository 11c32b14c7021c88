"""What is kept of many values: how many there were, their mean, the least and the most of them.

Summaries join in any order and grouping to the same: a week that was rolled up in two steps is the
week that was rolled up in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias


class Summary(NamedTuple):
    """Of values of one figure in one span of time."""

    number: int
    mean: float
    least: float
    most: float

    @classmethod
    def of(cls, value: float) -> Summary:
        """Of one value."""
        return cls(1, value, value, value)


Summaries: TypeAlias = Mapping[str, Mapping[int, Summary]]
"""By node (the cluster as a whole under the empty name) and number of the figure."""


def joined(parts: Iterable[Summary]) -> Summary | None:
    """Of all their values; None of none."""
    count, total, least, most = 0, 0.0, 0.0, 0.0
    for part in parts:
        least = part.least if count == 0 else min(least, part.least)
        most = part.most if count == 0 else max(most, part.most)
        count += part.number
        total += part.mean * part.number
    if count == 0:
        return None
    # Rounding does not take a mean out of its bounds.
    return Summary(count, min(max(total / count, least), most), least, most)


def all_joined(parts: Iterable[Summaries]) -> dict[str, dict[int, Summary]]:
    """Figure by figure."""
    gathered: dict[str, dict[int, list[Summary]]] = {}
    for part in parts:
        for node, figures in part.items():
            into = gathered.setdefault(node, {})
            for code, summary in figures.items():
                into.setdefault(code, []).append(summary)
    found: dict[str, dict[int, Summary]] = {}
    for node, lists in gathered.items():
        of_node = {code: joined(items) for code, items in lists.items()}
        found[node] = {code: item for code, item in of_node.items() if item is not None}
    return found
