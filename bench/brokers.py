"""A broker process: started on given cores, waited for, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
SETTLED_S = 2
SETTLED_KIB = 64
SETTLE_TIMEOUT_S = 30
NICE = -15


class PeerError(Exception):
    """A peer cannot be installed or started; the message says why."""


@dataclass(frozen=True)
class Options:
    """What a scenario asks of a broker."""

    workers: int = 1
    sync: str = ""  # "", "always", "interval", "never": durable state wanted
    unlimited_queue: bool = False
    cores: tuple[int, ...] = (0,)
    is_paced: bool = False
    # "tcp", "tls", "ws", "wss": what the load uses, beside the plain port that every broker opens.
    transport: str = "tcp"
    certificate: str = "ec"  # or "rsa"
    rules: int = 0  # rules that want nothing of the load
    transport_port: int = 0  # chosen when the broker is started

    @property
    def is_tls(self) -> bool:
        return self.transport in ("tls", "wss")

    @property
    def is_websocket(self) -> bool:
        return self.transport in ("ws", "wss")


@dataclass(frozen=True)
class Command:
    """How to start one broker process."""

    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)


def free_port() -> int:
    """A port of the loopback interface that nothing used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_connack(
    port: int, deadline: float, process: subprocess.Popen[bytes] | None = None
) -> float:
    """Time (monotonic) at which the broker on `port` first accepted an MQTT connection.

    Raises:
        PeerError: it did not until `deadline`, or its process ended.
    """
    packet = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01c"
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise PeerError(f"the broker ended with exit code {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                connection.sendall(packet)
                if connection.recv(4)[:1] == b"\x20":
                    return time.monotonic()
        except OSError:
            pass
        time.sleep(0.002)
    raise PeerError(f"no CONNACK on port {port}")


def favoured(cores: set[int], *, is_paced: bool = False) -> Callable[[], None]:
    """What a measured process does before it starts: take its cores and, when root, precedence.

    Broker and generator get the same precedence, over other work on the machine. At a paced load,
    which leaves them idle most of the time, it is that of a real-time process: no other program
    then delays a wake-up.
    """

    def prepare() -> None:
        os.sched_setaffinity(0, cores)
        with contextlib.suppress(OSError):
            if is_paced:
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
            os.setpriority(os.PRIO_PROCESS, 0, NICE)
            # With automatic groups, niceness counts only within a session.
            Path("/proc/self/autogroup").write_text(str(NICE))

    return prepare


class Running:
    """A started broker process."""

    def __init__(
        self, name: str, command: Command, port: int, data: Path, options: Options
    ) -> None:
        self.name = name
        self.port = port
        self.data = data
        self.options = options
        self.command = command
        self.log = data / "broker.log"
        with self.log.open("ab") as out:
            self.started = time.monotonic()
            self.process = subprocess.Popen(
                command.argv,
                env={**os.environ, **command.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=data,
                preexec_fn=favoured(set(options.cores), is_paced=options.is_paced),
                start_new_session=True,
            )
        try:
            ready = first_connack(port, self.started + START_TIMEOUT_S, self.process)
        except PeerError as error:
            self.stop()
            tail = self.log.read_text(errors="replace")[-500:]
            raise PeerError(f"{name}: {error}\n{tail}") from error
        self.start_ms = (ready - self.started) * 1000

    @property
    def load_port(self) -> int:
        """The port that the load goes to."""
        return self.options.transport_port or self.port

    def settle(self) -> None:
        """Waits until the broker's memory has stood still for two seconds, 30 at most.

        What a broker loads after its first CONNACK is a cost of starting, not of the load.
        """
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup")
        end = time.monotonic() + SETTLE_TIMEOUT_S
        size, since = 0, time.monotonic()
        while time.monotonic() < min(since + SETTLED_S, end):
            now = next(
                int(line.split()[1])
                for line in rollup.read_text().splitlines()
                if line.startswith("Pss:")
            )
            if abs(now - size) > SETTLED_KIB:
                size, since = now, time.monotonic()
            # The system tells nobody when the memory of a process changes.
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends the broker and everything it started."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
