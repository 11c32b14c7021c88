"""Messages that wait for the broker: in memory while there is a connection, on disk while there is none.

They leave in the order in which they came, each with a number that only grows, also over a restart: who
gets a message twice sees it by that. What is on disk is older than what is in memory. Whoever is full loses
its oldest messages, which are counted.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

FILE = "cache.db"
OVERHEAD_BYTES = 64
"""What a message costs beside its topic and payload."""
NUMBERS_AHEAD = 100_000
BATCH = 200
_TABLES = """
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL, size INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS numbers (next INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, numbered.

    Attributes:
        is_kept: Whether it is on disk as well.
    """

    seq: int
    topic: str
    payload: bytes
    is_kept: bool = False

    @property
    def size(self) -> int:
        return len(self.topic) + len(self.payload) + OVERHEAD_BYTES


class Cache:
    """Of one application. ``disk_bytes_max`` 0: nothing goes to disk, whatever happens."""

    def __init__(self, folder: Path, memory_bytes_max: int, disk_bytes_max: int) -> None:
        self.dropped = 0
        self.is_connected = False
        self._file = folder / FILE
        self._memory_max = memory_bytes_max
        self._disk_max = disk_bytes_max
        self._memory: deque[Message] = deque()
        self._memory_bytes = 0
        self._disk_bytes = self._disk_count = 0
        self._taken = 0  # seq of the last message that was taken from disk
        self._next_seq = self._seq_end = 0
        self._came = asyncio.Event()
        self._turn = asyncio.Lock()
        self._spilling: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "edge-cache")
        self._database: sqlite3.Connection | None = None

    # -- life ----------------------------------------------------------------------------

    async def open(self) -> None:
        """What was left on disk goes first."""
        await self._in_thread(self._open)
        if self._disk_count:
            self._came.set()

    async def close(self) -> None:
        """What waits goes to disk. May be called twice."""
        if self._spilling is not None:
            await self._spilling
        database, self._database = self._database, None
        if database is not None:
            messages = self._out_of_memory() if self._disk_max else []
            next_seq = self._next_seq
            await self._in_thread(lambda: self._finish(database, messages, next_seq))
        self._thread.shutdown()

    @property
    def waiting(self) -> int:
        return len(self._memory) + self._disk_count

    @property
    def disk_bytes(self) -> int:
        return self._disk_bytes

    # -- in ------------------------------------------------------------------------------

    def number(self) -> int:
        """The number of the next message, once."""
        self._next_seq += 1
        if self._next_seq + NUMBERS_AHEAD // 2 > self._seq_end:
            self._seq_end = end = self._next_seq + NUMBERS_AHEAD
            # Until that is on disk half of the last ones are left.
            self._thread.submit(self._reserve, end)
        return self._next_seq - 1

    def put(self, message: Message) -> None:
        """Wait with the others; never blocks."""
        self._memory.append(message)
        self._memory_bytes += message.size
        self._came.set()
        is_over = self._memory_bytes > self._memory_max
        if self._disk_max and (is_over or not self.is_connected):
            self._spill()
        elif not self._disk_max:
            while self._memory_bytes > self._memory_max:
                self._memory_bytes -= self._memory.popleft().size
                self.dropped += 1

    def lost(self, unsent: Sequence[Message]) -> None:
        """The connection ended: these were taken, and nobody has acknowledged them."""
        self.is_connected = False
        from_memory = [message for message in unsent if not message.is_kept]
        self._taken = 0
        self._memory.extendleft(reversed(from_memory))
        self._memory_bytes += sum(message.size for message in from_memory)
        if self.waiting:
            self._came.set()
        if self._disk_max and self._memory:
            self._spill()

    def _spill(self) -> None:
        if self._spilling is None or self._spilling.done():
            self._spilling = asyncio.create_task(self._spill_all())

    async def _spill_all(self) -> None:
        async with self._turn:
            while self._memory and self._database is not None:
                messages = self._out_of_memory()
                await self._in_thread(partial(self._write, messages))

    def _out_of_memory(self) -> list[Message]:
        messages = list(self._memory)
        self._memory.clear()
        self._memory_bytes = 0
        return messages

    # -- out -----------------------------------------------------------------------------

    async def take(self) -> list[Message]:
        """The next messages; waits until there are some. Whoever takes them says when they are sent."""
        while True:
            if self._spilling is not None:
                await self._spilling
            async with self._turn:
                if self._disk_count:
                    found = await self._in_thread(self._read)
                    if found:
                        self._taken = found[-1].seq
                        return found
                if self._memory:
                    count = min(BATCH, len(self._memory))
                    taken = [self._memory.popleft() for _ in range(count)]
                    self._memory_bytes -= sum(message.size for message in taken)
                    return taken
                self._came.clear()
            await self._came.wait()

    async def sent(self, seq: int) -> None:
        """All messages up to that number need not be kept any more."""
        if self._disk_count and self._taken:
            await self._in_thread(lambda: self._delete(seq))

    # -- in the thread --------------------------------------------------------------------

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> None:
        os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        # What was written survives the process; a loss of power may take the last moments.
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_TABLES)
        row = db.execute("SELECT max(next) FROM numbers").fetchone()
        self._next_seq = max(1, row[0] or 1)
        self._seq_end = self._next_seq + NUMBERS_AHEAD
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM numbers")
        db.execute("INSERT INTO numbers VALUES (?)", (self._seq_end,))
        db.execute("COMMIT")
        self._database = db
        self._count()
        self._make_room()

    def _reserve(self, end: int) -> None:
        if self._database is not None:
            self._database.execute("UPDATE numbers SET next = ?", (end,))

    def _count(self) -> None:
        assert self._database is not None
        sql = "SELECT count(*), coalesce(sum(size), 0) FROM messages"
        self._disk_count, self._disk_bytes = self._database.execute(sql).fetchone()

    def _write(self, messages: Sequence[Message]) -> None:
        db = self._database
        if db is None:
            return
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?)",
            [(one.seq, one.topic, one.payload, one.size) for one in messages],
        )
        db.execute("COMMIT")
        self._disk_count += len(messages)
        self._disk_bytes += sum(message.size for message in messages)
        self._make_room()

    def _make_room(self) -> None:
        """The oldest go; a part more than has to, so that it is not done for every message."""
        db = self._database
        if db is None or self._disk_bytes <= self._disk_max:
            return
        over = self._disk_bytes - self._disk_max
        freed, last = 0, 0
        for seq, size in db.execute("SELECT seq, size FROM messages ORDER BY seq"):
            freed, last = freed + size, seq
            if freed >= over:
                break
        before = self._disk_count
        self._delete(last)
        self.dropped += before - self._disk_count

    def _read(self) -> list[Message]:
        assert self._database is not None
        sql = "SELECT seq, topic, payload FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"
        rows = self._database.execute(sql, (self._taken, BATCH)).fetchall()
        return [Message(seq, topic, payload, is_kept=True) for seq, topic, payload in rows]

    def _delete(self, seq: int) -> None:
        db = self._database
        if db is None:
            return
        sql = "SELECT count(*), coalesce(sum(size), 0) FROM messages WHERE seq <= ?"
        count, size = db.execute(sql, (seq,)).fetchone()
        db.execute("DELETE FROM messages WHERE seq <= ?", (seq,))
        self._disk_count -= count
        self._disk_bytes -= size

    def _finish(self, db: sqlite3.Connection, messages: Sequence[Message], next_seq: int) -> None:
        self._database = db
        if messages:
            self._write(messages)
        db.execute("UPDATE numbers SET next = ?", (next_seq,))
        self._database = None
        db.close()
