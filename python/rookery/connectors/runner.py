"""Sends the items of one action: takes them from its buffer, sends, settles; again when it must.

Nothing is taken while the action cannot send. What is taken stays in flight until the service took
it, refused it for good, or its time is over; meanwhile nothing else of the same client is taken,
so that order holds. At every moment matched = success + failed + dropped + queuing + inflight.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rookery.access.errors import Words
from rookery.access.seldom import SeldomLog
from rookery.clock import Clock
from rookery.connectors.backoff import Backoff
from rookery.connectors.base import Action, ItemFailure, Recoverable, Unrecoverable
from rookery.connectors.defects import defect
from rookery.connectors.fallback import Fallbacks
from rookery.connectors.options import ActionOptions
from rookery.connectors.ports import Buffer
from rookery.connectors.standing import Standing
from rookery.connectors.turns import Suspects, Turns
from rookery.errors import UnavailableError
from rookery.native.action_fields import ActionItem, Outcome

_logger = logging.getLogger(__name__)

_FAILS_ALONE = Words(
    "it was sent again alone, and fails each time: {reason}", "单独重发后仍每次失败：{reason}"
)

BATCH_BYTES_MAX = 8 << 20
"""Most octets that one request takes from the buffer."""
EXPIRE_S = 1.0
"""How often what waits for too long is dropped while nothing is taken."""
EXPIRE_ITEMS = 1000
BATCH_LOOK_S = 0.02
"""How often a batch that waits for more looks whether there is."""


class LastError(NamedTuple):
    """Why something was not taken, and when (milliseconds since 1970)."""

    words: Words
    at_ms: int


class Runner:
    """One action at work. Belongs to one event loop.

    Attributes:
        last_error: Why something was not taken at the first attempt, most recently, and when.
    """

    def __init__(
        self,
        action_id: str,
        action: Action,
        buffer: Buffer,
        options: ActionOptions,
        *,
        standing: Standing,
        fallbacks: Fallbacks,
        clock: Clock,
        poke: Callable[[], None],
    ) -> None:
        self._id = action_id
        self._action = action
        self._buffer = buffer
        self._options = options
        self._gate = standing.gate
        self._deliveries = standing.deliveries
        self._fallbacks = fallbacks
        self._clock = clock
        self._poke = poke
        self._batch = options.batch_size if action.batch else 1
        self._slots = asyncio.Semaphore(options.window)
        self._sends: set[asyncio.Task[None]] = set()
        self._resting: set[asyncio.Task[None]] = set()
        self._open: set[int] = set()
        self._turns = Turns()
        self._suspects = Suspects()
        self._moved = asyncio.Event()
        self._filling: asyncio.Timeout | None = None
        self._is_draining = False
        self._is_failing = False
        self._log = SeldomLog(_logger, clock)
        self.last_error: LastError | None = None

    async def run(self) -> None:
        """Send until cancelled, or the buffer is closed; call :meth:`finish` then."""
        with contextlib.suppress(UnavailableError):  # a node that ends closes all buffers
            await self._run()

    async def _run(self) -> None:
        while True:
            if not self._gate.is_open:
                await self._closed()
                continue
            await self._slots.acquire()
            items: list[ActionItem] = []
            try:
                if self._gate.is_open:
                    await self._fill()
                    items = self._buffer.take(self._batch, BATCH_BYTES_MAX)
            finally:
                if not items:
                    self._slots.release()
            if items:
                send = asyncio.create_task(self._deliver(items), name=f"send {self._id}")
                self._open.update(item.number for item in items)
                self._sends.add(send)
                send.add_done_callback(self._sent)
                await asyncio.sleep(0)  # with many free slots others have to get their turn
            elif self._gate.is_open:
                self._moved.set()  # what was there may have been too old
                await self._buffer.wait()

    @property
    def can_drain(self) -> bool:
        """Whether something waits or is under way, and it can be sent now."""
        counters = self._buffer.counters()
        return self._gate.is_open and counters.queuing + counters.inflight > 0

    async def drain(self) -> None:
        """Return when all that waits was sent, or cannot be sent; :meth:`run` goes on meanwhile.

        From now on no batch waits to become full.
        """
        self._is_draining = True
        if self._filling is not None and not self._filling.expired():
            self._filling.reschedule(asyncio.get_running_loop().time())
        closing = asyncio.create_task(self._gate.closed())
        closing.add_done_callback(lambda _task: self._moved.set())
        try:
            while self.can_drain:
                self._moved.clear()
                await self._moved.wait()
        finally:
            closing.cancel()

    async def finish(self, grace_s: float) -> None:
        """Let what is under way end within that time; the rest goes back to the buffer."""
        for send in self._resting:
            send.cancel()
        late = set(self._sends)
        if late:
            _, late = await asyncio.wait(late, timeout=grace_s)
        for send in late:
            send.cancel()
        if late:
            await asyncio.wait(late)

    def _sent(self, send: asyncio.Task[None]) -> None:
        self._sends.discard(send)
        self._slots.release()
        self._moved.set()

    async def _fill(self) -> None:
        """Give a batch that is not full the time to get there."""
        if self._batch == 1 or not self._options.batch_time or self._is_draining:
            return
        try:
            async with asyncio.timeout(self._options.batch_time) as self._filling:
                await self._buffer.wait()
                # Buffers tell that there is something, not how much.
                while self._gate.is_open and self._buffer.counters().queuing < self._batch:  # noqa: ASYNC110
                    await asyncio.sleep(min(BATCH_LOOK_S, self._options.batch_time))
        except TimeoutError:
            return
        finally:
            self._filling = None

    async def _closed(self) -> None:
        """Wait until items may be sent; what waits for too long is dropped meanwhile."""
        if self._options.request_ttl == float("inf"):
            await self._gate.opened()
            return
        wait_s = EXPIRE_S
        if self._fallbacks:
            wait_s = max(await self._expire(), EXPIRE_S)
        else:
            dropped = self._buffer.expire()
            while dropped:
                await asyncio.sleep(0)
                dropped = self._buffer.expire()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._gate.opened()

    async def _expire(self) -> float:
        """Drop what is over its time; seconds until there may be more."""
        while items := self._buffer.take(EXPIRE_ITEMS, BATCH_BYTES_MAX):
            rest = await self._unexpired(items)
            self._buffer.give_back([item.number for item in rest])
            if rest:
                return self._left_s(rest)
            await asyncio.sleep(0)
        return EXPIRE_S

    async def _deliver(self, items: list[ActionItem]) -> None:
        backoff = Backoff(self._options.retry_interval)
        numbers = [item.number for item in items]
        try:
            while items := await self._unexpired(items):
                items = await self._turn(items)
                if not items:
                    return
                await self._rest(backoff.next_s(), self._left_s(items))
                self._buffer.count(retried=len(items))
        finally:
            # Cancelled: these were not sent, or nobody knows.
            unsettled = [number for number in numbers if number in self._open]
            if unsettled:
                self._open.difference_update(unsettled)
                self._suspects.forget(unsettled)
                self._buffer.give_back(unsettled)

    async def _turn(self, items: list[ActionItem]) -> list[ActionItem]:
        """Send beside others, or alone what failed in company; what is to be sent again."""
        times = self._suspects.times(items)
        if not times:
            async with self._turns.together():
                return await self._attempt(items)
        async with self._turns.alone():
            if not self._gate.is_open:
                return items
            return await (self._attempt(items) if times == 1 else self._apart(items))

    async def _attempt(self, items: list[ActionItem]) -> list[ActionItem]:
        """Send; what is to be sent again."""
        fallbacks = self._fallbacks
        own = [fallbacks.own_item(item) for item in items] if fallbacks else items
        began_s = self._clock.monotonic_s()
        try:
            failures = await self._action.send(own)
        except Recoverable as error:
            self._note(error.words)
            self._deliveries.refused(error.words, began_s)
            if error.is_connection:
                self._poke()
            return items
        except Unrecoverable as error:
            return await self._give_up(items, error.words, began_s)
        except Exception as error:  # noqa: BLE001 - of a client library; it is logged
            if len(items) > 1:
                return await self._apart(items)  # one of them may be why, and is to fail alone
            words = defect(_logger, f"action {self._id}", error)
            return await self._give_up(items, words, began_s)
        if not failures:
            self._is_failing = False
            self._deliveries.taken()
            self._done([item.number for item in items], "success")
            return []
        return await self._sort(items, failures, began_s)

    async def _apart(self, items: Sequence[ActionItem]) -> list[ActionItem]:
        """Send one after the other; what is to be sent again, in order for each client."""
        again: list[ActionItem] = []
        held: set[int] = set()
        for item in items:
            if item.key in held or not self._gate.is_open:
                again.append(item)
            elif await self._attempt([item]):
                again.append(item)
                if item.key:
                    held.add(item.key)
        return again

    async def _give_up(
        self, items: list[ActionItem], words: Words, began_s: float
    ) -> list[ActionItem]:
        self._deliveries.refused(words, began_s)
        await self._settle(items, "failed", words)
        return []

    async def _sort(
        self, items: Sequence[ActionItem], failures: Sequence[ItemFailure], began_s: float
    ) -> list[ActionItem]:
        """Settle what is decided of a batch; what is to be sent again."""
        if len(failures) < len(items):
            self._deliveries.taken()
        else:
            self._deliveries.refused(_words(failures[0].reason), began_s)
        if any(failure.in_company for failure in failures):
            self._poke()
        is_alone = len(items) == 1 and self._turns.is_alone
        by_number = {failure.number: failure for failure in failures}
        again: list[ActionItem] = []
        taken: list[int] = []
        for item in items:
            failure = by_number.get(item.number)
            if failure is None:
                taken.append(item.number)
            elif failure.in_company and self._suspects.failed(item.number, is_alone):
                words = _FAILS_ALONE.format(reason=_words(failure.reason))
                # Of its own: what else is said meanwhile is that there is no connection.
                _logger.warning("action %s: a message is given up: %s", self._id, words.en)
                await self._settle([item], "failed", words)
            elif failure.is_recoverable:
                self._note(_words(failure.reason))
                again.append(item)
            else:
                await self._settle([item], "failed", _words(failure.reason))
        self._done(taken, "success")
        return again

    async def _unexpired(self, items: list[ActionItem]) -> list[ActionItem]:
        ttl_s = self._options.request_ttl
        if ttl_s == float("inf"):
            return items
        oldest_ms = self._clock.now_ms() - round(ttl_s * 1000)
        if all(item.made_at_ms > oldest_ms for item in items):
            return items
        await self._settle(
            [item for item in items if item.made_at_ms <= oldest_ms], "dropped.expired"
        )
        return [item for item in items if item.made_at_ms > oldest_ms]

    def _left_s(self, items: Sequence[ActionItem]) -> float:
        """How long until the first of them is over its time."""
        ttl_s = self._options.request_ttl
        if ttl_s == float("inf"):
            return ttl_s
        made_at_ms = min(item.made_at_ms for item in items)
        return max(ttl_s - (self._clock.now_ms() - made_at_ms) / 1000, 0.0) + 0.001

    async def _settle(
        self, items: Sequence[ActionItem], outcome: Outcome, words: Words | None = None
    ) -> None:
        # First, so that being cancelled meanwhile cannot settle them twice.
        self._done([item.number for item in items], outcome)
        if words is not None:
            self._remember(words)
            self._log.warning("action %s: %d messages failed: %s", self._id, len(items), words.en)
        await self._fallbacks.take(items)

    def _done(self, numbers: Sequence[int], outcome: Outcome) -> None:
        self._open.difference_update(numbers)
        self._suspects.forget(numbers)
        self._buffer.settle(numbers, outcome)

    def _note(self, words: Words) -> None:
        if not self._is_failing or self.last_error is None or self.last_error.words != words:
            self._log.warning("action %s: not taken, sent again: %s", self._id, words.en)
        self._is_failing = True
        self._remember(words)

    def _remember(self, words: Words) -> None:
        self.last_error = LastError(words, self._clock.now_ms())

    async def _rest(self, wait_s: float, left_s: float) -> None:
        """Wait before sending again: so long, or until the action can send again after it could
        not; at most until the items are over their time.
        """
        task = asyncio.current_task()
        assert task is not None
        self._resting.add(task)
        try:
            async with asyncio.timeout(left_s):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(wait_s, left_s)):
                        await self._gate.closed()
                await self._gate.opened()
        except TimeoutError:
            return
        finally:
            self._resting.discard(task)


def _words(reason: Words | str) -> Words:
    return reason if isinstance(reason, Words) else Words(reason, reason)
