"""Agents wherever they are connected: to this process, or to another one of the same database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rookery.contracts.agent_v1 import Channel, Message
from rookery.control.errors import OutOfReachError
from rookery.control.relay.peers import PeerAddress, Peers
from rookery.control.relay.sender import Sender
from rookery.control.relay.tunnel import NOT_CONNECTED

Find = Callable[[str], Awaitable[PeerAddress | None]]
"""The process that an agent is connected to, when that is another one."""


class Reach:
    """Finds the way to an agent."""

    def __init__(self, here: Sender, peers: Peers, find: Find) -> None:
        self._here = here
        self._peers = peers
        self._find = find

    async def way(self, agent_id: str) -> Sender:
        """What carries messages to an agent.

        Raises:
            OutOfReachError: it is connected nowhere, or its process cannot be reached.
        """
        if self._here.is_connected(agent_id):
            return self._here
        address = await self._find(agent_id)
        if address is None:
            raise OutOfReachError(NOT_CONNECTED, agent_id=agent_id)
        return await self._peers.to(address)

    async def send(
        self, agent_id: str, channel: Channel, message: Message, *, expires_s: int | None = None
    ) -> None:
        """Say something to an agent. What it says about that is heard by the process that has it.

        Raises:
            OutOfReachError: it is connected nowhere, or its process cannot be reached.
            UnavailableError: the relay is stopping.
        """
        if self._here.is_connected(agent_id):
            correlation = getattr(message, "id", "").encode() or None
            await self._here.send(
                agent_id, channel, message, expires_s=expires_s, correlation=correlation
            )
            return
        address = await self._find(agent_id)
        if address is not None:
            link = await self._peers.to(address)
            if await link.deliver(agent_id, channel, message, expires_s):
                return
        raise OutOfReachError(NOT_CONNECTED, agent_id=agent_id)
