"""A third voice for two nodes: the NATS server of a node, with the same disk and the same writes, and
nothing else. It takes no clients and answers no questions; what all nodes have alike is on its disk too,
so that one node and the witness are more than half.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.cluster.lanes import LaneTls, Peer
from rookery.broker.cluster.plan import plan_cluster
from rookery.broker.cluster.service import Cluster
from rookery.broker.cluster.texts import refusal
from rookery.clock import SystemClock
from rookery.config.data_dir import DataDir
from rookery.ending import ended
from rookery.errors import RookeryError, StartError
from rookery.native.node import version
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.config import Config

AGAIN_S = 5.0

_log = logging.getLogger("rookery.cluster")


class _NoLanes:
    """Messages of clients go past it."""

    def open(
        self,
        name: str,
        incarnation: int,
        bind: str,
        secret: bytes,
        takeover_s: float,
        tls: LaneTls | None,
    ) -> int:
        return 0

    def peers(self, peers: Sequence[Peer]) -> None:
        """They are not its business."""

    def expect(self, names: Sequence[str]) -> None:
        """Nobody comes for a session."""

    def lost(self, names: Sequence[str], *, may_adopt: bool, is_alone: bool) -> None:
        """Nothing is published for them."""

    def status(self) -> dict[str, dict[str, Any]]:
        return {}

    def partner(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing was opened."""


def run(config: Config, join: str | None, ready: Callable[[str], None]) -> int:
    """Be the witness of a cluster until told to stop (SIGTERM, SIGINT).

    Args:
        config: ``node``, ``cluster`` and ``log`` of it count.
        join: A node of the cluster; it is not needed any more once the witness is a member.
        ready: Told what it does, for people.

    Raises:
        StartError: something for that is missing.
        DataDirInUseError: the data directory is used.
    """
    management = config.management
    data_dir = DataDir(management.data_dir, management.node_name)
    data_dir.open()
    try:
        if management.cluster.nats.mode == "external":
            raise refusal(StartError, "witness-nats")
        plan = plan_cluster(config, SystemClock().now_ms())
        if isinstance(plan, Words):
            raise StartError(plan.en, message_zh=plan.zh)
        data_dir.bind_name()
        clock = SystemClock()
        cluster = Cluster(
            management.cluster,
            name=management.node_name,
            plan=plan,
            version=version(),
            started_at_ms=clock.now_ms(),
            clock=clock,
            lanes=_NoLanes(),
            alarms=AlarmRegistry(
                clock, actions=(), size_limit=1000, validity_period_s=0, publish=lambda *_: None
            ),
            is_witness=True,
        )
        asyncio.run(_serve(cluster, join, ready))
    finally:
        data_dir.close()
    return 0


async def _serve(cluster: Cluster, join: str | None, ready: Callable[[str], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    joining = None
    try:
        cluster.open()
        ready(cluster.name)
        if join is not None:
            joining = loop.create_task(_join(cluster, join))
        await stopping.wait()
    finally:
        if joining is not None:
            await ended("joining a cluster", joining)
        await cluster.close()


async def _join(cluster: Cluster, name: str) -> None:
    """Until it is a member: the node may come later."""
    told = ""
    while cluster.membership.is_alone:
        try:
            await cluster.join(name)
            _log.warning("this witness is a member of the cluster of %s", name)
        except RookeryError as error:
            if error.message != told:
                told = error.message
                _log.error("%s", told)
            await asyncio.sleep(AGAIN_S)
