"""Nodes of a cluster on one machine: each has a loopback address of its own, as machines have."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.ctl import Ctl
from harness.node import LOCAL, Node, Where
from harness.waiting import until

COOKIE = "a-cookie-that-only-these-tests-know"
PORTS = (6369, 6370)
# Looking takes from a node that starts the processor it needs.
LOOK_EVERY_S = 0.1


class Member:
    """A node with its own address, and ``rookery ctl`` for it."""

    def __init__(
        self, folder: Path, address: str, where: Where = LOCAL, /, **settings: str
    ) -> None:
        self.address = address
        self.name = f"rookery@{address}"
        folder.mkdir(exist_ok=True)
        common = {"node.name": self.name, "node.cookie": COOKIE}
        self.node = Node(folder, {**common, **settings}, where)
        self.ctl = Ctl(folder)

    def start(self) -> None:
        self.node.start()

    def status(self) -> dict[str, str]:
        """State of every member, as this one sees it."""
        found = self.ctl.json("cluster", "status")
        return {row["node"]: row["node_status"] for row in found["members"]}

    def nats(self) -> dict[str, Any]:
        """How it stands with the NATS server beside it."""
        found: dict[str, Any] = self.ctl.json("cluster", "status")["nats"]
        return found

    def nats_pid(self) -> int:
        pid = self.nats()["pid"]
        assert isinstance(pid, int)
        return pid

    def join(self, other: Member) -> None:
        self.ctl.good("cluster", "join", other.name, "--yes")


def addresses(count: int) -> list[str]:
    """Loopback addresses that no other test uses."""
    while True:
        prefix = f"127.{random.randint(10, 250)}.{random.randint(0, 255)}"
        found = [f"{prefix}.{number}" for number in range(1, count + 1)]
        if all(_is_free(address) for address in found):
            return found


def _is_free(address: str) -> bool:
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


@contextlib.contextmanager
def members(
    folder: Path, count: int, where: Where = LOCAL, /, **settings: str
) -> Iterator[list[Member]]:
    """That many nodes, each alone; whatever still runs at the end is stopped."""
    found = [
        Member(folder / f"node{number}", address, where, **settings)
        for number, address in enumerate(addresses(count), 1)
    ]
    try:
        for member in found:
            member.start()
        yield found
    finally:
        for member in found:
            member.node.stop()


def until_all_see(found: Iterable[Member], wanted: dict[str, str], what: str) -> None:
    """Wait until each of them shows exactly these members, in these states."""
    for member in found:
        until(
            lambda member=member: member.status() == wanted,  # type: ignore[misc]
            what,
            shows=lambda member=member: member.ctl.json("cluster", "status"),  # type: ignore[misc]
            every_s=LOOK_EVERY_S,
        )


def runs(pid: int) -> bool:
    """Whether that process is there; one that ended and was not fetched is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
