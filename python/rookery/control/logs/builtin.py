"""The built-in store: files of SQLite in the data directory, one or more for each project and day.

One thread writes, and a few read. A file is full at :data:`SEGMENT_SHARE` of what may be kept. It goes when it is
too old; and when there is too much, the oldest one of the project that has most: a loud one takes nothing from
others. **Bound.** :data:`WRITERS_MAX` files are open for writing.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from rookery.clock import Clock
from rookery.control.errors import InvalidError, OutOfReachError
from rookery.control.logs import texts
from rookery.control.logs.models import (
    Bucket,
    LogFilter,
    LogRecord,
    Part,
    Retention,
    Source,
)
from rookery.control.logs.retaining import Held, too_much
from rookery.control.logs.segment import After, Segment, TooSlowError, origin_key

_log = logging.getLogger("rookery.control.logs")
_T = TypeVar("_T")

READERS = 2
SEGMENT_BYTES_MAX = 256 << 20
SEGMENT_SHARE = 16
"""A file takes no more than this part of all."""
PROJECTS_COUNTED_MAX = 8
"""Among so many a file's part of all is divided; with more of them files do not become smaller."""
WRITERS_MAX = 64
_NAME = re.compile(r"\d{6,}-\d{8}(-[0-9a-f]{1,32})?\.db")
_ID = re.compile(r"(\d{1,16})\.(\d{1,12})\.(\d{1,16})")


