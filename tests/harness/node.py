"""Starts the broker under test as a process and hands out connections to it.

Which broker that is comes from the environment, first match wins:

``ROOKERY_TEST_BROKER=host:port``
    one that runs already; tests that need their own settings are skipped.
``ROOKERY_TEST_MOSQUITTO=path``
    that Mosquitto: the suite itself is checked against a broker that others wrote.
``ROOKERY_TEST_BIN=path``
    a native development binary, which takes no settings.
otherwise
    ``rookery node start`` of the project's environment, or of ``ROOKERY_TEST_CLI=path``.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple, Protocol

import pytest

from harness import role_command
from harness.client import DEADLINE_S, RawClient
from harness.last_words import listen
from harness.packets import Connect, Will
from harness.wire import Properties

ROOT = role_command.ROOT
HOST = "127.0.0.1"
Settings = Mapping[str, str]

# A taken port must never make a test fail: every listener of the node gets a free one.
_LISTENERS = ("listeners.tcp.default", "listeners.ws.default", "dashboard.listeners.http")
_MOSQUITTO_NAMES = {
    "mqtt.max_packet_size": "max_packet_size",
    "mqtt.max_inflight": "max_inflight_messages",
    "mqtt.max_qos_allowed": "max_qos",
    "mqtt.retain_available": "retain_available",
    "mqtt.max_topic_alias": "max_topic_alias",
    "mqtt.max_mqueue_len": "max_queued_messages",
}
_client_numbers = itertools.count(1)


class Where(NamedTuple):
    """Where a broker runs: the address it listens on, and what stands before its command."""

    host: str = HOST
    prefix: tuple[str, ...] = ()


LOCAL = Where()


class Node:
    """A running broker. After :meth:`restart` it may listen on another port."""

    def __init__(self, data_dir: Path, settings: Settings, where: Where = LOCAL) -> None:
        self.host = where.host
        self._prefix = where.prefix
        self.port = 0
        self.data_dir = data_dir
        self.settings = dict(settings)
        self.log: list[str] = []
        self._process: role_command.Process | None = None
        self._is_ready = False
        self._follower: threading.Thread | None = None

    # -- process -------------------------------------------------------------------------

    def start(self) -> None:
        """Start the broker and wait until it listens."""
        external = os.environ.get("ROOKERY_TEST_BROKER")
        if external:
            if self.settings:
                pytest.skip("the running broker cannot be given settings")
            self.host, port = external.rsplit(":", 1)
            self.port = int(port)
            return
        self._process, ready = self._started()
        assert self._process.stdout is not None
        listen(self)
        listening = threading.Event()
        self._is_ready = False
        self._follower = threading.Thread(
            target=self._follow, args=(self._process.stdout, ready, listening), daemon=True
        )
        self._follower.start()
        if not listening.wait(DEADLINE_S) or not self._is_ready:
            self.kill9()
            raise AssertionError(f"{self.data_dir} did not start:\n" + "\n".join(self.log))

    def _follow(self, output: IO[str], ready: re.Pattern[str], listening: threading.Event) -> None:
        with output:
            for line in output:
                self.log.append(line.rstrip())
                found = None if listening.is_set() else ready.search(line)
                if found is not None:
                    if found.groups():
                        self.port = int(found.group(1))
                    self._is_ready = True
                    listening.set()
        listening.set()  # the process has ended: start() reports it without waiting

    def _started(self) -> tuple[role_command.Process, re.Pattern[str]]:
        """The process, and how it says that it listens."""
        mosquitto = os.environ.get("ROOKERY_TEST_MOSQUITTO")
        if mosquitto:
            words = [mosquitto, "-c", str(self._mosquitto_file())]
            return role_command.popen(words), re.compile("running")
        ready = re.compile(rf"listening (?=.*tcp:default).*?{re.escape(self.host)}:(\d+)")
        native = os.environ.get("ROOKERY_TEST_BIN")
        if native:
            if self.settings:
                pytest.skip("the development binary takes no settings")
            words = [native, "--port", "0", "--data-dir", str(self.data_dir)]
            return role_command.popen(words), ready
        words = ["node", "start", "--data-dir", str(self.data_dir)]
        ports = {f"{name}.bind": f"{self.host}:0" for name in _LISTENERS}
        for name, value in {**ports, **self.settings}.items():
            words += ["--set", f"{name}={value}"]
        return role_command.start(words, prefix=self._prefix), ready

    def _mosquitto_file(self) -> Path:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        lines = [f"listener {self.port} {HOST}", "allow_anonymous true", "user root"]
        lines += ["persistence true", f"persistence_location {self.data_dir}/", "log_type all"]
        for name, value in self.settings.items():
            if name not in _MOSQUITTO_NAMES:
                pytest.skip(f"Mosquitto has no {name}")
            lines.append(f"{_MOSQUITTO_NAMES[name]} {value.removesuffix('B')}")
        file = self.data_dir / "mosquitto.conf"
        file.write_text("\n".join(lines) + "\n")
        return file

    @property
    def is_own(self) -> bool:
        """Whether this is Rookery started by us, not a peer or a broker of somebody else."""
        names = ("ROOKERY_TEST_BROKER", "ROOKERY_TEST_MOSQUITTO")
        return not any(os.environ.get(name) for name in names)

    @property
    def stops_gracefully(self) -> bool:
        """Whether SIGTERM is more than an end."""
        return "ROOKERY_TEST_BIN" not in os.environ

    @property
    def is_running(self) -> bool:
        """Whether the process is there and ours."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        assert self._process is not None, "the broker is not ours"
        return self._process.pid

    def memory(self) -> int:
        """Bytes of memory the broker has resident; 0 for a broker that is not Rookery."""
        if not self.is_own:
            return 0
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal and wait until the process has ended."""
        if self._process is None:
            if os.environ.get("ROOKERY_TEST_BROKER") and number != signal.SIGTERM:
                pytest.skip("the running broker is not ours to kill")
            return
        process, self._process = self._process, None
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the broker did not end after {number!r}") from None
        finally:
            if self._follower is not None:
                self._follower.join(DEADLINE_S)

    def kill9(self) -> None:
        """End the process without any chance to clean up."""
        self.signal(signal.SIGKILL)

    def stop(self) -> None:
        """End the process gracefully. May be called twice."""
        self.signal(signal.SIGTERM)

    def restart(self) -> None:
        """Stop gracefully and start on the same data directory."""
        self.stop()
        self.start()

    # -- connections ---------------------------------------------------------------------

    def open(self, level: int = 4) -> RawClient:
        """A network connection on which nothing has been sent."""
        return RawClient(self.host, self.port, level)

    def connect(
        self,
        client_id: str | None = None,
        level: int = 4,
        *,
        clean_start: bool = True,
        keep_alive: int = 60,
        will: Will | None = None,
        properties: Properties | None = None,
    ) -> RawClient:
        """An accepted connection; without ``client_id`` under one not used before."""
        client = self.open(level)
        name = fresh_name("c") if client_id is None else client_id
        packet = Connect(
            name, clean_start, keep_alive, will, properties={} if properties is None else properties
        )
        try:
            client.connect(packet)
        except BaseException:
            client.drop()
            raise
        return client

    def durable(
        self, client_id: str, level: int, *, clean_start: bool = False, expiry_s: int = 3600
    ) -> RawClient:
        """A connection whose session outlives it, in the words of either version."""
        properties: Properties = {"session_expiry_interval": expiry_s} if level == 5 else {}
        return self.connect(client_id, level, clean_start=clean_start, properties=properties)

    def assert_served(self) -> None:
        """A client that has nothing to do with the test gets its messages."""
        with self.connect(level=5) as client:
            topic_name = fresh_name("served/")
            client.subscribe(topic_name, qos=1)
            client.publish(topic_name, b"yes", qos=1)
            client.receive(topic_name, b"yes")

    def let_pass(self, seconds: int) -> None:
        """Return once the broker's own clock has advanced by ``seconds``.

        A Will Message with that delay is the clock: it is seen to arrive.
        """
        topic_name = fresh_name("clock/")
        with self.connect(level=5) as watcher:
            watcher.subscribe(topic_name)
            will = Will(topic_name, b"now", properties={"will_delay_interval": seconds})
            expiry: Properties = {"session_expiry_interval": seconds + 60}
            self.connect(level=5, will=will, properties=expiry).drop()
            watcher.receive(topic_name, b"now")


class StartNode(Protocol):
    """Starts a broker with settings."""

    def __call__(self, settings: Settings | None = None) -> Node: ...


def fresh_name(prefix: str) -> str:
    """A name that no other test of this run uses."""
    return f"{prefix}{os.getpid()}-{next(_client_numbers)}"
