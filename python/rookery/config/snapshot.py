"""The part of a node's settings that stays in Python; the rest is :mod:`rookery.native.config`.

Units stand last in the names; 0 is *never* or *no bound* where a field says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class SysTopicsConfig(NamedTuple):
    """``sys_topics``, except which clients' notices the core makes."""

    msg_interval_s: int  # 0 is never
    heartbeat_interval_s: int  # 0 is never


class LogHandlerConfig(NamedTuple):
    """``log.console`` or ``log.file``."""

    enable: bool
    level: str
    formatter: str  # text or json
    path: Path | None  # absolute; None on the console
    rotation_count: int
    rotation_bytes: int  # 0 is no rotation


class AlarmConfig(NamedTuple):
    """``alarm``."""

    actions: tuple[str, ...]
    size_limit: int
    validity_period_s: int


class HttpConfig(NamedTuple):
    """``dashboard.listeners.http``."""

    host: str
    port: int  # 0 is any free port
    max_connections: int


class ManagementConfig(NamedTuple):
    """Everything around the core."""

    node_name: str
    cluster_name: str
    data_dir: Path
    http: HttpConfig | None  # None opens nothing
    sys_topics: SysTopicsConfig
    log_console: LogHandlerConfig
    log_file: LogHandlerConfig
    alarm: AlarmConfig
