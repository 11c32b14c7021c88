"""What limit a cluster may have: functions of numbers, without a table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LEAST = 1
MOST = 999_999_999
"""Of one cluster; one more is what a node calls no limit."""
TOTAL_MAX = 1_000_000_000_000
INITIAL = 10
"""What a cluster that is adopted is given, as documented."""
NAME = "Rookery"
ASSERT_AGAIN_MS = 60_000
"""After a failure."""


class Hold(StrEnum):
    """How the limit of a cluster stands."""

    APPLYING = "applying"
    IN_FORCE = "inForce"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NONE_LEFT = "noneLeft"
    NOT_PERMITTED = "notPermitted"
    UNMANAGED = "unmanaged"


HELD = frozenset({Hold.APPLYING, Hold.IN_FORCE, Hold.FAILED})
"""Those with a limit, which counts."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What all clusters share.

    Attributes:
        total: Connections of all clusters together; none: any number.
        per_cluster: Most of one cluster; none: any number.
        initial: What a cluster that is adopted is given; none: nothing is done to it.
        name: What clusters show as the name of who manages them.
    """

    total: int | None = None
    per_cluster: int | None = None
    initial: int | None = INITIAL
    name: str = NAME

    def left(self, used: int) -> int | None:
        """What is not given out yet; none: any number."""
        return None if self.total is None else max(0, self.total - used)

    def most(self, used: int) -> int:
        """The largest limit that a cluster can have, where the others have ``used``."""
        bounds = (self.per_cluster, self.left(used), MOST)
        return min(bound for bound in bounds if bound is not None)


def proposal(connections: int | None, most: int) -> int:
    """What limit suits a cluster with so many clients: a fifth more, as far as there is that much."""
    current = connections or 0
    return max(LEAST, min(max(INITIAL, -(-current * 6 // 5)), most))


def is_short(limit: int, connections: int | None) -> bool:
    """Whether clients that are connected now would not all come back."""
    return connections is not None and limit < connections


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a cluster.

    Attributes:
        connections: Its clients.
        setting: What it is set to; none: no limit.
        is_settable: Whether that can be set; none: nobody has said.
        reported_at_ms: When it said so.
    """

    connections: int | None = None
    setting: int | None = None
    is_settable: bool | None = None
    reported_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """What is decided for a cluster.

    Attributes:
        hold: How that stands.
        limit: The limit, if it has one.
        asserted_at_ms: When the cluster was last heard to have it, or to refuse it.
        is_under_way: Whether a command about it is open.
    """

    hold: Hold
    limit: int | None = None
    asserted_at_ms: int = 0
    is_under_way: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a report.

    Attributes:
        hold: How the limit stands from now on.
        limit: The limit from now on.
        is_set: Whether the cluster is to be told.
        is_drift: Whether somebody else changed it at the cluster.
    """

    hold: Hold
    limit: int | None = None
    is_set: bool = False
    is_drift: bool = False


def adopted(seen: Seen, pool: Pool, used: int) -> Step | None:
    """What is done about a cluster that has just been adopted; none: nothing yet.

    Nobody who is connected may be locked out by what nobody decided: a cluster with more clients
    than it would be given waits for somebody to decide.
    """
    if seen.is_settable is None:
        return None
    if not seen.is_settable:
        return Step(Hold.NOT_PERMITTED)
    if pool.initial is None:
        return Step(Hold.UNMANAGED)
    limit = min(pool.initial, pool.most(used))
    if limit < LEAST:
        return Step(Hold.NONE_LEFT)
    if seen.connections is None or is_short(limit, seen.connections):
        return Step(Hold.UNDECIDED)
    return Step(Hold.APPLYING, limit, is_set=True)


def reported(held: Held, seen: Seen) -> Step | None:
    """What follows from a report of a cluster that something was decided for; none: nothing.

    Only a report that is newer than what was done last says anything about it.
    """
    if held.hold not in HELD or held.is_under_way or seen.reported_at_ms <= held.asserted_at_ms:
        return None
    if seen.is_settable is False:
        return Step(Hold.NOT_PERMITTED)
    if seen.is_settable is None:
        return None
    if seen.setting == held.limit:
        return None if held.hold is Hold.IN_FORCE else Step(Hold.IN_FORCE, held.limit)
    if held.hold is Hold.FAILED:
        is_early = seen.reported_at_ms - held.asserted_at_ms < ASSERT_AGAIN_MS
        return None if is_early else Step(Hold.APPLYING, held.limit, is_set=True)
    is_drift = held.hold is Hold.IN_FORCE
    return Step(Hold.APPLYING, held.limit, is_set=True, is_drift=is_drift)
