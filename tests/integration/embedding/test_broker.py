"""A broker inside a Python program is the real one."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

import rookery
from harness.client import RawClient
from harness.packets import Connect, Disconnect
from harness.ports import free_port
from harness.wire import Properties
from rookery.errors import (
    BadRequestError,
    ConfigError,
    ConflictError,
    PortInUseError,
    UnavailableError,
)

T = TypeVar("T")


@pytest.fixture
async def broker() -> AsyncIterator[rookery.Broker]:
    async with rookery.Broker() as broker:
        yield broker


async def aside(function: Callable[[], T]) -> T:
    """Run a client that blocks without holding up the loop that the broker's hooks run on."""
    return await asyncio.to_thread(function)


def connected(broker: rookery.Broker, client_id: str = "c1", level: int = 5) -> RawClient:
    client = RawClient(broker.host, broker.port, level)
    client.connect(Connect(client_id))
    return client


async def test_it_listens_on_a_free_port_of_this_machine(broker: rookery.Broker) -> None:
    assert broker.host == "127.0.0.1"
    assert broker.port > 0
    assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
    assert [listener.id for listener in broker.listeners] == ["tcp:default"]


@pytest.mark.parametrize("port", [70000, -1, "1883"])
def test_a_port_that_is_none_is_named(port: Any) -> None:
    with pytest.raises(BadRequestError, match="port is 0 to 65535, not"):
        rookery.Broker(port=port)


@pytest.mark.parametrize("level", [4, 5])
async def test_a_client_hears_the_program(broker: rookery.Broker, level: int) -> None:
    client = await aside(lambda: connected(broker, level=level))
    await aside(lambda: client.subscribe("a/+", qos=1))

    matched = await broker.publish("a/b", "grüße", qos=1)

    message = await aside(client.receive)
    assert matched == 1
    assert (message.topic_name, message.payload, message.qos) == ("a/b", "grüße".encode(), 1)


async def test_the_program_hears_a_client(broker: rookery.Broker) -> None:
    client = await aside(lambda: connected(broker))
    properties: Properties = {
        "content_type": "text/plain",
        "user_property": [("a", "1"), ("a", "2")],
    }

    async with broker.subscribe("a/#", qos=1) as messages:
        await aside(lambda: client.publish("a/b", b"x", qos=2, properties=properties))
        message = await messages.get()

    assert (message.topic, message.payload, message.qos) == ("a/b", b"x", 1)
    assert (message.client_id, message.username, message.retain) == ("c1", None, False)
    assert message.properties.content_type == "text/plain"
    assert message.properties.user_properties == (("a", "1"), ("a", "2"))


async def test_properties_reach_a_client(broker: rookery.Broker) -> None:
    client = await aside(lambda: connected(broker))
    await aside(lambda: client.subscribe("a"))

    await broker.publish(
        "a",
        b"x",
        message_expiry_interval=60,
        payload_format_indicator=1,
        content_type="text/plain",
        response_topic="answers",
        correlation_data=b"\x01",
        user_properties={"k": "v"},
    )

    got = (await aside(client.receive)).properties
    assert got.pop("message_expiry_interval") in (59, 60)
    assert got == {
        "payload_format_indicator": 1,
        "content_type": "text/plain",
        "response_topic": "answers",
        "correlation_data": b"\x01",
        "user_property": [("k", "v")],
    }


async def test_a_subscription_is_an_iterator_that_ends_with_the_broker() -> None:
    received = []
    async with rookery.Broker() as broker:
        messages = broker.subscribe("n")
        messages.open()
        for number in range(3):
            await broker.publish("n", str(number))

    async for message in messages:
        received.append(message.payload)
    assert received == [b"0", b"1", b"2"]


async def test_nobody_is_counted_as_nobody(broker: rookery.Broker) -> None:
    assert await broker.publish("nobody/listens", b"x") == 0


async def test_a_retained_message_waits_for_clients(broker: rookery.Broker) -> None:
    await broker.publish("r", b"kept", retain=True)

    client = await aside(lambda: connected(broker))
    await aside(lambda: client.subscribe("r"))

    message = await aside(client.receive)
    assert (message.payload, message.retain) == (b"kept", True)


@pytest.mark.parametrize("topic", ["", "a/#", "a/+", "a\0b"])
async def test_a_bad_topic_name_is_refused(broker: rookery.Broker, topic: str) -> None:
    with pytest.raises(BadRequestError):
        await broker.publish(topic, b"x")


@pytest.mark.parametrize("topic_filter", ["", "a/#/b", "a+"])
async def test_a_bad_topic_filter_is_refused(broker: rookery.Broker, topic_filter: str) -> None:
    with pytest.raises(BadRequestError):
        broker.subscribe(topic_filter).open()


async def test_clients_can_be_listed_page_by_page(broker: rookery.Broker) -> None:
    for number in range(5):
        await aside(partial(connected, broker, f"c{number}"))

    seen, cursor = [], None
    while True:
        page = await broker.clients(limit=2, cursor=cursor)
        assert len(page.clients) <= 2
        seen += [client.client_id for client in page.clients]
        cursor = page.cursor
        if cursor is None:
            break

    assert sorted(seen) == ["c0", "c1", "c2", "c3", "c4"]


async def test_a_client_can_be_looked_at(broker: rookery.Broker) -> None:
    raw = await aside(lambda: connected(broker, "looked-at"))
    await aside(lambda: raw.subscribe("a/#", qos=1))

    client = await broker.client("looked-at")
    subscriptions = await broker.subscriptions("looked-at")

    assert client is not None
    assert client.is_connected
    assert client.protocol_version == 5
    assert client.peer is not None
    assert client.peer.startswith("127.0.0.1:")
    assert client.subscriptions == 1
    assert subscriptions == (rookery.SubscriptionInfo("a/#", 1, False, False, 0),)
    assert await broker.client("nobody") is None
    assert await broker.subscriptions("nobody") is None


