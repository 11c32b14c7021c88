"""What the cluster stands on: a NATS server of the node's own, or one that is there already."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rookery.broker.cluster import keys
from rookery.broker.cluster.bus import Access
from rookery.broker.cluster.lanes import LaneTls
from rookery.broker.cluster.nats_config import (
    ACCOUNT_USER,
    SYSTEM_USER,
    NatsConfig,
    RouteTls,
)
from rookery.broker.cluster.nats_server import NatsServer, Ports
from rookery.broker.cluster.peers import remove_left, server_name
from rookery.broker.cluster.texts import refusal
from rookery.ending import ended
from rookery.errors import StartError
from rookery.web.sockets import Port

if TYPE_CHECKING:
    from rookery.config.snapshot import ClusterConfig, NatsSettings

CONNECTION = "the connection to NATS"
Keep = Callable[[Access], Coroutine[Any, Any, None]]
"""Be connected with that access until cancelled."""


class Engine(Protocol):
    """NATS, as the cluster sees it."""

    @property
    def address(self) -> str:
        """Where other nodes reach this one; empty where all use the same NATS."""

    def open(self, others: Sequence[str], *, node_id: str, has_store: bool) -> None:
        """Begin, with routes to those addresses; ``node_id`` is this node's identity."""

    async def route(self, others: Sequence[str], *, node_id: str, has_store: bool) -> None:
        """Have routes to those and to no others."""

    async def forget(self, has_left: Callable[[str, str], bool]) -> None:
        """Have the stored state count no more on nodes that left, told by name and identity."""

    async def refused(self, host: str) -> str:
        """Why ``host`` will have nothing to do with this node, once it says so."""

    def ports(self) -> list[Port]:
        """Every socket it listens on."""

    def status(self) -> dict[str, object]:
        """For people."""

    async def close(self) -> None:
        """End. May be called twice."""


class Embedded:
    """A server beside the node."""

    def __init__(
        self,
        config: ClusterConfig,
        *,
        program: Path,
        node_name: str,
        node_id: str,
        folder: Path,
        keep: Keep,
    ) -> None:
        assert config.cookie is not None
        nats = config.nats
        self._keep = keep
        self._keeping: asyncio.Task[None] | None = None
        self._node_name = node_name
        host, port = nats.listen
        self.address = joined(node_name.partition("@")[2], port)
        run_dir = folder / "nats"
        run_dir.mkdir(mode=0o700, exist_ok=True)
        self._server = NatsServer(program, run_dir, ready=self._ready, lost=self._lost)
        self._config = NatsConfig(
            server_name=server_name(node_name, node_id),
            cluster_name=config.name,
            listen=joined(host, port),
            advertise=self.address,
            routes=(),
            store_dir=run_dir / "jetstream",
            has_store=False,
            route_password=keys.derived(config.cookie.reveal(), config.name, keys.ROUTES).hex(),
            client_password=secrets.token_hex(32),
            tls=_route_tls(nats),
        )

    def open(self, others: Sequence[str], *, node_id: str, has_store: bool) -> None:
        self._config = self._with(others, node_id, has_store=has_store)
        self._server.open(self._config)

    async def route(self, others: Sequence[str], *, node_id: str, has_store: bool) -> None:
        self._config = self._with(others, node_id, has_store=has_store)
        await self._server.apply(self._config)

    def _with(self, others: Sequence[str], node_id: str, *, has_store: bool) -> NatsConfig:
        routes = tuple(sorted(set(others) - {self.address}))
        own = server_name(self._node_name, node_id)
        named = replace(self._config, server_name=own)
        return named.with_routes(routes, has_store=has_store)

    async def forget(self, has_left: Callable[[str, str], bool]) -> None:
        ports = self._server.ports
        if ports is not None:
            await remove_left(self._access(ports, SYSTEM_USER), has_left)

    async def refused(self, host: str) -> str:
        return await self._server.refused(host)

    def ports(self) -> list[Port]:
        ports = self._server.ports
        if ports is None:
            return []
        return [
            Port("nats:routes", ports.routes, "NATS of other nodes"),
            Port("nats:client", f"127.0.0.1:{ports.client}", "NATS of this node"),
        ]

    def status(self) -> dict[str, object]:
        return {
            "mode": "embedded",
            "running": self._server.ports is not None,
            "pid": self._server.pid,
            "restarts": self._server.restarts,
        }

    async def close(self) -> None:
        await self._lost()
        await self._server.close()

    async def _ready(self, ports: Ports) -> None:
        access = self._access(ports, ACCOUNT_USER)
        # Beside it: the server's log is read meanwhile, and its end seen.
        self._keeping = asyncio.get_running_loop().create_task(self._keep(access))

    def _access(self, ports: Ports, user: str) -> Access:
        return Access(
            servers=(f"nats://127.0.0.1:{ports.client}",),
            user=user,
            password=self._config.client_password,
        )

    async def _lost(self) -> None:
        keeping, self._keeping = self._keeping, None
        await ended(CONNECTION, keeping)


class External:
    """A NATS that others run; every node of the cluster is given the same."""

    address = ""

    def __init__(self, nats: NatsSettings, *, keep: Keep) -> None:
        self._nats = nats
        self._keep = keep
        self._keeping: asyncio.Task[None] | None = None

    def open(self, others: Sequence[str], *, node_id: str, has_store: bool) -> None:
        nats = self._nats
        access = Access(
            servers=nats.servers,
            user=nats.username,
            password=None if nats.password is None else nats.password.reveal(),
            token=None if nats.token is None else nats.token.reveal(),
            tls=_client_tls(nats),
            is_own=False,
        )
        self._keeping = asyncio.get_running_loop().create_task(self._keep(access))

    async def route(self, others: Sequence[str], *, node_id: str, has_store: bool) -> None:
        """All nodes are at the same NATS: there is nothing to route."""

    async def forget(self, has_left: Callable[[str, str], bool]) -> None:
        """Its servers are no nodes."""

    async def refused(self, host: str) -> str:
        """NATS does not tell: whoever has another cookie is silent."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    def ports(self) -> list[Port]:
        return []

    def status(self) -> dict[str, object]:
        return {"mode": "external"}

    async def close(self) -> None:
        keeping, self._keeping = self._keeping, None
        await ended(CONNECTION, keeping)


def joined(host: str, port: int) -> str:
    """``host:port`` as a URL has it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _route_tls(nats: NatsSettings) -> RouteTls | None:
    tls = nats.tls
    if tls is None:
        return None
    if tls.certfile is None or tls.keyfile is None or tls.cacertfile is None:
        raise refusal(StartError, "route-tls")
    return RouteTls(tls.certfile, tls.keyfile, tls.cacertfile)


def lane_tls(config: ClusterConfig) -> LaneTls | None:
    """Of the messages between nodes: as they say themselves, else as the NATS of the nodes.

    Raises:
        StartError: a file that is needed is not named.
    """
    tls = config.lanes_tls or (config.nats.tls if config.nats.mode == "embedded" else None)
    if tls is None:
        return None
    if tls.certfile is None or tls.keyfile is None or tls.cacertfile is None:
        raise refusal(StartError, "lane-tls")
    return LaneTls(tls.certfile, tls.keyfile, tls.cacertfile)


def _client_tls(nats: NatsSettings) -> ssl.SSLContext | None:
    tls = nats.tls
    if tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=tls.cacertfile)
        if tls.certfile is not None:
            context.load_cert_chain(tls.certfile, tls.keyfile)
    except (OSError, ssl.SSLError) as error:
        raise refusal(StartError, "client-tls", error=error) from None
    return context
