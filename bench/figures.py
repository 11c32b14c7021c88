"""Figures of a run, their medians, bounds, and the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from scenarios import Bound, Row

Run = dict[str, Any]

# The generator may be this late at its 99th percentile in an open loop.
LAG_P99_MAX_US = 200.0
# Above this share of its core the generator may be what limits a closed loop.
GENERATOR_SHARE_NOTED = 0.95
# Of a run with session tickets, so many handshakes must be resumptions.
RESUMED_SHARE_MIN = 0.99


def per(run: Run, count: str) -> float:
    """Memory that grew since before the first connection, for each of `count`."""
    watched = run["watched"]
    grown = watched["after"]["pss_bytes"] - watched["before"]["pss_bytes"]
    return float(grown / max(run[count], 1))


FIGURES: dict[str, tuple[str, str, Callable[[Run], float]]] = {
    "cpu": ("broker CPU", "µs", lambda run: float(run["watched"]["us_per_message"])),
    "cycles": ("cycles", "/s", lambda run: float(run["cycles_per_s"])),
    "check_ns": ("check", "ns", lambda run: float(run["check_ns"])),
    "rate": ("delivered", "/s", lambda run: float(run["received_per_s"])),
    "p99": ("latency p99", "µs", lambda run: float(run["latency_us"]["p99"])),
    "pss_per_connection": ("PSS per connection", "B", lambda run: per(run, "connected")),
    "pss_per_subscription": ("PSS per subscription", "B", lambda run: per(run, "subscriptions")),
    "idle_set_up_s": ("time to subscribe", "s", lambda run: float(run["idle_set_up_s"])),
    "start_ms": ("start", "ms", lambda run: float(run["start_ms"])),
}


def faults(run: Run, row: Row) -> list[str]:
    """What makes a run void."""
    found = []
    if "error" in run:
        return [run["error"]]
    for load in run["prepared"]:
        made = load["cycles"] or load["sent"]
        if made < load["config"]["messages"] or load["errors"]:
            found.append(f"only {made} of {load['config']['messages']} made")
    if "config" not in run:
        return found
    if run["config"]["mode"] == "handshake":
        found += handshake_faults(run)
    is_late = run["config"]["rate"] > 0 and run["lag_us"]["p99"] >= LAG_P99_MAX_US
    if is_late and "p99" in row.figures:
        found.append(f"generator lag p99 {run['lag_us']['p99']:.0f} µs")
    if run["config"]["rate"] > 0 and run["received_per_s"] < 0.97 * run["config"]["rate"]:
        found.append(f"only {run['received_per_s']:.0f} of {run['config']['rate']:.0f} messages/s")
    if run["disconnects"]:
        found.append(f"{run['disconnects']} disconnects")
    return found


def handshake_faults(run: Run) -> list[str]:
    """Handshakes that were not of the kind that was asked for."""
    wants_tickets = run["config"]["tls_session_tickets"]
    if wants_tickets and run["resumed"] < RESUMED_SHARE_MIN * run["cycles"]:
        return [f"only {run['resumed']} of {run['cycles']} sessions resumed"]
    if not wants_tickets and run["resumed"]:
        return [f"{run['resumed']} sessions resumed"]
    return []


def notes(run: Run) -> list[str]:
    """What a reader should know of a run that counts."""
    found: list[str] = []
    if "config" not in run:
        return found
    if run["config"]["rate"] == 0 and run["generator"]["core_share"] > GENERATOR_SHARE_NOTED:
        found.append("generator saturated")
    if run["config"]["rate"] > 0 and run["lag_us"]["p99"] >= LAG_P99_MAX_US:
        found.append("generator late")
    found += [word for word in ("lost", "duplicates", "stalls", "errors") if run[word]]
    return found


def valid(runs: list[Run], row: Row) -> list[Run]:
    """The runs that are not void."""
    return [run for run in runs if not faults(run, row)]


def median(runs: list[Run], figure: str, row: Row) -> float | None:
    """Median of a figure over the runs that count."""
    values = [FIGURES[figure][2](run) for run in valid(runs, row)]
    return statistics.median(values) if values else None


def ratio(cells: dict[str, list[Run]], bound: Bound, row: Row) -> float | None:
    """What the bound limits; None when there is nothing to compare."""
    ours, theirs = cells.get(bound.cell, []), cells.get(bound.than, [])
    if not bound.than:
        return median(ours, bound.figure, row)
    if bound.figure == "p99":
        # Latency moves with the machine: only runs made one after the other compare.
        value = FIGURES[bound.figure][2]
        both = [
            value(a) / value(b)
            for a, b in zip(ours, theirs, strict=False)
            if not faults(a, row) and not faults(b, row) and value(b) > 0
        ]
        return statistics.median(both) if both else None
    mine, other = median(ours, bound.figure, row), median(theirs, bound.figure, row)
    return mine / other if mine is not None and other else None


def verdicts(row: Row, cells: dict[str, list[Run]]) -> list[dict[str, Any]]:
    """Each bound of a row with its value and whether it holds."""
    results = []
    for bound in row.bounds:
        value = ratio(cells, bound, row)
        results.append(
            {
                "figure": bound.figure,
                "than": bound.than,
                "limit": bound.limit,
                "value": value,
                "holds": None if value is None else value <= bound.limit,
            }
        )
    return results


def number(value: float | None) -> str:
    """Three significant digits, or a dash."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def verdict_text(verdict: dict[str, Any]) -> str:
    """One bound in a table."""
    _, unit, _ = FIGURES[verdict["figure"]]
    words = {True: "holds", False: "**FAILS**", None: "not measured"}[verdict["holds"]]
    if verdict["than"]:
        return f"{number(verdict['value'])} × {verdict['than']} (≤ {verdict['limit']:g}) {words}"
    return f"{number(verdict['value'])} {unit} (≤ {verdict['limit']:g}) {words}"


