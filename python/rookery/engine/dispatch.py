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
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from rookery.ending import ended
from rookery.engine.hooks import NOT_AUTHORIZED, Callback, Fallback, HookTable
from rookery.engine.questions import (
    IGNORE,
    QUESTIONS,
    AccessControl,
    Publish,
    Question,
    Verdict,
    agreed,
    deny,
    fallback_verdict,
)
from rookery.native.models import Client, ConnAck, Message, SubscriptionInfo
from rookery.native.plugins import Asked
from rookery.native.rows import AnswerRow, AskId, EventRow

_log = logging.getLogger("rookery.hooks")

# What access control cannot decide is refused, whatever hooks are to mean by silence.
REFUSED: Verdict = deny(NOT_AUTHORIZED)
PENDING_MAX = 10_000
NOTICES_MAX = 10_000


class Configured(NamedTuple):
    """What holds when a hook does not answer."""

    word: str
    """As the configuration says it: allow, deny or ignore."""
    verdict: Verdict


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
        access: AccessControl | None = None,
        fallbacks: Mapping[str, Configured] | None = None,
    ) -> None:
        """``fallbacks``: by the name of a hook, instead of ``unanswered``.

        With them a hook of authentication or authorization may have no opinion (None): this is
        the process of a plugin, others and what is configured decide after it.
        """
        self._hooks = hooks
        self._access = access
        self._answer = answer
        self._fallback = Configured(unanswered, fallback_verdict(unanswered))
        self._fallbacks = fallbacks or {}
        self._may_ignore = fallbacks is not None
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
            question: Question = QUESTIONS[row[2]](row, may_ignore=self._may_ignore)
            if self._access is not None and self._access.takes(row):
                self._decide_later(row[1], question, self._by_access(row, question), REFUSED)
                continue
            try:
                self._begin(row[1], question)
            except Exception as error:  # noqa: BLE001  -- somebody else's code; it is logged below
                self._failed(row[1], question, self._fallback_of(question), error)
        self._flush()

    def settle(self, asked: Iterable[Asked]) -> None:
        """Find the answers about messages that the one ``on_publish`` was called with already."""
        for item in asked:
            question = Publish((), message=item.message)
            fallback = self._fallback_of(question)
            result = item.result
            if item.has_raised:
                self._failed(item.id, question, fallback, result)
            elif isinstance(result, Awaitable):
                deciding = _verdict_of(question, result, ())
                self._decide_later(item.id, question, deciding, fallback, result)
            else:
                try:
                    verdict = question.take(result)
                    verdict = question.end() if verdict is None else verdict
                except Exception as error:  # noqa: BLE001  -- somebody else's; it is logged
                    self._failed(item.id, question, fallback, error)
                else:
                    self._answers.append((item.id, *verdict))
        self._flush()

    def _begin(self, ask_id: AskId, question: Question) -> None:
        callbacks = self._hooks[question.hook]
        if not callbacks:  # it was unregistered while the question was on its way
            self._answers.append((ask_id, *self._fallback_of(question)))
            return
        for asked, callback in enumerate(callbacks, start=1):
            result = question.put(callback)
            # Most hooks of messages return one; the other look costs more than the hook.
            if type(result) is not Message and isinstance(result, Awaitable):
                deciding = _verdict_of(question, result, callbacks[asked:])
                fallback = self._fallback_of(question)
                self._decide_later(ask_id, question, deciding, fallback, result)
                return
            verdict = question.take(result)
            if verdict is not None:
                self._answers.append((ask_id, *verdict))
                return
        self._answers.append((ask_id, *question.end()))

    def _fallback_of(self, question: Question) -> Verdict:
        return self._fallbacks.get(question.hook, self._fallback).verdict

    async def _by_access(self, row: EventRow, question: Question) -> Verdict:
        """What access control says, and hooks where it leaves that to them."""
        assert self._access is not None
        decision = await self._access.decide(row)
        callbacks = self._hooks[question.hook]
        if not decision.goes_on:
            return decision.verdict
        if not callbacks:
            # Plugins may be asked about topics after every source: the core knows.
            return IGNORE if row[2] == "authorize" else decision.verdict
        verdict = await _ask_all(question, callbacks)
        if verdict[0] == "deny" or row[2] == "authorize":
            return verdict
        return agreed(decision.verdict, verdict)

    def _decide_later(
        self,
        ask_id: AskId,
        question: Question,
        deciding: Coroutine[Any, Any, Verdict],
        fallback: Verdict,
        pending: Awaitable[object] | None = None,
    ) -> None:
        if len(self._deciding) >= PENDING_MAX:
            self.counters["hooks.overload"] += 1
            for unused in (deciding, pending):
                close = getattr(unused, "close", None)
                if close is not None:  # a coroutine that never ran says so otherwise
                    close()
            self._answers.append((ask_id, *fallback))
            return
        task = asyncio.ensure_future(self._decide(ask_id, question, deciding, fallback))
        self._deciding.add(task)
        task.add_done_callback(self._deciding.discard)

    async def _decide(
        self,
        ask_id: AskId,
        question: Question,
        deciding: Coroutine[Any, Any, Verdict],
        fallback: Verdict,
    ) -> None:
        deadline = asyncio.timeout(self._deadline_s)
        try:
            async with deadline:
                verdict = await deciding
        except (Exception, asyncio.CancelledError) as error:  # somebody else's code
            if _is_ours(error):
                raise
            if deadline.expired():
                self.counters["hooks.late"] += 1
                _log.warning("%s took longer than %g s", question.hook, self._deadline_s)
                self._answers.append((ask_id, *fallback))
            else:
                self._failed(ask_id, question, fallback, error)
        else:
            self._answers.append((ask_id, *verdict))
        # Those that end in the same turn of the loop go down together.
        if len(self._answers) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def _failed(
        self, ask_id: AskId, question: Question, fallback: Verdict, error: BaseException
    ) -> None:
        self.counters["hooks.errors"] += 1
        configured = self._fallbacks.get(question.hook)
        # What is configured as ignore is said to the core in other words where others go on anyway.
        word = fallback[0] if configured is None else configured.word
        _log.error("%s failed; the answer is %s", question.hook, word, exc_info=error)
        self._answers.append((ask_id, *fallback))

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
            except (Exception, asyncio.CancelledError) as error:  # somebody else's code
                if _is_ours(error):
                    raise
                self.counters["hooks.errors"] += 1
                _log.exception("%s failed", getattr(callback, "__name__", callback))
            finally:
                self._notices.task_done()

    async def drain(self, grace_s: float) -> None:
        """Wait until decisions that are under way are made, for at most ``grace_s``."""
        if self._deciding:
            await asyncio.wait(self._deciding, timeout=grace_s)
        self._flush()

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
        await ended("decisions of hooks", *self._deciding, self._telling)
        self._telling = None


