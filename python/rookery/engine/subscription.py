"""A subscription of this process: a bounded queue that is an asynchronous iterator."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Literal, Protocol, Self, TypeAlias

from rookery.errors import BadRequestError, NotAvailableError, UnavailableError
from rookery.native.models import Message

# What these prefixes promise is about sessions, which a program has none of.
_FOR_CLIENTS = ("$share/", "$queue/", "$exclusive/")

WhenFull: TypeAlias = Literal["drop_oldest", "drop_new"]


class Subscriptions(Protocol):
    """Who knows which subscription a delivery is for."""

    def add(self, subscription: Subscription) -> int: ...
    def remove(self, slot: int) -> None: ...


class Subscription:
    """Messages that match a Topic Filter, for one reader.

    It begins when it is entered or iterated and ends when it is left, closed or collected, or when
    the broker stops; then the messages that are there can still be read.

        async with broker.subscribe("a/#") as messages:
            async for message in messages:
                ...

    The broker never waits for a reader: when ``queue_max`` messages wait, or payloads of
    ``queue_bytes_max`` bytes where that is given, the oldest or the new one is dropped, as ``when_full``
    says, and :attr:`dropped` counts it.
    """

    def __init__(
        self,
        subscriptions: Subscriptions,
        topic_filter: str,
        *,
        qos: int,
        queue_max: int,
        when_full: WhenFull,
        queue_bytes_max: int | None = None,
    ) -> None:
        self._slot: int | None = None
        if queue_max < 1 or (queue_bytes_max is not None and queue_bytes_max < 1):
            raise BadRequestError("queue_max and queue_bytes_max are 1 or more")
        if qos not in (0, 1, 2):
            raise BadRequestError("qos is 0, 1 or 2")
        if topic_filter.startswith(_FOR_CLIENTS):
            raise NotAvailableError(f"{topic_filter!r}: only clients can subscribe to that")
        self.topic_filter = topic_filter
        self.qos = qos
        self._subscriptions = subscriptions
        self._queue: deque[Message] = deque()
        self._queue_max = queue_max
        self._queue_bytes_max = queue_bytes_max
        self._queue_bytes = 0
        self._drops_oldest = when_full == "drop_oldest"
        self._dropped = 0
        self._has_news = asyncio.Event()
        self._is_closed = False

    @property
    def dropped(self) -> int:
        """Messages that were dropped because the queue was full."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """Messages that wait to be read."""
        return len(self._queue)

    def open(self) -> None:
        """Begin now rather than at the first message asked for. May be called twice.

        Raises:
            BadRequestError: the Topic Filter breaks a rule of MQTT-5.0 section 4.7.
            UnavailableError: the broker is not running.
        """
        if self._slot is None and not self._is_closed:
            self._slot = self._subscriptions.add(self)

    def close(self) -> None:
        """End it. May be called twice."""
        self._is_closed = True
        if self._slot is not None:
            slot, self._slot = self._slot, None
            self._subscriptions.remove(slot)
        self._has_news.set()

    def end(self) -> None:
        """The broker is gone: nothing more will come."""
        self._slot = None
        self.close()

    def put(self, message: Message) -> None:
        """Take a message from the broker."""
        while self._queue and self._is_full(len(message.payload)):
            self._dropped += 1
            if not self._drops_oldest:
                return
            self._take()
        self._queue.append(message)
        self._queue_bytes += len(message.payload)
        self._has_news.set()

    def _is_full(self, size: int) -> bool:
        most = self._queue_bytes_max
        is_too_much = most is not None and self._queue_bytes + size > most
        return is_too_much or len(self._queue) >= self._queue_max

    def _take(self) -> Message:
        message = self._queue.popleft()
        self._queue_bytes -= len(message.payload)
        return message

    async def get(self) -> Message:
        """Wait for the next message.

        Raises:
            UnavailableError: it was closed and everything was read.
        """
        try:
            return await self.__anext__()
        except StopAsyncIteration:
            raise UnavailableError("the subscription is closed") from None

    def __aiter__(self) -> Self:
        self.open()
        return self

    async def __anext__(self) -> Message:
        self.open()
        while not self._queue:
            if self._is_closed:
                raise StopAsyncIteration
            self._has_news.clear()
            await self._has_news.wait()
        return self._take()

    def __del__(self) -> None:
        if self._slot is not None:
            self.close()

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
