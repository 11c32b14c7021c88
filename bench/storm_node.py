"""The node, the service and the generators of `storms.py`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brokers import Command, Options, PeerError, Running, favoured, free_port

GENERATOR_CORE = 1
GENERATOR_TIMEOUT_S = 900.0
# More than a storm of wrong passwords counts through.
DEVICES = 20_000
# Clients of the paced traffic beside a storm: 100 pairs use the numbers 0 to 99 twice.
STEADY = 100
STEADY_PASSWORD = "steady"
SERVICE = Path(__file__).with_name("slow_service.py")
# Enough connections for 500 questions per second that take 200 ms each, twice over.
SERVICE_POOL = 256

# argon2id of `storm-secret` with the cost that new passwords have (19 MiB, two passes). All devices
# have it: every one is verified by itself, for the salt beside it tells them apart.
ARGON2ID = (
    "$argon2id$v=19$m=19456,t=2,p=1$cm9va2VyeS1zdG9ybS0wMA"
    "$LjG8Huc4UOdNIBANKdeBRKgF7tdMCl4nEHvHFh0FycY"
)


@dataclass(frozen=True)
class Login:
    """How clients of a node are authenticated."""

    kind: str  # "sha256", "argon2id" or "http"
    password: str  # of the devices; `%i` is their number
    delay_s: str = ""  # of the service
    timeout_s: float = 0.0  # of a question to it


SECRETS = Login("sha256", "secret-%i")
PASSWORDS = Login("argon2id", "storm-secret")


def service(delay_s: str, timeout_s: float) -> Login:
    """A service that takes `delay_s` seconds to say yes."""
    return Login("http", "any", delay_s, timeout_s)


def _sha256(name: str, password: str) -> dict[str, Any]:
    salt = f"salt-{name}"
    digest = hashlib.sha256(f"{salt}{password}".encode()).hexdigest()
    how = {"name": "sha256", "salt_position": "prefix"}
    return {
        "user_id": name,
        "password_hash": digest,
        "salt": salt,
        "password_hash_algorithm": how,
    }


def _users(login: Login) -> list[dict[str, Any]]:
    """Devices, and the clients of the steady traffic, whose secrets are always cheap."""
    steady = [_sha256(f"steady-{index}", STEADY_PASSWORD) for index in range(STEADY)]
    if login.kind == "sha256":
        return steady + [_sha256(f"device-{i}", f"secret-{i}") for i in range(DEVICES)]
    how = {"name": "argon2id"}
    return steady + [
        {
            "user_id": f"device-{index}",
            "password_hash": ARGON2ID,
            "salt": str(index),
            "password_hash_algorithm": how,
        }
        for index in range(DEVICES)
    ]


def _authentication(login: Login, data: Path, service_port: int) -> dict[str, Any]:
    head = {"mechanism": "password_based"}
    if login.kind == "http":
        return {
            **head,
            "backend": "http",
            "method": "post",
            "url": f"http://127.0.0.1:{service_port}/login",
            "headers": {"content-type": "application/json"},
            "body": {"username": "${username}", "password": "${password}"},
            "request_timeout": f"{int(login.timeout_s * 1000)}ms",
            "pool_size": SERVICE_POOL,
        }
    users = data / "users.json"
    if not users.exists():
        users.write_text(json.dumps(_users(login)))
    return {
        **head,
        "backend": "built_in_database",
        "password_hash_algorithm": {"name": login.kind},
        "bootstrap_file": str(users),
        "bootstrap_type": "hash",
    }


class Served(Running):
    """A node and, when its clients need one, the service that it asks."""

    def __init__(
        self,
        command: Command,
        port: int,
        data: Path,
        beside: subprocess.Popen[str] | None,
        cores: tuple[int, ...],
    ) -> None:
        self.beside = beside
        super().__init__("rookery", command, port, data, Options(cores=cores))

    def stop(self) -> None:
        super().stop()
        if self.beside is not None:
            self.beside.kill()
            self.beside.communicate()


def start(command: str, data: Path, login: Login, cores: tuple[int, ...]) -> Running:
    """Starts a node on `data`, with one worker and as many cores as it may use.

    Raises:
        PeerError: it does not accept connections.
    """
    port = free_port()
    beside, service_port = _service(login) if login.kind == "http" else (None, 0)
    settings = {
        "listeners": {
            "tcp": {"default": {"bind": f"127.0.0.1:{port}"}},
            "ws": {"default": {"bind": "127.0.0.1:0"}},
        },
        "dashboard": {"listeners": {"http": {"bind": 0}}},
        "node": {"workers": 1},
        "authentication": [_authentication(login, data, service_port)],
    }
    # JSON is HOCON; only `${` would be a substitution outside of quotes.
    file = data / "storm.conf"
    file.write_text(json.dumps(settings, indent=1) + "\n")
    argv = [command, "node", "start", "--config", str(file), "--data-dir", str(data / "node")]
    return Served(Command(argv), port, data, beside, cores)


def _service(login: Login) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, str(SERVICE), login.delay_s],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=favoured({GENERATOR_CORE}),
        start_new_session=True,
    )
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise PeerError("the service did not start")
    return process, int(line)


class Generator:
    """A run of the load generator that goes on beside others."""

    def __init__(self, binary: Path, running: Running, name: str, load: dict[str, Any]) -> None:
        config = {
            **load,
            "client_id_prefix": name,
            "addresses": [f"127.0.0.1:{running.port}"],
            "watch_pid": running.process.pid,
        }
        file = running.data / f"{name}.json"
        file.write_text(json.dumps(config))
        self.name = name
        self.out = running.data / f"{name}.out"
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [str(binary), str(file), "--progress"],
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=favoured({GENERATOR_CORE}, is_paced="rate" in load),
                start_new_session=True,
            )

    def wait_for(self, phase: str) -> None:
        """Waits until the run is in a phase, or over."""
        for line in self.process.stderr or ():
            if f'"phase":"{phase}"' in line:
                return

    def report(self) -> dict[str, Any]:
        """Waits for the end.

        Raises:
            PeerError: the generator failed.
        """
        _, errors = self.process.communicate(timeout=GENERATOR_TIMEOUT_S)
        if self.process.returncode != 0:
            last = errors.strip().splitlines()[-1:] or [f"exit code {self.process.returncode}"]
            raise PeerError(f"{self.name}: {last[0]}")
        report: dict[str, Any] = json.loads(self.out.read_text())
        return report
