"""Messages of rules reach another broker, over its outages, in order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.authority import Authority
from harness.client import RawClient
from harness.connectors import Sender, context, in_order, item, words
from harness.node import Node, fresh_name
from harness.ports import free_port
from harness.waiting import until
from rookery.connectors.base import Connector, Recoverable, Unhealthy
from rookery.connectors.mqtt import TYPE
from rookery.connectors.mqtt.settings import MqttActionSettings
from rookery.native.action_fields import UNDEFINED, ActionItem, JsonText


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Node]:
    """The other broker, on a port that it keeps."""
    folder = tmp_path / "remote"
    folder.mkdir()
    node = Node(folder, {"listeners.tcp.default.bind": f"127.0.0.1:{free_port()}"})
    node.start()
    yield node
    node.stop()


def settings_for(node: Node, **more: Any) -> Any:
    return TYPE.connector_settings.model_validate(
        {"server": f"127.0.0.1:{node.port}", "pool_size": 2, "retry_interval": "2s", **more}
    )


class Opened:
    """Makes connectors, and stops them at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Connector[Any, Any]] = []

    async def sender(self, node: Node, parameters: dict[str, Any], **more: Any) -> Sender:
        connector = TYPE.open(settings_for(node, **more), context(self._folder))
        self._made.append(connector)
        action = connector.open_action(
            MqttActionSettings.model_validate({"connector": "remote", "parameters": parameters})
        )
        await connector.start()
        await action.start()
        return Sender(connector, action)

    async def close(self) -> None:
        for connector in self._made:
            await connector.stop()


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    made = Opened(tmp_path)
    yield made
    await made.close()


def message(
    number: int, topic: str, payload: str | bytes, qos: str = "1", **more: Any
) -> ActionItem:
    fields = (
        topic,
        payload,
        qos,
        more.pop("retain", "false"),
        more.pop("props", UNDEFINED),
        UNDEFINED,
    )
    return item(number, *fields, **more)


def published(watcher: RawClient, count: int) -> list[tuple[str, bytes, int]]:
    got = [watcher.receive() for _ in range(count)]
    return [(packet.topic_name, packet.payload, packet.qos) for packet in got]


@pytest.mark.parametrize("version", ["v3", "v4", "v5"])
@pytest.mark.parametrize("qos", ["0", "1", "2"])
async def test_a_message_arrives_as_its_templates_say(
    node: Node, opened: Opened, version: str, qos: str
) -> None:
    topic = fresh_name("bridge/")
    with node.connect(level=5) as watcher:
        watcher.subscribe(topic, qos=2)
        sender = await opened.sender(node, {"topic": "${topic}"}, proto_ver=version)
        await sender.send([message(1, topic, b"\x00\xff", qos), message(2, topic, "热", qos)])
        got = await asyncio.to_thread(published, watcher, 2)
    assert got == [(topic, b"\x00\xff", int(qos)), (topic, "热".encode(), int(qos))]
    assert not sender.failed


async def test_properties_of_mqtt_5_go_along(node: Node, opened: Opened) -> None:
    topic = fresh_name("bridge/")
    props = {
        "Content-Type": "text/plain",
        "User-Property-Pairs": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
    }
    with node.connect(level=5) as watcher:
        watcher.subscribe(topic, qos=1)
        sender = await opened.sender(node, {"topic": topic}, proto_ver="v5")
        await sender.send([message(1, topic, "x", props=JsonText(json.dumps(props)))])
        packet = await asyncio.to_thread(watcher.receive)
    assert packet.properties["content_type"] == "text/plain"
    assert packet.properties["user_property"] == [("a", "1"), ("a", "2")]


async def test_what_can_be_no_message_fails_alone(node: Node, opened: Opened) -> None:
    topic = fresh_name("bridge/")
    with node.connect(level=5) as watcher:
        watcher.subscribe(topic, qos=1)
        sender = await opened.sender(node, {"topic": topic})
        bad = [message(1, "a/#", "x"), message(2, topic, "x", "7"), message(3, "", "x")]
        await sender.send([*bad, message(4, topic, "good")])
        assert await asyncio.to_thread(published, watcher, 1) == [(topic, b"good", 1)]
    assert [failure.number for failure in sender.failed] == [1, 2, 3]
    assert words(sender.failed[1]) == "7 is no QoS"


async def test_one_whose_properties_mqtt_does_not_allow_fails_alone(
    node: Node, opened: Opened
) -> None:
    topic = fresh_name("bridge/")
    bad: list[tuple[dict[str, object], str]] = [
        ({"Message-Expiry-Interval": -1}, "from 0 to 4294967295, and is -1"),
        ({"Message-Expiry-Interval": 99999999999}, "from 0 to 4294967295"),
        ({"Payload-Format-Indicator": 2}, "from 0 to 1, and is 2"),
        ({"Payload-Format-Indicator": [1]}, "from 0 to 1"),
        ({"Correlation-Data": "\ufffd" * 30_000}, "Correlation-Data has 90000 octets"),
        ({"Content-Type": "x" * 65_536}, "Content-Type has 65536 octets"),
        ({"User-Property": {"a": "x" * 65_536}}, "User-Property has 65536 octets"),
    ]
    with node.connect(level=5) as watcher:
        watcher.subscribe(topic, qos=1)
        sender = await opened.sender(node, {"topic": topic}, proto_ver="v5")
        messages = [
            message(number, topic, "x", props=JsonText(json.dumps(props)))
            for number, (props, _) in enumerate(bad)
        ]
        await sender.send([*messages, message(99, "", "x"), message(100, topic, "good")])
        assert await asyncio.to_thread(published, watcher, 1) == [(topic, b"good", 1)]
    assert [failure.number for failure in sender.failed] == [*range(len(bad)), 99]
    for failure, (_, reason) in zip(sender.failed, bad, strict=False):
        assert reason in words(failure)
    assert words(sender.failed[-1]) == "the topic is empty"
    assert sender.again == 0


