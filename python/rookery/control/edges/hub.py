"""Tells agents of both kinds apart, by their names, for the relay that all of them dial into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rookery.contracts.agent_edge import EDGE_PREFIX, ENROL_PREFIX
from rookery.contracts.agent_v1 import Channel, Message

if TYPE_CHECKING:
    from rookery.control.agents.service import AgentService
    from rookery.control.edges.link import EdgeLink


class EveryAgent:
    """Whoever the relay asks about agents, and tells of them."""

    def __init__(self, clusters: AgentService, edges: EdgeLink) -> None:
        self._clusters = clusters
        self._edges = edges

    async def may_enrol(self, client_id: str, username: str, password: bytes, address: str) -> int:
        """0, or the reason code that refuses."""
        return await self._edges.may_enrol(client_id, username, password, address)

    async def may_connect(self, agent_id: str, secret: str) -> bool:
        """Whether it is that agent."""
        return await self._of(agent_id).may_connect(agent_id, secret)

    def connected(self, agent_id: str) -> None:
        """Its connection stands."""
        if not agent_id.startswith(ENROL_PREFIX):
            self._of(agent_id).connected(agent_id)

    def disconnected(self, agent_id: str) -> None:
        """Its connection is lost."""
        if agent_id.startswith(ENROL_PREFIX):
            self._edges.enrolling_ended(agent_id)
        else:
            self._of(agent_id).disconnected(agent_id)

    def heard(self, agent_id: str, channel: Channel, message: Message) -> None:
        """It said something."""
        if agent_id.startswith(ENROL_PREFIX):
            if channel is Channel.ENROL:
                self._edges.asked(agent_id, message)
        else:
            self._of(agent_id).heard(agent_id, channel, message)

    def _of(self, agent_id: str) -> AgentService | EdgeLink:
        return self._edges if agent_id.startswith(EDGE_PREFIX) else self._clusters
