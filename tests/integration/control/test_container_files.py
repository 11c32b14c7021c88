"""The files of a container, without one: what they say is what a control plane starts with."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from harness.client import DEADLINE_S
from harness.control import ControlProcess
from harness.node import ROOT
from harness.role_command import command

FILES = ROOT / "deploy" / "container"
THERE = "/etc/rookery/certs"
_SETTING = re.compile(r'^ {6}(\w+): "(.*)"$', re.MULTILINE)


def instructions() -> dict[str, list[str]]:
    """Those of the Containerfile by their name."""
    found: dict[str, list[str]] = {}
    for line in (FILES / "Containerfile").read_text().replace("\\\n", " ").splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            found.setdefault(name, []).append(rest)
    return found


def test_it_runs_as_nobody_special_and_keeps_its_data_where_it_says() -> None:
    found = instructions()
    assert found["USER"] == ["rookery"]
    (run,) = found["RUN"]
    assert "useradd --uid 1000" in run
    assert found["VOLUME"] == ["/data"]
    assert "chown rookery:rookery /data" in run


def test_a_wheel_beside_it_is_what_is_installed(tmp_path: Path) -> None:
    """What it runs is run here, with words in the place of what would change the machine."""
    (run,) = instructions()["RUN"]
    build = tmp_path / "build"
    build.mkdir()
    (build / "Containerfile").touch()
    script = (
        "pip() { echo pip $*; }; rm() { :; }; useradd() { :; }; mkdir() { :; }; chown() { :; }; "
    )
    script += run.replace("/build", str(build))
    assert installed(script) == "pip install --no-cache-dir rookery[edge]"
    wheel = build / "rookery-1.2.3-cp311-abi3-linux_x86_64.whl"
    wheel.touch()
    assert installed(script) == f"pip install --no-cache-dir {wheel}[edge]"


def installed(script: str) -> str:
    done = subprocess.run(
        ["sh", "-euc", script],
        capture_output=True, text=True, timeout=DEADLINE_S, check=True,
        env={"PATH": os.environ["PATH"], "PACKAGE": "rookery"},
    )  # fmt: skip
    return done.stdout.strip()


def test_a_control_plane_starts_with_its_settings_and_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certs = tmp_path / "certs"
    words = ("tls", "init", "--relay", "--dir", str(certs))
    subprocess.run([str(command()), *words], check=True, capture_output=True, timeout=DEADLINE_S)
    config = tmp_path / "control.conf"
    config.write_text((FILES / "control.conf").read_text().replace(THERE, str(certs)))
    environment = dict(_SETTING.findall((FILES / "compose.yaml").read_text()))
    assert environment["NANOMQ_TLS_VERIFY_PEER"] == "true"
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    process = ControlProcess(tmp_path / "data", "--config", str(config))
    try:
        process.start()
    finally:
        assert process.stop() == 0
