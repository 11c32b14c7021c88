"""Logs in the built-in store: kept once, found by what they hold, gone when they are old."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rookery.clock import ManualClock
from rookery.contracts.agent_logs import LogEntry, pack, unpack
from rookery.contracts.agent_v1 import MessageError
from rookery.control.errors import InvalidError
from rookery.control.logs.builtin import BuiltinLogs
from rookery.control.logs.models import LogFilter, LogRecord, Origin, Part, Retention
from rookery.control.logs.retaining import Held, too_much
from rookery.control.logs.service import width_of
from rookery.control.logs.terms import pairs_of, terms_of

DAY_S = 86_400.0
NOW = ManualClock().now_ms()
ALL = frozenset({"c1", "c2"})


def entry(position: int, raw: str, *, time_ms: int = NOW, severity: int = 6) -> LogEntry:
    return LogEntry(position, time_ms, severity, "", raw[:20], raw)


def part(*entries: LogEntry, cluster: str = "c1", stream: str = "s1", project: str = "") -> Part:
    return Part(Origin(cluster, f"a-{cluster}", stream, "emqx@h", "emqx.log", project), entries)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def logs(tmp_path: Path, clock: ManualClock) -> AsyncIterator[BuiltinLogs]:
    store = BuiltinLogs(tmp_path / "logs", clock)
    await store.open()
    yield store
    await store.close()


async def found(logs: BuiltinLogs, text: str = "", **more: object) -> list[str]:
    wanted = LogFilter(clusters=ALL, terms=terms_of(text), **more)  # type: ignore[arg-type]
    records = await logs.page(wanted, 100, after=None, is_newest_first=True)
    return [record.raw for record in records]


async def test_a_record_that_comes_again_is_there_once(
    logs: BuiltinLogs, clock: ManualClock
) -> None:
    first, second = entry(0, "one"), entry(10, "two")
    assert len(await logs.put([part(first, second), part(second)])) == 2
    clock.advance(2 * DAY_S)
    # Another file of the store by then, and after a restart.
    await logs.close()
    await logs.open()
    fresh = await logs.put([part(second, entry(20, "three")), part(second, stream="s2")])
    assert [record.raw for record in fresh] == ["three", "two"]
    assert sorted(await found(logs)) == ["one", "three", "two", "two"]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("clientid", [0, 1]),
        ("CLIENTID: c1", [0]),
        ('"clientid: c1"', [0]),
        ("thent", [0]),
        ("异常", [2]),
        ("异", [2]),
        ("连接异常 告警", [2]),
        ("告异", []),
        ("c2", [1]),
        ("100%", [3]),
        ("a_b", [3]),
        ("axb", []),
        ('say "hi', [3]),
        ("nothing of it", []),
        ("OR", [3]),
    ],
)
async def test_any_part_of_a_record_is_found(logs: BuiltinLogs, text: str, rows: list[int]) -> None:
    texts = [
        "[warning] authentication failed, clientid: c1",
        "[info] clientid: c2, connected",
        "集群连接异常，请查看告警",
        'for 100% of a_b, say "hi" or "bye"',
    ]
    await logs.put([part(*(entry(number * 100, one) for number, one in enumerate(texts)))])
    assert await found(logs, text) == [texts[row] for row in reversed(rows)]


async def test_filters(logs: BuiltinLogs) -> None:
    await logs.put([part(entry(0, "early", time_ms=NOW - 1000, severity=3), entry(9, "late"))])
    await logs.put([part(entry(0, "other"), cluster="c2")])
    assert await found(logs, severity_max=4) == ["early"]
    assert await found(logs, since_ms=NOW - 500) == ["other", "late"]
    assert await found(logs, until_ms=NOW - 500) == ["early"]
    assert await found(logs, node="emqx@other") == []
    assert await found(logs, file="emqx.log", node="emqx@h", until_ms=NOW - 1) == ["early"]
    mine = LogFilter(clusters=frozenset({"c2"}))
    assert [one.raw for one in await logs.page(mine, 10, after=None, is_newest_first=True)] == [
        "other"
    ]
    sources = await logs.sources(ALL)
    assert {(one.cluster_id, one.last_ms) for one in sources} == {("c1", NOW), ("c2", NOW)}


@pytest.mark.parametrize("is_newest_first", [True, False])
async def test_pages_hold_everything_once_and_in_order(
    logs: BuiltinLogs, clock: ManualClock, is_newest_first: bool
) -> None:
    times = [5, 5, 1, 9, 5, 3, 3, 9, 5, 2, 8, 5]
    for number, time in enumerate(times):
        await logs.put([part(entry(number, f"{number}", time_ms=NOW + time))])
        if number % 3 == 2:
            clock.advance(DAY_S)
    pages: list[LogRecord] = []
    after = None
    while True:
        page = await logs.page(
            LogFilter(clusters=ALL), 5, after=after, is_newest_first=is_newest_first
        )
        pages += page
        if not page:
            break
        after = page[-1].id
    assert sorted(int(one.raw) for one in pages) == list(range(12))
    moments = [one.time_ms - NOW for one in pages]
    assert moments == sorted(times, reverse=is_newest_first)


async def test_a_cursor_of_something_else_is_refused(logs: BuiltinLogs) -> None:
    with pytest.raises(InvalidError):
        await logs.page(LogFilter(clusters=ALL), 5, after="x", is_newest_first=True)


async def test_old_days_go_and_so_do_the_oldest_when_there_is_too_much(
    logs: BuiltinLogs, clock: ManualClock, tmp_path: Path
) -> None:
    for day in range(4):
        await logs.put([part(entry(day, f"day {day}", time_ms=clock.now_ms()))])
        clock.advance(DAY_S)
    await logs.sweep(Retention(3, 1 << 30))
    assert await found(logs) == ["day 3", "day 2", "day 1"]
    await logs.sweep(Retention(3, 1))
    assert await found(logs) == ["day 3"]
    assert len(list((tmp_path / "logs").glob("*.db"))) == 1


async def test_a_loud_project_takes_nothing_from_another(
    logs: BuiltinLogs, clock: ManualClock, tmp_path: Path
) -> None:
    await logs.put([part(entry(0, "quiet"), cluster="c2", project="22")])
    for number in range(4):
        noise = "".join(f"{word:08x}" for word in range(number * 5000, number * 5000 + 5000))
        await logs.put([part(entry(number, f"loud {number} {noise}"), project="11")])
        clock.advance(DAY_S)
    await logs.close()
    await logs.open()
    everything, quiet = await logs.size(), await logs.size("22")
    assert everything is not None
    await logs.sweep(Retention(30, everything - 1))
    kept = [raw[:6] for raw in await found(logs)]
    assert sorted(kept) == ["loud 1", "loud 2", "loud 3", "quiet"]
    assert await logs.size("22") == quiet
    # A bound of its own holds for each.
    await logs.sweep(Retention(30, 1 << 30, project_bytes_max=1))
    assert sorted(raw[:6] for raw in await found(logs)) == ["loud 3", "quiet"]
    assert sorted(one.stem[-3:] for one in (tmp_path / "logs").glob("*.db")) == ["-11", "-22"]


def test_whoever_has_most_lets_go_of_the_oldest() -> None:
    pieces = [
        Held(1, "a", "20260101", 10), Held(2, "b", "20260102", 50), Held(3, "b", "20260103", 50),
        Held(4, "a", "20260103", 30), Held(5, "b", "20260104", 20), Held(6, "c", "20260104", 90),
    ]  # fmt: skip
    gone = too_much(pieces, "20260102", Retention(9, 180))
    # Too old; then of b, until it is a's turn, whose newest stays as c's does.
    assert [piece.number for piece in gone] == [1, 2, 3]
    assert too_much(pieces, "20260101", Retention(9, 1000)) == []


async def test_a_broken_file_takes_no_other_with_it(
    logs: BuiltinLogs, clock: ManualClock, tmp_path: Path
) -> None:
    await logs.put([part(entry(0, "old"))])
    clock.advance(DAY_S)
    await logs.put([part(entry(1, "new"))])
    await logs.close()
    first, _ = sorted((tmp_path / "logs").glob("*.db"))
    first.write_bytes(b"no database" * 1000)
    await logs.open()
    assert await found(logs) == ["new"]


async def test_counts_over_time(logs: BuiltinLogs) -> None:
    start = NOW // 1000 * 1000
    await logs.put(
        [part(*(entry(n, "x", time_ms=start + n * 400, severity=3 + n % 2) for n in range(6)))]
    )
    buckets = await logs.histogram(LogFilter(clusters=ALL), start, 1000)
    counts = {(one.index, one.severity): one.count for one in buckets}
    assert counts == {(0, 3): 2, (0, 4): 1, (1, 4): 1, (1, 3): 1, (2, 4): 1}


def test_a_width_is_one_that_people_count_in() -> None:
    assert width_of(3_600_000, 60) == 60_000
    assert width_of(3_601_000, 60) == 60_000
    assert width_of(4_500_000, 60) == 300_000
    assert width_of(7 * 86_400_000, 60) == 3 * 3_600_000
    assert width_of(400 * 86_400_000, 100) == 4 * 86_400_000


def test_what_is_asked_for_becomes_terms() -> None:
    assert terms_of(' a "b c" d"e ') == ("a", "b c", 'd"e')
    assert terms_of('"" "  "') == ()
    assert pairs_of("a连接x器") == "连接 接 器"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not compressed",
        pack([b"[0,0,6]\n"]),
        pack([b'[0,0,9,"","",""]\n']),
        pack([b'[0,253402300800000,6,"","",""]\n']),
        pack([b'[-1,0,6,"","",""]\n']),
        pack([b'[true,0,6,"","",""]\n']),
        pack([b"[" * 5000 + b"\n"]),
        pack([b"no line end"]),
        pack([b"[]\n" * 3000]),
        pack([b" " * (1 << 22)]),
        pack([entry(0, "x").line()])[:-1],
    ],
)
def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(MessageError):
        unpack(body)


def test_a_body_holds_what_was_put_in() -> None:
    entries = [entry(0, "ä\n客"), entry(7, "{}")]
    assert unpack(pack(one.line() for one in entries)) == entries
