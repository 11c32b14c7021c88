"""The other control processes of the same database: how they reach this one, and it them.

With SQLite there are none, and nothing is opened.
"""

from __future__ import annotations

from sqlalchemy import Select, select, text

from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.contracts.agent_edge import EDGE_PREFIX
from rookery.control.agents.store import AgentRow
from rookery.control.clusters.store import ClusterRow
from rookery.control.edges.store import EdgeAgentRow
from rookery.control.processes.presence import GONE_MS, Announced
from rookery.control.processes.store import ProcessRow
from rookery.control.relay.door import Door
from rookery.control.relay.identity import Identity
from rookery.control.relay.peers import Listener, PeerAddress, Peers
from rookery.control.relay.reach import Reach
from rookery.control.relay.sender import Sender
from rookery.errors import StartError
from rookery.storage.database import Database

ANYWHERE = "0.0.0.0"
NEAR = "127.0.0.1"


class Neighbours:
    """What a process has of the others."""

    def __init__(
        self,
        config: ControlConfig,
        database: Database,
        clock: Clock,
        process_id: str,
        relay: Sender,
    ) -> None:
        self._bind = config.values["peers"]["bind"]
        self._address: str = config.values["peers"]["address"]
        self._database = database
        self._clock = clock
        self._process_id = process_id
        self._identity = Identity(process_id)
        self._announced = Announced()
        self.door = Door(self._identity, relay)
        self._peers = Peers(self._identity)
        self.reach = Reach(relay, self._peers, self._find)

    def use(self, listener: Listener) -> None:
        """Say who makes calls, before the first."""
        self._peers.use(listener)

    def announced(self) -> Announced:
        """How others reach this process, once it is open."""
        return self._announced

    async def open(self) -> None:
        """Let the others in.

        Raises:
            StartError: the address that was set cannot be had.
        """
        if self._database.is_sqlite or self._bind is None:
            return
        host, port = await self._open_door()
        self._announced = Announced(
            self._address or shown(host, port),
            self._identity.certificate_sha256,
            self._identity.secret,
        )

    async def close(self) -> None:
        """May be called twice."""
        await self._peers.close()
        await self.door.close()

    # -- inside --------------------------------------------------------------------------------

    async def _open_door(self) -> tuple[str, int]:
        if self._bind.host != ANYWHERE:
            return self._bind.host, await self._open_at(self._bind.host)
        seen = await self._seen_by_database()
        try:
            return seen, await self.door.open(seen, self._bind.port)
        except OSError:
            # Something between translates addresses: it is none of this machine.
            return seen, await self._open_at(ANYWHERE)

    async def _open_at(self, host: str) -> int:
        try:
            return await self.door.open(host, self._bind.port)
        except OSError as error:
            raise StartError(f"control.peers.bind: {error}") from error

    async def _seen_by_database(self) -> str:
        """The address of this machine that its database sees, and so probably the others."""
        async with self._database.read() as session:
            found = await session.scalar(text("SELECT host(inet_client_addr())"))
        return str(found or NEAR)

    async def _find(self, agent_id: str) -> PeerAddress | None:
        if self._database.is_sqlite:
            return None
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            row = await session.scalar(
                _process_of(agent_id).where(ProcessRow.heartbeat_at > now_ms - GONE_MS)
            )
        if row is None or row.id == self._process_id or not row.peer_address:
            return None
        host, _, port = row.peer_address.rpartition(":")
        if not port.isdigit():
            return None
        return PeerAddress(
            row.id, host.strip("[]"), int(port), row.peer_certificate, row.peer_secret
        )


def _process_of(agent_id: str) -> Select[ProcessRow]:
    """The one that an agent is connected to."""
    if agent_id.startswith(EDGE_PREFIX):
        return (
            select(ProcessRow)
            .join(EdgeAgentRow, EdgeAgentRow.relay_process == ProcessRow.id)
            .where(EdgeAgentRow.id == agent_id, EdgeAgentRow.presence == "online")
        )
    return (
        select(ProcessRow)
        .join(ClusterRow, ClusterRow.relay_process == ProcessRow.id)
        .join(AgentRow, AgentRow.cluster_id == ClusterRow.id)
        .where(AgentRow.id == agent_id)
    )


def shown(host: str, port: int) -> str:
    """Host and port in one text."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
