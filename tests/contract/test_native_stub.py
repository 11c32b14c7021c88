"""The stub of the compiled module says exactly what the module has."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_stub_matches_the_compiled_module() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "rookery._native", "--concise"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
