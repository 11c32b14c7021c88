"""What rules have for actions, on its way to the task that sends it.

The core queues the results of rules per action, bounded, in memory or partly on disk. One asyncio
task per action takes batches from its :class:`ActionBuffer`, sends them, and says how each item
ended. Calls never wait for the disk or the network, unless they say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from rookery import _native
from rookery.errors import BadRequestError, ConfigError, UnavailableError
from rookery.native.action_fields import (
    UNDEFINED,
    ActionCounters,
    ActionField,
    ActionItem,
    BufferMode,
    BufferSpec,
    FieldValue,
    JsonText,
    Outcome,
    Undefined,
)
from rookery.native.errors import translate_start

__all__ = [
    "UNDEFINED",
    "ActionBuffer",
    "ActionCounters",
    "ActionField",
    "ActionHub",
    "ActionItem",
    "BufferMode",
    "BufferSpec",
    "FieldValue",
    "JsonText",
    "Outcome",
    "Undefined",
    "render",
]


def render(template: str, row: str) -> str:
    """The text that a template makes of a row, as an action of a rule would get it.

    Args:
        template: Text with placeholders such as ``${a.b}``.
        row: A JSON object.

    Raises:
        BadRequestError: a placeholder is none, the row is no JSON object, or the text is too long.
    """
    try:
        return _native.render_template(template, row)
    except ValueError as error:
        raise _refusal(str(error)) from None


def _refusal(text: str) -> BadRequestError:
    """Of a template, in both languages."""
    from rookery.native.plain_texts_zh import in_chinese  # noqa: PLC0415

    return BadRequestError(text, message_zh=in_chinese(text))


class ActionBuffer:
    """The items of one action, oldest first, those of one client in their order.

    It belongs to the event loop on which it is used. After :meth:`close` it has nothing.
    """

    def __init__(self, hub: ActionHub, buffer: _native.ActionBuffer) -> None:
        self._hub = hub
        self._native = buffer
        self._ready = asyncio.Event()
        self._server: asyncio.Task[object] | None = None

    @property
    def number(self) -> int:
        return self._native.number

    @property
    def is_served(self) -> bool:
        """Whether it has something, and another task than this one has waited for that and goes on."""
        server = self._server
        if server is None or server.done() or server is asyncio.current_task():
            return False
        counters = self.counters()
        return counters.queuing + counters.inflight > 0

    async def wait(self) -> None:
        """Return when :meth:`take` may have something.

        It returns at once until a :meth:`take` has found everything taken.

        Raises:
            UnavailableError: the buffer is closed, or the node.
        """
        self._hub.watch(self)
        if self._server is None or self._server.done():
            self._server = asyncio.current_task()
        await self._ready.wait()
        if not self._hub.has(self):
            raise UnavailableError("the action's buffer is closed")

    def take(self, max_items: int, max_bytes: int = 16 << 20) -> list[ActionItem]:
        """The next items, in flight until they are settled or given back.

        No item comes whose key is in flight in another batch. What is too old is dropped. One
        item comes even if it alone has more than ``max_bytes``.
        """
        items, has_more = self._native.take(max_items, max_bytes)
        # Whoever takes is the one that goes on: waiting may be left to a task made for it alone, which
        # asyncio.wait_for does in Python 3.11.
        self._server = asyncio.current_task()
        if not has_more:
            self._ready.clear()
        self._hub.moved()
        return items

    def settle(self, numbers: Iterable[int], outcome: Outcome) -> None:
        """Say how items in flight ended. Numbers that are not in flight are ignored."""
        self._native.settle(list(numbers), outcome)
        self._hub.moved()

    def give_back(self, numbers: Iterable[int]) -> None:
        """Put items in flight back to where they were: they were not sent."""
        self._native.give_back(list(numbers))
        self._hub.moved()

    def expire(self) -> int:
        """Drop what waited too long, while nobody takes anything; how many that were.

        One call does a bounded part of it: call again while it drops something.
        """
        return self._native.expire()

    def pause(self, is_paused: bool) -> None:
        """Refuse what comes (``dropped.resource_stopped``). What waits already stays."""
        self._native.pause(is_paused)

    def offer_rows(
        self, rows: Sequence[str], fields: Sequence[ActionField], *, rule: str, key: int = 0
    ) -> int:
        """Offer rows as a rule would, for a fallback action; the number of those that were offered.

        Args:
            rows: JSON objects, such as a ``row`` field of the items that could not be sent.
            fields: What this action wants of a row.
            rule: The rule they came from. Its own counters do not change.
            key: As in :class:`ActionItem`.

        Raises:
            BadRequestError: a template of ``fields`` is none. A row that is no JSON object, or
                that makes fields without a bound, is counted ``dropped.other``.
        """
        try:
            return self._native.offer_rows(list(rows), list(fields), rule, key)
        except ValueError as error:
            raise _refusal(str(error)) from None

    def count(self, *, retried: int = 0, received: int = 0) -> None:
        """Count what only the sender knows: repeated attempts, messages that came in."""
        self._native.count(retried, received)

    def counters(self) -> ActionCounters:
        return ActionCounters(*self._native.counters())

    def reset_counters(self) -> None:
        """Count from zero; what waits or is in flight counts as matched."""
        self._native.reset_counters()

    def close(self) -> None:
        """Drop everything and give memory and disk back. May be called twice; can wait for the disk.

        What rules still have for it counts as ``dropped.resource_not_found``.
        """
        # One that was opened anew since belongs to whoever did that.
        if self._hub.forget(self):
            self._native.close()
        self._ready.set()
        self._hub.moved()

    def wake(self) -> None:
        """Let :meth:`wait` return, for whoever changes what it waits for."""
        self._ready.set()


class ActionHub:
    """The buffers of all actions of a node; one descriptor tells when there is something."""

    def __init__(self, hub: _native.ActionHub) -> None:
        self._native = hub
        self._buffers: dict[int, ActionBuffer] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._moved: asyncio.Event | None = None

    def open(self, action_id: str, spec: BufferSpec) -> ActionBuffer:
        """Open the buffer of an action, or change the limits of an open one, which keeps its items.

        Those that were in flight wait again.

        Whoever calls has the only :class:`ActionBuffer` of it: an earlier one gets nothing more.
        Rules find it by ``action_id``, also when it was closed in between. It can wait for the
        disk when ``spec`` names a directory.

        Raises:
            ConfigError: a limit is none.
            StartError: the directory cannot be used.
            UnavailableError: the node is stopping.
        """
        try:
            native = self._native.open(action_id, spec)
        except _native.NativeError as error:
            raise translate_start(error) from None
        except (ValueError, OverflowError) as error:
            raise ConfigError([str(error)]) from None
        buffer = ActionBuffer(self, native)
        if (earlier := self._buffers.get(native.number)) is not None:
            earlier.wake()
        self._buffers[native.number] = buffer
        return buffer

    async def drain(self, grace_s: float) -> None:
        """Return when the tasks that serve buffers have sent what waits in them; at most that time later.

        What nobody serves is not waited for. A task that ends meanwhile is noticed when the next
        thing is taken or settled, or the time is over.
        """
        self._moved = moved = asyncio.Event()
        try:
            async with asyncio.timeout(grace_s):
                while any(buffer.is_served for buffer in self._buffers.values()):
                    moved.clear()
                    await moved.wait()
        except TimeoutError:
            return
        finally:
            self._moved = None

    def moved(self) -> None:
        """Something was taken or settled."""
        if self._moved is not None:
            self._moved.set()

    def close(self) -> None:
        """Close every buffer. May be called twice."""
        for buffer in list(self._buffers.values()):
            buffer.close()
        self._stop_watching()

    def has(self, buffer: ActionBuffer) -> bool:
        return self._buffers.get(buffer.number) is buffer

    def watch(self, buffer: ActionBuffer) -> None:
        """Begin to read on the running loop."""
        if not self.has(buffer):
            raise UnavailableError("the action's buffer is closed")
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._stop_watching()
            loop.add_reader(self._native.fileno(), self._on_readable)
            self._loop = loop

    def forget(self, buffer: ActionBuffer) -> bool:
        """Whether it was still in use."""
        if not self.has(buffer):
            return False
        del self._buffers[buffer.number]
        if not self._buffers:
            self._stop_watching()
        return True

    def _stop_watching(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._native.fileno())

    def _on_readable(self) -> None:
        for number in self._native.ready():
            buffer = self._buffers.get(number)
            if buffer is not None:
                buffer.wake()
