"""Stands where the relay is for those who speak to agents through it."""

from __future__ import annotations

import asyncio

from rookery.contracts.agent_v1 import Channel, Message, Request


class FakeRelay:
    """Keeps what is sent to agents; ``answer`` is what the agent does about it."""

    def __init__(self) -> None:
        self.connected = {"a", "b"}
        self.sent: asyncio.Queue[tuple[str, Message]] = asyncio.Queue()

    def is_connected(self, agent_id: str) -> bool:
        return agent_id in self.connected

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
        assert channel is Channel.REQUEST
        assert not retain
        assert correlation
        assert message is not None
        self.sent.put_nowait((agent_id, message))

    async def request(self) -> Request:
        _, message = await self.sent.get()
        assert isinstance(message, Request)
        return message
