"""How long pages of lists take while messages flow, and what the messages notice of it.

    python3 bench/lists.py                                    15,000 clients, 85,000 sessions
    python3 bench/lists.py --connected 2000 --away 8000 --asks 50

A node (the shipped command) gets clients that stay and sessions whose clients are away, each with two
subscriptions, 10,000 retained and 1,000 delayed messages. Another process keeps the clients and sends
paced messages through them; this one asks for pages over the node's own socket, as `rookery ctl` and
the dashboard do, and measures from the first byte of a request to the last of its answer. The rule:
p95 of every page below 100 ms. Written to `results/`, as JSON.
"""

from __future__ import annotations

import argparse
import datetime
import http.client
import json
import math
import multiprocessing
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import lists_load

BENCH = Path(__file__).resolve().parent
LIMIT_MS = 100.0
API = "/api/v5"
PAGES = {
    "first page": "/clients?limit=100",
    "page in the middle": "/clients?limit=100&page=500",
    "1,000 rows": "/clients?limit=1000",
    "newest first": "/clients?limit=100&sort=connected_at&order=desc",
    "by name": "/clients?limit=100&sort=clientid&page=300",
    "part of a name": "/clients?limit=100&like_clientid=777",
    "away": "/clients?limit=100&conn_state=disconnected&page=100",
    "of a user, counted": "/clients?limit=10&username=user-3",
    "cursor": "/clients_v2?limit=1000",
    "one client": "/clients/here-7",
    "subscriptions": "/subscriptions?limit=100&page=700",
    "subscriptions of a topic": "/subscriptions?limit=100&match_topic=own%2Fhere-7",
    "shared group": "/subscriptions?limit=100&share_group=g3&page=20",
    "topics": "/topics?limit=100&page=400",
    "retained": "/mqtt/retainer/messages?limit=100&page=50",
    "retained of a filter": "/mqtt/retainer/messages?limit=100&topic=kept%2F%2B%2F7",
    "delayed": "/mqtt/delayed/messages?limit=100",
    "subscriptions by topic": "/subscriptions?limit=100&sort=topic&order=desc&page=300",
    "topics by name": "/topics?limit=100&sort=topic&page=400",
    "part of a topic": "/topics?limit=100&like_topic=here-7",
    "retained, newest first": "/mqtt/retainer/messages?limit=100&sort=publish_at&order=desc",
    "delayed by topic": "/mqtt/delayed/messages?limit=100&sort=topic",
}


class _Local(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(os.path.relpath(self._path))


def ask(path: Path, page: str) -> tuple[float, Any]:
    """A page, and how long it took in ms."""
    connection = _Local(path)
    connection.connect()
    begin = time.perf_counter()
    connection.request("GET", API + page)
    answer = connection.getresponse()
    body = answer.read()
    took_ms = (time.perf_counter() - begin) * 1000
    connection.close()
    if answer.status != http.client.OK:
        raise SystemExit(f"{page}: {answer.status} {body[:300]!r}")
    return took_ms, json.loads(body)


def share(values: list[float], part: float) -> float:
    """The value that this part of the others does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)]


def measure(path: Path, asks: int) -> dict[str, dict[str, float]]:
    """All pages in turn, so that none finds what only it left in a cache."""
    took: dict[str, list[float]] = {name: [] for name in PAGES}
    rows: dict[str, int] = {}
    for _ in range(asks):
        for name, page in PAGES.items():
            took_ms, body = ask(path, page)
            took[name].append(took_ms)
            rows[name] = len(body.get("data", [body]))
    return {
        name: {
            "rows": rows[name],
            "p50_ms": round(share(values, 0.50), 2),
            "p95_ms": round(share(values, 0.95), 2),
            "max_ms": round(max(values), 2),
        }
        for name, values in took.items()
    }


def start(command: str, data: Path, workers: int) -> tuple[subprocess.Popen[str], int, Path]:
    """A node; its port and its own socket."""
    settings = [
        "listeners.tcp.default.bind=127.0.0.1:0",
        "listeners.ws.default.bind=127.0.0.1:0",
        "dashboard.listeners.http.bind=0",
        f"node.workers={workers}",
    ]
    argv = [*command.split(), "node", "start", "--data-dir", str(data)]
    argv += [word for setting in settings for word in ("--set", setting)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "listening" in line and "tcp:default" in line:
            port = int(line.split("127.0.0.1:")[1].split()[0].rstrip(","))
            break
    else:
        raise SystemExit("the node did not start")
    # Nobody may wait for a full pipe: every connect is a line.
    drain = multiprocessing.get_context("fork").Process(
        target=lambda: [None for _ in process.stdout], daemon=True
    )
    drain.start()
    from rookery.config.local_socket import socket_path  # noqa: PLC0415

    return process, port, socket_path(data)


def traffic(load: Connection, seconds: float) -> dict[str, float]:
    """Latencies of messages during some seconds."""
    load.send(("measure", seconds))
    found: dict[str, float] = load.recv()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rookery-cmd", default=f"{sys.executable} -m rookery")
    parser.add_argument("--connected", type=int, default=15_000)
    parser.add_argument("--away", type=int, default=85_000)
    parser.add_argument("--rate", type=int, default=2000, help="messages per second")
    parser.add_argument("--asks", type=int, default=100, help="how often each page is asked for")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", default="")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        node, port, path = start(arguments.rookery_cmd, Path(folder), arguments.workers)
        here, there = multiprocessing.Pipe()
        sizes = (arguments.connected, arguments.away, arguments.rate)
        load = multiprocessing.Process(target=lists_load.run, args=(port, there, *sizes))
        load.start()
        try:
            there.close()
            print("clients come:", here.recv(), flush=True)
            alone = traffic(here, 10.0)
            here.send(("begin", 0))
            pages = measure(path, arguments.asks)
            here.send(("end", 0))
            beside = here.recv()
            found = ask(path, "/clients?limit=1")[1]["meta"]["count"]
        finally:
            load.kill()
            node.terminate()
            node.wait()
    result = {
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "settings": vars(arguments),
        "clients": found,
        "pages": pages,
        "messages_alone": alone,
        "messages_beside_lists": beside,
    }
    name = arguments.out or f"lists-{datetime.datetime.now(datetime.UTC).date().isoformat()}.json"
    (BENCH / "results" / name).write_text(json.dumps(result, indent=1) + "\n")
    for page, figures in pages.items():
        mark = "" if figures["p95_ms"] < LIMIT_MS else "  ABOVE THE LIMIT"
        print(f"{page:26} {figures}{mark}")
    print("messages alone        ", alone)
    print("messages beside lists ", beside)
    return int(any(figures["p95_ms"] >= LIMIT_MS for figures in pages.values()))


if __name__ == "__main__":
    sys.exit(main())
