"""Keeps logs in the PostgreSQL of the control plane, so that every process finds all of them.

One table with a part for each day. Full text is found by every three characters of
a record (and every two of scripts without spaces), which are the lexemes of a ``tsvector``: no extension
and no dictionary is needed, and any part of a word is found.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.errors import InvalidError, OutOfReachError
from rookery.control.logs import texts
from rookery.control.logs.live import WAITING_MAX
from rookery.control.logs.models import (
    DEBUG,
    Bucket,
    LogFilter,
    LogRecord,
    Part,
    Retention,
    Source,
)
from rookery.control.logs.postgres_days import LOCK, Days, sizes_of_days
from rookery.control.logs.terms import is_pair, pairs_of
from rookery.storage.database import Database

QUERY_MS = 10_000
TERMS_MAX = 8_000
"""Of one record; what stands behind them is not found by its text."""
_ID = re.compile(r"(\d{1,16})\.(\d{1,18})")
_NOTICE = re.compile(r"(\d{8})\.(\d{1,18})\.(\d{1,18})")
_COLUMNS = "id, time, severity, cluster_id, node, file, logger, msg, raw"
_INSERT = text(
    "INSERT INTO log_records (day, id, time, severity, cluster_id, agent_id, stream, position, node, file, "
    "logger, msg, raw, terms) VALUES (:day, :id, :time, :severity, :cluster_id, :agent_id, :stream, "
    ":position, :node, :file, :logger, :msg, :raw, array_to_tsvector(CAST(:terms AS text[]))) "
    "ON CONFLICT DO NOTHING"
)


class PostgresLogs:
    """Keeps records in ``database``."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._days = Days(database)
        self._day = 0

    async def open(self) -> None:
        """The table is made with all others; its parts when they are wanted."""

    async def close(self) -> None:
        """There is nothing of its own."""

    async def put(self, parts: Sequence[Part]) -> list[LogRecord]:
        made: list[LogRecord] = []
        day = int(self._now().strftime("%Y%m%d"))
        async with self._database.write() as session:
            await self._make_part(session, day)
            rows: list[dict[str, Any]] = []
            seen: set[tuple[str, str, int]] = set()
            for part in parts:
                rows += await self._unknown(session, part, seen)
            if not rows:
                return []
            numbers = await session.execute(
                text("SELECT nextval('log_records_id_seq') FROM generate_series(1, :count)"),
                {"count": len(rows)},
            )
            for row, (number,) in zip(rows, numbers, strict=True):
                row |= {"day": day, "id": number, "terms": lexemes_of(row["raw"])}
                made.append(_record([row[name] for name in _COLUMNS.split(", ")]))
            await session.execute(_INSERT, rows)
        self._day = day
        return made

    async def _make_part(self, session: AsyncSession, day: int) -> None:
        if day == self._day:
            return
        await self._database.alone(session, LOCK)
        await session.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS log_records_{day:08d} PARTITION OF log_records "
                f"FOR VALUES IN ({day})"
            )
        )

    async def _unknown(
        self, session: AsyncSession, part: Part, seen: set[tuple[str, str, int]]
    ) -> list[dict[str, Any]]:
        """Without what is there already: an agent sends again what may not have arrived."""
        origin = part.origin
        positions = [entry.position for entry in part.entries]
        known = await session.scalars(
            text(
                "SELECT position FROM log_records WHERE agent_id = :agent AND stream = :stream "
                "AND position BETWEEN :first AND :last"
            ),
            {
                "agent": origin.agent_id,
                "stream": origin.stream,
                "first": min(positions),
                "last": max(positions),
            },
        )
        there = set(known)
        found = []
        for entry in part.entries:
            key = (origin.agent_id, origin.stream, entry.position)
            if entry.position in there or key in seen:
                continue
            seen.add(key)
            found.append(
                {
                    "time": entry.time_ms,
                    "severity": entry.severity,
                    "cluster_id": origin.cluster_id,
                    "agent_id": origin.agent_id,
                    "stream": origin.stream,
                    "position": entry.position,
                    "node": origin.node,
                    "file": origin.file,
                    "logger": entry.logger,
                    "msg": entry.msg,
                    "raw": entry.raw,
                }
            )
        return found

    # -- finding -------------------------------------------------------------------------------

    async def page(
        self, wanted: LogFilter, size: int, *, after: str | None, is_newest_first: bool
    ) -> list[LogRecord]:
        where, values = _where(wanted)
        if after is not None:
            found = _ID.fullmatch(after)
            if found is None:
                raise InvalidError(texts.BAD_CURSOR)
            where += f" AND (time, id) {'<' if is_newest_first else '>'} (:after_time, :after_id)"
            values |= {"after_time": int(found[1]), "after_id": int(found[2])}
        way = "DESC" if is_newest_first else "ASC"
        query = text(
            f"SELECT {_COLUMNS} FROM log_records WHERE {where} "  # noqa: S608
            f"ORDER BY time {way}, id {way} LIMIT :size"
        )
        async with self._asking() as session:
            rows = await session.execute(query, values | {"size": size})
            return [_record(row) for row in rows]

    async def histogram(self, wanted: LogFilter, start_ms: int, width_ms: int) -> list[Bucket]:
        where, values = _where(wanted)
        part = "(time - CAST(:start AS bigint)) / CAST(:width AS bigint)"
        query = text(
            f"SELECT {part} AS part, severity, count(*) FROM log_records "  # noqa: S608
            f"WHERE {where} GROUP BY 1, 2"
        )
        async with self._asking() as session:
            rows = await session.execute(query, values | {"start": start_ms, "width": width_ms})
            return [Bucket(*row) for row in rows]

    def notice(self, records: Sequence[LogRecord]) -> str:
        numbers = [int(record.id.partition(".")[2]) for record in records]
        return f"{self._day}.{min(numbers)}.{max(numbers)}" if numbers else ""

    async def noticed(self, notice: str, clusters: frozenset[str]) -> list[LogRecord]:
        found = _NOTICE.fullmatch(notice)
        if found is None:
            return []
        query = text(
            f"SELECT {_COLUMNS} FROM log_records WHERE day = :day "  # noqa: S608
            "AND id BETWEEN :first AND :last AND cluster_id = ANY(:clusters) "
            "ORDER BY id DESC LIMIT :size"
        )
        values = {
            "day": int(found[1]),
            "first": int(found[2]),
            "last": int(found[3]),
            "clusters": sorted(clusters),
            "size": WAITING_MAX,
        }
        async with self._asking() as session:
            rows = list(await session.execute(query, values))
        return [_record(row) for row in reversed(rows)]

    async def sources(self, clusters: frozenset[str]) -> list[Source]:
        query = text(
            "SELECT cluster_id, node, file, max(time) FROM log_records "
            "WHERE cluster_id = ANY(:clusters) GROUP BY cluster_id, node, file"
        )
        async with self._asking() as session:
            rows = await session.execute(query, {"clusters": sorted(clusters)})
            return [Source(*row) for row in rows]

    async def sweep(self, retention: Retention) -> None:
        oldest = (self._now() - timedelta(days=retention.days)).strftime("%Y%m%d")
        await self._days.sweep(oldest, retention)
        self._day = 0

    async def size(self, project_id: str | None = None) -> int | None:
        if project_id is not None:
            return None  # days are shared there
        async with self._asking() as session:
            return sum((await sizes_of_days(session)).values())

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[AsyncSession]:
        try:
            async with self._database.read() as session:
                await session.execute(text(f"SET LOCAL statement_timeout = {QUERY_MS}"))
                yield session
        except DBAPIError as error:
            if "statement timeout" in str(error.orig):
                raise OutOfReachError(texts.TOO_SLOW) from None
            raise

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)


