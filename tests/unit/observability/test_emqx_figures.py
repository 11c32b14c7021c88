"""Figures that follow from others."""

from __future__ import annotations

from rookery.observability.emqx import complete_metrics, complete_stats


def test_connections_are_sessions_and_sockets_are_connections() -> None:
    core = {"connections.count": 9, "sessions.count": 5, "topics.count": 2, "router.bytes": 7}
    assert complete_stats(core) == {
        "sockets.count": 9,
        "connections.count": 5,
        "channels.count": 5,
        "sessions.count": 5,
        "cluster_sessions.count": 5,
        "topics.count": 2,
        "routes.count": 2,
        "router.bytes": 7,
    }


def test_hooks_of_emqx_run_once_for_each_packet() -> None:
    core = {
        "packets.connect.received": 3,
        "authentication.success": 2,
        "authentication.failure": 1,
        "authorization.allow": 4,
    }
    assert complete_metrics(core) == core | {"client.connect": 3, "client.authenticate": 3}


def test_what_the_core_counts_itself_is_not_overwritten() -> None:
    core = {"client.connect": 1, "packets.connect.received": 3}
    assert complete_metrics(core) == core
