"""The other nodes of the cluster, as the core has to know them.

Who they are is found out elsewhere and told here; messages and routes then go between the cores
over connections of their own. A node that never opens them pays nothing for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPeer:
    """Another node that runs.

    Attributes:
        name: Its name.
        incarnation: That of its present start: it rises with every start of the node.
        address: Where it takes lanes: ``host:port``.
    """

    name: str
    incarnation: int
    address: str


class PartnerStatus(NamedTuple):
    """Who else keeps the durable sessions of this node.

    Attributes:
        name: Of that node; empty: nobody does.
        is_whole: It has all of them, and acknowledgements wait for it.
        since_ms: Since when that is so or not so, milliseconds since 1970; 0: since the start.
        lag: Changes on their way there and not kept.
        lag_bytes: Bytes of them.
        unconfirmed: Times that acknowledgements left without it because it was late.
        restarts: Times that a copy was given up.
        last_error: Why the last one was: ``gone``, ``late`` or ``unable``, a colon, a text; empty: all is
            well.
    """

    name: str
    is_whole: bool
    since_ms: int
    lag: int
    lag_bytes: int
    unconfirmed: int
    restarts: int
    last_error: str


class PeerStatus(NamedTuple):
    """How it stands with another node.

    Attributes:
        is_connected: Every lane stands, in both directions.
        since_ms: Since when that is so or not so, milliseconds since 1970.
        routes: Topic filters, and shared subscriptions, that it has subscribers for.
        sent: Messages for it.
        received: Messages from it.
        resent: Messages that were sent again after a cut.
        dropped: Messages that were dropped instead of sent.
        queued_bytes: Bytes that wait for it.
        last_error: What went wrong last: a code, a colon, a text; empty: nothing. The codes are
            ``connect_refused``, ``connect_timeout``, ``handshake_timeout``, ``unreachable``,
            ``closed``, ``silent``, ``authentication_failed``, ``another_node``,
            ``unknown_there``, ``protocol``, ``tls`` and ``no_randomness``.
    """

    name: str
    incarnation: int
    is_connected: bool
    since_ms: int
    routes: int
    sent: int
    received: int
    resent: int
    dropped: int
    queued_bytes: int
    last_error: str
