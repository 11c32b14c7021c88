"""An edge agent with a good credential that means harm, in a process of its own; started by `control_hostile.py`.

It enrols as everybody does, and then does one thing for so many seconds as fast as it is let. Standard input has one JSON
object: what to do. Standard output gets one line a second: what was sent, and what became of it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from control_mqtt import Connection, LostError, RefusedError
from edge_load import HOST, SimulatedEdge, reading

from rookery.contracts.agent_edge import (
    DEFAULT_PASSWORD,
    DEFAULT_USERNAME,
    ENROL_PREFIX,
    NODES_LISTED_MAX,
    EdgeNode,
    EdgeReport,
)
from rookery.contracts.agent_v1 import CHUNK_BYTES_MAX, Channel, Reply, topic_name

WINDOW = 64
"""Publications on their way at once."""
LOST = (LostError, RefusedError, OSError, EOFError, TimeoutError)


class Hostile:
    """Somebody with a name and its secret."""

    def __init__(self, edge: SimulatedEdge, port: int, counts: Counter[str]) -> None:
        self._edge = edge
        self._port = port
        self._counts = counts

    async def reports(self) -> None:
        """Reports with all that fits, at QoS 1."""
        nodes = tuple(
            EdgeNode(f"n{n}", "Modbus TCP", "driver", 3, 1) for n in range(NODES_LISTED_MAX)
        )
        await self._flood(Channel.REPORT, EdgeReport("9", 1, nodes=nodes).to_bytes())

    async def replies(self) -> None:
        """Answers that nobody asked for, as long as they may be."""
        reply = Reply(secrets.token_hex(16), 200, body=b"x" * CHUNK_BYTES_MAX)
        await self._flood(Channel.REPLY, reply.to_bytes())

    async def nonsense(self) -> None:
        """What cannot be read."""
        await self._flood(Channel.EVENT, b'{"v":1,' + b"[" * 60_000)

    async def others(self) -> None:
        """To topics that belong to somebody else."""
        await self._flood(
            Channel.REPORT, b"{}", topic=topic_name("edge-" + "0" * 16, Channel.REPORT)
        )

    async def too_long(self) -> None:
        """Packets of a megabyte, a connection for each."""
        async with self._connected() as connection:
            await connection.publish(self._topic(Channel.REPORT), b"x" * (1 << 20))

    async def takeovers(self) -> None:
        """Connects under its own name, over and over."""
        async with self._connected():
            self._counts["taken"] += 1

    async def names(self) -> None:
        """Asks for one name after the other, with the account that all share."""
        name = ENROL_PREFIX + secrets.token_hex(16)
        async with Connection.open(
            HOST, self._port, None, name, DEFAULT_PASSWORD, None, DEFAULT_USERNAME
        ):
            self._counts["taken"] += 1

    # -- how -------------------------------------------------------------------------------

    def _topic(self, channel: Channel) -> str:
        return topic_name(self._edge.id, channel)

    def _connected(self) -> Any:
        edge = self._edge
        return Connection.open(HOST, self._port, None, edge.id, edge.secret, None)

    async def _flood(self, channel: Channel, payload: bytes, *, topic: str = "") -> None:
        async with (
            self._connected() as connection,
            reading(connection, lambda _topic, _payload: None) as taking,
        ):
            publish = partial(self._publish, connection, topic or self._topic(channel), payload)
            lanes = [asyncio.create_task(publish(taking)) for _ in range(WINDOW)]
            try:
                await asyncio.gather(*lanes)
            finally:
                for lane in lanes:
                    lane.cancel()
                await asyncio.gather(*lanes, return_exceptions=True)

    async def _publish(
        self, connection: Connection, topic: str, payload: bytes, taking: asyncio.Task[None]
    ) -> None:
        while not taking.done():
            try:
                await connection.publish(topic, payload)
            except RefusedError:
                self._counts["refused"] += 1
            else:
                self._counts["taken"] += 1
            self._counts["bytes"] += len(payload)
        raise LostError


async def _over_and_over(act: Callable[[], Awaitable[None]], counts: Counter[str]) -> None:
    while True:
        counts["tried"] += 1
        try:
            await act()
        except LOST:
            counts["ended"] += 1


async def main() -> None:
    wanted = json.loads(sys.stdin.readline())
    counts: Counter[str] = Counter()
    edge = SimulatedEdge(999_999, wanted["port"], HOST, 0, counts)
    await edge.enrol(asyncio.Semaphore(1))
    act = getattr(Hostile(edge, wanted["port"], counts), wanted["act"])
    lanes = [asyncio.create_task(_over_and_over(act, counts)) for _ in range(wanted["lanes"])]
    while True:
        sys.stdout.write(json.dumps({"at": time.time(), **counts}) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(1)
        for lane in lanes:
            if lane.done():
                await lane


if __name__ == "__main__":
    asyncio.run(main())
