"""The environment of a plugin: whose code makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.broker.plugins import environment


async def test_nothing_of_the_folder_the_node_was_started_in_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "venv.py").write_text("from pathlib import Path\nPath('ran').write_text('')\n")
    monkeypatch.chdir(here)
    await environment.make(tmp_path / "made", (), None)
    assert environment.python_of(tmp_path / "made").exists()
    assert not (here / "ran").exists()
