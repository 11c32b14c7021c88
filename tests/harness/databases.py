"""A PostgreSQL and a Redis of a test's own, from the system's packages, on free ports."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from harness.ports import free_port

START_S = 120.0
STOP_S = 30.0
POSTGRESQL_FOLDERS = "/usr/lib/postgresql"
# PostgreSQL refuses to run as root.
OTHER_USER = "nobody" if os.geteuid() == 0 else None


# PostgreSQL and Redis, a sentinel, OpenSearch.
_READY = (b"ready to accept connections", b"+monitor master", b"info node started")


@dataclass
class Server:
    """A server that runs, or did and can again.

    Attributes:
        stop_signal: What ends it at once. A JVM ignores SIGINT below a job of a shell.
    """

    host: str
    port: int
    command: Sequence[str | Path]
    folder: Path
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        """Start it, also again after :meth:`stop` with the data that it has, and wait for it."""
        log_file = self.folder / "log"
        with log_file.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=OTHER_USER,
                start_new_session=True,
            )
        try:
            _wait(self.process, log_file)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it: connections are closed, and new ones refused."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGCONT)
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It hangs: connections stand, answers do not come."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder that the other user can get to, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="rookery-test-"))
    try:
        if OTHER_USER:
            shutil.chown(folder, OTHER_USER)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(
    command: Sequence[str | Path],
    folder: Path,
    port: int,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[Server]:
    """Run a server in a folder of its own."""
    server = Server("127.0.0.1", port, command, folder, stop_signal)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers. All say so, some time after they accept connections."""
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s and process.poll() is None:
        said = log.read_bytes().lower()
        if any(words in said for words in _READY):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')}")


def _own_copy(file: Path, folder: Path) -> Path:
    """A key that only the server's user can read, as PostgreSQL wants it."""
    copy = Path(shutil.copy(file, folder))
    copy.chmod(0o600)
    if OTHER_USER:
        shutil.chown(copy, OTHER_USER)
    return copy


def _postgresql_program(name: str) -> str:
    found = sorted(Path(POSTGRESQL_FOLDERS).glob(f"*/bin/{name}"))
    return str(found[-1]) if found else name


@cache
def _postgresql_data() -> Path:
    """What ``initdb`` makes, which takes longer than a start; for the time of this process."""
    until_exit = ExitStack()
    atexit.register(until_exit.close)
    folder = until_exit.enter_context(server_folder())
    password = folder / "password"
    password.write_text("it's secret")
    password.chmod(0o644)
    subprocess.run(
        [
            _postgresql_program("initdb"),
            "--no-sync",
            "--auth=scram-sha-256",
            "--username=rookery",
            f"--pwfile={password}",
            "--encoding=UTF8",
            "--locale=C",
            f"--pgdata={folder}/data",
        ],
        cwd=folder,
        user=OTHER_USER,
        check=True,
        capture_output=True,
    )
    return folder / "data"


@contextmanager
def postgresql_server(cert: Path | None = None, key: Path | None = None) -> Iterator[Server]:
    """Run one; its user is ``rookery`` with the password ``it's secret``, its database ``postgres``.

    With a certificate it speaks TLS, too.
    """
    data = _postgresql_data()
    with server_folder() as folder:
        subprocess.run(["cp", "-a", data, folder], check=True)
        port = free_port()
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "fsync": "off",
            "max_connections": 30,
            "shared_buffers": "16MB",
        }
        if cert and key:
            settings |= {"ssl": "on", "ssl_cert_file": _own_copy(cert, folder)}
            settings["ssl_key_file"] = _own_copy(key, folder)
        options = [f"-c{name}={value}" for name, value in settings.items()]
        program = _postgresql_program("postgres")
        command = [program, "-D", f"{folder}/data", *options]
        # On SIGTERM it waits for its clients.
        with running(command, folder, port, signal.SIGINT) as server:
            yield server


@contextmanager
def redis_server(*options: str | Path) -> Iterator[Server]:
    """Run one, with these options, or else with the password ``it's secret``."""
    with server_folder() as folder:
        port = free_port()
        command: list[str | Path] = [
            "redis-server",
            "--port", str(port),
            "--bind", "127.0.0.1",
            "--save", "",
            "--appendonly", "no",
            "--dir", folder,
            *(options or ("--requirepass", "it's secret")),
        ]  # fmt: skip
        with running(command, folder, port) as server:
            yield server


@contextmanager
def redis_cluster_of_one() -> Iterator[Server]:
    """A cluster whose only node has every slot; without a password."""
    with redis_server("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        ask = ["redis-cli", "-p", str(server.port)]
        subprocess.run(
            [*ask, "cluster", "addslotsrange", "0", "16383"], check=True, capture_output=True
        )
        end_s = time.monotonic() + START_S
        # Redis tells nobody when its cluster is ready.
        while b"cluster_state:ok" not in subprocess.check_output([*ask, "cluster", "info"]):
            assert time.monotonic() < end_s, "the cluster does not come up"
            time.sleep(0.02)
        yield server


@contextmanager
def redis_sentinel() -> Iterator[Server]:
    """A sentinel that watches a server without a password as ``mymaster``."""
    with redis_server("--protected-mode", "no") as master, server_folder() as folder:
        port = free_port()
        file = folder / "sentinel.conf"
        file.write_text(
            f"port {port}\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {master.port} 1\n"
        )
        if OTHER_USER:
            shutil.chown(file, OTHER_USER)  # it writes there what it has learned
        with running(["redis-server", file, "--sentinel"], folder, port) as sentinel:
            yield sentinel


@contextmanager
def secure_redis_server(cert: Path, key: Path) -> Iterator[Server]:
    """One that speaks TLS alone, without a password."""
    with server_folder() as folder:
        # The other user cannot get to where the test has its files.
        for file in (cert, key):
            shutil.copy(file, folder)
            (folder / file.name).chmod(0o644)
        port = str(free_port())
        files = ("--tls-cert-file", folder / cert.name, "--tls-key-file", folder / key.name)
        more = ("--tls-port", port, *files, "--tls-auth-clients", "no")
        # The later of two ports counts: none without TLS.
        with redis_server("--port", "0", *more) as server:
            server.port = int(port)
            yield server
