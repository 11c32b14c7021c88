"""What the pages show is run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rookery import config

ROOT = Path(__file__).resolve().parents[3]
PAGES = (
    "README.md",
    "README.zh.md",
    "docs/guides/embedding.md",
    "docs/guides/embedding.zh.md",
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
DEADLINE_S = 60


def examples(page: str | Path, language: str) -> list[str]:
    found = FENCE.findall((ROOT / page).read_text(encoding="utf-8"))
    return [code for tag, code in found if tag == language]


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
    (program,) = [code for code in examples(page, "python") if "asyncio.run(main())" in code]

    assert "greetings/world b'hello'" in run_python("-c", program, cwd=tmp_path)


@pytest.mark.parametrize("page", PAGES)
def test_the_other_pieces_can_be_executed(page: str, tmp_path: Path) -> None:
    for code in examples(page, "python"):
        # Those that wait for clients or for ever are compiled by the tidy tests.
        if "asyncio.run(" not in code and "loop_forever" not in code:
            run_python("-c", code, cwd=tmp_path)


@pytest.mark.parametrize("language", ["", ".zh"])
def test_a_test_with_the_fixture(language: str, tmp_path: Path) -> None:
    shown = examples(f"docs/guides/testing-with-pytest{language}.md", "python")
    test_file = tmp_path / "test_example.py"
    test_file.write_text(shown[0], encoding="utf-8")

    output = run_python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test_file), cwd=tmp_path
    )

    assert "1 passed" in output


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "guides").glob("*.md")), ids=lambda page: page.name
)
def test_settings_are_accepted(page: Path, tmp_path: Path) -> None:
    for number, text in enumerate(examples(page, "hocon")):
        file = tmp_path / f"{number}.conf"
        file.write_text(text, encoding="utf-8")

        loaded = config.load(config_file=file, data_dir=tmp_path / "data", environ={})

        assert not loaded.warnings
