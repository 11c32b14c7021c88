"""Sends commands to the agents that are connected to this process, and takes what they say.

Every process does this for its own agents; what it has to send is in the database, so that any
process may have made it. Whoever makes a command has :meth:`Dispatcher.wake` called in every process;
that one is due again is found by looking every :data:`LOOK_S`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Collection, Sequence
from typing import Protocol

from rookery.clock import Clock
from rookery.contracts.agent_v1 import COMMAND_MS_MAX, Channel, Command, CommandState, Message
from rookery.control.commands import store
from rookery.control.commands.service import Commands
from rookery.control.commands.state import UNDER_WAY, Pending, State, next_one
from rookery.control.commands.store import CommandRow
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control.commands")

CAPABILITY = "commands"
LOOK_S = 2.0
AGAIN_S = 1.0
"""After a failure of the database."""
HEARD_MAX = 10_000
"""Answers that wait to be written; one that is lost is told again when the command is sent again."""
AGENTS_MAX = 1000
EXPIRES_S = 30
"""A command that waits longer in the relay is dropped there; it is sent again."""


class Sender(Protocol):
    """What carries messages to agents."""

    def is_connected(self, agent_id: str) -> bool: ...

    async def send(
        self,
        agent_id: str,
        channel: Channel,
        message: Message | None,
        *,
        retain: bool = False,
        expires_s: int | None = None,
        correlation: bytes | None = None,
    ) -> None: ...


class Dispatcher:
    """The commands of the agents of this process. Lives on the relay's event loop."""

    def __init__(
        self, commands: Commands, database: Database, clock: Clock, sender: Sender
    ) -> None:
        self._commands = commands
        self._database = database
        self._clock = clock
        self._sender = sender
        # Of each agent that is here: what it was sent since it came.
        self._came: dict[str, set[str]] = {}
        self._too_old: set[str] = set()
        self._woken: set[str] = set()
        self._heard: deque[tuple[str, CommandState]] = deque(maxlen=HEARD_MAX)
        self._gone: set[str] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.counters = {"commands.sent": 0, "commands.heard": 0}

    async def open(self) -> None:
        """Begin on the running loop."""
        self._task = asyncio.create_task(self._run(), name="commands")

    async def close(self) -> None:
        """Write what was heard and end. May be called twice."""
        task, self._task = self._task, None
        if task is None:
            return
        await ended("sending commands", task)
        with contextlib.suppress(RookeryError):
            await self._write()

    # -- what others tell ----------------------------------------------------------------------

    def wake(self, agent_id: str) -> None:
        """Something is to be sent to an agent, wherever it is connected."""
        self._woken.add(agent_id)
        self._news.set()

    def came(self, agent_id: str, capabilities: Collection[str]) -> None:
        """An agent says that it is there."""
        if CAPABILITY in capabilities:
            self._too_old.discard(agent_id)
        else:
            self._too_old.add(agent_id)
        self._came[agent_id] = set()
        self.wake(agent_id)

    def left(self, agent_id: str) -> None:
        """It is gone."""
        self._came.pop(agent_id, None)
        self._too_old.discard(agent_id)

    def heard(self, agent_id: str, said: CommandState) -> None:
        """It says how far a command is."""
        self._heard.append((agent_id, said))
        self._news.set()

    def told(self, agent_id: str) -> None:
        """It was let go and says that it knows."""
        self._gone.add(agent_id)
        self._news.set()

    # -- the task ------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            self._news.clear()
            try:
                await self._write()
                await self._look()
            except RookeryError as error:
                _log.warning("commands are sent later: %s", error)
                await asyncio.sleep(AGAIN_S)
                self._news.set()
            except Exception:  # noqa: BLE001  -- one failure must not end the sending for good
                _log.exception("commands could not be sent, it is tried again")
                await asyncio.sleep(AGAIN_S)

    async def _write(self) -> None:
        while self._heard:
            agent_id, said = self._heard.popleft()
            try:
                is_free = await self._commands.take(agent_id, said)
            except RookeryError:
                self._heard.appendleft((agent_id, said))
                raise
            self.counters["commands.heard"] += 1
            if is_free:
                self._woken.add(agent_id)
        while self._gone:
            agent_id = next(iter(self._gone))
            await self._commands.told(agent_id)
            self._gone.discard(agent_id)

    async def _look(self) -> None:
        woken, self._woken = self._woken, set()
        try:
            async with self._database.read() as session:
                now_ms = await self._database.now_ms(session, self._clock.now_ms())
                due = await store.agents_waiting(session, now_ms, most=AGENTS_MAX)
        except RookeryError:
            self._woken |= woken
            raise
        for agent_id in {*woken, *due}:
            if self._sender.is_connected(agent_id):
                await self._serve(agent_id)

    async def _serve(self, agent_id: str) -> None:
        """Send an agent what its turn is, if anything."""
        if agent_id not in self._came:
            return  # its presence comes in a moment, and says what it can do
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            chosen = self._chosen(await store.open_of_agent(session, agent_id), agent_id, now_ms)
        if chosen is None:
            return
        async with self._database.write() as session:
            row = await session.get(CommandRow, chosen)
            # Somebody may have taken it back meanwhile.
            if row is None or store.state_of(row) not in UNDER_WAY | {State.QUEUED}:
                return
            if agent_id in self._too_old:
                row.code = "OLD_AGENT"
                return
            _mark_sent(row, now_ms)
            message = Command(
                row.id,
                row.kind,
                max(1, min(row.expires_at - now_ms, COMMAND_MS_MAX)),
                attempt=row.attempts,
                arguments={str(name): str(value) for name, value in row.arguments.items()},
            )
            places = await store.places_of(session, [row.cluster_id])
        # What is marked and not sent, because this process died here, is sent again.
        await self._sender.send(
            agent_id, Channel.REQUEST, message, expires_s=EXPIRES_S, correlation=row.id.encode()
        )
        self._came.get(agent_id, set()).add(message.id)
        self.counters["commands.sent"] += 1
        self._commands.moved(places)

    def _chosen(self, rows: Sequence[CommandRow], agent_id: str, now_ms: int) -> str | None:
        pending = (
            Pending(row.id, store.state_of(row), row.sent_at or 0, row.not_before) for row in rows
        )
        chosen = next_one(pending, now_ms, self._came[agent_id])
        if chosen is not None and agent_id in self._too_old:
            said = next(row.code for row in rows if row.id == chosen)
            return None if said == "OLD_AGENT" else chosen
        return chosen


def _mark_sent(row: CommandRow, now_ms: int) -> None:
    if store.state_of(row) is State.QUEUED:
        row.state = str(State.SENT)
        row.code = row.text = ""
    row.attempts += 1
    row.sent_at = now_ms
