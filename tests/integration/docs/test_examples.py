"""What the pages show is run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = (
    "README.md",
    "README.zh.md",
    "docs/guides/embedding.md",
    "docs/guides/embedding.zh.md",
)
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
DEADLINE_S = 60


def python_examples(page: str) -> list[str]:
    return FENCE.findall((ROOT / page).read_text(encoding="utf-8"))


def run_python(*arguments: str, cwd: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-X", "utf8", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("page", PAGES)
def test_a_program_with_a_broker_in_it(page: str, tmp_path: Path) -> None:
    (program,) = [code for code in python_examples(page) if "asyncio.run(main())" in code]

    assert "greetings/world b'hello'" in run_python("-c", program, cwd=tmp_path)


@pytest.mark.parametrize("page", PAGES)
def test_the_other_pieces_can_be_executed(page: str, tmp_path: Path) -> None:
    for code in python_examples(page):
        # Those that wait for clients or for ever are compiled by the tidy tests.
        if "asyncio.run(" not in code and "loop_forever" not in code:
            run_python("-c", code, cwd=tmp_path)


@pytest.mark.parametrize("language", ["", ".zh"])
def test_a_test_with_the_fixture(language: str, tmp_path: Path) -> None:
    examples = python_examples(f"docs/guides/testing-with-pytest{language}.md")
    test_file = tmp_path / "test_example.py"
    test_file.write_text(examples[0], encoding="utf-8")

    output = run_python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test_file), cwd=tmp_path
    )

    assert "1 passed" in output
