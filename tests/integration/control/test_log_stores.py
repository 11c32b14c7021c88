"""Logs kept in a real PostgreSQL and in a real OpenSearch: the same is found as in the built-in store."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S
from harness.control import control_world
from harness.databases import Server, postgresql_server
from harness.opensearch import opensearch_server
from rookery.clock import ManualClock
from rookery.contracts.agent_logs import LogEntry
from rookery.control.errors import InvalidError, OutOfReachError
from rookery.control.logs.models import LogFilter, LogStore, Origin, Part, Retention
from rookery.control.logs.postgres import PostgresLogs
from rookery.control.logs.receiver import SearchServer
from rookery.control.logs.search import SearchLogs
from rookery.control.logs.terms import terms_of
from rookery.storage.database import Database
from rookery.storage.engine import url_of

pytestmark = pytest.mark.slow

NOW = ManualClock().now_ms()
DAY_S = 86_400.0
ALL = frozenset({"c1", "c2"})
TEXTS = [
    "[warning] authentication failed, clientid: c1",
    "[info] clientid: c2, it's connected",
    "集群连接异常，请查看告警",
    "for 100% of a_b \\ nothing",
]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server]:
    with postgresql_server() as running:
        yield running


@pytest.fixture(scope="module")
def opensearch() -> Iterator[Server]:
    with opensearch_server() as running:
        yield running


@contextlib.asynccontextmanager
async def in_postgresql(server: Server, clock: ManualClock) -> AsyncIterator[PostgresLogs]:
    url = url_of_server(server)
    database = Database(url_of(url, Path("unused")))
    await database.open()
    store = PostgresLogs(database, clock)
    await store.open()
    yield store
    await store.close()
    await database.close()


def url_of_server(server: Server) -> str:
    return f"postgresql://rookery:it%27s%20secret@{server.address}/postgres"


def entry(position: int, raw: str, severity: int = 6, after_ms: int = 0) -> LogEntry:
    return LogEntry(position, NOW + after_ms, severity, "", raw[:20], raw)


def part(*entries: LogEntry, cluster: str = "c1", stream: str = "s1") -> Part:
    return Part(Origin(cluster, f"a-{cluster}"[:16], stream, "emqx@h", "emqx.log"), entries)


async def found(store: LogStore, text: str = "", **more: Any) -> list[str]:
    wanted = LogFilter(clusters=ALL, terms=terms_of(text), **more)
    return [one.raw for one in await store.page(wanted, 100, after=None, is_newest_first=True)]


async def until_there(store: LogStore, count: int) -> None:
    """A search server shows what was written after a moment."""
    async with asyncio.timeout(DEADLINE_S):
        while len(await found(store)) < count:
            await asyncio.sleep(0.1)


async def fill(store: LogStore) -> None:
    entries = [entry(n * 100, text, 4 + n, n * 1000) for n, text in enumerate(TEXTS)]
    assert len(await store.put([part(*entries[:2]), part(*entries[1:])])) == 4
    assert await store.put([part(entries[2])]) == []
    fresh = await store.put([part(entries[2], cluster="c2")])
    assert [one.cluster_id for one in fresh] == ["c2"]
    await until_there(store, 5)


async def check_finding(store: LogStore) -> None:
    assert await found(store) == [TEXTS[3], TEXTS[2], TEXTS[2], TEXTS[1], TEXTS[0]]
    assert await found(store, severity_max=5) == [TEXTS[1], TEXTS[0]]
    assert await found(store, since_ms=NOW + 1000, until_ms=NOW + 1500) == [TEXTS[1]]
    assert await found(store, node="other") == []
    assert await found(store, file="emqx.log", severity_max=4) == [TEXTS[0]]
    for text, rows in (("clientid", [1, 0]), ('"clientid: c1"', [0]), ("连接异常", [2, 2])):
        assert await found(store, text) == [TEXTS[row] for row in rows], text
    pages: list[str] = []
    after: str | None = None
    while True:
        page = await store.page(LogFilter(clusters=ALL), 2, after=after, is_newest_first=False)
        if not page:
            break
        pages += [one.raw for one in page]
        after = page[-1].id
    assert pages == [TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[2], TEXTS[3]]
    with pytest.raises(InvalidError):
        await store.page(LogFilter(clusters=ALL), 2, after="%", is_newest_first=True)
    start = NOW // 1000 * 1000
    buckets = await store.histogram(LogFilter(clusters=ALL), start, 1000)
    counts = {(one.index, one.severity): one.count for one in buckets}
    assert counts == {(0, 4): 1, (1, 5): 1, (2, 6): 2, (3, 7): 1}
    sources = await store.sources(frozenset({"c1"}))
    assert [(one.cluster_id, one.node, one.file, one.last_ms) for one in sources] == [
        ("c1", "emqx@h", "emqx.log", NOW + 3000)
    ]


async def test_postgresql(postgresql: Server) -> None:
    clock = ManualClock()
    async with in_postgresql(postgresql, clock) as store:
        await fill(store)
        await check_finding(store)
        for text, rows in (
            ("thent", [0]),
            ("异常", [2, 2]),
            ("异", [2, 2]),
            ("100%", [3]),
            ("a_b \\", [3]),
        ):
            assert await found(store, text) == [TEXTS[row] for row in rows], text
        clock.advance(2 * DAY_S)
        assert await store.put([part(entry(0, TEXTS[0]))]) == []
        await store.put([part(entry(9000, "new"))])
        assert (await store.size() or 0) > 0
        await store.sweep(Retention(3, 1 << 30))
        assert len(await found(store)) == 6
        await store.sweep(Retention(3, 1))
        assert await found(store) == ["new"]


async def test_opensearch(opensearch: Server) -> None:
    clock = ManualClock()
    store = SearchLogs(SearchServer(f"http://{opensearch.address}"), clock)
    await store.open()
    try:
        assert await found(store) == []
        await store.test()
        await fill(store)
        await check_finding(store)
        assert await found(store, "connec") == [TEXTS[1]]
        await store.sweep(Retention(1, 1))
        assert len(await found(store)) == 5
        clock.advance(2 * DAY_S)
        await store.sweep(Retention(1, 1))
        assert await found(store) == []
        # A clock that is wrong makes no index of its own.
        await store.put([part(entry(0, "of a time to come", after_ms=1 << 45))])
        await until_there(store, 1)
    finally:
        await store.close()


async def test_a_server_that_is_not_there_or_is_something_else(opensearch: Server) -> None:
    for server in (
        SearchServer("http://127.0.0.1:1"),
        SearchServer(f"https://{opensearch.address}"),
        SearchServer(f"http://{opensearch.address}", index_prefix="NOT-AN-INDEX"),
    ):
        store = SearchLogs(server, ManualClock())
        with pytest.raises(OutOfReachError):
            await store.open()


async def test_the_place_is_chosen_and_tested_over_rest(opensearch: Server, tmp_path: Path) -> None:
    path = "/configuration/log-receiver"
    server = {"url": f"http://{opensearch.address}", "indexPrefix": "mine"}
    async with control_world(tmp_path) as world:
        admin = await world.set_up()
        assert (await world.ask("POST", f"{path}/test", server, token=admin)).status == 204
        given = {
            "isEnabled": True,
            "level": "debug",
            "retentionDays": 7,
            "retentionBytes": 1 << 30,
            "store": "elasticsearch",
            "elasticsearch": server,
        }
        assert (await world.ask("PUT", path, given, token=admin)).status == 204
        parts = [part(entry(0, "kept there"))]
        assert await world.control.logs.keep(parts)
        shown = await world.ask("GET", path, token=admin)
        assert (shown.json["store"], shown.json["storedBytes"], shown.json["problem"]) == (
            "elasticsearch",
            None,
            "",
        )
        store = await world.control.logs.store()
        await until_there(store, 1)
        dead = {**given, "elasticsearch": {"url": "http://127.0.0.1:1"}}
        assert (await world.ask("PUT", path, dead, token=admin)).status == 204
        shown = await world.ask("GET", path, token=admin)
        assert "refused" in shown.json["problem"]


async def test_one_process_hears_of_what_another_kept(postgresql: Server) -> None:
    clock = ManualClock()
    clock.advance(9 * DAY_S)
    async with in_postgresql(postgresql, clock) as one, in_postgresql(postgresql, clock) as other:
        fresh = await one.put([part(entry(0, "told"), cluster="c3"), part(entry(0, "x"))])
        notice = one.notice(fresh)
        heard = await other.noticed(notice, frozenset({"c3"}))
        assert [record.raw for record in heard] == ["told"]
        assert await other.noticed("nonsense", frozenset({"c3"})) == []
        assert one.notice([]) == ""


async def test_a_loud_project_takes_nothing_from_another(
    postgresql: Server, tmp_path: Path
) -> None:
    clock = ManualClock()
    clock.advance(20 * DAY_S)
    database = f"control.database={url_of_server(postgresql)}"
    async with control_world(tmp_path, sets=[database]) as world:
        admin = await world.set_up()
        org = await world.make(admin, "/orgs", {"name": "Factory"})
        clusters = []
        for name in ("loud", "quiet"):
            project = await world.make(admin, f"/orgs/{org}/projects", {"name": name})
            path = f"/orgs/{org}/projects/{project}/clusters"
            clusters.append(await world.make(admin, path, {"name": name}))
        loud, quiet = clusters
        store = PostgresLogs(world.control.database, clock)
        # What other tests left is older.
        await store.sweep(Retention(1, 1 << 60))
        ours = frozenset(clusters)

        async def there() -> list[tuple[str, str]]:
            wanted = LogFilter(clusters=ours)
            found = await store.page(wanted, 100, after=None, is_newest_first=False)
            return [(one.cluster_id, one.msg) for one in found]

        for day in range(3):
            after_ms = round((20 + day) * DAY_S * 1000)
            much = [
                LogEntry(n, NOW + after_ms, 6, "", f"day {day}", secrets.token_hex(4000))
                for n in range(40 if day < 2 else 1)
            ]
            little = LogEntry(0, NOW + after_ms, 6, "", f"day {day}", "is well")
            stream = f"day{day}"
            await store.put(
                [
                    part(*much, cluster=loud, stream=stream),
                    part(little, cluster=quiet, stream=stream),
                ]
            )
            clock.advance(DAY_S)
        whole = await store.size()
        assert whole is not None
        await store.sweep(Retention(9, whole))
        assert len(await there()) == 84
        await store.sweep(Retention(9, whole * 3 // 4))
        left = await there()
        assert (loud, "day 0") not in left
        assert left.count((loud, "day 1")) == 40
        assert [name for name, _ in left].count(quiet) == 3
        assert (await store.size() or 0) < whole * 3 // 4
        # What was written anew takes and finds records as before, and goes with the others.
        assert await found_text(store, ours, "is well") == 3
        clock.advance(-3 * DAY_S)
        late = [LogEntry(7, NOW, 6, "", "late", "came late")]
        assert len(await store.put([part(*late, cluster=quiet, stream="late")])) == 1
        clock.advance(8 * DAY_S)
        await store.sweep(Retention(1, 1 << 60))
        assert await there() == []


async def found_text(store: LogStore, clusters: frozenset[str], text: str) -> int:
    wanted = LogFilter(clusters=clusters, terms=terms_of(text))
    return len(await store.page(wanted, 100, after=None, is_newest_first=True))
