"""Where in which file the agent is, on disk: what a restart goes on from."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rookery.agent.places import write_whole

log = logging.getLogger(__name__)

_BYTES_MAX = 4 << 20
_VERSION = 1


@dataclass
class FilePosition:
    """One file. ``offset`` is up to where the control plane has it, ``splits`` where records were
    ended behind that because nothing more came: they end there again when they are read again.
    """

    id: str
    device: int
    inode: int
    name: str
    head_length: int = 0
    head: str = ""
    offset: int = 0
    size: int = 0
    time_ms: int = 0
    severity: int | None = None
    splits: list[int] = field(default_factory=list)

    @property
    def identity(self) -> tuple[int, int]:
        return self.device, self.inode


def load(path: Path, folder: str) -> list[FilePosition] | None:
    """What was remembered of that folder; None when nothing was, ever."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_BYTES_MAX))
        if found["version"] != _VERSION:
            raise ValueError("of another version")
        if found["dir"] != folder:
            return None
        return [_position(item) for item in found["files"]]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        log.warning("%s cannot be used, log files are read from their ends: %s", path, error)
        return None


def save(path: Path, folder: str, files: list[FilePosition]) -> None:
    """Remember it.

    Raises:
        OSError: it cannot be written.
    """
    value = {"version": _VERSION, "dir": folder, "files": [asdict(item) for item in files]}
    write_whole(path, json.dumps(value, separators=(",", ":")).encode(), 0o600)


def _position(item: dict[str, Any]) -> FilePosition:
    made = FilePosition(**item)
    numbers = (made.device, made.inode, made.head_length, made.offset, made.size, made.time_ms)
    if not all(type(number) is int and number >= 0 for number in (*numbers, *made.splits)):
        raise ValueError("a number that is none")
    if not all(isinstance(text, str) for text in (made.id, made.name, made.head)):
        raise ValueError("a text that is none")
    return made
