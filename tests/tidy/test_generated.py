"""Pages that a program writes are what it would write today."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tidy.tree import Tree


@pytest.mark.parametrize(
    "generator",
    [
        "gen_configuration.py",
        "gen_metrics.py",
        "gen_commands.py",
        "gen_conformance.py",
        "gen_hookpoints.py",
        "gen_rule_functions.py",
        "gen_openapi.py",
        "compare_openapi.py",
    ],
)
def test_generated_pages_are_fresh(tree: Tree, generator: str) -> None:
    run = subprocess.run(
        [sys.executable, f"tools/{generator}", "--check"],
        cwd=tree.root,
        env={**os.environ, "PYTHONPATH": "python"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
