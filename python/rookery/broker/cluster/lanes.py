"""What carries clients' messages between nodes, as the membership sees it: the native core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rookery.native.cluster import ClusterPeer

if TYPE_CHECKING:
    from rookery.native.node import Node


class LaneTls(NamedTuple):
    """The certificate of this node, its key, and the CA that signs those of all nodes."""

    certfile: Path
    keyfile: Path
    cacertfile: Path


class Peer(NamedTuple):
    """A member that runs, and where it takes messages."""

    name: str
    incarnation: int
    address: str


class Lanes(Protocol):
    """Told who runs, it connects to them."""

    def open(
        self,
        name: str,
        incarnation: int,
        bind: str,
        secret: bytes,
        takeover_s: float,
        tls: LaneTls | None,
    ) -> int:
        """Take messages and sessions of other nodes; the port.

        Args:
            name: Of this node.
            incarnation: Rises with every start.
            bind: Where.
            secret: What all nodes know.
            takeover_s: How long a client waits for nodes that may have its session.
            tls: Certificates of the lanes; none: they are not encrypted.
        """

    def peers(self, peers: Sequence[Peer]) -> None:
        """These others run, and no more."""

    def expect(self, names: Sequence[str]) -> None:
        """These members may run; nothing was heard of them yet."""

    def lost(self, names: Sequence[str], *, may_adopt: bool, is_alone: bool) -> None:
        """These members died, and no more.

        Args:
            names: Of them.
            may_adopt: More than half of the cluster runs: their sessions go on elsewhere.
            is_alone: There is no other member.
        """

    def status(self) -> dict[str, dict[str, Any]]:
        """How it stands with each, by names."""

    def partner(self) -> dict[str, Any]:
        """Who else keeps the sessions of this node."""

    def close(self) -> None:
        """Let go of all of them."""


class CoreLanes:
    """The core of this node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def open(
        self,
        name: str,
        incarnation: int,
        bind: str,
        secret: bytes,
        takeover_s: float,
        tls: LaneTls | None,
    ) -> int:
        return self._node.cluster_open(
            name=name,
            incarnation=incarnation,
            bind=bind,
            secret=secret,
            takeover_timeout_s=takeover_s,
            tls=tls,
        )

    def peers(self, peers: Sequence[Peer]) -> None:
        self._node.cluster_peers(ClusterPeer(**peer._asdict()) for peer in peers)

    def expect(self, names: Sequence[str]) -> None:
        self._node.cluster_expect(names)

    def lost(self, names: Sequence[str], *, may_adopt: bool, is_alone: bool) -> None:
        self._node.cluster_lost(names, may_adopt=may_adopt, is_alone=is_alone)

    def status(self) -> dict[str, dict[str, Any]]:
        found = {}
        for row in self._node.cluster_status():
            plain = row._asdict()
            found[plain.pop("name")] = plain
        return found

    def partner(self) -> dict[str, Any]:
        return self._node.cluster_partner()._asdict()

    def close(self) -> None:
        self._node.cluster_close()
