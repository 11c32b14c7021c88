"""Whether an action can send: its connector is connected, it found what it needs there, and what it
sends is taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rookery.access.errors import Words
from rookery.access.reasons import no_answer
from rookery.clock import Clock
from rookery.connectors.backoff import Backoff
from rookery.connectors.base import Action, ConnectorError
from rookery.connectors.defects import defect
from rookery.connectors.deliveries import Deliveries
from rookery.connectors.health import CHECK_S, Link
from rookery.connectors.status import NOT_STARTED, State, Status

_logger = logging.getLogger(__name__)

_CONNECTOR_DOWN = Words("the connector is {state}: {reason}", "连接器{state}：{reason}")
_STATES_ZH = {
    State.CONNECTED: "已连接",
    State.CONNECTING: "正在连接",
    State.DISCONNECTED: "已断开",
    State.INCONSISTENT: "状态不一致",
}


def of_connector(status: Status) -> Words | None:
    """Why an action or a source does not work whose connector has this status.

    None while the connector connects for the first time: nothing is wrong yet.
    """
    if status.reason is None:
        return None
    en = _CONNECTOR_DOWN.en.format(state=status.state, reason=status.reason.en)
    zh = _CONNECTOR_DOWN.zh.format(state=_STATES_ZH[status.state], reason=status.reason.zh)
    return Words(en, zh)


class Gate:
    """Open while items may be sent."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self._closed = asyncio.Event()
        self._closed.set()

    @property
    def is_open(self) -> bool:
        return self._opened.is_set()

    def open(self) -> None:
        self._closed.clear()
        self._opened.set()

    def close(self) -> None:
        self._opened.clear()
        self._closed.set()

    async def opened(self) -> None:
        await self._opened.wait()

    async def closed(self) -> None:
        await self._closed.wait()


class Standing:
    """The status of an action, kept up by :meth:`run`. Belongs to one event loop."""

    def __init__(
        self,
        action_id: str,
        action: Action,
        link: Link,
        interval_s: float,
        clock: Clock,
        tell: Callable[[Status], None],
    ) -> None:
        self._id = action_id
        self._action = action
        self._link = link
        self._interval_s = interval_s
        self._clock = clock
        self._tell = tell
        self._is_ready = False
        self._changed = asyncio.Event()
        self._lock = asyncio.Lock()
        self.gate = Gate()
        self.deliveries = Deliveries(interval_s, clock, self.look_soon)
        self.settled = asyncio.Event()
        """Set when the first attempt has ended, well or not."""
        self.status = Status(State.DISCONNECTED, NOT_STARTED, clock.now_ms())

    async def run(self) -> None:
        """Keep up until cancelled."""
        backoff = Backoff(self._interval_s, first_s=0.5)
        while True:
            self._changed.clear()
            wait_s: float | None = None
            if self._link.status.is_connected:
                if await self._look():
                    backoff.reset()
                    wait_s = self._interval_s
                else:
                    wait_s = backoff.next_s()
                self.settled.set()
            else:
                self._follow()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def link_changed(self) -> None:
        if not self._link.status.is_connected:
            self._follow()
        self._changed.set()

    async def let_go(self) -> None:
        """Stop using the connection."""
        self.gate.close()
        self.deliveries.forget()
        async with self._lock:
            self._is_ready = False
            await self._stop_action()

    def look_soon(self) -> None:
        """Something happened that the connection does not explain."""
        self._changed.set()

    def _follow(self) -> None:
        """Be as the connector is."""
        self.gate.close()
        status = self._link.status
        if self._link.settled.is_set():
            self.settled.set()
        state = State.CONNECTING if status.state is State.CONNECTING else State.DISCONNECTED
        self._set(state, of_connector(status))

    async def _look(self) -> bool:
        """Get ready, or see whether it still is."""
        words: Words
        async with self._lock:
            try:
                async with asyncio.timeout(CHECK_S):
                    await (self._action.check() if self._is_ready else self._action.start())
            except TimeoutError:
                words = no_answer(self._id, CHECK_S)
            except ConnectorError as error:
                words = error.words
            except Exception as error:  # noqa: BLE001 - of a client library; it is logged
                words = defect(_logger, f"action {self._id}", error)
            else:
                if not self._is_ready:
                    # What it needs was not there, or nobody had looked: attempts until now say nothing.
                    self.deliveries.forget()
                self._is_ready = True
                if self._link.status.is_connected:
                    # Also in trouble it goes on sending: only so it can see when that is over.
                    trouble = self.deliveries.trouble
                    self._set(State.CONNECTING if trouble else State.CONNECTED, trouble)
                    self.gate.open()
                return True
            self.gate.close()
            if self._is_ready:
                self._is_ready = False
                await self._stop_action()
        if self._link.status.is_connected:
            self._set(State.DISCONNECTED, words)
        return False

    async def _stop_action(self) -> None:
        try:
            await self._action.stop()
        except Exception as error:  # noqa: BLE001 - of a client library; it is logged
            defect(_logger, f"action {self._id}", error)

    def begin(self) -> None:
        """It is about to run: who waits for the first attempt waits for the one to come."""
        self.settled.clear()
        self._set(State.CONNECTING, None)

    def end(self, reason: Words) -> None:
        """It does not run any more."""
        self.gate.close()
        self.settled.set()
        self._set(State.DISCONNECTED, reason)

    def _set(self, state: State, reason: Words | None) -> None:
        if (state, reason) == (self.status.state, self.status.reason):
            return
        # Why the connector is not connected has been said by the connector.
        own = reason is not None and self._link.status.is_connected
        log = _logger.warning if own else _logger.debug
        log("action %s: %s%s", self._id, state, f": {reason.en}" if reason else "")
        since_ms = self.status.since_ms if state is self.status.state else self._clock.now_ms()
        self.status = Status(state, reason, since_ms)
        self._tell(self.status)
