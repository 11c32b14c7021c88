"""The control plane that ``rookery up`` runs beside its node: a process of its own.

It ends with this one, however that ends: its standard input is a pipe that nobody else holds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from pathlib import Path

from rookery.cli import output
from rookery.cli.messages import say
from rookery.config.control import FOLDER, SECTION, load_control

PORT = 8082
RELAY_PORTS = {"tcp": 31883, "tls": 38883}
STOP_S = 10.0


class ControlChild:
    """Not started yet."""

    def __init__(self, arguments: argparse.Namespace, node_data_dir: Path) -> None:
        """Read its settings, from the same sources as the node's.

        Raises:
            InvalidConfigError: they cannot be used.
        """
        host = "0.0.0.0" if arguments.lan else "127.0.0.1"
        self._data_dir = node_data_dir / FOLDER
        config = load_control(
            arguments.config,
            self._data_dir,
            arguments.set,
            defaults={SECTION: {"bind": f"{host}:{PORT}", "relay": _relay(host)}},
            beside_node=True,
        )
        host = f"[{config.host}]" if ":" in config.host else config.host
        sets = [text for text in arguments.set if text.strip().startswith(f"{SECTION}.")]
        sets.append(f"{SECTION}.bind={host}:{config.port}")
        relay = config.values["relay"]
        sets += [f"{SECTION}.relay.{name}={relay[name] or 0}" for name in RELAY_PORTS]
        self._command = [sys.executable, "-P", "-m", "rookery", "control", "start", "--attached"]
        self._command += ["--data-dir", str(self._data_dir)]
        if arguments.config is not None:
            self._command += ["--config", str(arguments.config)]
        for text in sets:
            self._command += ["--set", text]
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: threading.Thread | None = None
        self._is_stopping = False

    def start(self) -> None:
        """Start it; it prints its own lines when it is ready, or why it is not."""
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                # Ready is for the node to say; Ctrl-C comes by the pipe.
                env={name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"},
                start_new_session=True,
            )
        except OSError as error:
            output.complain(say("up.no_control", reason=error.strerror or error))
            return
        self._watch = threading.Thread(target=self._wait, args=[self._process], daemon=True)
        self._watch.start()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        if not self._is_stopping:
            output.complain(say("up.no_control", reason=say("up.control_ended", code=code)))

    def stop(self) -> None:
        """Ask it to stop, and wait. May be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        self._is_stopping = True
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._watch is not None:
            self._watch.join(STOP_S)


def _relay(host: str) -> dict[str, str]:
    return {name: f"{host}:{port}" for name, port in RELAY_PORTS.items()}
