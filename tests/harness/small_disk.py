"""A small file system of a test's own that somebody else fills up. It needs root."""

from __future__ import annotations

import contextlib
import errno
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PAGE = 4096
SETTLE_S = 0.05


class SmallDisk:
    """One that is mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Nothing can be written any more."""
        # What was written in part is taken back at that moment, which makes room once more.
        while self._took_room():
            time.sleep(SETTLE_S)

    def clear(self) -> None:
        """There is room again."""
        self._filler.unlink()

    def _took_room(self) -> bool:
        before = self._filler.stat().st_size if self._filler.exists() else 0
        with self._filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        return self._filler.stat().st_size > before


class NoDiskError(Exception):
    """None can be mounted here; says why."""


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    """One in a folder that is made for it, for the time of the block.

    Raises:
        NoDiskError: that is not allowed.
    """
    folder.mkdir(parents=True)
    options = f"size={size},mode=0755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        raise NoDiskError(mounted.stderr.strip())
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