def remarks(cells: dict[str, list[Run]], row: Row) -> str:
    """Void runs and notes of a row."""
    found = []
    for label, runs in cells.items():
        void = [fault for run in runs for fault in faults(run, row)]
        noted = sorted({note for run in valid(runs, row) for note in notes(run)})
        if void:
            found.append(f"{label}: {len(void)} void ({void[0].splitlines()[0]})")
        if noted:
            found.append(f"{label}: {', '.join(noted)}")
    return "; ".join(found)


def markdown(document: dict[str, Any], rows: dict[str, Row]) -> str:
    """The whole table."""
    head = f"""# Rookery beside other brokers, {document["date"]}

Commit {document["commit"]}; {document["machine"]["cpu"]}, {document["machine"]["cores"]} cores,
Linux {document["machine"]["kernel"]}. Versions: {"; ".join(v for v in document["versions"].values() if v)}.
Medians of alternating runs (smallest–largest); `bench/README.md` tells the method.

| scenario | figure | measured | bounds | remarks |
|---|---|---|---|---|
"""
    lines = []
    for result in document["rows"]:
        row = rows[result["id"]]
        cells: dict[str, list[Run]] = {
            label: cell["runs"] for label, cell in result["cells"].items()
        }
        for figure in row.figures:
            name, unit, value = FIGURES[figure]
            shown = []
            for label, runs in cells.items():
                counted = [value(run) for run in valid(runs, row)]
                spread = (
                    f" ({number(min(counted))}–{number(max(counted))})" if len(counted) > 1 else ""
                )
                shown.append(f"{label} {number(median(runs, figure, row))}{spread}")
            bounds = [verdict_text(v) for v in result["verdicts"] if v["figure"] == figure]
            first = figure == row.figures[0]
            lines.append(
                f"| {row.title if first else ''} | {name}, {unit} | {'<br>'.join(shown)} "
                f"| {'<br>'.join(bounds)} | {remarks(cells, row) if first else ''} |"
            )
    return head + "\n".join(lines) + "\n"
