"""How hard the nodes of a cluster work, out of what they report. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

MOST = 1 << 30


class Pressure(NamedTuple):
    """The highest of one figure, and which node has it."""

    value: int
    node: str


def memory(nodes: Sequence[Any]) -> Pressure | None:
    """Percent of the node whose memory is fullest; none: no node says."""
    return _most((node, _percent(figures)) for node, figures in _figures(nodes))


def load(nodes: Sequence[Any]) -> Pressure | None:
    """The load of one minute, rounded down, of the node that has most; none: no node says."""
    return _most((node, figures.get("load1")) for node, figures in _figures(nodes))


def _figures(nodes: Sequence[Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for node in nodes:
        figures = node.get("figures")
        if isinstance(figures, Mapping):
            yield str(node.get("node", "")), figures


def _percent(figures: Mapping[str, Any]) -> float | None:
    used, total = figures.get("memory_used"), figures.get("memory_total")
    return 100 * used / total if used is not None and total else None


def _most(found: Iterable[tuple[str, float | None]]) -> Pressure | None:
    known = [
        Pressure(int(min(max(value, 0), MOST)), node) for node, value in found if value is not None
    ]
    return max(known, default=None)
