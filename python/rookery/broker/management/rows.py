"""EMQX's names for what is asked over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rookery.broker.alarms import Alarm
from rookery.native.models import Client, SubscriptionInfo

_PROTO_NAMES = {3: "MQIsdp"}


def rfc3339(ms: int) -> str:
    when = datetime.fromtimestamp(ms / 1000, UTC).astimezone()
    return when.isoformat(timespec="milliseconds")


def client_row(client: Client, node_name: str) -> dict[str, Any]:
    ended_ms = client.disconnected_at_ms
    row: dict[str, Any] = {
        "clientid": client.client_id,
        "username": client.username,
        "node": node_name,
        "connected": client.is_connected,
        "listener": client.listener,
        "proto_name": _PROTO_NAMES.get(client.protocol_version, "MQTT"),
        "proto_ver": client.protocol_version,
        "keepalive": client.keep_alive_s,
        "clean_start": client.clean_start,
        "expiry_interval": client.session_expiry_interval_s,
        "created_at": rfc3339(client.created_at_ms),
        "connected_at": rfc3339(client.connected_at_ms),
        "generation": client.generation,
        "subscriptions_cnt": client.subscriptions,
        "inflight_cnt": client.inflight,
        "mqueue_len": client.queued,
        "mqueue_dropped": client.dropped,
        "awaiting_rel_cnt": client.awaiting_rel,
        "durable": client.is_durable,
    }
    if client.peer is not None:
        host, _, port = client.peer.rpartition(":")
        row |= {"ip_address": host.strip("[]"), "port": int(port)}
    if ended_ms is not None:
        row["disconnected_at"] = rfc3339(ended_ms)
    return row


def subscription_row(
    subscription: SubscriptionInfo, client_id: str, node_name: str
) -> dict[str, Any]:
    return {
        "node": node_name,
        "clientid": client_id,
        "topic": subscription.topic_filter,
        "qos": subscription.qos,
        "nl": int(subscription.no_local),
        "rap": int(subscription.retain_as_published),
        "rh": subscription.retain_handling,
    }


def alarm_row(alarm: Alarm, node_name: str, now_ms: int) -> dict[str, Any]:
    ended_ms = alarm.deactivated_at_ms
    return {
        "node": node_name,
        "name": alarm.name,
        "message": alarm.message,
        "details": dict(alarm.details),
        "activate_at": rfc3339(alarm.activated_at_ms),
        "deactivate_at": "infinity" if ended_ms is None else rfc3339(ended_ms),
        "duration": (now_ms if ended_ms is None else ended_ms) - alarm.activated_at_ms,
    }
