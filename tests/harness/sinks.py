"""Every service that actions send to, as one thing: it starts, goes away, and says what it has.

What a rule gives is ``clientid`` and ``n``; each keeps both.
"""

from __future__ import annotations

import asyncio
import json
import signal
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import redis

from harness.client import RawClient
from harness.databases import postgresql_server, redis_server
from harness.file_sinks import NAME, FilePlace, folder_gone, full_disk, read_only
from harness.kafka import kafka_broker
from harness.kafka_records import Records
from harness.mosquitto import mosquitto
from harness.opensearch import opensearch_server
from harness.packets import Connect
from harness.web_sink import WebSink
from harness.wire import Properties

SQL = 'SELECT clientid, payload.n AS n FROM "out/#"'
"""A rule for messages such as ``{"n": 1}``."""

Numbers = dict[str, list[int]]
"""What came of each client, in the order in which it did; some may be there twice."""


@dataclass(frozen=True)
class Sink:
    """One service.

    Attributes:
        type: Of its connectors.
        connector: Settings of a connector to it.
        parameters: Of an action that keeps what the rule gives.
        start: Let it serve again, with what it has.
        stop: Let it go away.
        found: What it has, which are so many different rows.
        is_doubled: Whether one may come twice whose answer was lost.
        folder: Where a node has to be allowed to write files.
    """

    type: str
    connector: Mapping[str, Any]
    parameters: Mapping[str, Any]
    start: Callable[[], None]
    stop: Callable[[], None]
    found: Callable[[int], Numbers]
    is_doubled: bool = True
    folder: Path | None = None


def _by_client(rows: Iterable[tuple[str, int]]) -> Numbers:
    found: Numbers = defaultdict(list)
    for client, number in rows:
        found[client].append(number)
    return dict(found)


@contextmanager
def _http(_folder: Path) -> Iterator[Sink]:
    service = WebSink()
    try:
        yield Sink(
            "http",
            {"url": service.url},
            {"body": '{"client":"${clientid}","n":${n}}'},
            service.start,
            service.stop,
            lambda _count: _by_client((row["client"], row["n"]) for row in service.taken),
        )
    finally:
        service.stop()


@contextmanager
def _pgsql(_folder: Path) -> Iterator[Sink]:
    login = {"user": "rookery", "password": "it's secret", "database": "postgres"}
    with postgresql_server() as server:

        async def ask(sql: str) -> list[Any]:
            connection = await asyncpg.connect(host=server.host, port=server.port, **login)
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()

        def found(_count: int) -> Numbers:
            rows = asyncio.run(ask("SELECT client, number FROM out ORDER BY id"))
            return _by_client((row["client"], row["number"]) for row in rows)

        asyncio.run(ask("CREATE TABLE out (id serial, client text, number integer)"))
        connector = {"server": server.address, "database": "postgres"}
        connector |= {"username": login["user"], "password": login["password"]}
        sql = "INSERT INTO out (client, number) VALUES (${clientid}, ${n})"
        yield Sink("pgsql", connector, {"sql": sql}, server.start, server.stop, found)


@contextmanager
def _redis(_folder: Path) -> Iterator[Sink]:
    with redis_server("--appendonly", "yes", "--appendfsync", "always") as server:

        def found(_count: int) -> Numbers:
            with redis.Redis(host=server.host, port=server.port) as client:
                rows: Any = client.lrange("out", 0, -1)
                return _by_client((row["client"], row["n"]) for row in map(json.loads, rows))

        push = ["RPUSH", "out", '{"client":"${clientid}","n":${n}}']
        place = {"parameters": {"redis_type": "single", "server": server.address}}
        command = {"command_template": push}
        yield Sink("redis", place, command, server.start, server.stop, found)


@contextmanager
def _mqtt(folder: Path) -> Iterator[Sink]:
    with mosquitto(folder) as broker:

        def watcher() -> RawClient:
            client = RawClient("127.0.0.1", broker.port, 5)
            stays: Properties = {"session_expiry_interval": 3600}
            client.connect(Connect("watch", clean_start=False, properties=stays))
            return client

        def found(count: int) -> Numbers:
            rows: dict[tuple[str, int], None] = {}
            with watcher() as client:
                while len(rows) < count:
                    packet = client.receive()
                    rows[packet.topic_name.rpartition("/")[2], int(packet.payload)] = None
            return _by_client(rows)

        with watcher() as client:
            client.subscribe("in/#", qos=1)
        place = {"server": f"127.0.0.1:{broker.port}"}
        message = {"topic": "in/${clientid}", "payload": "${n}", "qos": 1}
        yield Sink("mqtt", place, message, broker.start, broker.stop, found)


@contextmanager
def _kafka(folder: Path) -> Iterator[Sink]:
    with kafka_broker(folder) as broker:
        topic = asyncio.run(Records(broker).topic(partitions=1))

        def found(_count: int) -> Numbers:
            entries = asyncio.run(Records(broker).all(topic))
            return _by_client((entry.key.decode(), int(entry.value)) for entry in entries)

        place = {"bootstrap_hosts": broker.hosts}
        record = {"topic": topic, "message": {"key": "${clientid}", "value": "${n}"}}
        yield Sink(
            "kafka_producer",
            place,
            record,
            broker.start,
            lambda: broker.stop(signal.SIGKILL),
            found,
        )


@contextmanager
def _opensearch(_folder: Path) -> Iterator[Sink]:
    with opensearch_server() as server:

        def ask(method: str, path: str) -> Any:
            url = f"http://{server.address}/{path}"
            with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
                return json.load(answer)

        def found(_count: int) -> Numbers:
            ask("POST", "out/_refresh")
            hits: list[Any] = []
            # An answer has 10,000 at most.
            while more := ask("GET", f"out/_search?{_page(hits)}")["hits"]["hits"]:
                hits += more
            return _by_client((hit["_source"]["client"], hit["_source"]["n"]) for hit in hits)

        doc = '{"client":"${clientid}","n":${n}}'
        create = {"action": "create", "index": "out", "doc": doc}
        place = {"server": server.address}
        # What is sent again has the id that it had before.
        yield Sink(
            "elasticsearch", place, create, server.start, server.stop, found, is_doubled=False
        )


def _page(hits: list[Any]) -> str:
    """What asks for documents in the order in which they were written, behind those."""
    after = f"&q=_seq_no:>{hits[-1]['_seq_no']}" if hits else ""
    return f"size=5000&sort=_seq_no&seq_no_primary_term=true{after}"


def _file(
    make: Callable[[Path], AbstractContextManager[FilePlace]],
) -> Callable[[Path], AbstractContextManager[Sink]]:
    @contextmanager
    def sink(folder: Path) -> Iterator[Sink]:
        with make(folder) as place:
            connector = {"filepath": str(place.folder / NAME)}
            yield Sink(
                "disk_log",
                connector,
                place.parameters,
                place.start,
                place.stop,
                place.found,
                is_doubled=False,
                folder=place.folder,
            )

    return sink


SINKS: Mapping[str, Callable[[Path], AbstractContextManager[Sink]]] = {
    "http": _http,
    "postgresql": _pgsql,
    "redis": _redis,
    "mqtt": _mqtt,
    "kafka": _kafka,
    "opensearch": _opensearch,
    "file-full-disk": _file(full_disk),
    "file-folder-gone": _file(folder_gone),
    "file-read-only": _file(read_only),
}
"""All that run in tests, each in a folder of its own; one that needs root is skipped without."""
