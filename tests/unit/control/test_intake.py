"""What agents say is written together, and not lost when it cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from rookery.clock import ManualClock
from rookery.contracts.agent_v1 import ClusterFacts, ClusterNode, Report
from rookery.control.clusters.facts import facts_of, settled, taken
from rookery.control.clusters.intake import AT_ONCE, Heard, Intake
from rookery.control.clusters.state import Presence, State
from rookery.errors import UnavailableError


class Table:
    """Keeps what is written; fails as often as it is told to."""

    def __init__(self) -> None:
        self.writes: list[dict[str, Heard[Report]]] = []
        self.failures = 0
        self.wrote = asyncio.Event()

    async def write(self, heard: Mapping[str, Heard[Report]]) -> set[str]:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("locked")
        self.writes.append(dict(heard))
        self.wrote.set()
        return set(heard)


def report(sequence: int, **changes: Any) -> Report:
    return Report(agent_version="1", clock_ms=0, sequence=sequence, **changes)


async def test_many_reports_are_one_write_of_the_latest() -> None:
    table = Table()
    intake = Intake(table.write, ManualClock(), flush_s=3600)
    intake.start()
    for sequence in range(3):
        for agent in range(100):
            intake.report(f"a{agent}", report(sequence), through_relay=True)
    await table.wrote.wait()
    await intake.stop()
    assert len(table.writes) == 1
    assert {item.report.sequence for item in table.writes[0].values() if item.report} == {2}
    assert len(table.writes[0]) == 100


async def test_very_many_are_written_in_parts_and_none_is_lost_on_the_way() -> None:
    table = Table()
    intake = Intake(table.write, ManualClock(), flush_s=3600)
    for agent in range(AT_ONCE * 2 + 1):
        intake.report(f"a{agent}", report(1), through_relay=True)
    told: list[int] = []
    is_ending = asyncio.Event()

    async def listen(cluster_ids: set[str]) -> None:
        told.append(len(cluster_ids))
        if len(told) == 1:
            # It ends here, with two parts to go.
            is_ending.set()
            await asyncio.Event().wait()

    intake.tells(listen)
    intake.start()
    await is_ending.wait()
    await intake.stop()
    assert [len(write) for write in table.writes] == told == [AT_ONCE, AT_ONCE, 1]


async def test_what_came_while_the_database_was_locked_is_written_at_the_end() -> None:
    table = Table()
    table.failures = 2
    intake = Intake(table.write, ManualClock(), flush_s=0)
    intake.report("a", report(1), through_relay=False)
    intake.presence("a", Presence.OFFLINE)
    intake.start()
    await table.wrote.wait()
    await intake.stop()
    assert intake.counters["writes.failed"] == 2
    (written,) = table.writes
    assert written["a"].presence is Presence.OFFLINE
    assert written["a"].report == report(1)


async def test_what_cannot_be_kept_of_one_agent_holds_up_no_other() -> None:
    kept: dict[str, Heard[Report]] = {}

    async def write(heard: Mapping[str, Heard[Report]]) -> set[str]:
        if any(item.report and item.report.sequence == 666 for item in heard.values()):
            raise ValueError("a row that the table does not take")
        kept.update(heard)
        return set(heard)

    told: set[str] = set()

    async def listen(cluster_ids: set[str]) -> None:
        told.update(cluster_ids)

    intake = Intake(write, ManualClock(), flush_s=3600)
    intake.tells(listen)
    for agent in range(9):
        intake.report(f"a{agent}", report(666 if agent in (3, 4) else 1), through_relay=agent == 4)
    intake.start()
    await intake.stop()
    assert set(kept) == told == {f"a{agent}" for agent in range(9)} - {"a3"}
    assert all(item.report for agent, item in kept.items() if agent != "a4")
    assert (kept["a4"].report, kept["a4"].presence) == (None, Presence.ONLINE)
    await intake.stop()


async def test_stop_writes_what_is_there() -> None:
    table = Table()
    intake = Intake(table.write, ManualClock(), flush_s=3600)
    intake.start()
    intake.report("a", report(1), through_relay=True)
    await intake.stop()
    assert list(table.writes[0]) == ["a"]
    await intake.stop()


class Row:
    """A row of the table of clusters, as far as facts go."""

    def __init__(self, **columns: Any) -> None:
        self.is_deleting = False
        self.registered_at: int | None = 1
        self.first_reported_at: int | None = None
        self.adopted_at: int | None = None
        self.presence = "unknown"
        self.presence_at: int | None = None
        self.relay_process: str | None = None
        self.reported_at: int | None = None
        self.report_interval_ms = 15_000
        self.errors: dict[str, Any] = {}
        self.clock_skew_ms = 0
        self.nodes_running = 0
        self.nodes_total = 0
        self.conditions: list[Any] = []
        self.put(columns)

    def put(self, columns: Mapping[str, Any]) -> None:
        vars(self).update(columns)


def test_a_report_becomes_columns_and_the_state_follows() -> None:
    row = Row()
    said = Heard(
        report=report(
            1,
            cluster_nodes=(ClusterNode("a@1", version="5"), ClusterNode("b@1", "stopped")),
            facts=ClusterFacts(version="5.8.1", connections=7, connection_limit=10),
        ),
        reported_at_ms=100,
        presence=Presence.ONLINE,
        presence_at_ms=90,
    )
    row.put(taken(row, said, "p1"))
    row.put(settled(row, facts_of(row, {"p1"}), 100))
    shown = vars(row)
    assert (shown["version"], shown["connections"], shown["connection_limit"]) == ("5.8.1", 7, 10)
    assert (row.nodes_running, row.nodes_total) == (1, 2)
    assert shown["state"] == State.ABNORMAL  # a node is down
    assert row.adopted_at is None
    well = Heard(report=report(2, cluster_nodes=(ClusterNode("a@1"),)), reported_at_ms=200)
    row.put(taken(row, well, "p1"))
    row.put(settled(row, facts_of(row, {"p1"}), 200))
    shown = vars(row)
    assert (shown["state"], shown["adopted_at"]) == (State.RUNNING, 200)
    assert shown["first_reported_at"] == 100


def test_what_is_known_of_a_cluster_stays_when_it_cannot_be_read() -> None:
    row = Row(nodes_running=3, nodes_total=3)
    said = Heard(report=report(1, cluster_fetch_error="refused"), reported_at_ms=100)
    columns = taken(row, said, "p1")
    assert "nodes" not in columns
    assert columns["errors"] == {"cluster_fetch_error": "refused"}


def test_a_process_speaks_only_for_connections_of_its_own() -> None:
    row = Row(presence="online", relay_process="p2", presence_at=50)
    late: Heard[Report] = Heard(presence=Presence.OFFLINE, presence_at_ms=100)
    assert taken(row, late, "p1") == {}
    assert taken(row, late, "p2") == {"presence": "offline", "presence_at": 100}
    moved: Heard[Report] = Heard(presence=Presence.ONLINE, presence_at_ms=100)
    assert taken(row, moved, "p1") == {
        "presence": "online",
        "presence_at": 100,
        "relay_process": "p1",
    }
