"""Edge services that dial into a control plane of a test: the real ones, and connections that a test plays."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar

from harness.agents import Registered
from harness.client import DEADLINE_S, RawClient
from harness.control import World
from harness.edge import EdgeWorld
from harness.packets import ConnAck, Connect, PubAck, Publish, SubAck, Subscribe, Subscription
from rookery.contracts.agent_edge import ENROL_PREFIX, Enrol, Enrolled
from rookery.contracts.agent_v1 import Channel, topic_name

T = TypeVar("T")


async def until(found: Callable[[], Awaitable[T | None]]) -> T:
    """What is found, as soon as it is."""
    async with asyncio.timeout(DEADLINE_S):
        while (value := await found()) is None:
            await asyncio.sleep(0.05)
        return value


def settings(world: World, **more: Any) -> dict[str, Any]:
    """What somebody types at the edge."""
    port = world.control.adoption.relay.ports["tcp"]
    return {
        "enable": True,
        "address": f"tcp://127.0.0.1:{port}",
        "username": "admin",
        "password": "public",
        **more,
    }


async def dial(edge: EdgeWorld, token: str, world: World, **more: Any) -> dict[str, Any]:
    """Connect an edge service, and wait until it is."""
    await edge.did(token, "POST", "/tunnel", settings(world, **more))
    return await until_status(edge, token, "connected")


async def until_status(
    edge: EdgeWorld, token: str, status: str, *, managed: bool | None = None
) -> dict[str, Any]:
    """What ``GET /status/ecp_tunnel`` says when it says that."""

    async def found() -> dict[str, Any] | None:
        said: dict[str, Any] = await edge.did(token, "GET", "/status/ecp_tunnel")
        is_so = said["status"] == status and managed in (None, said["managed"])
        return said if is_so else None

    return await until(found)


class EnrollingClient:
    """A connection that may do nothing but enrol. Its methods wait: call them in a thread."""

    def __init__(self, world: World) -> None:
        self.client_id = ENROL_PREFIX + secrets.token_hex(16)
        self.client = RawClient("127.0.0.1", world.control.adoption.relay.ports["tcp"], 5)

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.client.drop()

    def connect(
        self, username: str = "admin", password: str = "public", client_id: str = ""
    ) -> int:
        """The reason code of the CONNACK."""
        self.client.send(
            Connect(
                client_id=client_id or self.client_id,
                username=username,
                password=password.encode(),
                clean_start=True,
                keep_alive=30,
            )
        )
        return self.client.expect(ConnAck).reason_code

    def subscribe(self, topic_filter: str) -> int:
        """The reason code of the SUBACK."""
        packet_id = self.client.packet_id()
        self.client.send(Subscribe(packet_id, [Subscription(topic_filter, 1)]))
        return self.client.await_packet(SubAck, packet_id=packet_id).reason_codes[0]

    def publish(self, topic: str, payload: bytes) -> int:
        """The reason code of the PUBACK."""
        packet_id = self.client.packet_id()
        self.client.send(Publish(topic, payload, 1, packet_id))
        return self.client.await_packet(PubAck, packet_id=packet_id).reason_code

    def enrol(self, secret: str, **more: Any) -> Enrolled:
        """Ask for the name that belongs to a secret."""
        assert self.subscribe(topic_name(self.client_id, Channel.ENROLLED)) < 0x80
        asked = Enrol(hashlib.sha256(secret.encode()).hexdigest(), "0123abcd-4567", **more)
        name = topic_name(self.client_id, Channel.ENROL)
        assert self.publish(name, asked.to_bytes()) < 0x80
        return Enrolled.from_bytes(self.client.receive().payload)


def enrolled(world: World, **more: Any) -> Registered:
    """An edge agent that a test plays, with its name and its secret."""
    secret = secrets.token_urlsafe(32)
    with EnrollingClient(world) as client:
        assert client.connect() == 0
        return Registered(client.enrol(secret, **more).agent_id, secret)
