"""The connection of an application to its broker: made again for ever, and emptied of what waits.

Messages leave in order. What was not acknowledged when a connection ended is sent again on the next one
before anything else, under the same number.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from rookery.connectors.base import Unhealthy
from rookery.connectors.mqtt.connection import Answer, Connection, Endpoint, Will
from rookery.edge.apps.base import Place
from rookery.edge.apps.cache import Cache, Message
from rookery.edge.model import LinkState
from rookery.ending import ended
from rookery.words import Words

STOP_S_MAX = 5.0
CONNECT_S = 10.0
ACKNOWLEDGE_S = 30.0
WINDOW = 100
PACKET_OVERHEAD_BYTES = 64

_DEFECT = Words("internal error: {reason}", "内部错误：{reason}")

Handler = Callable[[Connection, MQTTMessage], Awaitable[None]]
Prepare = Callable[[Message], Sequence[tuple[str, bytes]]]
"""What is published for a message, at the moment when it is: topics and payloads."""


def _as_it_is(message: Message) -> Sequence[tuple[str, bytes]]:
    return ((message.topic, message.payload),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where to, and as whom."""

    host: str
    port: int
    version: int
    client_id: str
    username: str | None
    password: str | None
    keepalive_s: int
    tls: ssl.SSLContext | None


@dataclass(frozen=True, slots=True)
class _InFlight:
    message: Message
    answer: Answer


