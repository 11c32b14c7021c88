"""The files of a checkout that are, or would be, committed, and what is written in them."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

FOLDERS_NOT_OURS = {".git", ".venv", "target", "node_modules", "dist", "build", "artifacts"}


@functools.cache
def text_of(path: Path) -> str:
    """Return what is in ``path``, bytes that are not UTF-8 replaced."""
    return path.read_text(encoding="utf-8", errors="replace")


@dataclasses.dataclass(frozen=True)
class Tree:
    """A checkout: ``files`` are relative to ``root`` and sorted."""

    root: Path
    files: tuple[Path, ...]

    @classmethod
    def of_checkout(cls, root: Path) -> Tree:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            check=False,
        )
        if listing.returncode == 0:
            names = (Path(name) for name in listing.stdout.decode().split("\0") if name)
        else:  # a source distribution has no history to ask
            names = (path.relative_to(root) for path in root.rglob("*"))
        return cls(root, tuple(sorted({name for name in names if _is_ours(root, name)})))

    def with_suffix(self, *suffixes: str) -> Iterator[Path]:
        return (path for path in self.files if path.suffix in suffixes)

    def text(self, path: Path) -> str:
        return text_of(self.root / path)


def _is_ours(root: Path, name: Path) -> bool:
    return not FOLDERS_NOT_OURS.intersection(name.parts) and (root / name).is_file()
