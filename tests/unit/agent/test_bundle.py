"""The one file that the agent is."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.interpreters import oldest_and_this
from rookery.agent import bundle


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # As in /usr/local/bin, under the name of a command.
    path = tmp_path_factory.mktemp("bundle") / "rookery-agent"
    bundle.write(path)
    return path


def test_the_same_sources_give_the_same_bytes(program: Path) -> None:
    # In another process: another order of sets and of directories.
    again = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from rookery.agent import bundle; sys.stdout.buffer.write(bundle.build())",
        ],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai"},
    )
    assert (
        hashlib.sha256(again.stdout).hexdigest() == hashlib.sha256(program.read_bytes()).hexdigest()
    )


def test_licences_and_what_is_needed_are_in_it(program: Path) -> None:
    names = set(zipfile.ZipFile(program).namelist())

    assert {
        "paho/mqtt/client.py",
        "rookery/agent/link.py",
        "rookery/contracts/agent_v1.py",
    } <= names
    assert {
        "licenses/rookery/LICENSE",
        "licenses/paho-mqtt/epl-v20",
        "licenses/paho-mqtt/edl-v10",
    } <= names
    assert not [name for name in names if name.endswith((".pyc", ".so")) or "bundle" in name]


@pytest.mark.parametrize("interpreter", oldest_and_this("3.9"))
def test_it_runs_with_nothing_else_installed(
    interpreter: str, program: Path, tmp_path: Path
) -> None:
    """Isolated: no environment, no packages of the user or of the site."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [interpreter, "-I", "-S", program, *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={"PATH": os.defpath, "HOME": str(tmp_path)},
        )

    shown = run("--version")
    assert (shown.returncode, shown.stdout.startswith("rookery-agent ")) == (0, True), shown
    installed = run("install", "--home", str(tmp_path / "agent"))
    assert installed.returncode == 0, installed
    assert (tmp_path / "agent" / "bin" / bundle.FILE_NAME).read_bytes() == program.read_bytes()
    status = run("status", "--home", str(tmp_path / "agent"))
    assert (status.returncode, "not registered" in status.stdout) == (3, True), status
    removed = run("uninstall", "--home", str(tmp_path / "agent"))
    assert (removed.returncode, (tmp_path / "agent").exists()) == (0, False), removed


def test_the_install_script_is_plain_shell() -> None:
    script = bundle.install_script()

    assert script.startswith("#!/bin/sh\n")
    checked = subprocess.run(
        ["sh", "-n"], input=script, text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
