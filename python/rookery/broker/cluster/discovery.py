"""Finds other nodes to join without anybody typing: by a list, or by DNS.

A node that is alone looks until it is in a cluster. Of two that are alone the one whose name comes
later joins, so that they do not join each other at the same time.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

from rookery.errors import RookeryError

if TYPE_CHECKING:
    from rookery.broker.cluster.service import Cluster
    from rookery.config.snapshot import ClusterConfig

LOOK_EVERY_S = 5.0
JOIN_WAIT_S = 5.0

_log = logging.getLogger("rookery.cluster")


async def discover(cluster: Cluster, config: ClusterConfig) -> None:
    """Look until this node is in a cluster, and again when it stands alone."""
    told = ""
    while True:
        if cluster.membership.is_alone:
            problem = await _look(cluster, config)
            if problem and problem != told:
                _log.warning("no cluster is found yet: %s", problem)
            told = problem
        await asyncio.sleep(LOOK_EVERY_S)


async def _look(cluster: Cluster, config: ClusterConfig) -> str:
    try:
        names = await _names(cluster.name, config)
    except OSError as error:
        return f"{config.dns_name}: {error.strerror or error}"
    problem = ""
    for name in sorted(names - {cluster.name}):
        try:
            if await cluster.join_found(name, JOIN_WAIT_S):
                return ""
        except RookeryError as error:
            problem = error.message
    return problem


async def _names(own: str, config: ClusterConfig) -> set[str]:
    if config.strategy == "static":
        return set(config.seeds)
    family = socket.AF_INET6 if config.dns_record == "aaaa" else socket.AF_INET
    found = await asyncio.get_running_loop().getaddrinfo(
        config.dns_name, None, family=family, type=socket.SOCK_STREAM
    )
    return {f"{own.partition('@')[0]}@{place[0]}" for *_, place in found}
