"""A Mosquitto of a test's own, which keeps its sessions over a restart that it is told of."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.client import DEADLINE_S
from harness.ports import free_port

_SETTINGS = """
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
log_dest stderr
log_type all
max_queued_messages 0
"""


@dataclass
class Mosquitto:
    """One broker. Its port stays over a restart."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it says that it runs."""
        settings = _SETTINGS.format(port=self.port, folder=self.folder)
        if os.geteuid() == 0:
            settings += "user root\n"
        file = self.folder / "mosquitto.conf"
        file.write_text(settings)
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert program is not None, "mosquitto is missing"
        process = subprocess.Popen(
            [program, "-c", file], stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
        )
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._follow, args=(process, said), daemon=True).start()
        lines: list[str] = []
        while not lines or "running" not in lines[-1]:
            lines.append(said.get(timeout=DEADLINE_S))
            assert lines[-1], "mosquitto did not start:\n" + "\n".join(lines)
        self._process = process

    def stop(self) -> None:
        """End it; it writes its sessions. May be called twice."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(DEADLINE_S)

    @staticmethod
    def _follow(process: subprocess.Popen[str], said: queue.SimpleQueue[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                said.put(line)
        said.put("")


@contextmanager
def mosquitto(folder: Path) -> Iterator[Mosquitto]:
    """Run one."""
    broker = Mosquitto(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