def lexemes_of(raw: str) -> list[str]:
    """Every three characters, and every two of scripts without spaces."""
    small = raw.lower()
    found = dict.fromkeys(small[at : at + 3] for at in range(len(small) - 2))
    found |= dict.fromkeys(pairs_of(small).split())
    return list(found)[:TERMS_MAX]


def _where(wanted: LogFilter) -> tuple[str, dict[str, Any]]:
    parts = ["cluster_id = ANY(:clusters)"]
    values: dict[str, Any] = {"clusters": sorted(wanted.clusters)}
    for name, condition, value in (
        ("since", "time >= :since", wanted.since_ms),
        ("until", "time <= :until", wanted.until_ms),
        ("node", "node = :node", wanted.node),
        ("file", "file = :file", wanted.file),
        ("least", "severity <= :least", min(wanted.severity_max, DEBUG)),
    ):
        if value is not None:
            parts.append(condition)
            values[name] = value
    lexemes: list[str] = []
    for number, term in enumerate(wanted.terms):
        small = term.lower()
        if is_pair(small):
            lexemes += [f"{_quoted(small)}{':*' if len(small) == 1 else ''}"]
        elif len(small) > 2:
            lexemes += [_quoted(small[at : at + 3]) for at in range(len(small) - 2)]
        # The index finds where each part of it is; they have to be together.
        parts.append(f"raw ILIKE :term{number} ESCAPE '\\'")
        values[f"term{number}"] = f"%{_escaped(term)}%"
    if lexemes:
        parts.append("terms @@ CAST(:lexemes AS tsquery)")
        values["lexemes"] = " & ".join(dict.fromkeys(lexemes))
    return " AND ".join(parts), values


def _quoted(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _escaped(term: str) -> str:
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _record(row: Any) -> LogRecord:
    number, time_ms, *rest = row
    return LogRecord(f"{time_ms}.{number}", time_ms, *rest)
