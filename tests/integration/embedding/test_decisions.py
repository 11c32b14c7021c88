"""Hooks of the program decide about real clients."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest

import rookery
from harness.client import RawClient
from harness.packets import (
    ConnAck,
    Connect,
    PubAck,
    Publish,
    SubAck,
    Subscribe,
    Subscription,
    UnsubAck,
    Unsubscribe,
)
from rookery import Allow, Client, Deny, Hooks, Identity, Message, SubscriptionInfo

T = TypeVar("T")


async def aside(function: Callable[[], T]) -> T:
    return await asyncio.to_thread(function)


def opened(broker: rookery.Broker, level: int = 5) -> RawClient:
    return RawClient(broker.host, broker.port, level)


def connected(broker: rookery.Broker, client_id: str = "c1", level: int = 5) -> RawClient:
    client = opened(broker, level)
    client.connect(Connect(client_id))
    return client


class Passwords(Hooks):
    """Knows one user."""

    def __init__(self) -> None:
        self.seen: list[tuple[Client, bytes | None]] = []

    async def on_authenticate(self, client: Client, password: bytes | None) -> bool | Deny:
        self.seen.append((client, password))
        if client.client_id == "banned":
            return Deny(0x8A)
        return client.username == "user" and password == b"secret"


@pytest.mark.parametrize(("level", "code"), [(4, 4), (5, 0x86)])
async def test_a_wrong_password_is_refused(level: int, code: int) -> None:
    async with rookery.Broker(hooks=[Passwords()]) as broker:
        client = opened(broker, level)

        def refused() -> ConnAck:
            client.send(Connect("c1", username="user", password=b"wrong"))
            return client.expect(ConnAck)

        assert (await aside(refused)).reason_code == code
        await aside(client.expect_closed)


async def test_a_right_password_admits() -> None:
    passwords = Passwords()
    async with rookery.Broker(hooks=[passwords]) as broker:
        client = opened(broker)

        await aside(lambda: client.connect(Connect("c1", username="user", password=b"secret")))

        [(seen, password)] = passwords.seen
        assert (seen.client_id, seen.username, password) == ("c1", "user", b"secret")
        assert seen.protocol_version == 5
        found = await broker.client("c1")
        assert found is not None
        assert found.username == "user"


async def test_a_refusal_can_say_why() -> None:
    async with rookery.Broker(hooks=[Passwords()]) as broker:
        client = opened(broker)

        def refused() -> ConnAck:
            client.send(Connect("banned"))
            return client.expect(ConnAck)

        assert (await aside(refused)).reason_code == 0x8A


async def test_what_may_not_be_published_goes_nowhere() -> None:
    asked: list[tuple[Any, ...]] = []

    def on_authorize(client: Identity, action: str, topic: str, qos: int, retain: bool) -> bool:
        asked.append((client.client_id, action, topic, qos, retain))
        return not topic.startswith("secret/")

    async with rookery.Broker(hooks=[on_authorize]) as broker:
        client = await aside(lambda: connected(broker))
        async with broker.subscribe("#") as messages:

            def publish() -> PubAck:
                client.send(Publish("secret/a", b"x", qos=1, packet_id=1, retain=True))
                return client.expect(PubAck, packet_id=1)

            refused = await aside(publish)
            await aside(lambda: client.publish("open/a", b"y", qos=1))

            assert refused.reason_code == 0x87
            assert (await messages.get()).topic == "open/a"
    assert asked == [
        ("c1", "publish", "secret/a", 1, True),
        ("c1", "publish", "open/a", 1, False),
    ]


@pytest.mark.parametrize(("level", "code"), [(4, 0x80), (5, 0x87)])
async def test_what_may_not_be_subscribed_is_refused_alone(level: int, code: int) -> None:
    async def on_authorize(client: Identity, action: str, topic: str, *_: object) -> bool:
        return (action, topic) != ("subscribe", "secret/#")

    async with rookery.Broker(hooks=[on_authorize]) as broker:
        client = await aside(lambda: connected(broker, level=level))

        def subscribe() -> SubAck:
            filters = [Subscription("open/#", 1), Subscription("secret/#", 1)]
            client.send(Subscribe(1, filters))
            return client.expect(SubAck, packet_id=1)

        assert list((await aside(subscribe)).reason_codes) == [1, code]


async def test_a_superuser_is_not_asked_about() -> None:
    class Root:
        def on_authenticate(self, client: Client, password: bytes | None) -> Allow:
            return Allow(is_superuser=True)

        def on_authorize(self, *_: object) -> bool:
            return False

    async with rookery.Broker(hooks=[Root()]) as broker:
        client = await aside(lambda: connected(broker))

        await aside(lambda: client.subscribe("a/#", qos=1))
        await aside(lambda: client.publish("a/b", b"x", qos=0))


async def test_a_message_can_be_changed_taken_and_refused() -> None:
    async def on_publish(message: Message) -> Message | Deny | None:
        match message.topic:
            case "take":
                return None
            case "refuse":
                return Deny(0x97)
            case "change":
                return dataclasses.replace(message, topic="changed", payload=message.payload * 2)
            case _:
                return message

    async with rookery.Broker(hooks=[on_publish]) as broker:
        client = await aside(lambda: connected(broker))
        async with broker.subscribe("#") as messages:

            def publish(topic: str, packet_id: int) -> int:
                client.send(Publish(topic, b"x", qos=1, packet_id=packet_id))
                return client.expect(PubAck, packet_id=packet_id).reason_code

            codes = [
                await aside(partial(publish, topic, number))
                for number, topic in enumerate(["take", "refuse", "change", "same"], start=1)
            ]
            first, second = await messages.get(), await messages.get()

        assert codes[1] == 0x97
        assert max(codes[0], codes[2], codes[3]) < 0x80
        assert (first.topic, first.payload, first.client_id) == ("changed", b"xx", "c1")
        assert (second.topic, second.payload) == ("same", b"x")


async def test_messages_of_one_client_stay_in_order() -> None:
    async def on_publish(message: Message) -> Message:
        # The first takes longest: later decisions are there before it.
        for _ in range(20 - int(message.payload)):
            await asyncio.sleep(0)
        return message

    async with rookery.Broker(hooks=[on_publish]) as broker:
        client = await aside(lambda: connected(broker))
        async with broker.subscribe("n") as messages:
            packets = [Publish("n", str(number).encode()) for number in range(20)]
            await aside(lambda: client.send(*packets))
            received = [int((await messages.get()).payload) for _ in range(20)]

    assert received == list(range(20))


async def test_a_hook_that_never_answers_refuses_and_does_not_hold_up_others() -> None:
    async def on_authorize(client: Identity, *_: object) -> bool:
        if client.client_id == "stuck":
            await asyncio.Event().wait()
        return True

    async with rookery.Broker(hooks=[on_authorize], hook_deadline_s=0.5) as broker:
        stuck = await aside(lambda: connected(broker, "stuck"))
        other = await aside(lambda: connected(broker, "other"))

        def publish(client: RawClient) -> int:
            client.send(Publish("a", b"x", qos=1, packet_id=1))
            return client.expect(PubAck, packet_id=1).reason_code

        waiting = asyncio.ensure_future(aside(lambda: publish(stuck)))
        assert await aside(lambda: publish(other)) < 0x80
        assert not waiting.done()
        assert await waiting == 0x87


async def test_a_program_is_told_what_clients_do() -> None:
    told: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()

    class Watches(Hooks):
        async def on_connected(self, client: Client) -> None:
            await told.put(("connected", client.client_id))

        async def on_subscribed(
            self, client_id: str, subscription: rookery.SubscriptionInfo
        ) -> None:
            await told.put(("subscribed", client_id, subscription.topic_filter))

        async def on_unsubscribed(self, client_id: str, topic_filter: str) -> None:
            await told.put(("unsubscribed", client_id, topic_filter))

        async def on_disconnected(self, client: Client, reason: str) -> None:
            await told.put(("disconnected", client.client_id, reason))

    async with rookery.Broker(hooks=[Watches()]) as broker:
        client = await aside(lambda: connected(broker))
        await aside(lambda: client.subscribe("a/#"))
        await aside(lambda: client.unsubscribe("a/#"))
        await aside(client.disconnect)
        events = [await told.get() for _ in range(4)]

    assert events == [
        ("connected", "c1"),
        ("subscribed", "c1", "a/#"),
        ("unsubscribed", "c1", "a/#"),
        ("disconnected", "c1", "normal"),
    ]


async def test_a_program_is_told_what_a_stop_does_to_clients() -> None:
    told: list[tuple[str, str]] = []

    async def on_disconnected(client: Client, reason: str) -> None:
        told.append((client.client_id, reason))

    async with rookery.Broker(hooks=[on_disconnected]) as broker:
        await aside(lambda: connected(broker))

    assert told == [("c1", "server_shutting_down")]


async def test_a_hook_can_be_registered_while_the_broker_runs() -> None:
    async with rookery.Broker() as broker:
        before = await aside(lambda: connected(broker, "before"))
        await aside(lambda: before.publish("a", qos=1))

        @broker.hook
        def on_authenticate(client: Client, password: bytes | None) -> bool:
            return False

        client = opened(broker)

        def refused() -> int:
            client.send(Connect("after"))
            return client.expect(ConnAck).reason_code

        assert await aside(refused) == 0x86


class Opens(Hooks):
    """Has something to open, and remembers what was done to it."""

    def __init__(self, log: list[str], name: str = "a", fails: str = "") -> None:
        self.log = log
        self.name = name
        self.fails = fails

    async def start(self) -> None:
        self._note("start")

    def stop(self) -> None:
        self._note("stop")

    def on_connected(self, client: Client) -> None:
        self._note("connected")

    def on_disconnected(self, client: Client, reason: str) -> None:
        self._note("disconnected")

    def _note(self, what: str) -> None:
        self.log.append(f"{self.name} {what}")
        if self.fails == what:
            raise OSError(f"no {what}")


async def test_hooks_are_started_before_the_first_client_and_stopped_after_the_last() -> None:
    log: list[str] = []
    broker = rookery.Broker(hooks=[Opens(log), Opens(log, "b", fails="stop")])
    for _ in range(2):
        async with broker:
            client = await aside(lambda: connected(broker))
        await aside(client.drop)
        assert log[:2] == ["a start", "b start"]
        assert set(log[2:-2]) == {
            "a connected", "b connected", "a disconnected", "b disconnected",
        }  # fmt: skip
        assert log[-2:] == ["b stop", "a stop"]
        log.clear()


async def test_a_broker_whose_hook_cannot_start_does_not_start() -> None:
    log: list[str] = []
    broker = rookery.Broker(hooks=[Opens(log), Opens(log, "b", fails="start")])

    with pytest.raises(OSError, match="no start"):
        await broker.start()

    assert not broker.is_running
    assert log == ["a start", "b start", "a stop"]


async def test_hooks_change_what_is_subscribed_and_ended() -> None:
    def on_subscribe(
        client_id: str, subscriptions: tuple[SubscriptionInfo, ...]
    ) -> list[SubscriptionInfo | Deny]:
        return [
            Deny() if item.topic_filter == "no" else dataclasses.replace(item, topic_filter="to")
            for item in subscriptions
        ]

    async def on_unsubscribe(client_id: str, topic_filters: tuple[str, ...]) -> list[str | Deny]:
        return ["to" for _ in topic_filters]

    async with rookery.Broker(hooks=[on_subscribe, on_unsubscribe]) as broker:
        client = await aside(lambda: connected(broker))

        def exchanged() -> tuple[list[int], list[int]]:
            client.send(Subscribe(1, [Subscription("no"), Subscription("from")]))
            granted = client.expect(SubAck).reason_codes
            client.send(Unsubscribe(2, ["from"]))
            return granted, client.expect(UnsubAck).reason_codes

        assert await aside(exchanged) == ([0x87, 0], [0])
        assert await broker.subscriptions("c1") == ()


async def test_a_puback_is_told() -> None:
    told: asyncio.Queue[tuple[str, bytes, int]] = asyncio.Queue()

    def on_puback(client_id: str, message: Message, reason_code: int) -> None:
        told.put_nowait((client_id, message.payload, reason_code))

    async with rookery.Broker(hooks=[on_puback]) as broker:
        client = await aside(lambda: connected(broker))
        await aside(lambda: client.publish("t", b"m", qos=1))
        assert await told.get() == ("c1", b"m", 0x10)
