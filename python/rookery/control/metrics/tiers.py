"""How finely and how long figures are kept, and what of it a question is answered from. No table.

Each tier but the first is rolled up from the one before. What is not rolled up yet is read from
there, so that a chart of a week ends now and not ten minutes ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rookery.control.metrics.summary import Summaries, Summary, all_joined, joined

SECOND_MS = 1000
MINUTE_MS = 60_000
SAMPLE_MS = 15_000
SLOT_MS = 5_000
"""Of one cluster there is at most one sample in each."""
LATE_MS = 30_000
"""A sample may be written so late and is still rolled up."""
POINTS_MAX = 2_000
"""Of one answer."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What is kept alike.

    Attributes:
        number: 0 is the finest.
        step_ms: How much time a row is of.
        kept_ms: For how long it is kept.
    """

    number: int
    step_ms: int
    kept_ms: int


def tiers(kept_ms: Sequence[int]) -> tuple[Tier, ...]:
    """The three of them."""
    steps = (SAMPLE_MS, MINUTE_MS, 10 * MINUTE_MS)
    return tuple(Tier(at, step, kept_ms[at]) for at, step in enumerate(steps))


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is answered.

    Attributes:
        tier: The coarsest tier that is read.
        step_ms: Time of a point.
        from_ms: The first point begins there,
        to_ms: and the last one ends there.
    """

    tier: Tier
    step_ms: int
    from_ms: int
    to_ms: int

    @property
    def points(self) -> int:
        return max(0, (self.to_ms - self.from_ms) // self.step_ms)


def plan(
    of: Sequence[Tier], from_ms: int, to_ms: int, now_ms: int, step_ms: int | None = None
) -> Plan:
    """The finest tier that reaches back so far, and no more points than an answer has."""
    span_ms = max(1, to_ms - from_ms)
    least_ms = max(step_ms or 0, -(-span_ms // (POINTS_MAX - 1)))
    reaching = [tier for tier in of if from_ms >= now_ms - tier.kept_ms] or [of[-1]]
    coarse = [tier for tier in reaching if tier.step_ms <= least_ms]
    tier = coarse[-1] if coarse else reaching[0]
    step = -(-max(least_ms, tier.step_ms) // tier.step_ms) * tier.step_ms
    begin = from_ms // step * step
    return Plan(tier, step, begin, max(begin + step, -(-to_ms // step) * step))


def rolled(rows: Iterable[tuple[int, Summaries]], step_ms: int) -> dict[int, Summaries]:
    """Rows of a finer tier by the beginning of the span they belong to; none for an empty span."""
    spans: dict[int, list[Summaries]] = {}
    for at_ms, summaries in rows:
        spans.setdefault(at_ms // step_ms * step_ms, []).append(summaries)
    return {at_ms: all_joined(parts) for at_ms, parts in spans.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """A figure over time: a value for each point, None where nothing was counted."""

    node: str
    code: int
    points: Sequence[Summary | None]


def lines(
    rows: Sequence[tuple[int, Summaries]],
    plan: Plan,
    wanted: Mapping[str, Iterable[int]] | None,
    hold_ms: int,
) -> list[Line]:
    """What rows say, point by point.

    Args:
        rows: Time and figures, of any tiers.
        plan: Which points there are.
        wanted: Which figures of which node; None: all.
        hold_ms: How long a value holds: reports do not come on the beat of the points.
    """
    cells: dict[tuple[str, int], dict[int, list[tuple[int, Summary]]]] = {}
    for at_ms, summaries in rows:
        # The first point may hold what was said before it.
        cell = (at_ms - plan.from_ms) // plan.step_ms
        for node, figures in summaries.items():
            for code, summary in figures.items():
                if wanted is None or code in wanted.get(node, ()):
                    of = cells.setdefault((node, code), {})
                    of.setdefault(cell, []).append((at_ms, summary))
    return [
        Line(node, code, _points(cells[node, code], plan, hold_ms)) for node, code in sorted(cells)
    ]


def _points(
    cells: Mapping[int, Sequence[tuple[int, Summary]]], plan: Plan, hold_ms: int
) -> list[Summary | None]:
    before = [cell for cell in cells if cell < 0]
    last = max(cells[max(before)]) if before else None
    found: list[Summary | None] = []
    for index in range(plan.points):
        said = cells.get(index)
        if said:
            last = max(said)
            found.append(joined(summary for _, summary in said))
            continue
        ends_ms = plan.from_ms + (index + 1) * plan.step_ms
        is_held = last is not None and ends_ms - last[0] <= hold_ms
        found.append(Summary.of(last[1].mean) if last is not None and is_held else None)
    return found