class Link:
    """One application's connection.

    Attributes:
        filters: What is subscribed to after connecting; ``handler`` gets what comes.
        greeted: Called when a connection stands, before anything is sent on it; ``last`` before it is
            closed on purpose.
        prepare: Makes of a message what is published.
        will: Of a connection that is being made.
    """

    def __init__(
        self,
        broker: Broker,
        place: Place,
        cache: Cache,
        *,
        qos: int,
        pause_s: float = 0.0,
        filters: Sequence[str] = (),
        handler: Handler | None = None,
        greeted: Callable[[Connection], Awaitable[None]] | None = None,
        last: Callable[[Connection], Awaitable[None]] | None = None,
        prepare: Prepare = _as_it_is,
        will: Callable[[], Will] | None = None,
    ) -> None:
        self.sent = self.failed = self.received = self.sent_bytes = 0
        self.connection: Connection | None = None
        self._broker = broker
        self._place = place
        self._cache = cache
        self._qos = qos
        self._pause_s = pause_s
        self._filters = filters
        self._handler = handler
        self._greeted = greeted
        self._last = last
        self._prepare = prepare
        self._will = will
        self._log = logging.getLogger(f"rookery.edge.node.{place.name}")
        self._task: asyncio.Task[None] | None = None
        self._unsent: deque[_InFlight] = deque()

    # -- life ----------------------------------------------------------------------------

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"edge app {self._place.name}")

    async def stop(self) -> None:
        """What waits for an acknowledgement gets a moment for it. May be called twice."""
        task, self._task = self._task, None
        if task is None:
            return
        connection = self.connection
        if connection is not None and self._last is not None:
            try:
                async with asyncio.timeout(STOP_S_MAX):
                    await self._last(connection)
            except (Unhealthy, TimeoutError):
                self._log.info("the broker went away while the application ended")
        if self._unsent:
            await asyncio.wait([one.answer for one in self._unsent], timeout=STOP_S_MAX)
        task.cancel()
        await asyncio.wait({task}, timeout=STOP_S_MAX)

    async def _run(self) -> None:
        least, most = self._place.backoff_s
        wait_s = 0.0
        told: Words | None = None
        while True:
            reason: Words | None = None
            try:
                connection = await self._connect()
                wait_s, told = 0.0, None
                await self._serve(connection)
            except Unhealthy as error:
                reason = error.words
            except Exception as error:  # noqa: BLE001 - it stands again after a while
                self._log.exception("the application failed")
                reason = _DEFECT.format(reason=type(error).__name__)
            if reason is not None and reason != told:
                # A broker that is away for a day is told of once.
                self._log.warning("%s", reason.en)
                told = reason
            self._place.link(LinkState.DISCONNECTED, reason)
            wait_s = min(most, wait_s * 2) if wait_s else least
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.0))  # noqa: S311 - nothing secret

    async def _connect(self) -> Connection:
        broker = self._broker
        connection = Connection(
            Endpoint(
                host=broker.host,
                port=broker.port,
                client_id=broker.client_id,
                proto_ver="v5" if broker.version == 5 else "v4",
                bridge_mode=False,
                username=broker.username,
                password=broker.password,
                clean_start=True,
                keepalive_s=broker.keepalive_s,
                max_inflight=WINDOW,
                connect_timeout_s=CONNECT_S,
                acknowledge_s=ACKNOWLEDGE_S,
                tls=broker.tls,
                will=self._will() if self._will is not None else None,
            )
        )
        await connection.open()
        return connection

    async def _serve(self, connection: Connection) -> None:
        """Until the connection ends."""
        tasks: list[asyncio.Task[None]] = []
        try:
            for topic_filter in self._filters:
                await connection.subscribe(topic_filter, 1)
            if self._greeted is not None:
                await self._greeted(connection)
            self.connection = connection
            self._cache.is_connected = True
            self._log.info("connected to %s", connection.endpoint.address)
            self._place.link(LinkState.CONNECTED, None)
            taken: asyncio.Queue[_InFlight] = asyncio.Queue(WINDOW)
            tasks = [
                asyncio.create_task(work)
                for work in (
                    self._send(connection, taken),
                    self._confirm(taken),
                    self._receive(connection),
                )
            ]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                await task
        finally:
            self.connection = None
            await ended("a connection to a broker", *tasks)
            connection.close()
            await self._give_back()

    async def _give_back(self) -> None:
        """What was not acknowledged waits again; what was, and nobody has looked at yet, does not."""
        last = 0
        while self._unsent and _is_acknowledged(self._unsent[0].answer):
            last = self._unsent.popleft().message.seq
            self.sent += 1
        if last:
            await self._cache.sent(last)
        unsent, self._unsent = self._unsent, deque()
        self._cache.lost([one.message for one in unsent])

    # -- out -----------------------------------------------------------------------------

    async def _send(self, connection: Connection, taken: asyncio.Queue[_InFlight]) -> None:
        waiting: deque[Message] = deque()
        try:
            while True:
                waiting.extend(await self._cache.take())
                while waiting:
                    message = waiting[0]
                    if message.is_kept and self._pause_s:
                        await asyncio.sleep(self._pause_s)
                    answer = await self._publish(connection, message)
                    waiting.popleft()
                    if answer is not None:
                        one = _InFlight(message, answer)
                        self._unsent.append(one)
                        await taken.put(one)
        finally:
            # What was taken and not sent goes back with the rest.
            for message in waiting:
                self._unsent.append(_InFlight(message, _nobody()))

    async def _publish(self, connection: Connection, message: Message) -> Answer | None:
        """The answer of the last one; none where nothing was published."""
        answer: Answer | None = None
        for topic, payload in self._prepare(message):
            properties = self._properties(message)
            answer = await self._publish_one(connection, topic, payload, properties) or answer
        return answer

    async def _publish_one(
        self, connection: Connection, topic: str, payload: bytes, properties: Properties | None
    ) -> Answer | None:
        """None where this can be no message of this broker's."""
        limits = connection.limits
        size = len(topic) + len(payload) + PACKET_OVERHEAD_BYTES
        if size > limits.packet_bytes:
            self._log.error("%s: %s bytes are more than the broker takes", topic, size)
            self.failed += 1
            return None
        try:
            qos = min(self._qos, limits.qos)
            return await connection.publish(topic, payload, qos, False, properties)
        except ValueError as error:
            self._log.error("%s: %s", topic, error)
            self.failed += 1
            return None

    def _properties(self, message: Message) -> Properties | None:
        if self._broker.version != 5:
            return None
        made = Properties(PacketTypes.PUBLISH)
        made.UserProperty = ("seq", str(message.seq))
        return made

    async def _confirm(self, taken: asyncio.Queue[_InFlight]) -> None:
        while True:
            one = await taken.get()
            result = await asyncio.shield(one.answer)
            if isinstance(result, Unhealthy):
                raise result
            self._unsent.popleft()
            if result.is_failure:
                self._log.error("%s: the broker refuses: %s", one.message.topic, result)
                self.failed += 1
            else:
                self.sent += 1
                self.sent_bytes += len(one.message.payload)
            if taken.empty() or self.sent % WINDOW == 0:
                await self._cache.sent(one.message.seq)

    # -- in ------------------------------------------------------------------------------

    async def _receive(self, connection: Connection) -> None:
        while True:
            message = await connection.receive()
            self.received += 1
            if self._handler is not None:
                await self._handler(connection, message)
            connection.acknowledge(message)


def _is_acknowledged(answer: Answer) -> bool:
    return answer.done() and not answer.cancelled() and not isinstance(answer.result(), Unhealthy)


def _nobody() -> Answer:
    answer: Answer = asyncio.get_running_loop().create_future()
    answer.cancel()
    return answer
