"""From the keyword arguments of :class:`rookery.Broker` to what the native core is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rookery.errors import BadRequestError
from rookery.native.config import (
    Admission,
    BrokerConfig,
    DurabilityConfig,
    HookSwitches,
    ListenerConfig,
    ListenerType,
    NodeConfig,
    SyncPolicy,
    WebSocketConfig,
)

_STORE_FOLDER = "store"


def native_config(
    *,
    node_name: str,
    options: Mapping[str, object],
    listeners: Mapping[str, str],
    admission: Admission,
    hooks: HookSwitches,
    data_dir: str | os.PathLike[str] | None,
    sync: SyncPolicy,
    workers: int,
) -> NodeConfig:
    """Everything a node starts with.

    Raises:
        ConfigError: an option is unknown or has a value that it may not have.
        BadRequestError: a listener is not ``tcp:name`` or ``ws:name`` with ``address:port``.
    """
    directory = None if data_dir is None else Path(data_dir) / _STORE_FOLDER
    return NodeConfig(
        broker=replace(
            _broker_config(options),
            node_name=node_name,
            admission=admission,
            hooks=hooks,
            durable=directory is not None,
        ),
        listeners=tuple(_listener(id_, bind) for id_, bind in listeners.items()),
        workers=workers,
        durability=DurabilityConfig(dir=directory, sync=sync),
    )


def _broker_config(options: Mapping[str, object]) -> BrokerConfig:
    if not options:
        return BrokerConfig()
    # Loaded only by those who change something: most tests take the defaults.
    from rookery.config import from_mapping  # noqa: PLC0415

    return from_mapping(options, source="Broker(config=…)")


def _listener(id_: str, bind: str) -> ListenerConfig:
    kind, _, name = id_.partition(":")
    if kind not in ("tcp", "ws") or not name:
        raise BadRequestError(f"listener {id_!r}: expected tcp:name or ws:name")
    listener_type: ListenerType = "tcp" if kind == "tcp" else "ws"
    return ListenerConfig(
        id=id_,
        kind=listener_type,
        bind=bind,
        websocket=WebSocketConfig() if kind == "ws" else None,
    )
