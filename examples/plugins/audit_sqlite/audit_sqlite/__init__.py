"""Writes who connected, subscribed and published to an SQLite file, in batches."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from rookery.plugins import Client, Message, Plugin, PluginContext, SubscriptionInfo

FLUSH_S = 0.2
WAITING_MAX = 100_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL,
    client_id TEXT NOT NULL, topic TEXT, detail TEXT
)
"""

Row = tuple[int, str, str, str | None, str | None]


class AuditSqlite(Plugin):
    """Notices only: nobody waits for the file."""

    def __init__(self, context: PluginContext | None = None) -> None:
        super().__init__(context)
        self._rows: list[Row] = []
        self._database: sqlite3.Connection
        self._using = asyncio.Lock()  # of the file, by one thread at a time
        self._writing: asyncio.Task[None] | None = None
        self.dropped = 0

    async def start(self) -> None:
        """Open the file."""
        self._database = await asyncio.to_thread(self._open, self.settings)
        self._writing = asyncio.ensure_future(self._write_all())

    async def stop(self) -> None:
        """Write what waits and close the file."""
        async with self._using:  # a batch that is being written is written first
            if self._writing is not None:
                self._writing.cancel()
                await asyncio.gather(self._writing, return_exceptions=True)
            try:
                await asyncio.to_thread(self._flush)
            finally:
                self._database.close()

    async def settings_changed(self, settings: Mapping[str, Any]) -> None:
        """Another file may be meant: one that cannot be opened is refused, and this one goes on."""
        database = await asyncio.to_thread(self._open, settings)
        async with self._using:
            before, self._database = self._database, database
            before.close()

    def on_connected(self, client: Client) -> None:
        self._put("connected", client.client_id, None, client.peer)

    def on_disconnected(self, client: Client, reason: str) -> None:
        self._put("disconnected", client.client_id, None, reason)

    def on_subscribed(self, client_id: str, subscription: SubscriptionInfo) -> None:
        self._put("subscribed", client_id, subscription.topic_filter, f"qos {subscription.qos}")

    def on_publish(self, message: Message) -> Message:
        """A question, whose answer is always the same: it sees what nobody subscribes to as well."""
        if self.settings["messages"]:
            self._put(
                "published", message.client_id, message.topic, f"{len(message.payload)} bytes"
            )
        return message

    def _put(self, event: str, client_id: str, topic: str | None, detail: str | None) -> None:
        if len(self._rows) >= WAITING_MAX:
            self.dropped += 1
            return
        self._rows.append((time.time_ns() // 1_000_000, event, client_id, topic, detail))

    def _open(self, settings: Mapping[str, Any]) -> sqlite3.Connection:
        file = self.context.data_dir / str(settings["file"])
        database = sqlite3.connect(file, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(SCHEMA)
        except sqlite3.Error:
            database.close()
            raise
        return database

    async def _write_all(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            if not self._rows:
                continue
            try:
                async with self._using:
                    await asyncio.to_thread(self._flush)
            except sqlite3.Error as error:
                # A full disk, somebody else's lock: what waits is written when it is over.
                self.context.log.warning("%d events wait: %s", len(self._rows), error)

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        try:
            self._write(rows)
        except BaseException:
            self._rows = (rows + self._rows)[:WAITING_MAX]
            raise

    def _write(self, rows: list[Row]) -> None:
        with self._database:
            self._database.executemany(
                "INSERT INTO events (at_ms, event, client_id, topic, detail) VALUES (?, ?, ?, ?, ?)",
                rows,
            )
            self._database.execute(
                "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?",
                (int(self.settings["rows_max"]),),
            )
