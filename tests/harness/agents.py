"""Agents that a test plays: registered over HTTP, connected to the relay with the real protocol."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from harness.client import ClosedError, RawClient
from harness.control import Asker, World
from harness.packets import ConnAck, Connect, PubAck, Publish, SubAck, Subscribe, Subscription, Will
from rookery.contracts.agent_v1 import Channel, Message, Presence, Report, parse, topic_name

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Registered:
    """What registration told."""

    id: str
    token: str


async def register(asker: Asker, registration_token: str, **more: Any) -> Registered:
    """Take an agent in."""
    body = {"nodeId": "machine", "registrationToken": registration_token, **more}
    answer = await asker.ask("POST", "/clusters/agents/register", body)
    assert answer.status == 200, answer.text
    return Registered(answer.json["agentId"], answer.json["token"])


class PlayedAgent:
    """A connection of an agent; what it does is what the test says.

    Its methods wait for the relay: where that runs on the test's own loop, call them in a thread.
    """

    def __init__(self, world: World | int, agent: Registered) -> None:
        """Of that control plane, or of the one whose relay has that port."""
        port = world if isinstance(world, int) else world.control.adoption.relay.ports["tcp"]
        self.agent = agent
        self.client = RawClient("127.0.0.1", port, 5)

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.client.drop()

    def connect(self, *, username: str | None = None, password: str | None = None) -> int:
        """The reason code of the CONNACK."""
        will = Will(
            self.topic(Channel.PRESENCE), Presence("offline").to_bytes(), qos=1, retain=True
        )
        self.client.send(
            Connect(
                client_id=self.agent.id,
                username=self.agent.id if username is None else username,
                password=(self.agent.token if password is None else password).encode(),
                clean_start=False,
                keep_alive=30,
                will=will,
                properties={"session_expiry_interval": 3600},
            )
        )
        return self.client.expect(ConnAck).reason_code

    def topic(self, channel: Channel, agent_id: str = "") -> str:
        return topic_name(agent_id or self.agent.id, channel)

    def subscribe(self, topic_filter: str) -> int:
        """The reason code of the SUBACK."""
        packet_id = self.client.packet_id()
        self.client.send(Subscribe(packet_id, [Subscription(topic_filter, 1)]))
        return self.client.await_packet(SubAck, packet_id=packet_id).reason_codes[0]

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """The reason code of the PUBACK."""
        packet_id = self.client.packet_id()
        self.client.send(Publish(topic, payload, 1, packet_id, retain))
        return self.client.await_packet(PubAck, packet_id=packet_id).reason_code

    def say(self, channel: Channel, message: Message) -> None:
        """Publish on a topic of its own."""
        is_retained = channel in (Channel.PRESENCE, Channel.REPORTED)
        assert self.publish(self.topic(channel), message.to_bytes(), retain=is_retained) < 0x80

    def come(self, capabilities: tuple[str, ...] = ()) -> None:
        """Connect, and say so."""
        assert self.connect() == 0
        assert self.subscribe(self.topic(Channel.REQUEST)) < 0x80
        assert self.subscribe(self.topic(Channel.DESIRED)) < 0x80
        self.say(Channel.PRESENCE, Presence("online", agent_version="9", capabilities=capabilities))

    def report(self, now_ms: int, **facts: Any) -> None:
        """Report."""
        self.say(Channel.REPORT, Report("9", now_ms, **facts))

    def hear(self, kind: type[M]) -> M:
        """The next message of control that is of that kind."""
        while True:
            message = parse(self.client.receive().payload)
            if isinstance(message, kind):
                return message

    def wait_until_closed(self) -> None:
        """The relay ends the connection; what it says before that passes by."""
        with contextlib.suppress(ClosedError):
            while True:
                self.client.receive_packet()
