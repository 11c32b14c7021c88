"""What carries messages to agents: the relay of this process, or the connection to another one."""

from __future__ import annotations

from typing import Protocol

from rookery.contracts.agent_v1 import Channel, Message


class Sender(Protocol):
    """A way to agents."""

    def is_connected(self, agent_id: str) -> bool:
        """Whether messages to that agent may get there."""
        ...

    async def send(
        self,
        agent_id: str,
        channel: Channel,
        message: Message | None,
        *,
        retain: bool = False,
        expires_s: int | None = None,
        correlation: bytes | None = None,
    ) -> None:
        """Say something to an agent."""
        ...
