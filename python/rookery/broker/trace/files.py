"""The files of traces: ``trace/traces.json`` says which there are, each has a log beside it."""

from __future__ import annotations

import codecs
import contextlib
import json
import logging
import os
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from rookery.broker.trace.models import Trace

_log = logging.getLogger("rookery.trace")

DIRECTORY = "trace"
LIST = "traces.json"
LOG_BYTES_MAX = 64 << 20
"""A trace whose log is larger stops."""

CHUNK_BYTES_MAX = 4 << 20
"""Most bytes of a log that one request gets."""

LIST_BYTES_MAX = 16 << 20


class TraceFiles:
    """Reads and writes them; knows no node."""

    def __init__(self, data_dir: Path) -> None:
        self.directory = data_dir / DIRECTORY

    def load(self) -> list[Trace]:
        """The traces of the last run; what cannot be read is left out and told."""
        path = self.directory / LIST
        try:
            if path.stat().st_size > LIST_BYTES_MAX:
                raise ValueError("too large")
            rows = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("%s cannot be read: %s", path, error)
            return []
        found = [Trace.from_row(row) for row in rows] if isinstance(rows, list) else [None]
        traces = [trace for trace in found if trace is not None]
        if len(traces) < len(found):
            _log.warning("%s: %d damaged entries left out", path, len(found) - len(traces))
        return traces

    def save(self, traces: Iterable[Trace]) -> None:
        """Replace the list, whole or not at all.

        Raises:
            OSError: it cannot be written; the old one is still there.
        """
        self.directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        fresh = self.directory / f"{LIST}.new"
        text = json.dumps([trace.to_row() for trace in traces], ensure_ascii=False, indent=1)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(descriptor)
        fresh.replace(self.directory / LIST)

    def path(self, name: str) -> Path:
        """The log of a trace; there may be none yet."""
        return self.directory / f"{name}.log"

    def append(self, name: str, text: str) -> bool:
        """Add lines to a log; false when it is full now.

        Raises:
            OSError: the disk takes none.
        """
        self.directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path(name), flags, 0o640)
        with os.fdopen(descriptor, "ab") as file:
            room = LOG_BYTES_MAX - os.fstat(descriptor).st_size
            data = text.encode("utf-8", "backslashreplace")
            if len(data) > room:
                end = data.rfind(b"\n", 0, max(room, 0))
                data = data[: end + 1]
                file.write(data)
                return False
            file.write(data)
        return True

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.path(name).unlink()

    def size(self, name: str) -> int:
        """Bytes of a log."""
        try:
            return self.path(name).stat().st_size
        except FileNotFoundError:
            return 0

    def modified_ms(self, name: str) -> int:
        """When a log was written last, ms since 1970; 0 when it was not."""
        try:
            return self.path(name).stat().st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return 0

    def read(self, name: str, position: int, count: int) -> tuple[str, int]:
        """Whole characters of a log from a byte on, and where to go on."""
        try:
            with self.path(name).open("rb") as file:
                file.seek(position)
                data = file.read(min(count, CHUNK_BYTES_MAX))
        except FileNotFoundError:
            return "", 0
        # The end may cut a character: the next part begins with it.
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data)
        left = len(decoder.getstate()[0])
        if left == len(data):  # nothing but a part of a character was wanted
            return data.decode("utf-8", "replace"), position + left
        return text, position + len(data) - left

    def zipped(self, name: str, node_name: str) -> bytes:
        """An archive with the log; blocks for as long as compressing takes."""
        out = BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            path, inner = self.path(name), f"{node_name}_trace_{name}.log"
            if path.exists():
                archive.write(path, inner)
            else:
                archive.writestr(inner, b"")
        return out.getvalue()
