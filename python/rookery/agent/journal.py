"""Remembers which commands were begun and how they ended, over restarts and power cuts.

What is in it is not done again. It is bounded: the oldest that has ended gives way; the control
plane asks again only for the few whose result it has not heard.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rookery.agent.places import write_whole

log = logging.getLogger(__name__)

ENTRIES_MAX = 256
BEGUN = "running"
ENDS = ("succeeded", "failed")
_FILE_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """How a command stands; ``state`` is one that the contract knows."""

    state: str
    at_ms: int
    code: str = ""
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        return self.state in ENDS


class Journal:
    """Of one agent; used by one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = _read(path)

    def find(self, command_id: str) -> Entry | None:
        """What is remembered of a command."""
        return self._entries.get(command_id)

    def put(self, command_id: str, entry: Entry) -> None:
        """Remember it: it is on the disk when this returns.

        Raises:
            OSError: it could not be written; nothing is remembered.
        """
        entries = dict(self._entries)
        entries.pop(command_id, None)
        entries[command_id] = entry
        self._write(entries)

    def forget(self, command_id: str) -> None:
        """It came to nothing and may be tried again.

        Raises:
            OSError: it could not be written.
        """
        entries = dict(self._entries)
        if entries.pop(command_id, None) is not None:
            self._write(entries)

    def _write(self, entries: dict[str, Entry]) -> None:
        for command_id in list(entries)[: max(0, len(entries) - ENTRIES_MAX)]:
            del entries[command_id]
        rows = [
            [command_id, one.state, one.at_ms, one.code, one.text, dict(one.fields)]
            for command_id, one in entries.items()
        ]
        write_whole(self._path, json.dumps({"commands": rows}).encode(), 0o600)
        self._entries = entries


def _read(path: Path) -> dict[str, Entry]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_FILE_BYTES_MAX))
        rows = found["commands"] if isinstance(found, dict) else []
        return {str(row[0]): _entry(row) for row in rows}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, LookupError, TypeError) as error:
        # Each command looks first whether it is done, so that a lost journal repeats nothing.
        log.warning("%s: cannot be read, begun anew: %s", path, error)
        return {}


def _entry(row: Any) -> Entry:
    _, state, at_ms, code, text, fields = row
    named = {str(name): str(value) for name, value in fields.items()}
    return Entry(str(state), int(at_ms), str(code), str(text), named)
