"""What carries clients' messages between nodes, as the membership sees it: the native core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Peer(NamedTuple):
    """A member that runs, and where it takes messages."""

    name: str
    incarnation: int
    address: str


class Lanes(Protocol):
    """Told who runs, it connects to them."""

    def open(self, name: str, incarnation: int, bind: str, secret: bytes) -> int:
        """Take messages of other nodes; the port."""

    def peers(self, peers: Sequence[Peer]) -> None:
        """These others run, and no more."""

    def close(self) -> None:
        """Let go of all of them."""


class NoLanes:
    """Of a core that has none: nodes know each other, messages stay where they are."""

    def open(self, name: str, incarnation: int, bind: str, secret: bytes) -> int:
        return 0

    def peers(self, peers: Sequence[Peer]) -> None:
        """Nobody is told."""

    def close(self) -> None:
        """There is nothing to close."""
