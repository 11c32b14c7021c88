"""Answers the core's questions with the hooks of this process, and tells hooks what happened.

A dispatcher is one *peer* of the core's channel: batches of rows go in, batches of rows come out,
and rows are plain values. A peer in another process is reached by carrying the same rows over a
socket; nothing but the object given to :class:`~rookery.engine.events.EventRouter` differs.

**Bounds.** At most :data:`PENDING_MAX` decisions wait for ``async`` hooks, beyond that the fallback
answers at once. At most :data:`NOTICES_MAX` notices wait, beyond that new ones are left out. Both
are counted in :attr:`HookDispatcher.counters`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from rookery.engine.hooks import Callback, Fallback, HookTable
from rookery.engine.questions import QUESTIONS, Question, Verdict, fallback_verdict
from rookery.native.models import Client, SubscriptionInfo
from rookery.native.rows import AnswerRow, AskId, EventRow

_log = logging.getLogger("rookery.hooks")

PENDING_MAX = 10_000
NOTICES_MAX = 10_000


class HookPeer(Protocol):
    """Somebody who decides; the other end of the channel that questions and notices take."""

    def ask(self, rows: list[EventRow]) -> None:
        """Take questions (``"ask"`` rows); answers go back in batches, each before its deadline."""
        ...

    def tell(self, rows: list[EventRow]) -> None:
        """Take what happened; kinds that the peer does not know are none of its business."""
        ...


class HookDispatcher:
    """The peer whose hooks are functions of this process; lives on one asyncio loop."""

    def __init__(
        self,
        hooks: HookTable,
        answer: Callable[[list[AnswerRow]], None],
        *,
        unanswered: Fallback,
        deadline_s: float,
    ) -> None:
        self._hooks = hooks
        self._answer = answer
        self._fallback = fallback_verdict(unanswered)
        self._deadline_s = deadline_s
        self._deciding: set[asyncio.Task[None]] = set()
        self._answers: list[AnswerRow] = []
        self._notices: asyncio.Queue[tuple[Callback, tuple[Any, ...]]] = asyncio.Queue(NOTICES_MAX)
        self._telling: asyncio.Task[None] | None = None
        self.counters = {
            "hooks.errors": 0,  # a hook raised or returned what it may not
            "hooks.late": 0,  # a decision was not made before the deadline
            "hooks.overload": 0,  # a decision was not asked for, too many were pending
            "hooks.notices.dropped": 0,
        }

    # -- decisions -------------------------------------------------------------------------

    def ask(self, rows: list[EventRow]) -> None:
        """Decide every question; those that no hook has to be awaited for, at once."""
        for row in rows:
            question: Question = QUESTIONS[row[2]](row)
            try:
                self._begin(row[1], question)
            except Exception:  # noqa: BLE001  -- somebody else's code; it is logged below
                self._failed(row[1], question)
        self._flush()

    def _begin(self, ask_id: AskId, question: Question) -> None:
        callbacks = self._hooks[question.hook]
        if not callbacks:  # it was unregistered while the question was on its way
            self._answers.append((ask_id, *self._fallback))
            return
        for asked, callback in enumerate(callbacks, start=1):
            result = question.put(callback)
            if isinstance(result, Awaitable):
                self._decide_later(ask_id, question, result, callbacks[asked:])
                return
            verdict = question.take(result)
            if verdict is not None:
                self._answers.append((ask_id, *verdict))
                return
        self._answers.append((ask_id, *question.end()))

    def _decide_later(
        self,
        ask_id: AskId,
        question: Question,
        pending: Awaitable[object],
        rest: tuple[Callback, ...],
    ) -> None:
        if len(self._deciding) >= PENDING_MAX:
            self.counters["hooks.overload"] += 1
            close = getattr(pending, "close", None)  # a coroutine that never ran says so otherwise
            if close is not None:
                close()
            self._answers.append((ask_id, *self._fallback))
            return
        task = asyncio.ensure_future(self._decide(ask_id, question, pending, rest))
        self._deciding.add(task)
        task.add_done_callback(self._deciding.discard)

    async def _decide(
        self,
        ask_id: AskId,
        question: Question,
        pending: Awaitable[object],
        rest: tuple[Callback, ...],
    ) -> None:
        deadline = asyncio.timeout(self._deadline_s)
        try:
            async with deadline:
                verdict = await _verdict_of(question, pending, rest)
        except Exception:  # noqa: BLE001  -- somebody else's code; it is logged below
            if deadline.expired():
                self.counters["hooks.late"] += 1
                _log.warning("%s took longer than %g s", question.hook, self._deadline_s)
                self._answers.append((ask_id, *self._fallback))
            else:
                self._failed(ask_id, question)
        else:
            self._answers.append((ask_id, *verdict))
        # Those that end in the same turn of the loop go down together.
        if len(self._answers) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def _failed(self, ask_id: AskId, question: Question) -> None:
        self.counters["hooks.errors"] += 1
        _log.exception("%s failed; the answer is %s", question.hook, self._fallback[0])
        self._answers.append((ask_id, *self._fallback))

    def _flush(self) -> None:
        if self._answers:
            answers, self._answers = self._answers, []
            self._answer(answers)

    # -- notices ---------------------------------------------------------------------------

    def tell(self, rows: list[EventRow]) -> None:
        """Queue what happened for the hooks that want it; they are called in order."""
        for row in rows:
            callbacks = self._hooks[f"on_{row[0]}"]
            if not callbacks:  # so it is for "refused" and "log", which have no hook
                continue
            arguments = _notice(row)
            for callback in callbacks:
                try:
                    self._notices.put_nowait((callback, arguments))
                except asyncio.QueueFull:
                    self.counters["hooks.notices.dropped"] += 1
        if self._telling is None and not self._notices.empty():
            self._telling = asyncio.ensure_future(self._tell_all())

    async def _tell_all(self) -> None:
        while True:
            callback, arguments = await self._notices.get()
            try:
                result = callback(*arguments)
                if isinstance(result, Awaitable):
                    async with asyncio.timeout(self._deadline_s):
                        await result
            except Exception:  # noqa: BLE001  -- somebody else's code; it is logged below
                self.counters["hooks.errors"] += 1
                _log.exception("%s failed", getattr(callback, "__name__", callback))
            finally:
                self._notices.task_done()

    async def close(self, grace_s: float = 1.0) -> None:
        """Let notices that wait be told, for at most ``grace_s``; decisions are given up."""
        for task in self._deciding:
            task.cancel()
        if self._telling is not None:
            try:
                async with asyncio.timeout(grace_s):
                    await self._notices.join()
            except TimeoutError:
                self.counters["hooks.notices.dropped"] += self._notices.qsize()
            self._telling.cancel()
        tasks = [*self._deciding, *([self._telling] if self._telling else [])]
        await asyncio.gather(*tasks, return_exceptions=True)
        self._telling = None


async def _verdict_of(
    question: Question, pending: Awaitable[object], rest: tuple[Callback, ...]
) -> Verdict:
    verdict = question.take(await pending)
    for callback in rest:
        if verdict is not None:
            break
        result = question.put(callback)
        verdict = question.take(await result if isinstance(result, Awaitable) else result)
    return question.end() if verdict is None else verdict


def _notice(row: EventRow) -> tuple[Any, ...]:
    match row[0]:
        case "connected":
            return (Client.from_row(row[1]),)
        case "disconnected":
            return (Client.from_row(row[1]), row[2])
        case "subscribed":
            return (row[1], SubscriptionInfo.from_row(row[2]))
        case _:
            return (row[1], row[2])
