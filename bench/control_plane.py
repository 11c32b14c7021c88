"""The two processes of `control.py`: a control plane with a project, and the load on it."""

from __future__ import annotations

import copy
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent
EMAIL, PASSWORD = "bench@example.com", "Correct-horse-9"
START_S = 120.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class ControlPlane:
    """`rookery control start` on free ports, which it keeps over restarts."""

    def __init__(self, folder: Path, rookery: str, database: str, relay: str) -> None:
        self.folder = folder / "data"
        self.port = free_port()
        self.relay_port = free_port()
        off = {"tls": "tcp", "tcp": "tls"}[relay]
        self._sets = {
            "control.bind": f"127.0.0.1:{self.port}",
            f"control.relay.{relay}": f"127.0.0.1:{self.relay_port}",
            f"control.relay.{off}": "0",
            "control.tls.names": '["127.0.0.1", "localhost"]',
            "control.log.level": "warning",
        }
        self._command = [rookery, "control", "start", "--data-dir", str(self.folder)]
        self._database = database
        self._log = (folder / "log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def https_url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "certificates" / "ca.pem"

    def start(self) -> None:
        """Until it answers."""
        environ = dict(os.environ)
        if self._database:
            environ["ROOKERY_CONTROL__DATABASE"] = self._database
        sets = [part for name, value in self._sets.items() for part in ("--set", f"{name}={value}")]
        self._process = subprocess.Popen(
            [*self._command, *sets], stdout=self._log, stderr=self._log, env=environ
        )
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s:
            try:
                ask(self.port, "GET", "/setup")
                return
            except OSError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(f"control does not start: {Path(self._log.name).read_text()}")

    def set_interval(self, seconds: int) -> None:
        """How often agents report; holds for entries that are made after the next start."""
        self._sets["control.agents.report_interval"] = f"{seconds}s"

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def pids(self) -> list[int]:
        """The command may be a wrapper of the process itself."""
        assert self._process is not None
        found, waiting = [], [self._process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                children = (task / "children").read_text().split()
                waiting += [int(child) for child in children]
        return found

    def cpu_s(self) -> float:
        """User and system time of all its threads so far."""
        total = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self) -> int:
        """Resident."""
        page = os.sysconf("SC_PAGE_SIZE")
        return sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in self.pids()
        )

    def make_project(self, count: int, interval_s: int) -> Project:
        """The wizard, and entries with a token each."""
        if interval_s != 15:
            self.set_interval(interval_s)
            self.stop()
            self.start()
        given = {"email": EMAIL, "password": PASSWORD, "accessAddress": self.https_url}
        ask(self.port, "POST", "/setup", given)
        project = Project(self.port)
        project.make(count)
        return project


class Project:
    """A project with clusters, and somebody who looks at it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.connect()
        self._path = self.path = self.org = self.id = ""
        self._token = ""
        self.clusters: list[str] = []
        self.tokens: list[str] = []
        self.sign_in()

    def sign_in(self) -> None:
        self._connection.close()
        answer = ask(self._port, "POST", "/login", {"email": EMAIL, "password": PASSWORD})
        self._token = answer["accessToken"]

    def again(self) -> Project:
        """The same person at another connection."""
        other = copy.copy(self)
        other.connect()
        return other

    def connect(self) -> None:
        """Have a connection of its own."""
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port)

    def make(self, count: int) -> None:
        self.org = self.ask("POST", "/orgs", {"name": "bench"})["id"]
        self.id = self.ask("POST", f"/orgs/{self.org}/projects", {"name": "bench"})["id"]
        self.path = f"/orgs/{self.org}/projects/{self.id}"
        self._path = f"{self.path}/clusters"
        for number in range(count):
            entry = {
                "name": f"cluster-{number:05}",
                "address": f"https://cluster-{number}.example.com:18083",
                "labels": [f"site={number % 10}", "bench"],
            }
            cluster = self.ask("POST", self._path, entry)["id"]
            # As long as such a token can live: making the next ones takes a while.
            token = self.ask("POST", f"{self._path}/{cluster}/registration-token", {"ttlS": 86_400})
            self.clusters.append(cluster)
            self.tokens.append(token["token"])

    def timed(self, query: str) -> float:
        """Milliseconds from the first byte of a request to the last of its answer."""
        began_s = time.perf_counter()
        self.ask("GET", self._path + query)
        return (time.perf_counter() - began_s) * 1000

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            part = self.ask("GET", f"{self._path}?size=1000&offset={len(found)}")
            found += part["items"]
            if not part["items"] or len(found) >= part["total"]:
                return found

    def states(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for row in self.rows():
            counts[row["state"]] = counts.get(row["state"], 0) + 1
        return counts

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask as the administrator."""
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        content = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, f"/api{path}", content, headers)
            answer = self._connection.getresponse()
        except (http.client.HTTPException, ConnectionError):
            # It was idle for too long.
            self._connection.close()
            self._connection.request(method, f"/api{path}", content, headers)
            answer = self._connection.getresponse()
        text = answer.read()
        if answer.status == 401:
            self.sign_in()
            return self.ask(method, path, body)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text else None


