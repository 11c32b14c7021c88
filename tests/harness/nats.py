"""A NATS server that is there already, as one that a company runs for everybody."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.authority import Authority
from harness.node import HOST
from harness.waiting import until
from rookery.broker.cluster.nats_server import find_server

USER, PASSWORD = "rookery", "a password of the nodes"


@dataclass(frozen=True)
class NatsServer:
    """It runs, with JetStream, TLS and one user."""

    url: str
    ca: Path

    @property
    def settings(self) -> dict[str, str]:
        """What a node is told of it."""
        return {
            "cluster.nats.mode": "external",
            "cluster.nats.servers": json.dumps([self.url]),
            "cluster.nats.username": USER,
            "cluster.nats.password": json.dumps(PASSWORD),
            "cluster.nats.ssl_options.enable": "true",
            "cluster.nats.ssl_options.cacertfile": str(self.ca),
        }


@contextlib.contextmanager
def nats_server(folder: Path) -> Iterator[NatsServer]:
    """On a port of its own."""
    folder.mkdir()
    file, told, certificates = folder / "nats.conf", folder / "ports", folder / "ca"
    told.mkdir()
    certificates.mkdir()
    authority = Authority(certificates, "CA of NATS")
    pair = authority.issue("nats")
    lines = [
        f'listen: "{HOST}:-1"',
        f"ports_file_dir: {json.dumps(str(told))}",
        f"jetstream {{ store_dir: {json.dumps(str(folder / 'store'))} }}",
        f"authorization {{ user: {USER}, password: {json.dumps(PASSWORD)} }}",
        f"tls {{ cert_file: {json.dumps(str(pair.cert))}, key_file: {json.dumps(str(pair.key))} }}",
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    log = (folder / "log").open("wb")
    with log, subprocess.Popen([find_server(None), "-c", file], stdout=log, stderr=log) as process:
        try:
            path = until(lambda: next(told.glob("*.ports"), None), "NATS listens")
            port = json.loads(path.read_text())["nats"][0].rpartition(":")[2]
            yield NatsServer(f"tls://{HOST}:{port}", authority.cert)
        finally:
            process.terminate()
