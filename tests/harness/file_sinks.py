"""Files that rules write to, and what makes them go away: a full disk, a folder in the way, a file that is locked.

All are what the system itself does: a small file system that somebody else fills, a folder that was moved with a
file in its place, and the attribute that lets nobody write, not even root. The first and the last need root.
"""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.small_disk import PAGE, NoDiskError, small_disk

DISK_BYTES = 64 << 20
NAME = "out.log"


@dataclass(frozen=True)
class FilePlace:
    """A file that comes and goes.

    Attributes:
        folder: Where it is.
        parameters: Of an action that writes client and number into each line.
        stop: Nothing can be written any more.
        start: It can again.
        found: Numbers by client, in the order of the lines.
    """

    folder: Path
    parameters: Mapping[str, Any]
    stop: Callable[[], None]
    start: Callable[[], None]
    found: Callable[[int], dict[str, list[int]]]


def _line(padding: str = "") -> Mapping[str, Any]:
    return {"template": f"${{clientid}} ${{n}} {padding}", "write_mode": "sync"}


def _numbers(*files: Path) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for file in files:
        if file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                client, number = line.split()[:2]
                found[client].append(int(number))
    return dict(found)


def _needs_root(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{command[0]}: {done.stderr.strip()}")


@contextmanager
def full_disk(folder: Path) -> Iterator[FilePlace]:
    """A file system of some megabytes that is filled up by somebody else."""
    try:
        with small_disk(folder / "disk", DISK_BYTES) as disk:
            # A line of more than a page finds no room in the last one of the file.
            yield FilePlace(
                disk.folder,
                _line("x" * PAGE),
                disk.fill,
                disk.clear,
                lambda _count: _numbers(disk.folder / NAME),
            )
    except NoDiskError as error:
        pytest.skip(str(error))


@contextmanager
def folder_gone(folder: Path) -> Iterator[FilePlace]:
    """Somebody moves the folder and puts a file into its place."""
    place = folder / "logs"
    moved: list[Path] = []

    def stop() -> None:
        while True:
            moved.append(folder / f"moved-{len(moved)}")
            place.rename(moved[-1])
            try:
                place.touch(exist_ok=False)
            except FileExistsError:
                continue  # it was made anew meanwhile, as it should be
            return

    def found(_count: int) -> dict[str, list[int]]:
        return _numbers(*(each / NAME for each in (*moved, place)))

    yield FilePlace(place, _line(), stop, place.unlink, found)


@contextmanager
def read_only(folder: Path) -> Iterator[FilePlace]:
    """Nobody may write into the file, not even root."""
    place = folder / "locked"
    place.mkdir()
    file = place / NAME
    file.touch(mode=0o640)

    def lock(sign: str) -> list[str]:
        return ["chattr", f"{sign}i", str(file)]

    _needs_root(lock("+"))
    subprocess.run(lock("-"), check=True)
    try:
        yield FilePlace(
            place,
            _line(),
            lambda: _needs_root(lock("+")),
            lambda: _needs_root(lock("-")),
            lambda _count: _numbers(file),
        )
    finally:
        if os.access(file, os.F_OK):
            subprocess.run(lock("-"), check=True)
