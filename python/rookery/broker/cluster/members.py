"""Who belongs to the cluster: a list that every node keeps and that needs no vote.

Each entry counts its changes (``epoch``), and of two versions of an entry one always wins, so that
lists put together in any order, any number of times, come out the same on all nodes. What a node
missed while it was away it has after hearing any other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

MEMBERS_MAX = 64
"""Most nodes of a cluster: each talks to each."""
ENTRIES_MAX = 1024
"""Most entries, with those of nodes that left; the oldest of these go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What is known of one node name.

    Attributes:
        name: Its node name.
        node_id: Of the data directory; a node that left comes back with another.
        address: Where its NATS takes routes, ``host:port``.
        epoch: Grows with every change of the entry.
        has_left: Whether it is no member any more.
        since_ms: When it joined or left, by the clock of the node that took it.
    """

    name: str
    node_id: str
    address: str
    epoch: int = 1
    has_left: bool = False
    since_ms: int = 0

    @property
    def _rank(self) -> tuple[int, bool, str, str, int]:
        return (self.epoch, self.has_left, self.node_id, self.address, self.since_ms)

    def wins_over(self, other: Member) -> bool:
        """Whether this version of the entry holds instead of ``other``."""
        return self._rank > other._rank


class Members:
    """All entries. Never changed: a change makes another list."""

    def __init__(self, entries: Iterable[Member] = ()) -> None:
        found: dict[str, Member] = {}
        for entry in entries:
            known = found.get(entry.name)
            if known is None or entry.wins_over(known):
                found[entry.name] = entry
        self._entries = _bounded(found)

    def __iter__(self) -> Any:
        return iter(self.present())

    def __len__(self) -> int:
        return len(self.present())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Members) and self._entries == other._entries

    def __hash__(self) -> int:
        return hash(self.digest)

    def present(self) -> list[Member]:
        """The members, by name."""
        return sorted(
            (entry for entry in self._entries.values() if not entry.has_left),
            key=lambda entry: entry.name,
        )

    def has_left(self, name: str, node_id: str) -> bool:
        """Whether that node, of which an identity begins so, was a member and is none."""
        entry = self._entries.get(name)
        return entry is not None and (entry.has_left or not entry.node_id.startswith(node_id))

    def get(self, name: str) -> Member | None:
        """The member of that name."""
        entry = self._entries.get(name)
        return None if entry is None or entry.has_left else entry

    def entry(self, name: str) -> Member | None:
        """What is known of that name, also when it left."""
        return self._entries.get(name)

    def merged(self, other: Members) -> Members:
        """Both put together."""
        return Members([*self._entries.values(), *other._entries.values()])

    def with_member(self, name: str, node_id: str, address: str, now_ms: int) -> Members:
        """With that node as a member."""
        known = self._entries.get(name)
        epoch = 1 if known is None else known.epoch + 1
        fresh = Member(name=name, node_id=node_id, address=address, epoch=epoch, since_ms=now_ms)
        return Members([*self._entries.values(), fresh])

    def without(self, name: str, now_ms: int) -> Members:
        """Without that node: everybody who hears it forgets it as a member."""
        known = self._entries.get(name)
        if known is None or known.has_left:
            return self
        gone = Member(
            name=name,
            node_id=known.node_id,
            address=known.address,
            epoch=known.epoch + 1,
            has_left=True,
            since_ms=now_ms,
        )
        return Members([*self._entries.values(), gone])

    @property
    def digest(self) -> str:
        """The same for the same lists."""
        text = json.dumps(self.to_plain(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_plain(self) -> list[dict[str, Any]]:
        """For a file or a message."""
        return [asdict(self._entries[name]) for name in sorted(self._entries)]

    @classmethod
    def from_plain(cls, plain: Any) -> Members:
        """What :meth:`to_plain` made; unknown keys of later versions are passed over.

        Raises:
            ValueError: it is something else.
        """
        if not isinstance(plain, list) or len(plain) > ENTRIES_MAX:
            raise ValueError("not a list of members")
        return cls(_entry(item) for item in plain)


def _bounded(entries: dict[str, Member]) -> dict[str, Member]:
    """Without those that left longest ago, where there are too many."""
    left = sorted(
        (entry for entry in entries.values() if entry.has_left),
        key=lambda entry: (entry.since_ms, entry.name),
    )
    gone = {entry.name for entry in left[: max(0, len(entries) - ENTRIES_MAX)]}
    return {name: entry for name, entry in entries.items() if name not in gone}


_KINDS: Mapping[str, type] = {
    "name": str,
    "node_id": str,
    "address": str,
    "epoch": int,
    "has_left": bool,
    "since_ms": int,
}


def _entry(item: Any) -> Member:
    if not isinstance(item, dict):
        raise ValueError("not a member")
    for key, kind in _KINDS.items():
        if type(item.get(key)) is not kind:
            raise ValueError(f"a member without a good {key}")
    return Member(**{key: item[key] for key in _KINDS})
