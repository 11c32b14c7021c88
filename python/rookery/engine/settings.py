"""From the keyword arguments of :class:`rookery.Broker` to what the native core is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rookery.errors import BadRequestError
from rookery.native.config import (
    AclRule,
    Admission,
    Ban,
    BrokerConfig,
    DurabilityConfig,
    HookSwitches,
    ListenerConfig,
    ListenerType,
    NodeConfig,
    SyncPolicy,
    WebSocketConfig,
)

if TYPE_CHECKING:
    from rookery.config.snapshot import AccessConfig

_STORE_FOLDER = "store"


class Settings(NamedTuple):
    """What the core is told, and who is asked about clients; none: nobody but hooks."""

    node: NodeConfig
    access: AccessConfig | None


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
    bans: tuple[Ban, ...] = (),
    built_in: tuple[AclRule, ...] = (),
) -> Settings:
    """Everything a broker starts with.

    Raises:
        ConfigError: an option is unknown or has a value that it may not have.
        AclSyntaxError: a file of rules cannot be used.
        BadRequestError: a listener is not ``type:name`` with ``address:port``.
    """
    directory = None if data_dir is None else Path(data_dir) / _STORE_FOLDER
    broker, access = BrokerConfig(), None
    known: Mapping[str, ListenerConfig] = {}
    if options:
        # Loaded only by those who change something: most tests take the defaults.
        from rookery.config import from_mapping  # noqa: PLC0415

        broker, access, known = from_mapping(options, source="Broker(config=…)")
        broker = replace(_with_rules(broker, access, built_in), bans=bans)
        if access.authentication:
            admission = "ask"
    node = NodeConfig(
        broker=replace(
            broker,
            node_name=node_name,
            admission=admission,
            hooks=hooks,
            durable=directory is not None,
        ),
        listeners=tuple(_listener(id_, bind, known.get(id_)) for id_, bind in listeners.items()),
        workers=workers,
        durability=DurabilityConfig(dir=directory, sync=sync),
    )
    return Settings(node, access if access and (access.authentication or access.sources) else None)


def _with_rules(
    broker: BrokerConfig, access: AccessConfig, built_in: tuple[AclRule, ...]
) -> BrokerConfig:
    if not access.sources:
        return broker
    from rookery.engine.rules import compile_sources  # noqa: PLC0415

    sources = compile_sources(access.sources, built_in)
    return replace(broker, authorization=replace(broker.authorization, sources=sources))


def _listener(id_: str, bind: str, known: ListenerConfig | None) -> ListenerConfig:
    if known is not None:
        return replace(known, bind=bind)
    kind, _, name = id_.partition(":")
    if kind in ("ssl", "wss"):
        message = f"listener {id_!r} needs its ssl_options in config"
        raise BadRequestError(message)
    if kind not in ("tcp", "ws") or not name:
        raise BadRequestError(f"listener {id_!r}: expected tcp:name, ssl:name, ws:name or wss:name")
    listener_type: ListenerType = "tcp" if kind == "tcp" else "ws"
    return ListenerConfig(
        id=id_,
        kind=listener_type,
        bind=bind,
        websocket=WebSocketConfig() if kind == "ws" else None,
    )