class BuiltinLogs:
    """Keeps records in ``folder``. Lives on one event loop."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._segments: list[Segment] = []
        self._segment_bytes = SEGMENT_BYTES_MAX
        self._writer: ThreadPoolExecutor | None = None
        self._readers: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        self._writer = ThreadPoolExecutor(1, "logs-writer")
        self._readers = ThreadPoolExecutor(READERS, "logs-reader")
        await self._in(self._writer, self._open)

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        readers, self._readers = self._readers, None
        if readers is not None:
            readers.shutdown(wait=True, cancel_futures=True)
        if writer is not None:
            await asyncio.get_running_loop().run_in_executor(writer, self._close)
            writer.shutdown(wait=True)

    async def put(self, parts: Sequence[Part]) -> list[LogRecord]:
        return await self._in(self._writer, lambda: self._put(parts))

    async def page(
        self, wanted: LogFilter, size: int, *, after: str | None, is_newest_first: bool
    ) -> list[LogRecord]:
        behind = None if after is None else _after(after)
        return await self._in(
            self._readers, lambda: self._page(wanted, size, behind, is_newest_first)
        )

    async def histogram(self, wanted: LogFilter, start_ms: int, width_ms: int) -> list[Bucket]:
        return await self._in(self._readers, lambda: self._histogram(wanted, start_ms, width_ms))

    def notice(self, records: Sequence[LogRecord]) -> str:
        return ""  # with SQLite there is one process

    async def noticed(self, notice: str, clusters: frozenset[str]) -> list[LogRecord]:
        return []

    async def sources(self, clusters: frozenset[str]) -> list[Source]:
        return await self._in(self._readers, lambda: self._sources(clusters))

    async def sweep(self, retention: Retention) -> None:
        projects = len({segment.project_id for segment in self._segments})
        shares = SEGMENT_SHARE * min(max(projects, 1), PROJECTS_COUNTED_MAX)
        self._segment_bytes = min(SEGMENT_BYTES_MAX, retention.bytes_max // shares)
        await self._in(self._writer, lambda: self._sweep(retention))

    async def size(self, project_id: str | None = None) -> int | None:
        return await self._in(
            self._readers,
            lambda: sum(
                segment.size
                for segment in self._segments
                if project_id is None or segment.project_id == project_id
            ),
        )

    async def _in(self, threads: ThreadPoolExecutor | None, work: Callable[[], _T]) -> _T:
        if threads is None:
            raise OutOfReachError(texts.NOT_READABLE, reason="closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        except TooSlowError:
            raise OutOfReachError(texts.TOO_SLOW) from None
        except (sqlite3.Error, OSError) as error:
            text = texts.NOT_WRITABLE if threads is self._writer else texts.NOT_READABLE
            raise OutOfReachError(text, reason=error) from error

    # -- in the writing thread ---------------------------------------------------------------

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = []
        for path in sorted(self._folder.iterdir()):
            if _NAME.fullmatch(path.name) is None:
                continue
            segment = Segment(path.absolute())
            try:
                segment.open()
            except sqlite3.DatabaseError as error:
                # One day's file is broken: the others are not.
                _log.error("%s cannot be used and is left aside: %s", path, error)
                segment.close()
                continue
            segment.close()
            found.append(segment)
        self._segments = found

    def _close(self) -> None:
        for segment in self._segments:
            segment.close()

    def _put(self, parts: Sequence[Part]) -> list[LogRecord]:
        fresh: dict[str, list[Part]] = {}
        for part in map(self._unknown, _joined(parts)):
            if part.entries:
                fresh.setdefault(part.origin.project_id, []).append(part)
        made = []
        # One that fails is tried again with all, and knows the others then.
        for project_id, theirs in fresh.items():
            made += self._current(project_id).put(theirs)
        self._close_some()
        return made

    def _close_some(self) -> None:
        written = [segment for segment in self._segments if segment.is_open]
        for segment in written[:-WRITERS_MAX]:
            segment.close()

    def _unknown(self, part: Part) -> Part:
        """Without what is there already: an agent sends again what may not have arrived."""
        known: set[int] = set()
        for segment in self._segments:
            known |= segment.known(part)
        if not known:
            return part
        return Part(part.origin, [one for one in part.entries if one.position not in known])

    def _current(self, project_id: str) -> Segment:
        day = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).strftime("%Y%m%d")
        theirs = [one for one in self._segments if one.project_id == project_id]
        last = theirs[-1] if theirs else None
        if last is not None and last.day >= day and last.size < self._segment_bytes:
            return last
        if last is not None:
            last.close()
        number = self._segments[-1].number + 1 if self._segments else 1
        name = f"{number:06d}-{day}" + (f"-{project_id}" if project_id else "")
        made = Segment((self._folder / f"{name}.db").absolute())
        made.open()
        made.path.chmod(0o600)
        # Readers go through the list that they have.
        self._segments = [*self._segments, made]
        return made

    def _sweep(self, retention: Retention) -> None:
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        oldest = (now - timedelta(days=retention.days)).strftime("%Y%m%d")
        sizes = [Held(one.number, one.project_id, one.day, one.size) for one in self._segments]
        gone = {one.number: one.size for one in too_much(sizes, oldest, retention)}
        dropped = [segment for segment in self._segments if segment.number in gone]
        self._segments = [segment for segment in self._segments if segment.number not in gone]
        for segment in dropped:
            segment.remove()
            size = gone[segment.number]
            _log.info(
                "logs of %s of project %s are gone: %d bytes",
                segment.day,
                segment.project_id or "?",
                size,
            )

    # -- in reading threads ------------------------------------------------------------------

    def _page(
        self, wanted: LogFilter, size: int, after: After | None, is_newest_first: bool
    ) -> list[LogRecord]:
        found: list[LogRecord] = []
        for segment in self._in_time(wanted, is_newest_first=is_newest_first):
            if len(found) == size and _is_all_behind(segment, found[-1], is_newest_first):
                continue
            with _still_there(segment):
                more = segment.page(wanted, size, after, is_newest_first=is_newest_first)
                merged = heapq.merge(found, more, key=_order, reverse=is_newest_first)
                found = [record for _, record in zip(range(size), merged, strict=False)]
        return found

    def _in_time(self, wanted: LogFilter, *, is_newest_first: bool) -> list[Segment]:
        """Files that may have some of it, those that have the first ones first."""
        since = wanted.since_ms
        until = wanted.until_ms
        found = [
            segment
            for segment in self._segments
            if segment.last_ms >= segment.first_ms
            and not segment.clusters.isdisjoint(wanted.clusters)
            and (since is None or segment.last_ms >= since)
            and (until is None or segment.first_ms <= until)
        ]
        if is_newest_first:
            return sorted(found, key=lambda one: one.last_ms, reverse=True)
        return sorted(found, key=lambda one: one.first_ms)

    def _histogram(self, wanted: LogFilter, start_ms: int, width_ms: int) -> list[Bucket]:
        counts: dict[tuple[int, int], int] = {}
        for segment in self._in_time(wanted, is_newest_first=True):
            with _still_there(segment):
                for bucket in segment.histogram(wanted, start_ms, width_ms):
                    key = (bucket.index, bucket.severity)
                    counts[key] = counts.get(key, 0) + bucket.count
        return [Bucket(*key, count) for key, count in sorted(counts.items())]

    def _sources(self, clusters: frozenset[str]) -> list[Source]:
        found: dict[tuple[str, str, str], Source] = {}
        for segment in self._segments:
            if segment.clusters.isdisjoint(clusters):
                continue
            with _still_there(segment):
                for source in segment.sources(clusters):
                    key = (source.cluster_id, source.node, source.file)
                    held = found.get(key)
                    if held is None or held.last_ms < source.last_ms:
                        found[key] = source
        return list(found.values())


@contextlib.contextmanager
def _still_there(segment: Segment) -> Iterator[None]:
    """What became too old while it was asked for has nothing to say."""
    try:
        yield
    except sqlite3.OperationalError:
        if segment.path.exists():
            raise


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Each record once, though two batches may hold it."""
    seen: set[tuple[tuple[str, str], int]] = set()
    found = []
    for part in parts:
        key = origin_key(part.origin)
        entries = []
        for entry in part.entries:
            if (key, entry.position) not in seen:
                seen.add((key, entry.position))
                entries.append(entry)
        if entries:
            found.append(Part(part.origin, entries))
    return found


def _after(text: str) -> After:
    found = _ID.fullmatch(text)
    if found is None:
        raise InvalidError(texts.BAD_CURSOR)
    return After(int(found[1]), int(found[2]), int(found[3]))


def _order(record: LogRecord) -> tuple[int, ...]:
    return tuple(int(part) for part in record.id.split("."))


def _is_all_behind(segment: Segment, last: LogRecord, is_newest_first: bool) -> bool:
    if is_newest_first:
        return segment.last_ms < last.time_ms
    return segment.first_ms > last.time_ms