async def test_a_kicked_client_is_told_and_gone(broker: rookery.Broker) -> None:
    client = await aside(lambda: connected(broker, "c1"))

    assert await broker.kick("c1")

    # MQTT-5.0 section 3.14.2.1: 0x98 is Administrative action.
    await aside(lambda: client.expect_closed([0x98]))
    assert not await broker.kick("c1")


async def test_figures_follow_what_happens(broker: rookery.Broker) -> None:
    client = await aside(lambda: connected(broker))
    await aside(lambda: client.publish("a", b"x", qos=1))

    assert broker.stats()["connections.count"] == 1
    assert broker.metrics()["messages.qos1.received"] == 1


async def test_two_brokers_do_not_hear_each_other() -> None:
    async with rookery.Broker() as one, rookery.Broker() as other:
        assert one.port != other.port
        async with one.subscribe("#") as messages:
            await other.publish("a", b"elsewhere")
            await one.publish("a", b"here")
            assert (await messages.get()).payload == b"here"


async def test_stopping_says_goodbye_and_may_be_repeated() -> None:
    broker = rookery.Broker()
    await broker.start()
    client = await aside(lambda: connected(broker))

    await broker.stop()
    await broker.stop()

    # MQTT-5.0 section 3.14.2.1: 0x8B is Server shutting down.
    packet = await aside(lambda: client.expect_closed([0x8B]))
    assert packet is None or isinstance(packet, Disconnect)
    with pytest.raises(UnavailableError):
        await broker.publish("a")
    with pytest.raises(UnavailableError):
        broker.subscribe("a")
    with pytest.raises(UnavailableError):
        _ = broker.port


async def test_it_can_be_started_again_but_not_twice() -> None:
    broker = rookery.Broker()
    await broker.start()
    with pytest.raises(ConflictError):
        await broker.start()
    await broker.stop()

    async with broker:
        assert await broker.publish("a") == 0


async def test_a_taken_port_opens_nothing(broker: rookery.Broker) -> None:
    free = free_port()
    listeners = {
        "tcp:first": f"127.0.0.1:{free}",
        "tcp:second": f"127.0.0.1:{broker.port}",
    }

    with pytest.raises(PortInUseError) as caught:
        await rookery.Broker(listeners=listeners).start()

    assert caught.value.listener == "tcp:second"
    async with rookery.Broker(port=free) as again:
        assert again.port == free


async def test_with_a_data_directory_messages_survive(tmp_path: Path) -> None:
    async with rookery.Broker(data_dir=tmp_path, sync="always") as broker:
        await broker.publish("r", b"kept", qos=1, retain=True)

    async with rookery.Broker(data_dir=tmp_path) as broker:
        client = await aside(lambda: connected(broker))
        await aside(lambda: client.subscribe("r"))
        assert (await aside(client.receive)).payload == b"kept"


async def test_settings_are_those_of_the_configuration_file() -> None:
    async with rookery.Broker(config={"mqtt.max_inflight": 7}) as broker:
        client = await aside(lambda: connected(broker))

        assert client.connack.properties["receive_maximum"] == 7


async def test_listeners_of_both_kinds() -> None:
    listeners = {"ws:default": "127.0.0.1:0", "tcp:default": "127.0.0.1:0"}

    async with rookery.Broker(listeners=listeners) as broker:
        assert broker.url == f"ws://127.0.0.1:{broker.port}/mqtt"
        assert len({listener.port for listener in broker.listeners}) == 2


FORK = """
import asyncio, os, sys
import rookery
from rookery.errors import UnavailableError

async def main():
    async with rookery.Broker() as broker:
        child = os.fork()
        if child == 0:
            try:
                broker.stats()
            except UnavailableError as error:
                os._exit(7 if "fork" in str(error) else 8)
            os._exit(9)
        _, status = os.waitpid(child, 0)
        assert await broker.publish("a") == 0  # the broker does not mind
        return os.waitstatus_to_exitcode(status)

sys.exit(asyncio.run(main()))
"""


def test_a_fork_is_told_that_the_broker_is_not_its_own() -> None:
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], timeout=60, check=False)

    assert run.returncode == 7


LEFT_OPEN = """
import asyncio, rookery

async def main():
    await rookery.Broker().start()

asyncio.run(main())
"""


def test_a_program_that_forgets_to_stop_ends_all_the_same() -> None:
    run = subprocess.run([sys.executable, "-c", LEFT_OPEN], timeout=60, check=False)

    assert run.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"unanswered": "x"}, "unanswered: 'x' is not one of 'deny', 'allow'"),
        ({"hook_deadline_s": -1}, "hook_deadline_s: -1 is no number of seconds above 0"),
        ({"hook_deadline_s": "1s"}, "hook_deadline_s: '1s' is no number of seconds above 0"),
    ],
)
async def test_what_hooks_may_not_be_set_to_is_refused(arguments: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        await rookery.Broker(**arguments).start()


def test_publishing_belongs_to_the_loop_of_the_start() -> None:
    broker = rookery.Broker()
    asyncio.run(broker.start())

    async def elsewhere() -> None:
        with pytest.raises(UnavailableError, match="another event loop"):
            await broker.publish("a", b"")
        await broker.stop()

    asyncio.run(elsewhere())
