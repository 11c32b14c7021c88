"""EMQX's names for what the core knows of a client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rookery.broker.management.rows import rfc3339
from rookery.native.lists import ClientView

PROTO_NAMES = {3: "MQIsdp"}
UNBOUNDED = "infinity"


def client_row(client: ClientView, node_name: str) -> dict[str, Any]:
    """All of a client."""
    ended_ms = client.disconnected_at_ms
    received = client.received_qos0 + client.received_qos1 + client.received_qos2
    sent = client.sent_qos0 + client.sent_qos1 + client.sent_qos2
    row: dict[str, Any] = {
        "clientid": client.client_id,
        "username": client.username,
        "node": node_name,
        "connected": client.is_connected,
        "connected_at": rfc3339(client.connected_at_ms),
        "created_at": rfc3339(client.created_at_ms),
        "ip_address": client.host,
        "port": client.port,
        "listener": client.listener,
        "zone": client.zone,
        "mountpoint": client.mountpoint,
        "proto_name": PROTO_NAMES.get(client.protocol_version, "MQTT"),
        "proto_ver": client.protocol_version,
        "keepalive": client.keep_alive_s,
        "clean_start": client.clean_start,
        "expiry_interval": client.session_expiry_interval_s,
        "is_bridge": False,
        "is_expired": False,
        "is_persistent": client.is_durable,
        "durable": client.is_durable,
        "is_superuser": client.is_superuser,
        "client_attrs": dict(client.client_attrs),
        "cert_common_name": client.cert_common_name,
        "cert_subject": client.cert_subject,
        "generation": client.generation,
        "subscriptions_cnt": client.subscriptions,
        "subscriptions_max": client.subscriptions_max or UNBOUNDED,
        "inflight_cnt": client.inflight,
        "inflight_max": client.inflight_max,
        "mqueue_len": client.queued,
        "mqueue_max": client.queued_max,
        "mqueue_dropped": client.dropped,
        "awaiting_rel_cnt": client.awaiting_rel,
        "awaiting_rel_max": client.awaiting_rel_max or UNBOUNDED,
        "recv_cnt": client.reads,
        "recv_oct": client.bytes_received,
        "recv_pkt": client.packets_received,
        "recv_msg": received,
        "recv_msg.qos0": client.received_qos0,
        "recv_msg.qos1": client.received_qos1,
        "recv_msg.qos2": client.received_qos2,
        "recv_msg.dropped": client.received_refused,
        "send_cnt": client.writes,
        "send_oct": client.bytes_sent,
        "send_pkt": client.packets_sent,
        "send_msg": sent,
        "send_msg.qos0": client.sent_qos0,
        "send_msg.qos1": client.sent_qos1,
        "send_msg.qos2": client.sent_qos2,
        "send_msg.dropped": client.dropped + client.dropped_expired + client.dropped_too_large,
        "send_msg.dropped.expired": client.dropped_expired,
        "send_msg.dropped.queue_full": client.dropped,
        "send_msg.dropped.too_large": client.dropped_too_large,
    }
    if ended_ms:
        row["disconnected_at"] = rfc3339(ended_ms)
    return row


def client_rows(
    clients: Iterable[ClientView], node_name: str, fields: Sequence[str] | None
) -> list[dict[str, Any]]:
    """The rows of a page, with these fields only (none: all)."""
    rows = [client_row(client, node_name) for client in clients]
    if fields is None:
        return rows
    return [{name: row[name] for name in fields if name in row} for row in rows]
