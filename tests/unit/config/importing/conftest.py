"""Runs an import in a folder that looks like an old installation."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rookery import config
from rookery.access import acl_file
from rookery.config.importing import Entry, Imported, Outcome, import_files

HERE = Path(__file__).parent


def count_rules(text: str, file: str) -> int:
    return len(acl_file.parse(text, file=file))


class Result(NamedTuple):
    """An import and the configuration that a node would read from it."""

    imported: Imported
    home: Path
    config: config.Config

    def entry(self, key: str) -> Entry:
        (found,) = [entry for entry in self.imported.entries if entry.setting.key == key]
        return found

    def outcomes(self) -> dict[str, Outcome]:
        return {entry.setting.key: entry.outcome for entry in self.imported.entries}

    def plain(self) -> dict[str, Any]:
        tree: dict[str, Any] = self.imported.tree.plain()
        return tree

    def remarks(self) -> str:
        return "\n".join(remark.words.en for remark in self.imported.remarks)


Import = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where EMQX was: ``etc`` and ``data`` are below."""
    (tmp_path / "emqx" / "etc" / "certs").mkdir(parents=True)
    for name in ("key.pem", "cert.pem", "cacert.pem"):
        (tmp_path / "emqx" / "etc" / "certs" / name).write_text("a certificate or a key")
    return tmp_path / "emqx"


@pytest.fixture
def do_import(home: Path, tmp_path: Path) -> Import:
    """Import files of this folder (``fixture``), or texts by their name."""

    def run(
        fixture: str = "",
        names: Sequence[str] = (),
        texts: Mapping[str, str] | None = None,
    ) -> Result:
        if fixture:
            shutil.copytree(HERE / fixture, home / "etc", dirs_exist_ok=True)
        for name, text in (texts or {}).items():
            (home / "etc" / name).parent.mkdir(parents=True, exist_ok=True)
            (home / "etc" / name).write_text(text, encoding="utf-8")
        files = [home / "etc" / name for name in (*names, *(texts or {}))]
        imported = import_files(files or [home / "etc"], count_rules)
        target = tmp_path / "new" / "rookery.conf"
        target.parent.mkdir(exist_ok=True)
        target.write_text(imported.text((), {}), encoding="utf-8")
        loaded = config.load(target, tmp_path / "data", environ={})
        return Result(imported, home, loaded)

    return run
