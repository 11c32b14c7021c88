"""EMQX's names for what the core knows of a client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rookery.broker.management.rows import rfc3339
from rookery.native.lists import ClientView, SubscriptionView

PROTO_NAMES = {3: "MQIsdp"}
UNBOUNDED = "infinity"


def client_row(client: ClientView, node_name: str) -> dict[str, Any]:
    """All of a client."""
    # At once: to look each of them up takes longer than to make the row.
    (
        client_id, username, is_connected, host, port, listener, protocol_version, keep_alive_s,
        clean_start, session_expiry_interval_s, created_at_ms, connected_at_ms, disconnected_at_ms,
        generation, subscriptions, subscriptions_max, inflight, inflight_max, queued, queued_max,
        dropped, awaiting_rel, awaiting_rel_max, is_durable, cert_common_name, cert_subject,
        client_attrs, is_superuser, zone, mountpoint, reads, bytes_received, packets_received,
        received_qos0, received_qos1, received_qos2, received_refused, writes, bytes_sent,
        packets_sent, sent_qos0, sent_qos1, sent_qos2, dropped_expired, dropped_too_large,
    ) = client  # fmt: skip
    row: dict[str, Any] = {
        "clientid": client_id,
        "username": username,
        "node": node_name,
        "connected": is_connected,
        "connected_at": None if connected_at_ms is None else rfc3339(connected_at_ms),
        "created_at": rfc3339(created_at_ms),
        "ip_address": host,
        "port": port,
        "listener": listener,
        "zone": zone,
        "mountpoint": mountpoint,
        "proto_name": PROTO_NAMES.get(protocol_version, "MQTT"),
        "proto_ver": protocol_version,
        "keepalive": keep_alive_s,
        "clean_start": clean_start,
        "expiry_interval": session_expiry_interval_s,
        "is_bridge": False,
        "is_expired": False,
        "is_persistent": is_durable,
        "durable": is_durable,
        "is_superuser": is_superuser,
        "client_attrs": dict(client_attrs),
        "cert_common_name": cert_common_name,
        "cert_subject": cert_subject,
        "generation": generation,
        "subscriptions_cnt": subscriptions,
        "subscriptions_max": subscriptions_max or UNBOUNDED,
        "inflight_cnt": inflight,
        "inflight_max": inflight_max,
        "mqueue_len": queued,
        "mqueue_max": queued_max,
        "mqueue_dropped": dropped,
        "awaiting_rel_cnt": awaiting_rel,
        "awaiting_rel_max": awaiting_rel_max or UNBOUNDED,
        "recv_cnt": reads,
        "recv_oct": bytes_received,
        "recv_pkt": packets_received,
        "recv_msg": received_qos0 + received_qos1 + received_qos2,
        "recv_msg.qos0": received_qos0,
        "recv_msg.qos1": received_qos1,
        "recv_msg.qos2": received_qos2,
        "recv_msg.dropped": received_refused,
        "send_cnt": writes,
        "send_oct": bytes_sent,
        "send_pkt": packets_sent,
        "send_msg": sent_qos0 + sent_qos1 + sent_qos2,
        "send_msg.qos0": sent_qos0,
        "send_msg.qos1": sent_qos1,
        "send_msg.qos2": sent_qos2,
        "send_msg.dropped": dropped + dropped_expired + dropped_too_large,
        "send_msg.dropped.expired": dropped_expired,
        "send_msg.dropped.queue_full": dropped,
        "send_msg.dropped.too_large": dropped_too_large,
    }
    if disconnected_at_ms:
        row["disconnected_at"] = rfc3339(disconnected_at_ms)
    return row


def subscription_row(view: SubscriptionView, node_name: str) -> dict[str, Any]:
    """EMQX's names for a subscription."""
    return {
        "node": node_name,
        "topic": view.topic_filter,
        "clientid": view.client_id,
        "qos": view.qos,
        "nl": int(view.no_local),
        "rap": int(view.retain_as_published),
        "rh": view.retain_handling,
        "durable": view.is_durable,
    }


def with_fields(
    rows: Iterable[dict[str, Any]], fields: Sequence[str] | None
) -> list[dict[str, Any]]:
    """The rows of a page, with these fields only (none: all)."""
    if fields is None:
        return list(rows)
    return [{name: row[name] for name in fields if name in row} for row in rows]