async def test_one_that_the_broker_forbids_fails_alone(tmp_path: Path, opened: Opened) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    remote = Node(folder, {"mqtt.max_packet_size": "1KB"})
    remote.start()
    try:
        sender = await opened.sender(remote, {"topic": "t"}, proto_ver="v5")
        # 1024 octets are taken, and with one more none.
        pairs = JsonText(json.dumps({"User-Property": {"k": "x" * 1009}}))
        await sender.send(
            [
                message(1, "t", "x" * 2000),
                message(2, "t", "x" * 1015),
                message(3, "t", "x" * 1016),
                message(4, "t", "", props=pairs),
                message(5, "t", "small"),
            ]
        )
        assert [failure.number for failure in sender.failed] == [1, 3, 4]
        assert "more than the broker takes" in words(sender.failed[0])
        assert sender.again == 0
    finally:
        remote.stop()


async def test_nothing_is_lost_or_reordered_while_the_broker_restarts(
    remote: Node, opened: Opened
) -> None:
    remote.durable("watch", 5).subscribe("out/#", qos=1)
    sender = await opened.sender(remote, {"topic": "out/${clientid}"})
    numbers = range(1, 401)

    async def restart_under_way() -> None:
        for _ in range(2):
            await asyncio.to_thread(remote.kill9)
            await asyncio.to_thread(remote.start)

    messages = [message(number, "out/c1", str(number)) for number in numbers]
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(sender.send(messages[:200]))
        await asyncio.sleep(0)  # the first batch is on its way
        tasks.create_task(restart_under_way())
    await sending
    await sender.send(messages[200:])
    with remote.durable("watch", 5) as watcher:
        got: list[int] = []
        while not got or got[-1] != numbers[-1]:
            packet = await asyncio.to_thread(watcher.receive)
            got.append(int(packet.payload))
    assert in_order(got) == list(numbers)
    assert not sender.failed


async def test_who_does_not_acknowledge_is_left_and_asked_again(
    remote: Node, opened: Opened
) -> None:
    """The broker hangs: the connection stands, and nothing comes back."""
    remote.durable("watch", 5).subscribe("out", qos=1)
    sender = await opened.sender(remote, {"topic": "out"}, retry_interval="200ms")
    os.kill(remote.pid, signal.SIGSTOP)
    until(lambda: ") T " in Path(f"/proc/{remote.pid}/stat").read_text("utf-8"), "it has stopped")
    try:
        with pytest.raises(Recoverable, match="did not answer in time"):
            await sender.action.send([message(1, "out", "1")])
        with pytest.raises(Unhealthy):
            await sender.connector.check()
    finally:
        os.kill(remote.pid, signal.SIGCONT)
    await sender.send([message(1, "out", "1")])
    with remote.durable("watch", 5) as watcher:
        assert (await asyncio.to_thread(watcher.receive)).payload == b"1"


async def test_a_broker_that_is_not_there_is_named(remote: Node, opened: Opened) -> None:
    port = remote.port
    remote.stop()
    with pytest.raises(Unhealthy, match=rf"connect to 127.0.0.1:{port} refused: see whether"):
        await opened.sender(remote, {"topic": "t"})


async def test_a_refused_login_says_so(tmp_path: Path, opened: Opened) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    remote = Node(
        folder, {"authentication": "[{mechanism=password_based,backend=built_in_database}]"}
    )
    remote.start()
    try:
        with pytest.raises(
            Unhealthy, match=r"does not let this node in .*: check username and password"
        ):
            await opened.sender(remote, {"topic": "t"}, username="u", password="wrong")
    finally:
        remote.stop()


async def test_messages_go_over_tls_to_whom_the_certificate_names(
    tmp_path: Path, opened: Opened
) -> None:
    authority = Authority(tmp_path, "Bridge CA")
    pair = authority.issue("localhost")
    folder = tmp_path / "secure"
    folder.mkdir()
    port = free_port()
    remote = Node(
        folder,
        {
            "listeners.ssl.default.bind": f"127.0.0.1:{port}",
            "listeners.ssl.default.ssl_options.certfile": str(pair.cert),
            "listeners.ssl.default.ssl_options.keyfile": str(pair.key),
        },
    )
    remote.start()
    tls = {"enable": True, "cacertfile": str(authority.cert)}
    try:
        with remote.connect(level=5) as watcher:
            watcher.subscribe("secure", qos=1)
            server = {"server": f"localhost:{port}"}
            sender = await opened.sender(remote, {"topic": "secure"}, ssl=tls, **server)
            await sender.send([message(1, "secure", "hidden")])
            assert await asyncio.to_thread(published, watcher, 1) == [("secure", b"hidden", 1)]
        with pytest.raises(Unhealthy, match="is for another name"):
            other = tls | {"server_name_indication": "other.example"}
            await opened.sender(remote, {"topic": "secure"}, ssl=other, **server)
    finally:
        remote.stop()
