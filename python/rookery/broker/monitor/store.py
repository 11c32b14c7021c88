"""Keeps samples in a file of the data directory, so that they outlive the node.

The first line is a header with the version of the format and the names of the columns, each further
line a sample as a list of numbers. New samples are appended; from time to time the file is written
whole, beside the old one, without what is not kept any more, and then takes its place. So it never
has more than :data:`LINES_MAX` lines.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from rookery.broker.monitor.models import SAMPLES_MAX, Sample

_log = logging.getLogger("rookery.monitor")

FILE_NAME = "monitor.jsonl"
FORMAT = "rookery-monitor"
VERSION = 1
LINES_MAX = 2 * SAMPLES_MAX
LINE_BYTES_MAX = 1024


class SampleFile:
    """Reads and writes the file. Not for several threads at once."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FILE_NAME
        self._lines = LINES_MAX  # a file that is not known to be ours is written anew

    def load(self) -> list[Sample]:
        """Every sample that can be read; damaged lines are left out and told."""
        samples: list[Sample] = []
        damaged = lines = 0
        try:
            with self.path.open("rb") as file:
                columns = _columns(file.readline(LINE_BYTES_MAX))
                if columns is None:
                    _log.warning("%s is not a file of samples: ignored", self.path)
                    return []
                while (line := file.readline(LINE_BYTES_MAX)) and lines < LINES_MAX:
                    lines += 1
                    sample = _read(line, columns)
                    if sample is None:
                        damaged += 1
                    else:
                        samples.append(sample)
        except FileNotFoundError:
            return []
        except OSError as error:
            _log.warning("%s: samples cannot be read: %s", self.path, error.strerror or error)
            return []
        if damaged:
            _log.warning("%s: %d damaged lines left out", self.path, damaged)
        elif columns == list(Sample._fields):
            self._lines = lines
        return samples

    @property
    def is_full(self) -> bool:
        """Whether it has to be written whole before more is appended."""
        return self._lines >= LINES_MAX

    def append(self, sample: Sample) -> None:
        """Add one.

        Raises:
            OSError: it cannot be written.
        """
        with self.path.open("a", encoding="ascii") as file:
            file.write(_write(sample))
        self._lines += 1

    def replace(self, samples: Iterable[Sample]) -> None:
        """Write these and no others.

        Raises:
            OSError: it cannot be written; the old file is still there.
        """
        fresh = self.path.with_suffix(".new")
        header = {"format": FORMAT, "version": VERSION, "columns": Sample._fields}
        lines = [json.dumps(header) + "\n", *map(_write, samples)]
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(descriptor)
        fresh.replace(self.path)
        self._lines = len(lines) - 1


def _columns(line: bytes) -> list[str] | None:
    header = _json(line)
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        return None
    columns = header.get("columns")
    if not isinstance(columns, list) or "time_ms" not in columns:
        return None
    return columns


def _json(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _read(line: bytes, columns: list[str]) -> Sample | None:
    # Half a line may look like a whole one with smaller numbers.
    numbers = _json(line) if line.endswith(b"\n") else None
    if not isinstance(numbers, list) or len(numbers) != len(columns):
        return None
    if not all(type(number) is int and number >= 0 for number in numbers):
        return None
    # Columns of later versions are left out, those that an earlier one did not have are 0.
    values = dict(zip(columns, numbers, strict=True))
    return Sample(*(values.get(name, 0) for name in Sample._fields))


def _write(sample: Sample) -> str:
    return json.dumps(sample, separators=(",", ":")) + "\n"
