"""A node that is in no cluster and cannot be: it says why to whoever asks it to join.

This is all that such a node imports of clusters: no NATS, no client of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rookery.broker.cluster.texts import refusal, words
from rookery.errors import BadRequestError, ConflictError, NotFoundError
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.broker.alarms import AlarmRegistry
    from rookery.broker.cluster.quorum import Quorum
    from rookery.broker.cluster.service import Cluster
    from rookery.broker.node import OpenNode
    from rookery.web.sockets import Port


class Alone:
    """Stands where the cluster would."""

    is_available = False
    is_joining = False
    calls = None

    def __init__(self, name: str, cluster: str, why: Words, version: str) -> None:
        self.name = name
        self._version = version
        self._cluster = cluster
        self._why = why

    def replicate(self, replicas: object) -> None:
        """There is nobody who would have the same."""

    def open(self) -> None:
        """Nothing is opened."""

    async def close(self) -> None:
        """Nothing was opened."""

    def names(self) -> list[str]:
        return [self.name]

    def running(self) -> list[str]:
        return []

    def quorum(self) -> Quorum | None:
        return None

    def ports(self) -> list[Port]:
        return []

    def metrics(self) -> dict[str, int]:
        return {}

    def status(self) -> dict[str, Any]:
        row = {"node": self.name, "node_status": "running", "version": self._version}
        return {
            "name": self._cluster,
            "self": self.name,
            "members": [row],
            "nats": None,
            "state": None,
            "quorum": None,
            "partner": None,
            "problem": None,
        }

    async def join(self, name: str) -> None:
        raise self._refusal()

    async def invite(self, name: str, within_s: float = 0.0) -> None:
        raise self._refusal()

    async def leave(self) -> None:
        raise refusal(ConflictError, "alone")

    async def force_leave(self, name: str) -> None:
        if name == self.name:
            raise refusal(BadRequestError, "leave-self", name=name)
        raise refusal(NotFoundError, "alone")

    def _refusal(self) -> BadRequestError:
        return BadRequestError(self._why.en, message_zh=self._why.zh)


def make_cluster(node: OpenNode, alarms: AlarmRegistry, version: str) -> Cluster | Alone:
    """The cluster of a node that can be in one, else what says why it cannot."""
    management = node.config.management
    plan = node.cluster_plan
    if plan is None or isinstance(plan, Words):
        why = plan or words("no-cookie")
        return Alone(management.node_name, management.cluster_name, why, version)
    from rookery.broker.cluster.lanes import CoreLanes  # noqa: PLC0415
    from rookery.broker.cluster.service import Cluster  # noqa: PLC0415

    return Cluster(
        management.cluster,
        name=management.node_name,
        plan=plan,
        version=version,
        started_at_ms=node.started_at_ms,
        clock=node.clock,
        lanes=CoreLanes(node.native),
        alarms=alarms,
    )
