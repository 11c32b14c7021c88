"""From what is stored and what was heard to what is stored next: no table, no clock."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from rookery.contracts.agent_v1 import Report
from rookery.control.clusters import pressure
from rookery.control.clusters.intake import Heard
from rookery.control.clusters.state import (
    ERROR_CONDITIONS,
    Condition,
    Evaluation,
    Facts,
    Presence,
    State,
    evaluate,
)

RUNNING = "running"
_COUNT_MAX = 1 << 53


class Stored(Protocol):
    """What a row of the table has of it."""

    is_deleting: bool
    registered_at: int | None
    first_reported_at: int | None
    adopted_at: int | None
    presence: str
    presence_at: int | None
    relay_process: str | None
    reported_at: int | None
    report_interval_ms: int
    errors: dict[str, Any]
    clock_skew_ms: int
    nodes_running: int
    nodes_total: int
    conditions: list[Any]


def facts_of(row: Stored, alive: Collection[str], listening_since_ms: int = 0) -> Facts:
    """What is known of an entry.

    Args:
        row: What is stored of it.
        alive: The control processes that run.
        listening_since_ms: Since when one of them does.
    """
    return Facts(
        is_deleting=row.is_deleting,
        registered_at_ms=row.registered_at,
        presence=Presence(row.presence),
        presence_at_ms=row.presence_at,
        is_relay_alive=row.relay_process is None or row.relay_process in alive,
        listening_since_ms=listening_since_ms,
        reported_at_ms=row.reported_at,
        report_interval_ms=row.report_interval_ms,
        errors=row.errors,
        nodes_running=row.nodes_running,
        nodes_total=row.nodes_total,
        clock_skew_ms=row.clock_skew_ms,
    )


def conditions_of(row: Stored) -> list[Condition]:
    """What was wrong with it last time."""
    read = (Condition.from_json(item) for item in row.conditions)
    return [condition for condition in read if condition is not None]


def settled(row: Stored, facts: Facts, now_ms: int) -> dict[str, Any]:
    """The columns that follow from the facts at a time."""
    found = evaluate(facts, now_ms, conditions_of(row))
    columns: dict[str, Any] = {
        "state": str(found.state),
        "conditions": [condition.to_json() for condition in found.conditions],
        "check_at": found.holds_until_ms,
    }
    if _is_adopted_by(row, found):
        columns["adopted_at"] = now_ms
    return columns


def _is_adopted_by(row: Stored, found: Evaluation) -> bool:
    return found.state is State.RUNNING and row.adopted_at is None


def taken(row: Stored, heard: Heard[Report], process_id: str) -> dict[str, Any]:
    """The columns that change by what was heard; the state is not among them."""
    columns: dict[str, Any] = {}
    if heard.presence is Presence.ONLINE:
        if row.presence != Presence.ONLINE or row.relay_process != process_id:
            columns["relay_process"] = process_id
            columns["presence"] = str(Presence.ONLINE)
            columns["presence_at"] = heard.presence_at_ms
    elif heard.presence is Presence.OFFLINE and row.relay_process in (None, process_id):
        # It may be connected to another process by now: what that one says counts.
        columns["presence"] = str(Presence.OFFLINE)
        if row.presence != Presence.OFFLINE:
            columns["presence_at"] = heard.presence_at_ms
    if heard.report is not None:
        columns |= _of_report(heard.report, heard.reported_at_ms)
        if row.first_reported_at is None:
            columns["first_reported_at"] = heard.reported_at_ms
    return columns


def _of_report(report: Report, at_ms: int) -> dict[str, Any]:
    errors = {name: getattr(report, name) for name in ERROR_CONDITIONS if getattr(report, name)}
    columns: dict[str, Any] = {
        "reported_at": at_ms,
        "errors": errors,
        "clock_skew_ms": report.clock_ms - at_ms,
        "round_trip_ms": report.round_trip_ms,
    }
    if "cluster_fetch_error" in errors:
        return columns  # what is known of the cluster stays, with the age that conditions tell
    columns["nodes"] = [node.written() for node in report.cluster_nodes]
    fullest, busiest = pressure.memory(columns["nodes"]), pressure.load(columns["nodes"])
    columns["memory_percent"] = None if fullest is None else fullest.value
    columns["load"] = None if busiest is None else busiest.value
    columns["nodes_total"] = len(report.cluster_nodes)
    columns["nodes_running"] = sum(node.status == RUNNING for node in report.cluster_nodes)
    facts = report.facts
    if facts is not None:
        columns |= {
            "version": facts.version,
            "edition": facts.edition,
            "connections": facts.connections,
            "connections_total": _total(report),
            "connection_limit": facts.connection_limit,
            "limit_setting": facts.limit_setting,
            "is_limit_settable": facts.limit_is_settable,
            "started_at": facts.started_at_ms,
            "rates": dict(facts.rates),
        }
    return columns


def _total(report: Report) -> int | None:
    """Sessions that wait for their client count, too."""
    found = report.metrics.get("connections", report.metrics.get("connections.count"))
    return None if found is None else min(max(0, round(found)), _COUNT_MAX)
