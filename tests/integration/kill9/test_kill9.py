"""kill -9 at random moments under QoS 1 and 2 load: nothing acknowledged is lost, and no
message of QoS 2 arrives twice.

A round is: load, kill at a moment drawn from the seed, restart on the same data, sometimes
kill again while the clients come back, then let everything finish and compare histories.
``ROOKERY_KILL9_ROUNDS`` and ``ROOKERY_KILL9_SEED`` repeat a failure or make a long run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from pathlib import Path

import pytest

from harness.client import DEADLINE_S
from harness.durable_client import DurableClient
from harness.history import History
from harness.node import Node
from harness.packets import Will

ROUNDS = int(os.environ.get("ROOKERY_KILL9_ROUNDS", "100"))
ROUNDS_PER_TEST = 10
SEED = int(os.environ.get("ROOKERY_KILL9_SEED", "1"))
PUBLISHERS = 3
# Fewer than `mqtt.max_mqueue_len` in all, so that no queue may drop anything.
MESSAGES_MAX = 250


class Run:
    """One broker, its data directory and the clients that live through all rounds."""

    def __init__(self, node: Node, seed: int) -> None:
        self.node = node
        self.random = random.Random(seed)
        self.history = History()
        self.packets_left = 0
        self.enough = asyncio.Event()
        self.serial = 0
        self.clients: list[DurableClient] = []
        self.publishers = [self._make(f"publisher{n}") for n in range(PUBLISHERS)]
        self.readers = [self._make("reader1"), self._make("reader2")]
        self.sleeper = self._make("sleeper")  # away while there is load
        self.retained: dict[str, list[str]] = {}  # keys by topic name, in the order sent
        self.settled: set[str] = set()  # retained keys acknowledged in earlier rounds
        self.repeated: set[str] = set()  # retained keys of QoS 1 that are sent once more
        self.found: dict[str, str] = {}  # retained keys by topic name, when last looked at

    def _make(self, client_id: str, will: Will | None = None) -> DurableClient:
        client = DurableClient(client_id, self.history, self._count, will=will)
        self.clients.append(client)
        return client

    def _count(self) -> None:
        self.packets_left -= 1
        if self.packets_left <= 0:
            self.enough.set()

    def kill_after(self, packets: int) -> None:
        """Arm the moment of the kill: that many packets have reached clients."""
        self.packets_left = packets
        self.enough.clear()

    async def set_up(self) -> None:
        self.node.start()
        for client, qos in zip([*self.readers, self.sleeper], (1, 2, 2), strict=True):
            await client.connect(self.node.host, self.node.port)
            await client.subscribe("load/#", qos)
            self.history.add_reader(client.client_id, qos)
            await client.drop()

    async def connect_all(self) -> None:
        clients = [*self.publishers, *self.readers]
        self.random.shuffle(clients)
        results = await asyncio.gather(
            *[client.connect(self.node.host, self.node.port) for client in clients],
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def load(self, publisher: DurableClient, count: int) -> None:
        for _ in range(count):
            self.serial += 1
            key, qos = f"m{self.serial}", self.random.choice((1, 2))
            if self.random.random() < 0.1:
                topic_name = f"load/retained/{publisher.client_id}"
                self.retained.setdefault(topic_name, []).append(key)
                await publisher.publish(topic_name, key, qos, retain=True)
            else:
                await publisher.publish(f"load/{publisher.client_id}", key, qos)

    async def kill(self) -> None:
        self.node.kill9()
        self.history.epoch += 1
        self.repeated |= {
            key
            for keys in self.retained.values()
            for key in keys
            if self.history.qos(key) == 1 and not self._is_safe(key)
        }
        for client in [*self.publishers, *self.readers, self.sleeper]:
            await client.lost()

    async def round(self, number: int) -> None:
        await self.connect_all()
        key = f"will{number}"
        dying = self._make(f"dying{number}", Will("load/will", key.encode(), 1))
        await dying.connect(self.node.host, self.node.port)
        await self.everything_is_kept(number)
        self.history.will(key)

        self.kill_after(self.random.randrange(1, 2_500))
        counts = [self.random.randrange(MESSAGES_MAX) for _ in self.publishers]
        load = asyncio.gather(
            *[self.load(p, n) for p, n in zip(self.publishers, counts, strict=True)]
        )
        done = asyncio.ensure_future(self._quiet(load))
        killed = asyncio.create_task(self.enough.wait())
        await asyncio.wait({done, killed}, timeout=DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
        if not done.done() and not killed.done():
            self.history.report("the load has come to a stand")
        await self.kill()
        await dying.lost()
        self.node.start()
        if self.random.random() < 0.3:
            await self.kill_while_resuming()
            self.node.start()
        await self.check_retained()
        await self.connect_all()
        async with asyncio.timeout(DEADLINE_S):
            await done
        killed.cancel()
        await self.sleeper.connect(self.node.host, self.node.port)
        await self.history.all_received(DEADLINE_S)
        await self.check_retained()
        await self.sleeper.drop()
        for client in [*self.publishers, *self.readers]:
            await client.drop()

    async def everything_is_kept(self, number: int) -> None:
        """CONNACK promises nothing, an acknowledged message does, and the log has one order."""
        await self.publishers[0].publish("load/barrier", f"barrier{number}", 1)
        async with asyncio.timeout(DEADLINE_S):
            await self.publishers[0].all_acknowledged()

    async def _quiet(self, load: asyncio.Future[list[None]]) -> None:
        await load
        for publisher in self.publishers:
            await publisher.all_acknowledged()

    async def kill_while_resuming(self) -> None:
        self.kill_after(self.random.randrange(1, 60))
        resuming = asyncio.create_task(self.connect_all())
        killed = asyncio.create_task(self.enough.wait())
        await asyncio.wait({resuming, killed}, return_when=asyncio.FIRST_COMPLETED)
        self.node.kill9()
        with contextlib.suppress(ConnectionError):
            await resuming
        killed.cancel()
        await self.kill()

    async def check_retained(self) -> None:
        """Each retained message is the last acknowledged one or one sent after it."""
        found = self.found = {}
        wanted = {
            topic_name: next(
                (n for n in reversed(range(len(keys))) if self._is_safe(keys[n])), None
            )
            for topic_name, keys in self.retained.items()
        }
        reader = self.node.connect(level=5)
        # One by one: on another topic there may be one that nobody has acknowledged yet.
        for topic_name in [name for name, last in wanted.items() if last is not None]:
            reader.subscribe(topic_name, qos=1)
            message = reader.receive(retain=True)
            found[message.topic_name] = message.payload.decode()
        reader.disconnect()
        for topic_name, last in wanted.items():
            if last is not None and found.get(topic_name) not in self._allowed(topic_name, last):
                self.history.report(
                    f"retained {found.get(topic_name)} on {topic_name}, "
                    f"acknowledged was {self.retained[topic_name][last]}"
                )

    def _allowed(self, topic_name: str, last: int) -> list[str]:
        """One of QoS 2 is taken once. One of QoS 1 sent before it is taken again when its
        acknowledgement was lost, and then is the later of the two (MQTT-5.0 section 4.6 orders
        messages of the same QoS alone).
        """
        keys = self.retained[topic_name]
        again = self.repeated if self.history.qos(keys[last]) == 2 else set[str]()
        return [*(key for key in keys[:last] if key in again), *keys[last:]]

    def settle(self) -> None:
        """The round was good: forget what is settled."""
        self.history.forget()
        self.retained = {name: [key] for name, key in self.found.items()}
        self.settled = set(self.found.values())
        self.repeated.clear()

    async def close(self) -> None:
        for client in self.clients:
            await client.drop()

    def _is_safe(self, key: str) -> bool:
        return key in self.settled or self.history.is_acknowledged(key)


async def run_rounds(node: Node, seed: int, count: int) -> History:
    """Play ``count`` rounds, or fewer when one finds something."""
    run = Run(node, seed)
    try:
        await run.set_up()
        for number in range(count):
            await run.round(number)
            if run.history.problems:
                break
            run.settle()
    except (TimeoutError, ConnectionError, AssertionError) as error:
        run.history.report(f"{type(error).__name__}: {error}")
    finally:
        await run.close()
    return run.history


@pytest.mark.timeout(60 + 10 * ROUNDS_PER_TEST)
@pytest.mark.parametrize("seed", range(SEED, SEED + max(1, ROUNDS // ROUNDS_PER_TEST)))
def test_kill9(tmp_path: Path, seed: int) -> None:
    node = Node(tmp_path, {})
    try:
        history = asyncio.run(run_rounds(node, seed, min(ROUNDS, ROUNDS_PER_TEST)))
    finally:
        node.kill9()
    assert not history.problems, f"seed {seed}\n{history.explain()}"
