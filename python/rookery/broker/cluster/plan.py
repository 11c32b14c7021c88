"""Sees before a node starts whether it can be in a cluster, so that what refuses the start does so
before a client was let in.
"""

from __future__ import annotations

import importlib.util
import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rookery.broker.cluster.keys import COOKIE_LENGTH_MIN, is_good
from rookery.broker.cluster.nats_server import find_server
from rookery.broker.cluster.store import ClusterStore, Identity
from rookery.broker.cluster.texts import refusal, words
from rookery.errors import StartError
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.config import Config

_log = logging.getLogger("rookery.cluster")


class Plan(NamedTuple):
    """What a node needs to be in a cluster."""

    store: ClusterStore
    identity: Identity
    program: Path | None
    """The NATS server to run; none where an external one is used."""


def plan_cluster(config: Config, now_ms: int) -> Plan | Words:
    """What the node needs, or why it stays alone.

    Raises:
        StartError: the node is a member, or has to become one, and something is missing for that.
    """
    cluster = config.management.cluster
    if cluster.strategy == "singleton":
        return words("singleton")
    store = ClusterStore(config.data_dir, config.management.node_name)
    try:
        if cluster.cookie is None:
            raise refusal(StartError, "no-cookie")
        if not is_good(cluster.cookie.reveal()):
            raise refusal(StartError, "weak-cookie", least=COOKIE_LENGTH_MIN)
        if importlib.util.find_spec("nats") is None:
            raise refusal(StartError, "no-client")
        program = None
        if cluster.nats.mode == "embedded":
            program = find_server(cluster.nats.path)
            _refuse_taken(*cluster.nats.listen)
        _refuse_taken(*cluster.lanes)
        return Plan(store, store.open(now_ms), program)
    except StartError as error:
        if cluster.strategy != "manual" or store.is_known:
            raise
        _log.warning("%s", error.message)
        return Words(error.message, error.text("zh"))


def _refuse_taken(host: str, port: int) -> None:
    """The server itself would only say so in its log, again and again."""
    address = f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
    except OSError as error:
        reason = error.strerror or error
        raise refusal(StartError, "bad-address", address=address, error=reason) from None
