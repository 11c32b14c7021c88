"""What a link between two clusters costs, and how fast it tells subscriptions.

    python bench/links.py [--seconds 4] [--runs 3] [--routes 100000] [--out FILE]

Messages: the processor time of all nodes per delivered message, of two clients on one node and of the same two with
a link between them, by turns; with messages kept on disk until the other side has them, which is the default, and without. Distance: messages per second over a link whose octets wait 50 ms in each direction, in
a proxy of this script. Routes: how long the other cluster takes to know that many subscriptions, told at
once when a link comes up.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python")]

from hooks import cpu_s  # noqa: E402

from harness.linked import PASSWORD, USER, Side, two_sides  # noqa: E402
from harness.operator import eventually  # noqa: E402

PREFIX = "bench"
HALF_WAY_S = 0.05
PER_CLIENT = 1000
_RUN = """
import json, sys
from rookery.native.bench import run_bench
print(json.dumps(run_bench(json.loads(sys.argv[1]), lambda progress: True)))
"""


def generate(addresses: list[str], seconds: float, **load: Any) -> dict[str, Any]:
    """A run of the load generator; its report."""
    config = {
        "mode": "pairs",
        "addresses": addresses,
        "username": USER,
        "password": PASSWORD,
        "publishers": 15,
        "subscribers": 15,
        "payload_bytes": 64,
        "topic_prefix": PREFIX,
        "qos": 1,
        "warm_up_s": 1.0,
        "duration_s": seconds,
        **load,
    }
    command = [sys.executable, "-c", _RUN, json.dumps(config)]
    environment = {"PYTHONPATH": str(ROOT / "python")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if run.returncode:
        raise SystemExit(run.stderr or run.stdout)
    report: dict[str, Any] = json.loads(run.stdout)
    return report


class Far:
    """A proxy whose octets take their time."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._loop = asyncio.new_event_loop()
        self.port = 0

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while octets := await reader.read(1 << 16):
                self._loop.call_later(HALF_WAY_S, writer.write, octets)
        self._loop.call_later(HALF_WAY_S, writer.close)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _open(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    @contextlib.contextmanager
    def running(self) -> Iterator[int]:
        """Its port."""
        self._loop.run_until_complete(self._open())
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        yield self.port
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join()


def link(east: Side, west: Side, server: str | None = None, **members: Any) -> None:
    """Link both; ``server`` is where ``west`` finds ``east``."""
    topics = [f"{PREFIX}/#"]
    east.put(east.link_to(west, topics=topics, pool_size=8, **members))
    back = {} if server is None else {"server": server}
    west.put(west.link_to(east, topics=topics, pool_size=8, **back, **members))
    east.wait_for("west", None)
    west.wait_for("east", None)


def messages(east: Side, west: Side, seconds: float, runs: int) -> list[dict[str, float]]:
    """Processor time per message: on one node, and over the link."""
    pids = [side.operator.node.pid for side in (east, west)]
    found = []
    for _ in range(runs):
        row: dict[str, float] = {}
        for cell, addresses in (("one", [east.address]), ("link", [west.address, east.address])):
            before = cpu_s(pids)
            report = generate(addresses, seconds, window=16)
            row[cell] = 1e6 * (cpu_s(pids) - before) / max(1, report["received"])
            row[f"{cell}_per_s"] = report["received_per_s"]
        row["ratio"] = row["link"] / row["one"]
        found.append(row)
        print(json.dumps(row))
    return found


def distance(east: Side, west: Side, seconds: float) -> dict[str, float]:
    """Messages per second over a hundred milliseconds there and back."""
    far = Far(east.operator.node.port)
    with far.running() as port:
        link(east, west, f"127.0.0.1:{port}", max_inflight=1000)
        report = generate(
            [west.address, east.address], seconds, window=1000, window_by_acknowledgement=True
        )
        row = {"per_s": report["received_per_s"], "p50_us": report["latency_us"]["p50"]}
        print(json.dumps(row))
        west.put()
    return row


def routes(east: Side, west: Side, count: int) -> dict[str, float]:
    """Seconds until a link that comes up has told this many subscriptions."""
    west.put()
    clients = [east.client(f"routes-{at}") for at in range(-(-count // PER_CLIENT))]
    for at, client in enumerate(clients):
        for first in range(0, PER_CLIENT, 100):
            names = range(at * PER_CLIENT + first, at * PER_CLIENT + first + 100)
            client.subscribe(*(f"{PREFIX}/{name}/state" for name in names))
    begun = time.monotonic()
    west.put(west.link_to(east, topics=[f"{PREFIX}/#"]))
    eventually(lambda: west.metrics("east")["router"]["routes"] > 0)
    first = time.monotonic()
    eventually(lambda: west.metrics("east")["router"]["routes"] == count)
    row = {"routes": count, "until_first_s": first - begun, "s": time.monotonic() - first}
    print(json.dumps(row))
    for client in clients:
        client.drop()
    return row


def main() -> int:
    """Measure; the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=4)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--routes", type=int, default=100_000)
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, two_sides(Path(folder)) as (east, west):
        link(east, west)
        found: dict[str, Any] = {"messages": messages(east, west, given.seconds, given.runs)}
        link(east, west, extensions={"store": {"enable": False}})
        found["messages_in_memory"] = messages(east, west, given.seconds, given.runs)
        found["distance"] = distance(east, west, given.seconds)
        found["routes"] = routes(east, west, given.routes)
    for cell in ("messages", "messages_in_memory"):
        ratio = statistics.median(row["ratio"] for row in found[cell])
        print(f"{cell}: over a link {ratio:.2f} times the processor time of one node")
    if given.out:
        given.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
