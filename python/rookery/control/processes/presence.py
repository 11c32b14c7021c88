"""Tells the database that this process is there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from sqlalchemy import delete

from rookery.clock import Clock
from rookery.control.processes.store import ProcessRow
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.native.node import version
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control")

HEARTBEAT_S = 10.0
GONE_MS = 60_000
"""A process that said nothing for so long is not there any more."""


class Announced(NamedTuple):
    """How other processes reach this one; empty: they do not.

    Attributes:
        address: Host and port.
        certificate_sha256: Of what answers there, in DER form.
        secret: What lets others in.
    """

    address: str = ""
    certificate_sha256: str = ""
    secret: str = ""


class Presence:
    """The row of one process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        process_id: str,
        *,
        announced: Callable[[], Announced],
        also: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``announced`` says how others reach it.

        ``also`` is called at every beat, the first included: for what other processes may change.
        """
        self._announced = announced
        self._also = also
        self._started_ms = 0
        self._database = database
        self._clock = clock
        self._process_id = process_id
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            self._started_ms = now_ms
            session.add(self._row(now_ms))
        if self._also is not None:
            await self._also()
        self._task = asyncio.create_task(self._beat(), name="presence")

    async def close(self) -> None:
        """May be called twice."""
        if self._task is None:
            return
        await ended("telling other processes", self._task)
        self._task = None
        with contextlib.suppress(RookeryError):
            async with self._database.write() as session:
                await session.execute(delete(ProcessRow).where(ProcessRow.id == self._process_id))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await self._tell()
                if self._also is not None:
                    await self._also()
            except RookeryError as error:
                _log.warning("the database was not told that this process is there: %s", error)

    async def _tell(self) -> None:
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            row = await session.get(ProcessRow, self._process_id)
            if row is None:
                # It was stopped for so long that others took it for gone.
                session.add(self._row(now_ms))
            else:
                row.heartbeat_at = now_ms
            await session.execute(
                delete(ProcessRow).where(ProcessRow.heartbeat_at < now_ms - GONE_MS)
            )

    def _row(self, now_ms: int) -> ProcessRow:
        announced = self._announced()
        return ProcessRow(
            id=self._process_id,
            name=f"{socket.gethostname()[:250]}:{os.getpid()}",
            version=version(),
            started_at=self._started_ms,
            heartbeat_at=now_ms,
            peer_address=announced.address,
            peer_certificate=announced.certificate_sha256,
            peer_secret=announced.secret,
        )
