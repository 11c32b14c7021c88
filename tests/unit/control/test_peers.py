"""Calls to agents of another control process, over the real connection between the two."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from harness.fake_relay import FakeRelay
from rookery.contracts.agent_v1 import Cancel, Channel, Chunk, Reply, Request
from rookery.control.errors import OutOfReachError
from rookery.control.relay.door import Door
from rookery.control.relay.identity import Identity
from rookery.control.relay.peers import PeerAddress, Peers
from rookery.control.relay.reach import Reach
from rookery.control.relay.tunnel import Call, Tunnel

HOST = "127.0.0.1"
GET = Call("GET", "/api/v5/nodes", timeout_s=30)


@dataclass
class Two:
    """The process that has the agents `a` and `b`, and another one that asks."""

    relay: FakeRelay
    door: Door
    address: PeerAddress
    peers: Peers
    reach: Reach
    tunnel: Tunnel


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    async with processes() as made:
        yield made


@contextlib.asynccontextmanager
async def processes() -> AsyncIterator[Two]:
    relay, identity = FakeRelay(), Identity("first")
    door = Door(identity, relay)
    port = await door.open(HOST, 0)
    address = PeerAddress("first", HOST, port, identity.certificate_sha256, identity.secret)
    here = FakeRelay()
    here.connected = {"mine"}
    peers = Peers(Identity("second"))

    async def find(agent_id: str) -> PeerAddress | None:
        return None if agent_id == "nobody" else made.address

    reach = Reach(here, peers, find)
    tunnel = Tunnel(here, reach.way)
    peers.use(tunnel)
    made = Two(relay, door, address, peers, reach, tunnel)
    try:
        yield made
    finally:
        await peers.close()
        await door.close()


async def asked(two: Two, agent_id: str = "a", call: Call = GET) -> tuple[int, bytes]:
    async with two.tunnel.call(agent_id, call) as answer:
        return answer.status, await answer.read(1 << 20)


async def test_a_call_goes_to_the_process_that_has_the_agent_and_back(two: Two) -> None:
    task = asyncio.create_task(asked(two))
    request = await two.relay.request()
    assert (request.method, request.path) == ("GET", "/api/v5/nodes")
    # Only the agent that was asked answers.
    assert not two.door.handle("b", Reply(request.id, 500, body=b"forged"))
    assert two.door.handle("a", Reply(request.id, 200, more=True, body=b"one "))
    assert two.door.handle("a", Chunk(request.id, 1, body=b"two", last=True))
    assert await task == (200, b"one two")
    # The call is over on both sides.
    assert not two.door.handle("a", Chunk(request.id, 2))
    assert two.tunnel.counts == {}


async def test_an_agent_that_is_nowhere_is_not_waited_for(two: Two) -> None:
    with pytest.raises(OutOfReachError, match="not connected"):
        await asked(two, "nobody")
    # The database says there, and it has gone meanwhile.
    with pytest.raises(OutOfReachError, match="lost"):
        await asked(two, "gone")


async def test_a_call_ends_with_the_agents_connection(two: Two) -> None:
    task = asyncio.create_task(asked(two))
    await two.relay.request()
    two.door.lost("a")
    with pytest.raises(OutOfReachError, match="lost"):
        await task


async def test_a_call_ends_with_the_process_that_has_the_agent(two: Two) -> None:
    task = asyncio.create_task(asked(two))
    await two.relay.request()
    await two.door.close()
    with pytest.raises(OutOfReachError, match="lost"):
        await task


async def test_the_agent_is_told_when_the_process_that_asked_is_gone(two: Two) -> None:
    task = asyncio.create_task(asked(two))
    request = await two.relay.request()
    await two.peers.close()
    with pytest.raises(OutOfReachError):
        await task
    agent_id, told = await two.relay.sent.get()
    assert (agent_id, told.id if isinstance(told, Cancel) else "") == ("a", request.id)


async def test_who_does_not_know_the_secret_is_not_let_in(two: Two) -> None:
    two.address = replace(two.address, secret="0" * 64)
    with pytest.raises(OutOfReachError):
        await asked(two)
    assert two.relay.sent.empty()
    assert two.door.counters["peers.refused"] == 1


async def test_the_secret_is_not_said_to_somebody_else(two: Two) -> None:
    heard: list[bytes] = []
    stranger = Identity("stranger")

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(listen, HOST, 0, ssl=stranger.server_context())
    async with server:
        two.address = replace(two.address, port=server.sockets[0].getsockname()[1])
        with pytest.raises(OutOfReachError):
            await asked(two)
    assert b"".join(heard) == b""


async def test_an_agent_is_told_something_wherever_it_is(two: Two) -> None:
    said = Request("1" * 32, "GET", "/x", 1000)
    await two.reach.send("a", Channel.REQUEST, said, expires_s=5)
    agent_id, message = await two.relay.sent.get()
    assert (agent_id, message) == ("a", said)
    with pytest.raises(OutOfReachError):
        await two.reach.send("gone", Channel.REQUEST, said)
    with pytest.raises(OutOfReachError):
        await two.reach.send("nobody", Channel.REQUEST, said)
