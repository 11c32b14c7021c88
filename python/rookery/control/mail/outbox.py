"""Messages that have to arrive although the mail server is away for a while.

A message is kept in the transaction of what it tells, and tried at once by the process that kept it; what
failed is tried again, less and less often, by the one process whose turn it is, until nobody needs it any
more. A process that dies while it sends leaves the message to another, so that it may come twice.

**Bounds.** :data:`WAITING_MAX` messages; more are refused to whoever would send them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.errors import OutOfReachError
from rookery.control.mail import store, texts
from rookery.control.mail.errors import MailError
from rookery.control.mail.message import SUBJECT_MAX
from rookery.control.mail.service import Mailer
from rookery.control.mail.store import OutboxRow
from rookery.control.vault import Vault
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database
from rookery.storage.ids import new_id

_log = logging.getLogger("rookery.control")

WAITING_MAX = 1000
BATCH = 20
CLAIM_MS = 120_000
"""Longer than an attempt takes."""
FIRST_WAIT_MS = 15_000
WAIT_MAX_MS = 600_000
SWEEP_S = 15.0
STOP_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message to one recipient, until when it is of use."""

    recipient: str
    subject: str
    text: str
    until_ms: int


class Outbox:
    """The messages of one database that wait."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, mailer: Mailer) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._mailer = mailer
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def post(self, session: AsyncSession, letter: Letter) -> None:
        """Keep a message in a unit of work of the caller's, who calls :meth:`nudge` when that is kept.

        Raises:
            OutOfReachError: too many wait.
        """
        if await store.count(session) >= WAITING_MAX:
            raise OutOfReachError(texts.QUEUE_FULL, most=WAITING_MAX)
        row_id = new_id()
        now_ms = self._clock.now_ms()
        session.add(
            OutboxRow(
                id=row_id,
                recipient=letter.recipient,
                subject=letter.subject[:SUBJECT_MAX],
                body=self._vault.seal(json.dumps(letter.text), _purpose(row_id)),
                created_at=now_ms,
                until_at=letter.until_ms,
                next_at=now_ms,
                attempts=0,
                error="",
            )
        )

    def nudge(self) -> None:
        """Something was kept: send it."""
        self._wanted.set()

    async def open(self) -> None:
        """Begin on the running loop."""
        self._task = asyncio.create_task(self._run(), name="mail outbox")

    async def close(self) -> None:
        """Give what is under way a moment. May be called twice."""
        task, self._task = self._task, None
        if task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S), self._turn:
                pass
        await ended("sending mail", task)

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.send_due()
            except RookeryError as error:
                _log.warning("mail waits: %s", error)

    async def send_due(self) -> None:
        """Try what may be tried now; also done every :data:`SWEEP_S` seconds by one process."""
        async with self._turn:
            while await self._send_some():
                pass

    async def _send_some(self) -> bool:
        now_ms = self._clock.now_ms()
        async with self._database.read() as session:
            if not await store.due(session, now_ms, 1):
                return False
        async with self._database.write() as session:
            rows = await store.due(session, now_ms, BATCH)
            mine = [row for row in rows if await store.claim(session, row, now_ms + CLAIM_MS)]
        for row in mine:
            await self._send(row)
        return len(rows) == BATCH

    async def _send(self, row: OutboxRow) -> None:
        now_ms = self._clock.now_ms()
        if row.until_at <= now_ms:
            _log.warning("mail %s to %s was given up: %s", row.id, row.recipient, row.error)
            await self._forget(row.id)
            return
        try:
            text = json.loads(self._vault.unseal(row.body, _purpose(row.id)))
            await self._mailer.send([row.recipient], row.subject, text)
        except MailError as error:
            if error.is_final:
                _log.warning("mail %s is refused for good: %s", row.id, error)
                await self._forget(row.id)
            else:
                await self._later(row.id, str(error))
        except RookeryError as error:
            await self._later(row.id, str(error))
        else:
            _log.info("mail %s was sent to %s", row.id, row.recipient)
            await self._forget(row.id)

    async def _forget(self, row_id: str) -> None:
        async with self._database.write() as session:
            row = await session.get(OutboxRow, row_id)
            if row is not None:
                await session.delete(row)

    async def _later(self, row_id: str, reason: str) -> None:
        async with self._database.write() as session:
            row = await session.get(OutboxRow, row_id)
            if row is None:
                return
            wait_ms = min(FIRST_WAIT_MS << min(row.attempts - 1, 16), WAIT_MAX_MS)
            row.next_at, row.error = self._clock.now_ms() + wait_ms, reason[:500]
        _log.warning("mail %s is tried again in %d s: %s", row_id, wait_ms // 1000, reason)


def _purpose(row_id: str) -> str:
    return f"mail {row_id}"
