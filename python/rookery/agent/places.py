"""Where the agent keeps what: one folder, ``/opt/rookery-agent`` unless told otherwise."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

SYSTEM_HOME = Path("/opt/rookery-agent")
HOME_VARIABLE = "ROOKERY_AGENT_HOME"


@dataclass(frozen=True)
class Place:
    """The folder of one agent."""

    home: Path

    @property
    def config_file(self) -> Path:
        return self.home / "etc" / "agent.conf"

    @property
    def ca_file(self) -> Path:
        return self.home / "etc" / "control-ca.pem"

    @property
    def log_file(self) -> Path:
        return self.home / "log" / "agent.log"

    @property
    def secrets_file(self) -> Path:
        return self.home / "state" / "secrets"

    @property
    def key_file(self) -> Path:
        return self.home / "state" / "key"

    @property
    def attempts_file(self) -> Path:
        return self.home / "state" / "attempts.json"

    @property
    def commands_file(self) -> Path:
        """Which commands were carried out."""
        return self.home / "state" / "commands.json"

    @property
    def limit_file(self) -> Path:
        """The limit that the cluster had before the control plane set one."""
        return self.home / "state" / "limit.json"

    @property
    def status_file(self) -> Path:
        return self.home / "state" / "status.json"

    @property
    def logs_file(self) -> Path:
        """How far which log file of the cluster was sent."""
        return self.home / "state" / "logs.json"

    @property
    def lock_file(self) -> Path:
        return self.home / "state" / "agent.pid"

    @property
    def program(self) -> Path:
        """Where ``install`` puts the one file that the agent is."""
        return self.home / "bin" / "rookery-agent.pyz"

    def make(self) -> None:
        """Make the folders; what is secret only the owner may open."""
        for name, mode in (("etc", 0o755), ("log", 0o750), ("state", 0o700)):
            folder = self.home / name
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
        (self.home / "state").chmod(0o700)


def place_of(home: str | None) -> Place:
    """The folder that was asked for, or the usual one of this user."""
    chosen = home or os.environ.get(HOME_VARIABLE, "")
    if chosen:
        return Place(Path(chosen).absolute())
    if os.geteuid() == 0:
        return Place(SYSTEM_HOME)
    return Place(Path.home() / ".rookery-agent")


def own_archive() -> Path | None:
    """The file this program runs from, when it is the one-file program, whatever its name."""
    for folder in Path(__file__).parents:
        if folder.is_file():
            return folder
    return None


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Replace a file: whoever reads it sees the old or the new one, after a power cut too."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    written = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        written.replace(path)
    except BaseException:
        written.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
