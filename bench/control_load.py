"""Agents of many clusters in one process, with the protocol of real ones; started by `control.py`.

Each registers over HTTPS with its token, asks where the relay is, and connects there by TCP or TLS:
session, Will, subscriptions, retained presence, a report every so often, credit for nothing, an answer to
every request. A lost connection is tried again as the shipped agent does, with its own back-off.

Standard input has one JSON object: what to do. Standard output gets one line a second: what was done.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import ssl
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from control_mqtt import Connection, Heard, LostError, RefusedError

from rookery.agent.backoff import Backoff
from rookery.agent.link import FIRST_WAIT_S, MOST_WAIT_S
from rookery.contracts.agent_v1 import (
    Channel,
    ClusterFacts,
    ClusterNode,
    Presence,
    Reply,
    Report,
    Request,
    parse,
    topic_name,
)

AT_ONCE = 16
NODES = 3


class Counts(Counter[str]):
    """What happened so far."""


class SimulatedAgent:
    """One agent."""

    def __init__(self, number: int, token: str, control: Control, counts: Counts) -> None:
        self._number = number
        self._token = token
        self._control = control
        self._counts = counts
        self._sequence = 0
        self.id = self.secret = ""
        self._server = ""

    async def register(self) -> None:
        """Over HTTPS, as the agent does."""
        asked = {
            "nodeId": f"machine-{self._number}",
            "registrationToken": self._token,
            "agentVersion": "bench",
            "hostName": f"host-{self._number}",
        }
        answer = await self._control.ask("POST", "/register", asked)
        self.id, self.secret = answer["agentId"], answer["token"]
        metadata = await self._control.ask("GET", "/metadata", None, self.secret)
        self._server = metadata["mqtt"]["servers"][0]
        self._counts["registered"] += 1

    async def run(self, interval_s: float) -> None:
        """Stay connected and report."""
        backoff = Backoff(FIRST_WAIT_S, MOST_WAIT_S)
        phase_s = random.uniform(0, interval_s)
        await asyncio.sleep(phase_s)
        while True:
            try:
                await self._one_connection(interval_s)
                backoff.succeeded()
            except LostError:
                backoff.succeeded()
                self._counts["lost"] += 1
            except (RefusedError, OSError, EOFError, TimeoutError):
                self._counts["failed"] += 1
            await asyncio.sleep(backoff.next_s())

    async def _one_connection(self, interval_s: float) -> None:
        parts = urlsplit(self._server)
        context = self._control.context if parts.scheme == "mqtts" else None
        will = (self._topic(Channel.PRESENCE), self._presence("offline"))
        self._counts["tried"] += 1
        async with Connection.open(
            str(parts.hostname), int(parts.port or 0), context, self.id, self.secret, will
        ) as connection:
            self._counts["connected"] += 1
            reading = asyncio.create_task(connection.read(self._heard(connection)))
            try:
                await connection.subscribe(
                    [self._topic(Channel.REQUEST), self._topic(Channel.DESIRED)]
                )
                await connection.publish(
                    self._topic(Channel.PRESENCE), self._presence("online"), retain=True
                )
                await self._report(connection, interval_s, reading)
            finally:
                self._counts["disconnected"] += 1
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _report(
        self, connection: Connection, interval_s: float, reading: asyncio.Task[None]
    ) -> None:
        due_s = time.monotonic()
        while True:
            self._sequence += 1
            self._counts["sent"] += 1
            await connection.publish(self._topic(Channel.REPORT), self._report_of().to_bytes())
            self._counts["acknowledged"] += 1
            due_s += interval_s
            done, _ = await asyncio.wait([reading], timeout=max(0.0, due_s - time.monotonic()))
            if done:
                raise LostError

    def _heard(self, connection: Connection) -> Heard:
        def heard(topic: str, payload: bytes) -> None:
            self._counts["heard"] += 1
            if topic.endswith(Channel.REQUEST.value) and payload:
                message = parse(payload)
                if isinstance(message, Request):
                    headers = (("content-type", "application/json"),)
                    reply = Reply(message.id, 200, headers=headers, body=b"{}")
                    connection.publish_soon(self._topic(Channel.REPLY), reply.to_bytes())

        return heard

    def _topic(self, channel: Channel) -> str:
        return topic_name(self.id, channel)

    def _presence(self, status: str) -> bytes:
        return Presence(
            status,
            agent_version="bench",
            boot_id=f"{self._number:x}",
            clock_ms=time.time_ns() // 1_000_000,
            capabilities=("http", "chunks", "reports", "websocket", "viewer-key"),
        ).to_bytes()

    def _report_of(self) -> Report:
        """As large as that of a cluster of three nodes, and another one each time."""
        now_ms = time.time_ns() // 1_000_000
        clients = 1000 + random.randrange(500)
        return Report(
            "bench",
            now_ms,
            sequence=self._sequence,
            node_id=f"machine-{self._number}",
            boot_id=f"{self._number:x}",
            cluster_nodes=tuple(
                ClusterNode(
                    f"rookery@10.0.{self._number % 250}.{node}",
                    uptime_ms=self._sequence * 15_000,
                    version="0.7.0",
                    connections=clients // NODES,
                    role="core",
                )
                for node in range(NODES)
            ),
            facts=ClusterFacts(
                started_at_ms=now_ms - 86_400_000,
                version="0.7.0",
                edition="Opensource",
                connections=clients,
                connection_limit=10_000,
                rates={"received": random.random() * 1000, "sent": random.random() * 5000},
            ),
            metrics={f"metric.{number}.count": float(clients * number) for number in range(40)},
            dashboard_enabled=True,
            round_trip_ms=random.randrange(5, 60),
        )


class Control:
    """The HTTPS of control, with its own authority."""

    def __init__(self, url: str, ca_file: str) -> None:
        self._parts = urlsplit(url)
        self.context = ssl.create_default_context(cafile=ca_file)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ask(self, method: str, path: str, body: object, bearer: str = "") -> dict[str, Any]:
        """One request on a connection of its own, as the agent makes them."""
        content = b"" if body is None else json.dumps(body).encode()
        host = f"{self._parts.hostname}:{self._parts.port}"
        lines = [
            f"{method} /api/clusters/agents{path} HTTP/1.1",
            f"host: {host}",
            "connection: close",
            "content-type: application/json",
            f"content-length: {len(content)}",
        ]
        if bearer:
            lines.append(f"authorization: Bearer {bearer}")
        async with self._turns:
            reader, writer = await asyncio.open_connection(
                self._parts.hostname, self._parts.port, ssl=self.context
            )
            try:
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
                head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"{path}: {head.decode()} {answer.decode()}")
        found: dict[str, Any] = json.loads(answer)
        return found


async def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    counts = Counts()
    control = Control(wanted["url"], wanted["caFile"])
    agents = [
        SimulatedAgent(number, token, control, counts)
        for number, token in enumerate(wanted["tokens"])
    ]
    saying = asyncio.create_task(_say(counts))
    await asyncio.gather(*(agent.register() for agent in agents))
    running = [asyncio.create_task(agent.run(wanted["intervalS"])) for agent in agents]
    await asyncio.gather(saying, *running)


async def _say(counts: Counts) -> None:
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
