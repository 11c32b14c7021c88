"""The time of day of a node, moved: days pass at once."""

from __future__ import annotations

import mmap
import struct
import subprocess
from pathlib import Path

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
    """The time of day of one machine's programs."""

    def __init__(self, file: Path, library: Path) -> None:
        """``library``: of :func:`clock_library`."""
        environ = {"LD_PRELOAD": str(library), "CLOCK_SHIFT_FILE": str(file)}
        # What stands before the command of such a program.
        self.prefix = ("env", *(f"{name}={value}" for name, value in environ.items()))
        file.write_bytes(bytes(PAGE))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), PAGE)

    def jump(self, seconds: int) -> None:
        """It is so much later at once; with a negative number earlier."""
        (now,) = struct.unpack_from("<q", self._map)
        struct.pack_into("<q", self._map, 0, now + seconds)


def clock_library(folder: Path) -> Path:
    """What moves the time of day of programs that load it; there has to be a C compiler."""
    source, library = folder / "shift.c", folder / "shift.so"
    source.write_text(_SHIFT)
    subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return library
