"""A changed file is noticed however it changes; other files and silence are not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import DEADLINE_S
from rookery import file_watch
from rookery.file_watch import FileWatch


def rewrite(file: Path) -> None:
    file.write_text("new")


def replace(file: Path) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text("new")
    fresh.replace(file)


def remove(file: Path) -> None:
    file.unlink()


def swing_link(file: Path) -> None:
    """As Kubernetes does: the file is a link through a folder that is a link."""
    folder = file.parent
    (folder / "v2").mkdir()
    (folder / "v2" / "acl.conf").write_text("new")
    (folder / "next").symlink_to("v2")
    (folder / "next").replace(folder / "current")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_watch, "SETTLE_S", 0.0)


@pytest.mark.parametrize("change", [rewrite, replace, remove])
async def test_a_change_is_noticed(tmp_path: Path, change: Callable[[Path], None]) -> None:
    file = tmp_path / "acl.conf"
    file.write_text("old")
    noticed = asyncio.Event()
    watch = FileWatch(noticed.set)
    watch.watch([file])
    change(file)
    async with asyncio.timeout(DEADLINE_S):
        await noticed.wait()
    watch.close()


async def test_a_link_on_the_way_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "acl.conf").write_text("old")
    (tmp_path / "current").symlink_to("v1")
    (tmp_path / "acl.conf").symlink_to("current/acl.conf")
    noticed = asyncio.Event()
    watch = FileWatch(noticed.set)
    watch.watch([tmp_path / "acl.conf"])
    swing_link(tmp_path / "acl.conf")
    async with asyncio.timeout(DEADLINE_S):
        await noticed.wait()
    assert (tmp_path / "acl.conf").read_text() == "new"
    watch.close()


async def test_a_file_that_is_not_there_yet_is_noticed(tmp_path: Path) -> None:
    noticed = asyncio.Event()
    watch = FileWatch(noticed.set)
    watch.watch([tmp_path / "later.conf"])
    (tmp_path / "later.conf").write_text("x")
    async with asyncio.timeout(DEADLINE_S):
        await noticed.wait()
    watch.close()


async def test_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    watch = FileWatch(lambda: None)
    watch.watch([tmp_path / "nowhere" / "a"])
    watch.watch([])
    watch.close()
    watch.close()