class Load:
    """The process that plays the agents."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.last: dict[str, Any] = {}

    def start(self, wanted: dict[str, Any], program: str = "control_load.py") -> None:
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(_paths())}
        self._process = subprocess.Popen(
            [sys.executable, str(BENCH / program)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    def until(self, is_it: Callable[[dict[str, Any]], bool], most_s: float) -> list[dict[str, Any]]:
        """The lines up to the first that is it."""
        end_s, found = time.monotonic() + most_s, []
        while time.monotonic() < end_s:
            self.last = self._lines.get(timeout=30)
            found.append(self.last)
            # What was said before is of no interest.
            if self._lines.empty() and is_it(self.last):
                return found
        raise RuntimeError(f"not within {most_s} s: {self.last}")

    def wait(self, seconds: float) -> None:
        """Let it work, and know how far it is."""
        end = time.time() + seconds
        self.until(lambda line: line["at"] >= end, seconds + 60)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Loads:
    """Several such processes, each with some of the agents: one may have so many descriptors."""

    def __init__(self) -> None:
        self._loads: list[Load] = []

    def start(self, wanted: dict[str, Any], count: int, program: str) -> None:
        """``wanted["edges"]`` are shared out; each process comes from an address of its own."""
        shares = [len(range(n, wanted["edges"], count)) for n in range(count)]
        for number, share in enumerate(shares):
            load = Load()
            self._loads.append(load)
            first, source = sum(shares[:number]), f"127.0.0.{number + 1}"
            load.start({**wanted, "edges": share, "first": first, "source": source}, program)

    @property
    def last(self) -> dict[str, Any]:
        """What all of them counted; ``at`` is when the first of them said so."""
        total: dict[str, Any] = {}
        for name in {name for load in self._loads for name in load.last} - {"at"}:
            total[name] = sum(load.last.get(name, 0) for load in self._loads)
        return {**total, "at": min(load.last.get("at", 0.0) for load in self._loads)}

    def until(self, name: str, count: int, most_s: float) -> None:
        """All together have counted so many."""
        end_s = time.monotonic() + most_s
        while self.last.get(name, 0) < count:
            if time.monotonic() > end_s:
                raise RuntimeError(f"not within {most_s} s: {self.last}")
            self.wait(1)

    def wait(self, seconds: float) -> None:
        """Let them work, and know how far they are."""
        end = time.time() + seconds
        for load in self._loads:
            load.until(lambda line: line["at"] >= end, seconds + 60)

    def stop(self) -> None:
        for load in self._loads:
            load.stop()


def _paths() -> list[str]:
    return [
        str(BENCH),
        str(BENCH.parent / "python"),
        *os.environ.get("PYTHONPATH", "").split(os.pathsep),
    ]


def ask(port: int, method: str, path: str, body: Any = None) -> Any:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, f"/api{path}", content, {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
    return json.loads(text) if text else None
