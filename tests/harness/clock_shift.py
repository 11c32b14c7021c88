"""The time of day of single processes, moved forwards and back while they run.

library = clock_library(folder)
clock = Clock(folder / "clock")
command = [*clock.prefix(library), *command]
clock.jump(86_400)
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from harness.client import DEADLINE_S

PAGE = 4096
# The time of day of a process, moved by the seconds in a file. What counts intervals is left alone.
_SHIFT = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile long long *seconds;
__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("CLOCK_SHIFT_FILE"), O_RDONLY | O_CLOEXEC);
    void *at = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0 && at != MAP_FAILED) seconds = at;
    if (file >= 0) close(file);
}
int clock_gettime(clockid_t id, struct timespec *at) {
    int failed = syscall(SYS_clock_gettime, id, at);
    if (!failed && seconds && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += *seconds;
    return failed;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    (void)zone;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


class Clock:
    """The time of day of some processes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.write_bytes(bytes(PAGE))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), PAGE)

    def jump(self, seconds: int) -> None:
        """It is so much later at once; with a negative number earlier."""
        (now,) = struct.unpack_from("<q", self._map)
        struct.pack_into("<q", self._map, 0, now + seconds)

    def prefix(self, library: Path) -> tuple[str, ...]:
        """What stands in front of a command that has this clock."""
        return ("env", f"LD_PRELOAD={library}", f"CLOCK_SHIFT_FILE={self.file}")


def clock_library(folder: Path) -> Path:
    """What moves the time of day; without a compiler the test is skipped."""
    if shutil.which("cc") is None:
        pytest.skip("there is no cc")
    source, library = folder / "shift.c", folder / "shift.so"
    source.write_text(_SHIFT)
    command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=DEADLINE_S)
    return library
