"""One file of the built-in store: the records of a day, or of a part of it, and their index.

Full text is found by an index of every three characters (FTS5's *trigram*), so that any part of a word
is found, and by one of every two for scripts without spaces. A file is only ever added to; what
becomes too old goes with its whole file.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rookery.control.logs.models import Bucket, LogFilter, LogRecord, Origin, Part, Source
from rookery.control.logs.terms import is_pair, pairs_of

BUSY_TIMEOUT_MS = 10_000
QUERY_S = 10.0
"""A query that takes longer is given up: a shorter time is to be asked for."""
_STEPS = 20_000
_TABLES = """
CREATE TABLE IF NOT EXISTS streams (
  id INTEGER PRIMARY KEY, cluster_id TEXT NOT NULL, agent_id TEXT NOT NULL, stream TEXT NOT NULL,
  UNIQUE (agent_id, stream));
CREATE TABLE IF NOT EXISTS sources (
  id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, node TEXT NOT NULL, file TEXT NOT NULL,
  last_ms INTEGER NOT NULL, UNIQUE (stream, node, file));
CREATE TABLE IF NOT EXISTS records (
  id INTEGER PRIMARY KEY, time INTEGER NOT NULL, severity INTEGER NOT NULL,
  stream INTEGER NOT NULL, source INTEGER NOT NULL, position INTEGER NOT NULL,
  logger TEXT NOT NULL, msg TEXT NOT NULL, raw TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS records_once ON records (stream, position);
CREATE INDEX IF NOT EXISTS records_by_time ON records (time);
CREATE VIRTUAL TABLE IF NOT EXISTS found
  USING fts5 (raw, content='records', content_rowid='id', tokenize='trigram');
CREATE VIRTUAL TABLE IF NOT EXISTS pairs USING fts5 (raw, content='', tokenize='unicode61');
"""
_COLUMNS = "r.id, r.time, r.severity, t.cluster_id, s.node, s.file, r.logger, r.msg, r.raw"
_FROM = "records r JOIN streams t ON t.id = r.stream JOIN sources s ON s.id = r.source"


class TooSlowError(Exception):
    """A query took too long."""


class After(NamedTuple):
    """Behind which record to go on."""

    time_ms: int
    segment: int
    row: int


class Segment:
    """One file of one project. ``number`` is higher than those of older ones, ``day`` that of its first
    record's arrival, as ``20260131``. Files of versions that knew no projects name none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        number, day, *project = path.stem.split("-")
        self.number = int(number)
        self.day = day
        self.project_id = project[0] if project else ""
        self.clusters: set[str] = set()
        self.first_ms = 0
        self.last_ms = -1
        self.streams: dict[tuple[str, str], int] = {}
        self._writer: sqlite3.Connection | None = None
        self._next_row = 1

    # -- writing, in one thread --------------------------------------------------------------

    def open(self) -> None:
        """Make its tables and learn what is in it.

        Raises:
            sqlite3.Error: the file cannot be used.
        """
        with self._writing() as connection:
            connection.executescript(_TABLES)
            found = connection.execute("SELECT min(time), max(time), max(id) FROM records")
            first, last, row = found.fetchone()
            if row is not None:
                self.first_ms, self.last_ms, self._next_row = first, last, row + 1
            rows = connection.execute("SELECT agent_id, stream, id FROM streams")
            self.streams = {(agent, stream): number for agent, stream, number in rows}
            clusters = connection.execute("SELECT DISTINCT cluster_id FROM streams")
            self.clusters = {cluster for (cluster,) in clusters}

    def close(self) -> None:
        """May be called twice."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    @property
    def is_open(self) -> bool:
        """Whether a connection for writing stands."""
        return self._writer is not None

    def remove(self) -> None:
        """Delete it; who reads it just now reads on."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    @property
    def size(self) -> int:
        """Octets on disk."""
        names = (self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal"))
        return sum(name.stat().st_size for name in names if name.exists())

    def known(self, part: Part) -> set[int]:
        """Which positions of a part's file are here."""
        stream = self.streams.get((part.origin.agent_id, part.origin.stream))
        if stream is None:
            return set()
        positions = [entry.position for entry in part.entries]
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT position FROM records WHERE stream = ? AND position BETWEEN ? AND ?",
                (stream, min(positions), max(positions)),
            )
            return {position for (position,) in rows}

    def put(self, parts: Sequence[Part]) -> list[LogRecord]:
        """Keep records that are nowhere yet, all or none.

        Raises:
            sqlite3.Error: none is kept.
        """
        made: list[LogRecord] = []
        streams = dict(self.streams)
        row = self._next_row
        with self._writing() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for part in parts:
                    made += self._put(connection, part, streams, row + len(made))
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
        self.streams = streams
        self._next_row = row + len(made)
        self.clusters |= {part.origin.cluster_id for part in parts}
        if made:
            times = [record.time_ms for record in made]
            is_empty = self.last_ms < self.first_ms
            self.first_ms = min(times) if is_empty else min(self.first_ms, *times)
            self.last_ms = max(self.last_ms, *times)
        return made

    def _put(
        self,
        connection: sqlite3.Connection,
        part: Part,
        streams: dict[tuple[str, str], int],
        row: int,
    ) -> list[LogRecord]:
        origin = part.origin
        stream, source = _numbers(connection, part, streams)
        rows, texts, pairs, made = [], [], [], []
        for number, entry in enumerate(part.entries, row):
            head = (number, entry.time_ms, entry.severity, stream, source, entry.position)
            rows.append((*head, entry.logger, entry.msg, entry.raw))
            texts.append((number, entry.raw))
            if two := pairs_of(entry.raw):
                pairs.append((number, two))
            made.append(
                LogRecord(
                    self._id(entry.time_ms, number),
                    *(entry.time_ms, entry.severity),
                    *(origin.cluster_id, origin.node, origin.file),
                    *(entry.logger, entry.msg, entry.raw),
                )
            )
        connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.executemany("INSERT INTO found (rowid, raw) VALUES (?, ?)", texts)
        connection.executemany("INSERT INTO pairs (rowid, raw) VALUES (?, ?)", pairs)
        return made

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self._writer is None:
            # Used by one thread at a time, not always by the same.
            self._writer = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._writer.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            self._writer.execute("PRAGMA journal_mode = WAL")
            # An agent lets go of what was confirmed.
            self._writer.execute("PRAGMA synchronous = FULL")
        yield self._writer

    def _id(self, time_ms: int, row: int) -> str:
        return f"{time_ms}.{self.number}.{row}"

    # -- reading, in any thread --------------------------------------------------------------

    def page(
        self, wanted: LogFilter, size: int, after: After | None, *, is_newest_first: bool
    ) -> list[LogRecord]:
        """The next records by their time.

        Raises:
            TooSlowError: it takes too long.
            sqlite3.Error: the file cannot be read.
        """
        where, values = _where(wanted)
        if after is not None:
            part, more = self._behind(after, is_newest_first)
            where.append(part)
            values += more
        way = "DESC" if is_newest_first else "ASC"
        query = (
            f"SELECT {_COLUMNS} FROM {_FROM} WHERE {' AND '.join(where)} "  # noqa: S608
            f"ORDER BY r.time {way}, r.id {way} LIMIT ?"
        )
        with self._reading() as connection:
            rows = connection.execute(query, (*values, size)).fetchall()
        return [LogRecord(self._id(row[1], row[0]), *row[1:]) for row in rows]

    def _behind(self, after: After, is_newest_first: bool) -> tuple[str, list[int]]:
        sign = "<" if is_newest_first else ">"
        if self.number == after.segment:
            text = f"(r.time {sign} ? OR (r.time = ? AND r.id {sign} ?))"
            return text, [after.time_ms, after.time_ms, after.row]
        is_behind = (self.number < after.segment) == is_newest_first
        return f"r.time {sign}{'=' if is_behind else ''} ?", [after.time_ms]

    def histogram(self, wanted: LogFilter, start_ms: int, width_ms: int) -> list[Bucket]:
        """How many there are in each part of the time.

        Raises:
            TooSlowError: it takes too long.
            sqlite3.Error: the file cannot be read.
        """
        where, values = _where(wanted)
        query = (
            f"SELECT (r.time - ?) / ? AS part, r.severity, count(*) FROM {_FROM} "  # noqa: S608
            f"WHERE {' AND '.join(where)} GROUP BY part, r.severity"
        )
        with self._reading() as connection:
            rows = connection.execute(query, (start_ms, width_ms, *values)).fetchall()
        return [Bucket(*row) for row in rows]

    def sources(self, clusters: frozenset[str]) -> list[Source]:
        """Where records came from.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        query = (
            "SELECT t.cluster_id, s.node, s.file, max(s.last_ms) FROM sources s "
            "JOIN streams t ON t.id = s.stream GROUP BY t.cluster_id, s.node, s.file"
        )
        with self._reading() as connection:
            rows = connection.execute(query).fetchall()
        return [Source(*row) for row in rows if row[0] in clusters]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        deadline_s = time.monotonic() + QUERY_S
        with contextlib.closing(
            sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)
        ) as connection:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            connection.set_progress_handler(lambda: time.monotonic() > deadline_s, _STEPS)
            try:
                yield connection
            except sqlite3.OperationalError as error:
                if "interrupt" in str(error):
                    raise TooSlowError from error
                raise


def _numbers(
    connection: sqlite3.Connection, part: Part, streams: dict[tuple[str, str], int]
) -> tuple[int, int]:
    """Those of a part's stream and source, made where there are none."""
    origin = part.origin
    key = (origin.agent_id, origin.stream)
    if key not in streams:
        made = connection.execute(
            "INSERT INTO streams (cluster_id, agent_id, stream) VALUES (?, ?, ?) RETURNING id",
            (origin.cluster_id, *key),
        )
        (streams[key],) = made.fetchone()
    last_ms = max((entry.time_ms for entry in part.entries), default=0)
    found = connection.execute(
        "INSERT INTO sources (stream, node, file, last_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (stream, node, file) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms) "
        "RETURNING id",
        (streams[key], origin.node, origin.file, last_ms),
    )
    (source,) = found.fetchone()
    return streams[key], source


def _where(wanted: LogFilter) -> tuple[list[str], list[str | int]]:
    clusters = sorted(wanted.clusters)
    where = [f"t.cluster_id IN ({', '.join('?' * len(clusters))})"]
    values: list[str | int] = [*clusters]
    for text, value in (
        ("r.time >= ?", wanted.since_ms),
        ("r.time <= ?", wanted.until_ms),
        ("s.node = ?", wanted.node),
        ("s.file = ?", wanted.file),
    ):
        if value is not None:
            where.append(text)
            values.append(value)
    if wanted.severity_max < 7:
        where.append("r.severity <= ?")
        values.append(wanted.severity_max)
    _add(where, values, "found", [term for term in wanted.terms if len(term) > 2])
    _add(where, values, "pairs", [term for term in wanted.terms if is_pair(term)])
    for term in wanted.terms:
        if len(term) <= 2 and not is_pair(term):
            where.append("r.raw LIKE ? ESCAPE '\\'")
            values.append(f"%{_escaped(term)}%")
    return where, values


def _add(where: list[str], values: list[str | int], table: str, terms: Iterable[str]) -> None:
    """Look in one of the indexes."""
    quoted = []
    for term in terms:
        text = term.replace('"', '""')
        # Of one character all pairs that begin with it.
        quoted.append(f'"{text}"' + ("*" if table == "pairs" and len(term) == 1 else ""))
    if quoted:
        where.append(f"r.id IN (SELECT rowid FROM {table} WHERE {table} MATCH ?)")  # noqa: S608
        values.append(" AND ".join(quoted))


def _escaped(term: str) -> str:
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def origin_key(origin: Origin) -> tuple[str, str]:
    """What tells one file of all from another."""
    return origin.agent_id, origin.stream
