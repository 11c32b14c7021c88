"""Python interpreters of this machine, beside the one that runs the tests."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path


def interpreter(version: str) -> str | None:
    """A Python of exactly that version, such as ``3.9``, where this machine has one."""
    places: list[str | Path] = [
        f"python{version}",
        *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")),
    ]
    for place in places:
        program = shutil.which(place)
        if program is None:
            continue
        # What is found may be a stand-in that knows no such version.
        run = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        if re.match(rf"Python {re.escape(version)}\.", run.stdout):
            return program
    return None


def oldest_and_this(version: str) -> list[str]:
    """Both, where the older is there."""
    older = interpreter(version)
    return [*([older] if older else []), sys.executable]