def _is_ours(error: BaseException) -> bool:
    """Whether the running task itself is to end, rather than something that a hook waited for."""
    task = asyncio.current_task()
    is_cancelled = isinstance(error, asyncio.CancelledError)
    return is_cancelled and task is not None and task.cancelling() > 0


async def _verdict_of(
    question: Question, pending: Awaitable[object], rest: tuple[Callback, ...]
) -> Verdict:
    verdict = question.take(await pending)
    return await _ask_all(question, rest) if verdict is None else verdict


async def _ask_all(question: Question, callbacks: tuple[Callback, ...]) -> Verdict:
    for callback in callbacks:
        result = question.put(callback)
        verdict = question.take(await result if isinstance(result, Awaitable) else result)
        if verdict is not None:
            return verdict
    return question.end()


def _notice(row: EventRow) -> tuple[Any, ...]:
    made = _NOTICES.get(row[0])
    return made(row) if made is not None else (Client.from_row(row[1]),)


_NOTICES: dict[str, Callable[[EventRow], tuple[Any, ...]]] = {
    "disconnected": lambda row: (Client.from_row(row[1]), row[2]),
    "connack": lambda row: (ConnAck(*row[1:]),),
    "subscribed": lambda row: (row[1], SubscriptionInfo.from_row(row[2])),
    "unsubscribed": lambda row: (row[1], row[2]),
    "puback": lambda row: (row[1], Message.from_row(row[2]), row[3]),
    "delivered": lambda row: (row[1], Message.from_row(row[2], row[3])),
    "acked": lambda row: (row[1], Message.from_row(row[2])),
    "dropped": lambda row: (Message.from_row(row[1]), row[2]),
    "delivery_dropped": lambda row: (row[1], Message.from_row(row[2]), row[3]),
    "alarm_activated": lambda row: (json.loads(row[1]),),
    "alarm_deactivated": lambda row: (json.loads(row[1]),),
}
"""Arguments of the hooks that are told, by the kind of the row; the others get a client."""
