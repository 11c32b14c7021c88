"""Which known key somebody may have meant who wrote an unknown one.

Owns what keys were called elsewhere: in EMQX 4 and the first EMQX 5, and in Mosquitto. Loaded only
when something is wrong.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from rookery.config.tree import join_path

Path = tuple[str, ...]

# Where a key went that once had another name or place; ``*`` is a name the user chose, and the
# same name again on the right.
MOVED: dict[str, str] = {
    # EMQX 4
    "allow_anonymous": "access.anonymous",
    "acl_nomatch": "authorization.no_match",
    "acl_deny_action": "authorization.deny_action",
    "acl_file": "authorization.sources",
    "flapping_detect_policy": "flapping_detect",
    "broker.sys_interval": "sys_topics.sys_msg_interval",
    "broker.sys_heartbeat": "sys_topics.sys_heartbeat_interval",
    "listener.tcp.*": "listeners.tcp.*.bind",
    "listener.ws.*": "listeners.ws.*.bind",
    "listener.ssl.*": "listeners.ssl.*.bind",
    "listener.wss.*": "listeners.wss.*.bind",
    "retainer.storage_type": "retainer.backend.storage_type",
    "retainer.max_retained_messages": "retainer.backend.max_retained_messages",
    "retainer.expiry_interval": "retainer.msg_expiry_interval",
    "zone.*.idle_timeout": "mqtt.idle_timeout",
    "zone.*.max_packet_size": "mqtt.max_packet_size",
    "zone.*.max_inflight": "mqtt.max_inflight",
    "zone.*.max_mqueue_len": "mqtt.max_mqueue_len",
    "zone.*.max_awaiting_rel": "mqtt.max_awaiting_rel",
    "zone.*.session_expiry_interval": "mqtt.session_expiry_interval",
    "zone.*.keepalive_backoff": "mqtt.keepalive_multiplier",
    "zone.*.server_keepalive": "mqtt.server_keepalive",
    # The first EMQX 5
    "mqtt.keepalive_backoff": "mqtt.keepalive_multiplier",
    "broker.sys_msg_interval": "sys_topics.sys_msg_interval",
    "broker.sys_heartbeat_interval": "sys_topics.sys_heartbeat_interval",
    "event_message": "sys_topics.sys_event_messages",
    "retainer.config": "retainer.backend",
    "log.console_handler": "log.console",
    "log.file_handlers": "log.file",
    "log.file_handlers.*": "log.file",
    "log.file.to": "log.file.path",
    "log.file.file": "log.file.path",
    "log.file.max_size": "log.file.rotation_size",
    "persistent_session_store": "durability",
    "session_persistence": "durability",
    "sysmon.alarm": "alarm",
    "dashboard.listeners.http.port": "dashboard.listeners.http.bind",
    "listeners.tcp.*.tcp": "listeners.tcp.*.tcp_options",
    "listeners.ws.*.tcp": "listeners.ws.*.tcp_options",
    "listeners.ws.*.mqtt_path": "listeners.ws.*.websocket.mqtt_path",
    "listeners.ssl.*.ssl": "listeners.ssl.*.ssl_options",
    "listeners.tcp.*.limiter": "listeners.tcp.*.max_conn_rate",
    "listeners.ws.*.limiter": "listeners.ws.*.max_conn_rate",
    # Mosquitto
    "listener": "listeners.tcp.default.bind",
    "port": "listeners.tcp.default.bind",
    "bind_address": "listeners.tcp.default.bind",
    "persistence": "durability.enable",
    "persistence_location": "node.data_dir",
    "autosave_interval": "durability.sync_interval",
    "log_dest": "log.file",
    "log_type": "log.console.level",
    "max_inflight_messages": "mqtt.max_inflight",
    "max_queued_messages": "mqtt.max_mqueue_len",
    "max_queued_bytes": "limits.queued_total_bytes",
    "max_qos": "mqtt.max_qos_allowed",
    "message_size_limit": "mqtt.max_packet_size",
    "mount_point": "listeners.tcp.default.mountpoint",
    "persistent_client_expiration": "mqtt.session_expiry_interval",
    "retain_expiry_interval": "retainer.msg_expiry_interval",
    "sys_interval": "sys_topics.sys_msg_interval",
}

SIBLING_SURE = 0.8
SIBLING_LIKELY = 0.6
ELSEWHERE_LIKELY = 0.8
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def moved_to(path: Path) -> str | None:
    """Where the key at ``path`` is called otherwise today."""
    keys = tuple(_plain(key) for key in path)
    for pattern, target in MOVED.items():
        parts = pattern.split(".")
        if len(parts) == len(keys) and all(
            part in ("*", key) for part, key in zip(parts, keys, strict=True)
        ):
            names = [name for part, name in zip(parts, path, strict=True) if part == "*"]
            return target.replace("*", join_path((names[0],))) if names else target
    return None


def nearest(path: Path, siblings: Iterable[str], known: Iterable[Path]) -> str | None:
    """The known path that somebody may have meant with the unknown ``path``.

    Args:
        path: What was written.
        siblings: The keys that are known at its place.
        known: Every path there is; names that users choose are ``<name>``.
    """
    key = _plain(path[-1])
    beside, ratio = _closest(key, siblings)
    if ratio >= SIBLING_SURE:
        return join_path((*path[:-1], beside))
    found, far = _closest_path(path, key, known)
    if far == 1.0 or (far >= ELSEWHERE_LIKELY and far > ratio):
        return found
    if ratio >= SIBLING_LIKELY:
        return join_path((*path[:-1], beside))
    return None


def _plain(key: str) -> str:
    """``maxInflight`` and ``max-inflight`` as ``max_inflight``."""
    return _HUMP.sub("_", key).lower().replace("-", "_")


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _closest(key: str, candidates: Iterable[str]) -> tuple[str, float]:
    ratio, name = max(((_ratio(key, name), name) for name in candidates), default=(0.0, ""))
    return name, ratio


def _closest_path(path: Path, key: str, known: Iterable[Path]) -> tuple[str, float]:
    """The path whose last key is closest, and of several the one most like the whole path."""
    whole = ".".join(_plain(part) for part in path)
    best: tuple[float, float, Path] = (0.0, 0.0, ())
    for candidate in known:
        if len(candidate) == 1:
            continue  # a root key means something else inside another object
        last = _ratio(key, candidate[-1])
        if last < ELSEWHERE_LIKELY or last < best[0]:
            continue
        filled = _filled(candidate, path)
        best = max(best, (last, _ratio(whole, ".".join(filled)), filled))
    return join_path(best[2]), best[0]


def _filled(candidate: Path, path: Sequence[str]) -> Path:
    """``<name>`` as it was written at the same place, else as ``default``."""
    filled: list[str] = []
    for index, part in enumerate(candidate):
        if part == "<name>":
            is_there = index < len(path) - 1 and tuple(path[:index]) == tuple(filled)
            filled.append(path[index] if is_there else "default")
        else:
            filled.append("1" if part == "<n>" else part)
    return tuple(filled)
