"""Keeps one connector connected: starts it, asks it for a sign of life, starts it again.

What is said about it is said once: a status that stays the same makes no second log line.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Protocol

from rookery.access.errors import SettingError, Words
from rookery.access.reasons import no_answer
from rookery.clock import Clock
from rookery.connectors.backoff import Backoff
from rookery.connectors.base import Connector, ConnectorError, Reconnecting
from rookery.connectors.defects import defect
from rookery.connectors.options import ConnectorOptions
from rookery.connectors.status import NOT_STARTED, STOPPED, State, Status
from rookery.ending import ended

_logger = logging.getLogger(__name__)

START_S = 60.0
"""Longest time of one attempt to connect; types have shorter deadlines of their own."""
CHECK_S = 10.0
"""Longest time for a sign of life."""
LET_GO_S = 5.0
"""How long what uses a connection may take to let go of it."""
SPACING_S = 1.0
"""Shortest time between two checks, however often a request fails."""


class Dependent(Protocol):
    """An action or a source on a connector."""

    def link_changed(self) -> None:
        """The status of the connector is another one."""
        ...

    async def let_go(self) -> None:
        """Stop using the connection, which is about to end."""
        ...


class Link:
    """One connector and the task that keeps it connected. Belongs to one event loop."""

    def __init__(
        self,
        connector_id: str,
        connector: Connector[Any, Any],
        options: ConnectorOptions,
        clock: Clock,
        tell: Callable[[Status], None],
        *,
        idle: Words = NOT_STARTED,
        may_start: bool = True,
    ) -> None:
        """``idle`` says why it is not connected before :meth:`start`, which only may be called
        where ``may_start`` is.
        """
        self.id = connector_id
        self.connector = connector
        self._options = options
        self._clock = clock
        self._tell = tell
        self._idle = idle
        self.may_start = may_start
        self._dependents: list[Dependent] = []
        self._task: asyncio.Task[None] | None = None
        self._poked = asyncio.Event()
        self._checked_s = -SPACING_S
        self.settled = asyncio.Event()
        """Set when the first attempt has ended, well or not, and while none is made."""
        self.settled.set()
        self.status = Status(State.DISCONNECTED, idle, clock.now_ms())

    def attach(self, dependent: Dependent) -> None:
        self._dependents.append(dependent)

    def detach(self, dependent: Dependent) -> None:
        with contextlib.suppress(ValueError):
            self._dependents.remove(dependent)

    def start(self) -> None:
        """Connect, and stay connected. Does nothing when that is being done already."""
        if self._task is None:
            self.settled.clear()
            self._set(State.CONNECTING, None)
            self._task = asyncio.create_task(self._run(), name=f"connector {self.id}")

    async def stop(self) -> None:
        """Disconnect. May be called twice."""
        task, self._task = self._task, None
        if task is None:
            return
        await ended(f"connector {self.id}", task)
        self._set(State.DISCONNECTED, STOPPED if self._idle is NOT_STARTED else self._idle)
        await self._disconnect()
        self.settled.set()

    def poke(self) -> None:
        """Check soon: something failed that a broken connection would explain."""
        self._poked.set()

    async def _run(self) -> None:
        backoff = Backoff(self._options.health_check_interval, first_s=0.5)
        wait_s = 0.0
        while True:
            if await self._connect():
                began_s = self._clock.monotonic_s()
                await self._watch(backoff)
                if self._clock.monotonic_s() - began_s > 2 * wait_s:
                    backoff.reset()  # it stood for longer than it was waited for
                await self._disconnect()
            wait_s = backoff.next_s()
            await asyncio.sleep(wait_s)

    async def _connect(self) -> bool:
        try:
            async with asyncio.timeout(START_S):
                await self.connector.start()
        except TimeoutError:
            self._set(State.DISCONNECTED, no_answer(self.id, START_S))
        except ConnectorError as error:
            self._set(State.DISCONNECTED, error.words)
        except SettingError as error:
            self._set(State.DISCONNECTED, error.words)
        except Exception as error:  # noqa: BLE001 - of a client library; it is logged
            self._set(State.DISCONNECTED, defect(_logger, f"connector {self.id}", error))
        else:
            self._set(State.CONNECTED, None)
            self.settled.set()
            return True
        self.settled.set()
        await self._disconnect()
        return False

    async def _watch(self, backoff: Backoff) -> None:
        """Return when the connection is lost for good."""
        waits = Backoff(self._options.health_check_interval, first_s=SPACING_S)
        while True:
            is_up = self.status.is_connected
            await self._pause(self._options.health_check_interval if is_up else waits.next_s())
            words = await self._check()
            if self.status.state is State.DISCONNECTED:
                return
            if words is None:
                backoff.reset()
                waits.reset()

    async def _check(self) -> Words | None:
        self._checked_s = self._clock.monotonic_s()
        words: Words | None = None
        state = State.DISCONNECTED
        try:
            async with asyncio.timeout(CHECK_S):
                await self.connector.check()
            state = State.CONNECTED
        except TimeoutError:
            words = no_answer(self.id, CHECK_S)
        except Reconnecting as error:
            state, words = State.CONNECTING, error.words
        except ConnectorError as error:
            words = error.words
        except Exception as error:  # noqa: BLE001 - of a client library; it is logged
            words = defect(_logger, f"connector {self.id}", error)
        self._set(state, words)
        return words

    async def _pause(self, wait_s: float) -> None:
        self._poked.clear()
        try:
            async with asyncio.timeout(wait_s):
                await self._poked.wait()
        except TimeoutError:
            return
        early_s = SPACING_S - (self._clock.monotonic_s() - self._checked_s)
        if early_s > 0:
            await asyncio.sleep(early_s)

    async def _disconnect(self) -> None:
        lets_go = [dependent.let_go() for dependent in self._dependents]
        try:
            async with asyncio.timeout(LET_GO_S):
                await asyncio.gather(*lets_go)
        except TimeoutError:
            _logger.warning("connector %s: what uses it does not let go of it", self.id)
        try:
            async with asyncio.timeout(LET_GO_S):
                await self.connector.stop()
        except TimeoutError:
            _logger.warning("connector %s: it does not end within %g s", self.id, LET_GO_S)
        except Exception as error:  # noqa: BLE001 - of a client library; it is logged
            defect(_logger, f"connector {self.id}", error)

    def _set(self, state: State, reason: Words | None) -> None:
        if (state, reason) == (self.status.state, self.status.reason):
            return
        log = _logger.info if state is not State.DISCONNECTED or not self._task else _logger.warning
        log("connector %s: %s%s", self.id, state, f": {reason.en}" if reason else "")
        since_ms = self.status.since_ms if state is self.status.state else self._clock.now_ms()
        self.status = Status(state, reason, since_ms)
        self._tell(self.status)
        for dependent in tuple(self._dependents):
            dependent.link_changed()
