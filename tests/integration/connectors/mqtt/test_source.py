"""What another broker sends reaches rules, and is acknowledged when they have got it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.connectors import PAUSE_S, connected, context, in_order
from harness.node import ROOT, Node, fresh_name
from harness.ports import free_port
from harness.wire import Properties
from rookery.connectors.base import Columns, Unhealthy
from rookery.connectors.mqtt import TYPE
from rookery.connectors.mqtt.settings import MqttSourceSettings

KEPT = {"clean_start": False}


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Node]:
    folder = tmp_path / "remote"
    folder.mkdir()
    node = Node(folder, {"listeners.tcp.default.bind": f"127.0.0.1:{free_port()}"})
    node.start()
    yield node
    node.stop()


class Taker:
    """Runs a source and keeps what came."""

    def __init__(self, folder: Path, node: Node, parameters: dict[str, Any], **more: Any) -> None:
        server = f"127.0.0.1:{node.port}"
        settings = TYPE.connector_settings.model_validate(
            {"server": server, "pool_size": 1, **more}
        )
        self.connector = TYPE.open(settings, context(folder, "mqtt:" + more.get("username", "in")))
        self.source = self.connector.open_source(
            MqttSourceSettings.model_validate({"connector": "in", "parameters": parameters}),
            self._receive,
        )
        self.got: asyncio.Queue[Columns] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    async def _receive(self, columns: Columns) -> int:
        self.got.put_nowait(columns)
        return 1

    async def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            await connected(self.connector)
            try:
                await self.source.run()
            except Unhealthy:
                await self.connector.stop()
                await asyncio.sleep(PAUSE_S)

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self.connector.stop()


@pytest.fixture
async def takers() -> AsyncIterator[list[Taker]]:
    made: list[Taker] = []
    yield made
    for taker in made:
        await taker.stop()


async def subscribed(node: Node, topic: str) -> None:
    """Return when a retained message of the topic would find somebody: the broker says so."""
    with node.connect(level=5) as probe:
        while True:
            ack = await asyncio.to_thread(probe.publish, topic, b"probe", qos=1)
            if ack is not None and ack.reason_code == 0:
                return
            await asyncio.sleep(PAUSE_S)


@pytest.mark.parametrize("version", ["v3", "v4", "v5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_rules_get_the_columns_of_a_message(
    node: Node, tmp_path: Path, takers: list[Taker], version: str, qos: int
) -> None:
    topic = fresh_name("in/")
    taker = Taker(tmp_path, node, {"topic": topic, "qos": 2}, proto_ver=version)
    takers.append(taker)
    await taker.start()
    await subscribed(node, topic)
    assert (await taker.got.get())["payload"] == b"probe"
    with node.connect(level=5) as publisher:
        props: Properties = {"user_property": [("a", "1")], "content_type": "text/plain"}
        await asyncio.to_thread(publisher.publish, topic, b"\xff1", qos=qos, properties=props)
        got = dict(await taker.got.get())
    assert got.pop("message_received_at") > 1_700_000_000_000
    assert len(got.pop("id")) == 32
    expected_props: dict[str, Any] = {
        "Content-Type": "text/plain",
        "User-Property": {"a": "1"},
        "User-Property-Pairs": [{"key": "a", "value": "1"}],
    }
    assert got == {
        "server": f"127.0.0.1:{node.port}",
        "topic": topic,
        "qos": qos,
        "payload": b"\xff1",
        "retain": False,
        "dup": False,
        "pub_props": expected_props if version == "v5" else {},
    }


async def test_nothing_is_lost_or_reordered_while_the_broker_restarts(
    remote: Node, tmp_path: Path, takers: list[Taker]
) -> None:
    taker = Taker(tmp_path, remote, {"topic": "in/#", "qos": 1}, proto_ver="v5", **KEPT)
    takers.append(taker)
    await taker.start()
    await subscribed(remote, "in/probe")
    await taker.got.get()
    for first in (1, 101, 201):
        with remote.connect(level=5) as publisher:
            for number in range(first, first + 100):
                await asyncio.to_thread(publisher.publish, "in/1", b"%d" % number, qos=1)
        await asyncio.to_thread(remote.kill9)
        await asyncio.to_thread(remote.start)
    got: list[int] = []
    while not got or got[-1] != 300:
        got.append(int((await taker.got.get())["payload"]))
    assert in_order(got) == list(range(1, 301))


async def test_nodes_that_share_a_subscription_get_each_message_once(
    node: Node, tmp_path: Path, takers: list[Taker]
) -> None:
    topic = fresh_name("in/")
    name = fresh_name("g")
    for number in (1, 2):
        parameters = {"topic": f"$share/{name}/{topic}", "qos": 1}
        more = {"clientid_prefix": fresh_name("n"), "proto_ver": "v5"}
        taker = Taker(tmp_path / str(number), node, parameters, **more)
        takers.append(taker)
        await taker.start()
        await subscribed(node, topic)
        await taker.got.get() if number == 1 else None
    with node.connect(level=5) as publisher:
        for number in range(100):
            await asyncio.to_thread(publisher.publish, topic, b"%d" % number, qos=1)
    got: list[int] = []
    while len(got) < 100:
        waiting = [asyncio.create_task(taker.got.get()) for taker in takers]
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        got += [
            int(task.result()["payload"]) for task in done if task.result()["payload"] != b"probe"
        ]
    assert sorted(got) == list(range(100))


@pytest.mark.parametrize("qos", [1, 2])
async def test_what_was_not_received_comes_again_after_kill_9(node: Node, qos: int) -> None:
    """The process dies while rules have the message, before the broker heard of it."""
    topic = fresh_name("in/")
    connector = {
        "server": f"127.0.0.1:{node.port}",
        "pool_size": 1,
        "clientid_prefix": fresh_name("kill"),
        **KEPT,
    }
    source = {"connector": "in", "parameters": {"topic": topic, "qos": 2}}

    def started() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "harness.bridge_source", "mqtt"),
                *(json.dumps(connector), json.dumps(source)),
            ],
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT}/python:{ROOT}/tests"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def payload(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        while (found := json.loads(process.stdout.readline())["payload"]) == "probe":
            go_on(process)
        return str(found)

    def go_on(process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    first = started()
    try:
        await subscribed(node, topic)
        with node.connect(level=5) as publisher:
            for number in range(3):
                await asyncio.to_thread(publisher.publish, topic, b"%d" % number, qos=qos)
        assert await asyncio.to_thread(payload, first) == "0"
    finally:
        first.kill()
        await asyncio.to_thread(first.communicate)
    second = started()
    try:
        for number in range(3):
            assert await asyncio.to_thread(payload, second) == str(number)
            go_on(second)
        with node.connect(level=5) as publisher:
            await asyncio.to_thread(publisher.publish, topic, b"later", qos=qos)
        assert await asyncio.to_thread(payload, second) == "later"
    finally:
        second.kill()
        await asyncio.to_thread(second.communicate)
