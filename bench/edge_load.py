"""Agents of many edge services in one process, with the protocol of real ones; started by `edge_delivery.py` and others.

Each enrols at the relay with the account that all share, connects under the name that it gets, reports, and takes
deliveries: an answer after as long as a real one needs to check and to write. Standard input and output are those
of `control_load.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import resource
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from control_mqtt import Connection, LostError, RefusedError

from rookery.contracts.agent_edge import (
    DEFAULT_PASSWORD,
    DEFAULT_USERNAME,
    EDGE_PREFIX,
    ENROL_PREFIX,
    EdgeDelivered,
    EdgeNode,
    EdgeReport,
    Enrol,
    Enrolled,
    NodeCounts,
)
from rookery.contracts.agent_v1 import Channel, Presence, Reply, Request, parse, topic_name

HOST = "127.0.0.1"
AT_ONCE = 8
"""Of one process: asking for a name, and connecting."""
AGAIN_S = 1.0


class SimulatedEdge:
    """One edge service."""

    def __init__(
        self, number: int, port: int, source: str, work_s: float, counts: Counter[str]
    ) -> None:
        self._number = number
        self._port = port
        self._source = source
        self._work_s = work_s
        self._counts = counts
        self.secret = secrets.token_urlsafe(32)
        self._boot_id = secrets.token_hex(8)
        self._sequence = 0
        self._delivered: EdgeDelivered | None = None
        self._news = asyncio.Event()
        self._doing: set[asyncio.Task[None]] = set()
        self.id = ""

    async def enrol(self, turns: asyncio.Semaphore) -> None:
        """Get a name for the secret."""
        async with turns:
            while not self.id:
                try:
                    await self._enrol()
                except (LostError, RefusedError, OSError, EOFError, TimeoutError):
                    self._counts["enrolFailed"] += 1
                    await asyncio.sleep(AGAIN_S)
        self._counts["enrolled"] += 1

    async def _enrol(self) -> None:
        name = ENROL_PREFIX + secrets.token_hex(16)
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def heard(_topic: str, payload: bytes) -> None:
            if not answered.done():
                answered.set_result(payload)

        async with (
            Connection.open(
                HOST,
                self._port,
                None,
                name,
                DEFAULT_PASSWORD,
                None,
                DEFAULT_USERNAME,
                source=self._source,
            ) as connection,
            reading(connection, heard),
        ):
            await connection.subscribe([topic_name(name, Channel.ENROLLED)])
            asked = Enrol(
                hashlib.sha256(self.secret.encode()).hexdigest(),
                f"{self._number:08x}-{self._boot_id}",
                description=f"edge-{self._number:05}",
            )
            await connection.publish(topic_name(name, Channel.ENROL), asked.to_bytes())
            async with asyncio.timeout(20):
                answer = Enrolled.from_bytes(await answered)
        if not answer.agent_id.startswith(EDGE_PREFIX):
            raise RefusedError(answer.code)
        self.id = answer.agent_id

    async def run(self, interval_s: float, turns: asyncio.Semaphore) -> None:
        """Stay connected."""
        while True:
            try:
                async with contextlib.AsyncExitStack() as joining:
                    await joining.enter_async_context(turns)
                    await self._one_connection(interval_s, joining)
            except (LostError, RefusedError, OSError, EOFError, TimeoutError):
                self._counts["lost"] += 1
            await asyncio.sleep(AGAIN_S)

    async def _one_connection(self, interval_s: float, joining: contextlib.AsyncExitStack) -> None:
        """``joining`` ends when it stands: then it is the turn of another."""
        will = (topic_name(self.id, Channel.PRESENCE), self._presence("offline"))
        async with Connection.open(
            HOST, self._port, None, self.id, self.secret, will, source=self._source
        ) as connection:

            def heard(topic: str, payload: bytes) -> None:
                if topic.endswith(Channel.REQUEST.value) and payload:
                    message = parse(payload)
                    if isinstance(message, Request):
                        task = asyncio.create_task(self._answer(connection, message))
                        self._doing.add(task)
                        task.add_done_callback(self._doing.discard)

            async with reading(connection, heard) as taking:
                channels = (Channel.REQUEST, Channel.DESIRED)
                await connection.subscribe([topic_name(self.id, each) for each in channels])
                online = self._presence("online")
                await connection.publish(will[0], online, retain=True)
                self._counts["connected"] += 1
                await joining.aclose()
                while not taking.done():
                    self._news.clear()
                    self._sequence += 1
                    report = self._report().to_bytes()
                    await connection.publish(topic_name(self.id, Channel.REPORT), report)
                    self._counts["reports"] += 1
                    news = asyncio.create_task(self._news.wait())
                    await asyncio.wait(
                        [taking, news], timeout=interval_s, return_when=asyncio.FIRST_COMPLETED
                    )
                    news.cancel()

    async def _answer(self, connection: Connection, asked: Request) -> None:
        """As an edge service does: whole, and told by its id."""
        await asyncio.sleep(self._work_s)
        given: dict[str, Any] = json.loads(asked.body or b"{}")
        version = int(given.get("version", 0))
        if asked.method == "PUT":
            self._delivered = EdgeDelivered(given["template"], version, given["delivery"])
            self._counts["delivered"] += 1
            self._counts["bytes"] += len(asked.body)
            self._news.set()
        answer = {"error": 0, "is_new": True, "delivered": {"version": version}, "nodes": []}
        headers = (("content-type", "application/json"),)
        reply = Reply(asked.id, 200, headers=headers, body=json.dumps(answer).encode())
        connection.publish_soon(topic_name(self.id, Channel.REPLY), reply.to_bytes())

    def _presence(self, status: str) -> bytes:
        return Presence(
            status,
            kind="edge",
            agent_version="bench",
            boot_id=self._boot_id,
            clock_ms=time.time_ns() // 1_000_000,
        ).to_bytes()

    def _report(self) -> EdgeReport:
        """As large as that of an edge service with ten drivers."""
        return EdgeReport(
            "bench",
            time.time_ns() // 1_000_000,
            sequence=self._sequence,
            boot_id=self._boot_id,
            host_name=f"gw-{self._number}",
            description=f"edge-{self._number:05}",
            drivers=NodeCounts(10, 10, 0),
            apps=NodeCounts(1, 1, 0),
            tags=1000,
            nodes=tuple(EdgeNode(f"plc-{n}", "Modbus TCP", "driver", 3, 1) for n in range(10)),
            figures={"process.memory": 70e6, "memory.used": 1e9, "load1": 0.2},
            deliveries=() if self._delivered is None else (self._delivered,),
        )


class reading:  # noqa: N801 - a context, used like a function
    """What comes is taken while the block runs."""

    def __init__(self, connection: Connection, heard: Callable[[str, bytes], None]) -> None:
        self._task = asyncio.create_task(connection.read(heard))

    async def __aenter__(self) -> asyncio.Task[None]:
        return self._task

    async def __aexit__(self, *exc_info: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    counts: Counter[str] = Counter()
    first, source = wanted.get("first", 0), wanted.get("source", HOST)
    edges = [
        SimulatedEdge(number, wanted["port"], source, wanted["workS"], counts)
        for number in range(first, first + wanted["edges"])
    ]
    turns = asyncio.Semaphore(AT_ONCE)
    saying = asyncio.create_task(_say(counts))
    await asyncio.gather(*(edge.enrol(turns) for edge in edges))
    running = [asyncio.create_task(edge.run(wanted["intervalS"], turns)) for edge in edges]
    await asyncio.gather(saying, *running)


async def _say(counts: Counter[str]) -> None:
    while True:
        used = resource.getrusage(resource.RUSAGE_SELF)
        line = {"at": time.time(), "cpuS": used.ru_utime + used.ru_stime, **counts}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(1)


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main())
