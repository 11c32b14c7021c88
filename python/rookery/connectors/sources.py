"""Runs one source: begins to receive each time its connector has connected."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from rookery.access.errors import Words
from rookery.access.reasons import no_answer
from rookery.clock import Clock
from rookery.connectors.backoff import Backoff
from rookery.connectors.base import Columns, ConnectorError, Reconnecting, Source
from rookery.connectors.defects import defect
from rookery.connectors.health import CHECK_S, Link
from rookery.connectors.standing import of_connector
from rookery.connectors.status import NOT_STARTED, State, Status

_logger = logging.getLogger(__name__)

_ENDED = Words("receiving has ended", "接收已结束")


class SourceRunner:
    """One source at work. Belongs to one event loop.

    Attributes:
        received: Messages since the start or the last reset.
    """

    def __init__(
        self,
        source_id: str,
        link: Link,
        interval_s: float,
        clock: Clock,
        tell: Callable[[Status], None],
        ingest: Callable[[str, Columns], Awaitable[int]],
    ) -> None:
        self._id = source_id
        self._link = link
        self._interval_s = interval_s
        self._clock = clock
        self._tell = tell
        self._ingest = ingest
        self._changed = asyncio.Event()
        self._receiving: asyncio.Task[None] | None = None
        self._is_fresh = False
        self.source: Source | None = None
        self.received = 0
        self.settled = asyncio.Event()
        """Set when the first attempt has ended, well or not."""
        self.status = Status(State.DISCONNECTED, NOT_STARTED, clock.now_ms())

    async def receive(self, columns: Columns) -> int:
        """Give a message to the rules; how many took it."""
        self.received += 1
        return await self._ingest(self._id, columns)

    async def run(self) -> None:
        """Receive until cancelled; call :meth:`let_go` then."""
        backoff = Backoff(self._interval_s, first_s=0.5)
        while True:
            self._changed.clear()
            wait_s: float | None = None
            if self._link.status.state is State.DISCONNECTED:
                self._follow()
            elif await self._look():
                wait_s = self._interval_s
                if not self._is_fresh:
                    backoff.reset()
            else:
                wait_s = backoff.next_s()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def link_changed(self) -> None:
        self._changed.set()

    async def let_go(self) -> None:
        """Stop receiving."""
        receiving, self._receiving = self._receiving, None
        if receiving is not None:
            receiving.cancel()
            await asyncio.wait({receiving})

    def begin(self) -> None:
        """It is about to run: who waits for the first attempt waits for the one to come."""
        self.settled.clear()
        self._set(State.CONNECTING, None)

    def end(self, reason: Words) -> None:
        """It does not run any more."""
        self.settled.set()
        self._set(State.DISCONNECTED, reason)

    def _follow(self) -> None:
        if self._link.settled.is_set():
            self.settled.set()
        self._set(State.DISCONNECTED, of_connector(self._link.status))

    async def _look(self) -> bool:
        """Receive, if that is not being done; see how it is."""
        link = self._link.status
        if not link.is_connected:
            self._set(State.CONNECTING, of_connector(link))
            return True
        words = self._begin()
        if words is None:
            words = await self._check()
        self.settled.set()
        if words is None:
            self._set(State.CONNECTED, None)
        return words is None

    def _begin(self) -> Words | None:
        """Why receiving has ended; then it begins again at the next call."""
        assert self.source is not None
        receiving = self._receiving
        self._is_fresh = receiving is None
        if receiving is None:
            self._receiving = asyncio.create_task(self.source.run(), name=f"source {self._id}")
            self._receiving.add_done_callback(lambda _task: self._changed.set())
            return None
        if not receiving.done():
            return None
        self._receiving = None
        error = None if receiving.cancelled() else receiving.exception()
        words = _ENDED
        if isinstance(error, ConnectorError):
            words = error.words
        elif error is not None:
            words = defect(_logger, f"source {self._id}", error)
        self._set(State.DISCONNECTED, words)
        return words

    async def _check(self) -> Words | None:
        assert self.source is not None
        state, words = State.DISCONNECTED, None
        try:
            async with asyncio.timeout(CHECK_S):
                await self.source.check()
            return None
        except TimeoutError:
            words = no_answer(self._id, CHECK_S)
        except Reconnecting as error:
            state, words = State.CONNECTING, error.words
        except ConnectorError as error:
            words = error.words
        except Exception as error:  # noqa: BLE001 - of a client library; it is logged
            words = defect(_logger, f"source {self._id}", error)
        self._set(state, words)
        return words

    def _set(self, state: State, reason: Words | None) -> None:
        if (state, reason) == (self.status.state, self.status.reason):
            return
        own = reason is not None and self._link.status.is_connected
        log = _logger.warning if own else _logger.debug
        log("source %s: %s%s", self._id, state, f": {reason.en}" if reason else "")
        since_ms = self.status.since_ms if state is self.status.state else self._clock.now_ms()
        self.status = Status(state, reason, since_ms)
        self._tell(self.status)
