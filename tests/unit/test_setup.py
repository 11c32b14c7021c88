"""`tools/setup.sh` on a machine that lacks something, for a user who may not install packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
PROGRAMS = ["bash", "sed", "uname", "id", "dirname", "cat", "mkdir", "sha256sum", "cut", "env"]
PRETENDED = {
    "cc": "exit 0",
    "apt-get": "exit 0",
    "cargo": "echo cargo 1.95.0",
    "node": "echo v22.0.0",
    "npm": "echo 10.0.0",
    # A Debian without python3-venv: the interpreter is there, its module is not.
    "python3": 'case "$*" in *ensurepip*) exit 1;; *version_info*) exit 0;; esac\necho 3.11',
}


def write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def checkout() -> Iterator[Path]:
    """What of a checkout the set-up reads first, on a machine with every program it asks for.

    Not below pytest's own folder, which nobody else may enter.
    """
    with tempfile.TemporaryDirectory(prefix="rookery-setup-") as name:
        folder = Path(name)
        (folder / "tools").mkdir()
        (folder / "bin").mkdir()
        shutil.copy(ROOT / "tools/setup.sh", folder / "tools")
        shutil.copy(ROOT / "pyproject.toml", folder)
        for program in PROGRAMS:
            (folder / "bin" / program).symlink_to(shutil.which(program) or f"/usr/bin/{program}")
        for program, script in PRETENDED.items():
            write_program(folder / "bin" / program, script)
        yield folder


def set_up(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Runs the set-up as somebody who is not root."""
    argv = [str(checkout / "bin/bash"), "tools/setup.sh", "run"]
    if os.getuid() == 0:
        for path in [checkout, *checkout.rglob("*")]:
            os.lchown(path, NOBODY, NOBODY)
        become = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        argv = [shutil.which("setpriv") or "setpriv", *become, *argv]
    env = {"PATH": str(checkout / "bin"), "HOME": str(checkout)}
    return subprocess.run(
        argv, cwd=checkout, env=env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("missing", "says", "way_out"),
    [
        ("ensurepip", "Python's venv module is missing", "sudo apt-get install python3-venv"),
        ("cc", "a C linker (cc) is missing", "sudo apt-get install build-essential"),
        ("cargo", "Rust (cargo) is missing", "rustup.rs"),
        ("python3", "Python 3.11 or newer is missing", "apt-get install python3 python3-venv"),
    ],
)
def test_what_is_missing_is_named_with_the_way_out(
    checkout: Path, missing: str, says: str, way_out: str
) -> None:
    (checkout / "bin" / missing).unlink(missing_ok=True)
    done = set_up(checkout)
    assert done.returncode == 1
    assert says in done.stderr, done.stderr
    assert way_out in done.stderr, done.stderr
    assert not (checkout / ".venv").exists()


def test_a_rust_that_is_too_old_is_named_with_its_version(checkout: Path) -> None:
    write_program(checkout / "bin/cargo", "echo cargo 1.63.0")
    done = set_up(checkout)
    assert done.returncode == 1
    assert "1.63.0" in done.stderr
    assert "rustup update" in done.stderr


def test_an_interpreter_that_is_too_old_is_no_interpreter(checkout: Path) -> None:
    # Debian 11 brings 3.9: the question about the version fails.
    write_program(checkout / "bin/python3", "exit 1")
    done = set_up(checkout)
    assert done.returncode == 1
    assert "make run PYTHON=" in done.stderr
