"""Machines of a cluster on this one: each has a network of its own, a small disk and a clock.

with machines(folder, 3) as found:
    found[0].deaf_to(found[1])      # what that one sends does not arrive any more
    found[0].slow()                 # its cable takes little
    found[0].fill_disk()
    found[0].clock.jump(3600)
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.client import DEADLINE_S
from harness.clock_shift import Clock, clock_library
from harness.members import Member
from harness.node import Where

DISK_BYTES = 160 << 20
PAGE = 4096
# A cable of former times: a link of messages goes through, with delays.
SLOW = ("tbf", "rate", "4mbit", "burst", "32kb", "latency", "200ms")
# Nobody has this address: what is sent to it is lost, and the sender is not told.
NOBODY = "02:00:00:00:00:99"


class Machine:
    """One of them, with the node that runs on it."""

    def __init__(
        self,
        folder: Path,
        number: int,
        network: str,
        mark: str,
        library: Path,
        settings: dict[str, str],
    ) -> None:
        self.address = f"{network}.{number}"
        self._mark = f"{mark}{number}"
        self._namespace = f"machine-{self._mark}"
        self._cable = f"c{self._mark}"
        self._disk = folder / f"disk{number}"
        self._disk.mkdir()
        self._filler = self._disk / "filler"
        self.clock = Clock(folder / f"clock{number}")
        prefix = ("ip", "netns", "exec", self._namespace, *self.clock.prefix(library))
        self._where = Where(self.address, prefix)
        self._settings = settings
        self.member: Member

    def make(self, bridge: str) -> None:
        """Raises: CalledProcessError where that is not allowed."""
        run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(self._disk))
        run("ip", "netns", "add", self._namespace)
        run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "eth0",
            "netns", self._namespace)  # fmt: skip
        run("ip", "link", "set", self._cable, "master", bridge, "up")
        self._ip("addr", "add", f"{self.address}/24", "dev", "eth0")
        self._ip("link", "set", "eth0", "up")
        self._ip("link", "set", "lo", "up")
        self.member = Member(self._disk / "node", self.address, self._where, **self._settings)

    def drop(self) -> None:
        """With everything that is on it."""
        if hasattr(self, "member"):
            self.member.node.stop()
        for words in (
            ("ip", "netns", "del", self._namespace),
            ("ip", "link", "del", self._cable),
            ("umount", "-l", str(self._disk)),
        ):
            subprocess.run(words, check=False, capture_output=True)

    def deaf_to(self, others: Iterable[Machine]) -> None:
        """What those send does not arrive here; nobody is told."""
        for other in others:
            other._ip(
                "neigh",
                "replace",
                self.address,
                "lladdr",
                NOBODY,
                "dev",
                "eth0",
                "nud",
                "permanent",
            )

    def hears(self, others: Iterable[Machine]) -> None:
        """It does again."""
        for other in others:
            other._ip("neigh", "del", self.address, "dev", "eth0")

    @contextlib.contextmanager
    def slow(self) -> Iterator[None]:
        """What it sends has little room."""
        run("tc", "-n", self._namespace, "qdisc", "add", "dev", "eth0", "root", *SLOW)
        try:
            yield
        finally:
            run("tc", "-n", self._namespace, "qdisc", "del", "dev", "eth0", "root")

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """There is no room for one more byte."""
        with self._filler.open("wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, self._free_bytes())
            _fill(file.fileno())
        try:
            yield
        finally:
            self._filler.unlink()

    def _free_bytes(self) -> int:
        found = os.statvfs(self._disk)
        return found.f_bavail * found.f_frsize

    def _ip(self, *words: str) -> None:
        run("ip", "-n", self._namespace, *words)


def _fill(file: int) -> None:
    os.lseek(file, 0, os.SEEK_END)
    try:
        while True:
            os.write(file, bytes(PAGE))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def run(*words: str) -> None:
    """A command that has to work."""
    subprocess.run(words, check=True, capture_output=True, text=True, timeout=DEADLINE_S)


@contextlib.contextmanager
def machines(folder: Path, count: int, **settings: str) -> Iterator[Sequence[Machine]]:
    """That many, their nodes started and each alone; where none can be made, the test is skipped."""
    for program in ("ip", "tc", "mount", "cc"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    mark = secrets.token_hex(3)
    bridge = f"b{mark}"
    network = f"10.{150 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
    library = clock_library(folder)
    found = [Machine(folder, n, network, mark, library, settings) for n in range(1, count + 1)]
    try:
        try:
            run("ip", "link", "add", bridge, "type", "bridge")
            run("ip", "addr", "add", f"{network}.254/24", "dev", bridge)
            run("ip", "link", "set", bridge, "up")
            for machine in found:
                machine.make(bridge)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no machines can be made: {error.stderr.strip()}")
        start_all(machine.member for machine in found)
        yield found
    finally:
        for machine in found:
            machine.drop()
        subprocess.run(["ip", "link", "del", bridge], check=False, capture_output=True)


def start_all(members: Iterable[Member]) -> None:
    """Start nodes beside each other; all of them run afterwards.

    Raises:
        AssertionError: one did not.
    """
    waiting = list(members)
    with ThreadPoolExecutor(len(waiting)) as pool:
        list(pool.map(Member.start, waiting))
