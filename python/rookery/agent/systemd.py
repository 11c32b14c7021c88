"""The unit of the agent, and what systemd is told."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

from rookery.agent.failures import AgentError
from rookery.agent.places import Place
from rookery.agent.texts import say

UNIT = "rookery-agent.service"
UNIT_FILE = Path("/etc/systemd/system") / UNIT
# Present exactly when systemd runs this machine (sd_booted(3)).
_BOOTED = Path("/run/systemd/system")
WATCHDOG_S = 300


def is_there() -> bool:
    """Whether systemd runs this machine."""
    return _BOOTED.is_dir() and shutil.which("systemctl") is not None


def is_installed() -> bool:
    return UNIT_FILE.is_file()


def notify(state: str) -> None:
    """Tell whoever started us, if that wants to know."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.sendall(state.encode())


def unit(command: list[str], place: Place) -> str:
    """The text of the unit."""
    started = " ".join(shlex.quote(word).replace("%", "%%") for word in command)
    home = str(place.home).replace("%", "%%")
    return f"""\
[Unit]
Description=Rookery agent: connects a broker cluster to its control plane
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStart={started}
# Ends with 0 when it was told to stop.
Restart=always
RestartSec=5
WatchdogSec={WATCHDOG_S}
TimeoutStopSec=20
UMask=0077
NoNewPrivileges=yes
ProtectSystem=full
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
ReadWritePaths="{home}"

[Install]
WantedBy=multi-user.target
"""


def install(command: list[str], place: Place) -> None:
    """Write the unit and let it start with the machine.

    Raises:
        AgentError: systemd refuses it.
    """
    try:
        UNIT_FILE.write_text(unit(command, place), encoding="utf-8")
    except OSError as error:
        raise AgentError(say("file.unwritable", file=UNIT_FILE, reason=error.strerror)) from error
    ask("daemon-reload")
    ask("enable", UNIT)


def uninstall() -> None:
    """Stop it and remove the unit.

    Raises:
        AgentError: systemd refuses it.
    """
    ask("disable", "--now", UNIT)
    UNIT_FILE.unlink()
    ask("daemon-reload")


def ask(*words: str) -> None:
    """``systemctl …``.

    Raises:
        AgentError: with what it says.
    """
    done = subprocess.run(
        ["systemctl", *words], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise AgentError(say("systemd.refused", words=" ".join(words), reason=said))
