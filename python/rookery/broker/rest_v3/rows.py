"""EMQX 3's and 4's names for what the node knows. What only an Erlang virtual machine has is left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rookery.broker.clients.rows import PROTO_NAMES
from rookery.native.lists import ClientView, SubscriptionView


def local_time(ms: int) -> str:
    """As EMQX 3 writes times: ``2026-01-31 08:00:00``, local."""
    return datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d %H:%M:%S")  # noqa: DTZ006


def uptime(ms: int) -> str:
    """As EMQX 3 writes how long: ``1 days, 2 hours, 3 minutes, 4 seconds``."""
    rest, seconds = divmod(ms // 1000, 60)
    rest, minutes = divmod(rest, 60)
    days, hours = divmod(rest, 24)
    parts = ((days, "days"), (hours, "hours"), (minutes, "minutes"))
    said = [f"{number} {unit}" for number, unit in parts if number]
    return ", ".join([*said, f"{seconds} seconds"])


def traffic(client: ClientView) -> dict[str, int]:
    return {
        "recv_cnt": client.reads,
        "recv_oct": client.bytes_received,
        "recv_pkt": client.packets_received,
        "recv_msg": client.received_qos0 + client.received_qos1 + client.received_qos2,
        "send_cnt": client.writes,
        "send_oct": client.bytes_sent,
        "send_pkt": client.packets_sent,
        "send_msg": client.sent_qos0 + client.sent_qos1 + client.sent_qos2,
        "send_pend": 0,
    }


def _common(client: ClientView, node_name: str) -> dict[str, Any]:
    version, connected_at_ms = client.protocol_version, client.connected_at_ms
    return {
        "node": node_name,
        "username": client.username or "",
        "proto_name": PROTO_NAMES.get(version, "MQTT"),
        "proto_ver": version,
        "port": client.port,
        "keepalive": client.keep_alive_s,
        "clean_start": client.clean_start,
        "is_bridge": False,
        "zone": client.zone,
        "mountpoint": client.mountpoint,
        "connected_at": None if connected_at_ms is None else local_time(connected_at_ms),
    }


def connection_row(client: ClientView, node_name: str) -> dict[str, Any]:
    """A connection of EMQX 3."""
    return {
        "client_id": client.client_id,
        **_common(client, node_name),
        "ipaddress": client.host or "",
        "peercert": client.cert_subject or "nossl",
        **traffic(client),
    }


def client_row(client: ClientView, node_name: str) -> dict[str, Any]:
    """A client of EMQX 4: the connection and its session."""
    row = {
        "clientid": client.client_id,
        **_common(client, node_name),
        "ip_address": client.host or "",
        "connected": client.is_connected,
        "created_at": local_time(client.created_at_ms),
        "expiry_interval": client.session_expiry_interval_s,
        "subscriptions_cnt": client.subscriptions,
        "max_subscriptions": client.subscriptions_max,
        "inflight": client.inflight,
        "max_inflight": client.inflight_max,
        "mqueue_len": client.queued,
        "max_mqueue": client.queued_max,
        "mqueue_dropped": client.dropped,
        "awaiting_rel": client.awaiting_rel,
        "max_awaiting_rel": client.awaiting_rel_max,
        **traffic(client),
    }
    if client.disconnected_at_ms:
        row["disconnected_at"] = local_time(client.disconnected_at_ms)
    return row


def session_row(client: ClientView, node_name: str) -> dict[str, Any]:
    """A session of EMQX 3; 0 is no bound."""
    return {
        "node": node_name,
        "client_id": client.client_id,
        "username": client.username or "",
        "clean_start": client.clean_start,
        "expiry_interval": client.session_expiry_interval_s,
        "created_at": local_time(client.created_at_ms),
        "subscriptions_count": client.subscriptions,
        "max_subscriptions": client.subscriptions_max,
        "inflight_len": client.inflight,
        "max_inflight": client.inflight_max,
        "mqueue_len": client.queued,
        "max_mqueue": client.queued_max,
        "mqueue_dropped": client.dropped,
        "awaiting_rel_len": client.awaiting_rel,
        "max_awaiting_rel": client.awaiting_rel_max,
        "deliver_msg": client.sent_qos0 + client.sent_qos1 + client.sent_qos2,
    }


def subscription_row(view: SubscriptionView, node_name: str) -> dict[str, Any]:
    """A subscription, by EMQX 3's name for the client and by EMQX 4's."""
    return {
        "node": node_name,
        "topic": view.topic_filter,
        "client_id": view.client_id,
        "clientid": view.client_id,
        "qos": view.qos,
    }
