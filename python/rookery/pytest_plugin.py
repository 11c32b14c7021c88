"""Fixtures that give a test a real MQTT broker on a free port of this machine.

    def test_my_client(mqtt_broker):
        with mqtt_broker.subscribe("greetings/#") as messages:
            my_client.publish(mqtt_broker.host, mqtt_broker.port, "greetings/hello", b"world")
            assert messages.get().payload == b"world"

The broker runs on a thread of its own, so that the fixtures serve plain and ``async`` tests alike.
Nothing of it is loaded before a test asks for one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pytest

from rookery.errors import TimedOutError

if TYPE_CHECKING:
    from rookery.engine import Broker, Client, Message, Subscription, SubscriptionInfo

_T = TypeVar("_T")

DEADLINE_S = 10.0
"""How long any call of a fixture may take."""


class MessageQueue:
    """Messages that match a Topic Filter, for a test that does not await."""

    def __init__(self, broker: MqttBroker, subscription: Subscription) -> None:
        self._broker = broker
        self._subscription = subscription

    def get(self, timeout_s: float = DEADLINE_S) -> Message:
        """Wait for the next message.

        Raises:
            TimedOutError: none came in ``timeout_s`` seconds.
        """
        wanted = f"no message for {self._subscription.topic_filter!r} within {timeout_s:g} s"
        return self._broker.call(self._subscription.get(), timeout_s, wanted)

    def waiting(self) -> int:
        """Messages that are there already."""
        return self._subscription.waiting

    def close(self) -> None:
        """End the subscription. May be called twice."""
        self._broker.run(self._subscription.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class MqttBroker:
    """A running broker, for a test. Every method may be called from any thread.

    Attributes:
        host: Its address.
        port: Its port.
        url: ``mqtt://host:port``.
        broker: The broker itself, for what has no method here; it belongs to another event loop.
    """

    host: str
    port: int
    url: str
    broker: Broker

    def __init__(self, **options: Any) -> None:
        """``options`` are those of :class:`rookery.Broker`."""
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="mqtt-broker", daemon=True)

    def start(self) -> None:
        """Return when clients are accepted."""
        from rookery.engine import Broker  # noqa: PLC0415

        self._thread.start()
        try:
            self.broker = Broker(**self._options)
            self.call(self.broker.start())
        except BaseException:
            self._end_loop()
            raise
        self.host, self.port, self.url = self.broker.host, self.broker.port, self.broker.url

    def stop(self) -> None:
        """End the broker and its thread."""
        try:
            self.call(self.broker.stop(grace_s=1.0))
        finally:
            self._end_loop()

    def publish(
        self,
        topic: str,
        payload: bytes | str = b"",
        *,
        qos: int = 0,
        retain: bool = False,
        user_properties: Iterable[tuple[str, str]] | Mapping[str, str] = (),
    ) -> int:
        """Publish a message; the number of sessions it went to."""
        sending = self.broker.publish(
            topic, payload, qos=qos, retain=retain, user_properties=user_properties
        )
        return self.call(sending)

    def subscribe(self, topic_filter: str, *, qos: int = 2) -> MessageQueue:
        """Collect messages from now on."""

        def begin() -> Subscription:
            subscription = self.broker.subscribe(topic_filter, qos=qos)
            subscription.open()
            return subscription

        return MessageQueue(self, self.run(begin))

    def clients(self) -> tuple[Client, ...]:
        """The clients that have a session, at most 10,000."""
        return self.call(self.broker.clients(limit=10_000)).clients

    def client(self, client_id: str) -> Client | None:
        return self.call(self.broker.client(client_id))

    def subscriptions(self, client_id: str) -> tuple[SubscriptionInfo, ...] | None:
        return self.call(self.broker.subscriptions(client_id))

    def kick(self, client_id: str) -> bool:
        """End a client's connection and session; whether it was there."""
        return self.call(self.broker.kick(client_id))

    def stats(self) -> dict[str, int]:
        return self.broker.stats()

    def metrics(self) -> dict[str, int]:
        return self.broker.metrics()

    # -- the other thread ------------------------------------------------------------------

    def call(
        self,
        work: Coroutine[Any, Any, _T],
        timeout_s: float = DEADLINE_S,
        late: str = "the broker did not answer in time",
    ) -> _T:
        """Run a coroutine on the broker's loop and wait for it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise TimedOutError(late) from None

    def run(self, function: Any, *arguments: Any) -> Any:
        """Call a function on the broker's loop and wait for it."""

        async def work() -> Any:
            return function(*arguments)

        return self.call(work())

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _end_loop(self) -> None:
        async def end() -> None:
            await self._loop.shutdown_default_executor()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(DEADLINE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()


def _running(options: Mapping[str, Any]) -> Iterator[MqttBroker]:
    broker = MqttBroker(**options)
    broker.start()
    yield broker
    broker.stop()


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that gives a broker its options."""
    config.addinivalue_line(
        "markers", "mqtt_broker(**options): options of rookery.Broker for the fixture mqtt_broker"
    )


@pytest.fixture
def mqtt_broker(request: pytest.FixtureRequest) -> Iterator[MqttBroker]:
    """An MQTT broker for this test alone; ``@pytest.mark.mqtt_broker(...)`` gives it options."""
    mark = request.node.get_closest_marker("mqtt_broker")
    yield from _running(mark.kwargs if mark is not None else {})


@pytest.fixture(scope="session")
def mqtt_broker_session() -> Iterator[MqttBroker]:
    """An MQTT broker that all tests share: use topics and client ids of your own."""
    yield from _running({})
