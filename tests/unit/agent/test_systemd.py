"""The unit, and what systemd is told."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from rookery.agent import systemd
from rookery.agent.places import Place


def test_the_unit_is_one(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    text = systemd.unit(["/usr/bin/python3", "/opt/a b/x%y.pyz", "run"], Place(Path("/opt/a b")))

    assert "ExecStart=/usr/bin/python3 '/opt/a b/x%%y.pyz' run\n" in text
    assert 'ReadWritePaths="/opt/a b"\n' in text
    if analyze is None:
        pytest.skip("no systemd-analyze on this machine")
    (tmp_path / "opt").mkdir()
    file = tmp_path / systemd.UNIT
    place = Place(tmp_path / "opt")
    file.write_text(systemd.unit(["/bin/true", "run"], place))
    checked = subprocess.run(
        [analyze, "verify", "--man=no", str(file)], capture_output=True, text=True, check=False
    )
    assert systemd.UNIT not in checked.stderr, checked.stderr


def test_who_waits_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        systemd.notify("READY=1")
        assert told.recv(100) == b"READY=1"
    # Nobody there any more, or never.
    systemd.notify("STOPPING=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    systemd.notify("STOPPING=1")
