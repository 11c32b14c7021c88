"""What the machine and this process use: processors, memory, open files, disk.

Read from Linux's ``/proc`` and from the control group, a few lines each. A library for every
operating system would read the same files, and does not know the bound of a container.
"""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")
_TEXT_BYTES_MAX = 64 << 10


class CpuTimes(NamedTuple):
    """Time of all processors since the machine started, in ticks."""

    busy: int
    total: int

    def use_since(self, before: CpuTimes) -> float | None:
        """The share of one that was busy since ``before``; none when no time passed."""
        total = self.total - before.total
        return None if total <= 0 else min(1.0, max(0.0, (self.busy - before.busy) / total))


class Memory(NamedTuple):
    """Bytes that may be used, and bytes in use."""

    total: int
    used: int

    @property
    def share(self) -> float:
        return self.used / self.total if self.total else 0.0


class Machine:
    """Reads the figures. ``proc`` and ``cgroup`` are where the kernel shows them."""

    def __init__(self, proc: Path = PROC, cgroup: Path = CGROUP) -> None:
        self._proc = proc
        self._cgroup = cgroup

    def cpu_times(self) -> CpuTimes:
        """Raises:
        OSError: the kernel shows none.
        ValueError: they have another form.
        """
        # user nice system idle iowait irq softirq steal; guest times are part of user's.
        ticks = [int(word) for word in self._text("stat").split("\n", 1)[0].split()[1:9]]
        return CpuTimes(sum(ticks) - sum(ticks[3:5]), sum(ticks))

    def memory(self) -> Memory:
        """Memory of the machine, or of the container when that is bounded below it.

        Raises:
            OSError: the kernel shows none.
        """
        values = _fields(self._text("meminfo"))
        total = values.get("MemTotal", 0)
        machine = Memory(total, total - values.get("MemAvailable", values.get("MemFree", 0)))
        container = self._container()
        return container if container is not None and container.total < total else machine

    def _container(self) -> Memory | None:
        try:
            most = int((self._cgroup / "memory.max").read_text(encoding="ascii"))
            used = int((self._cgroup / "memory.current").read_text(encoding="ascii"))
            detail = (self._cgroup / "memory.stat").read_text(encoding="ascii")
        except (OSError, ValueError):  # no control group of version 2, or "max"
            return None
        pairs = (line.split() for line in detail.splitlines())
        # What the kernel gives up when somebody wants memory.
        cache = sum(int(pair[1]) for pair in pairs if pair[:1] == ["inactive_file"])
        return Memory(most, max(0, used - cache))

    def process_memory(self) -> int:
        """Bytes of this process in memory.

        Raises:
            OSError: the kernel shows none.
        """
        return _fields(self._text("self/status")).get("VmRSS", 0)

    def open_files(self) -> int:
        """Descriptors that this process has open.

        Raises:
            OSError: the kernel shows none.
        """
        folder = self._proc / "self/fd"
        # Linux 6.2 and later say the number as the size of the folder; a list of a hundred
        # thousand names takes long to make.
        return folder.stat().st_size or sum(1 for _ in folder.iterdir())

    def open_files_max(self) -> int:
        """Descriptors that this process may have open; 0 is no bound."""
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return 0 if most == resource.RLIM_INFINITY else most

    def disk(self, path: Path) -> Memory:
        """The disk that ``path`` is on, as far as this process may fill it.

        Raises:
            OSError: it cannot be asked.
        """
        usage = shutil.disk_usage(path)
        return Memory(usage.used + usage.free, usage.used)

    def load(self) -> tuple[float, float, float]:
        """Processes that run or want to, over 1, 5 and 15 minutes."""
        try:
            one, five, fifteen = os.getloadavg()
        except OSError:
            return 0.0, 0.0, 0.0
        return round(one, 2), round(five, 2), round(fifteen, 2)

    def _text(self, name: str) -> str:
        with (self._proc / name).open("rb") as file:
            return file.read(_TEXT_BYTES_MAX).decode("ascii", "replace")


def _fields(text: str) -> dict[str, int]:
    """``Name:  123 kB`` as bytes by name; other lines are left out."""
    values: dict[str, int] = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        words = rest.split()
        if colon and len(words) == 2 and words[1] == "kB" and words[0].isdigit():
            values[name] = int(words[0]) << 10
    return values
