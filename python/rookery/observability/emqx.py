"""Figures that EMQX has under a name of their own and that follow from others."""

from __future__ import annotations

from collections.abc import Mapping

_SAME_COUNTERS = {
    # EMQX counts the runs of its hooks; here every such packet runs through exactly once.
    "client.connect": "packets.connect.received",
    "client.connack": "packets.connack.sent",
    "client.subscribe": "packets.subscribe.received",
    "client.unsubscribe": "packets.unsubscribe.received",
    "authentication.success.anonymous": "client.auth.anonymous",
}
_SUMS = {
    "client.authenticate": ("authentication.success", "authentication.failure"),
    "client.authorize": ("authorization.allow", "authorization.deny"),
}
_SAME_STATS = {
    # EMQX keeps a process for each session and calls all of them connections; those that have a
    # network connection are its live ones.
    "connections.count": "sessions.count",
    "channels.count": "sessions.count",
    "suboptions.count": "subscriptions.count",
    "routes.count": "topics.count",
}


def complete_metrics(core: Mapping[str, int]) -> dict[str, int]:
    """The core's counters, and what follows from them."""
    metrics = dict(core)
    for name, same in _SAME_COUNTERS.items():
        if same in core:
            metrics.setdefault(name, core[same])
    for name, parts in _SUMS.items():
        if all(part in core for part in parts):
            metrics.setdefault(name, sum(core[part] for part in parts))
    return metrics


def complete_stats(core: Mapping[str, int]) -> dict[str, int]:
    """The core's gauges by EMQX's meaning, and what follows from them."""
    stats = dict(core)
    # What the core calls connections are network connections, of which some have no client yet.
    if "connections.count" in stats:
        stats["sockets.count"] = stats.pop("connections.count")
    for name, same in _SAME_STATS.items():
        if same in core:
            stats.setdefault(name, core[same])
    # EMQX keeps shared subscriptions apart: its subscribers are the others.
    if "subscriptions.count" in core and "subscriptions.shared.count" in core:
        subscribers = core["subscriptions.count"] - core["subscriptions.shared.count"]
        stats.setdefault("subscribers.count", max(0, subscribers))
    # Of this node; a cluster adds those of the others.
    if "sessions.count" in core:
        stats.setdefault("cluster_sessions.count", core["sessions.count"])
    return stats
