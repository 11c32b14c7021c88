"""Calls through the tunnel, with an agent that is played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from harness.fake_relay import FakeRelay
from rookery.contracts.agent_streams import Reassembler, Splitter
from rookery.contracts.agent_v1 import (
    CHUNK_BYTES_MAX,
    REQUESTS_MAX,
    WINDOW_CHUNKS,
    Cancel,
    Chunk,
    Credit,
    Reply,
)
from rookery.control.errors import OutOfReachError, TooManyError
from rookery.control.relay import tunnel as tunnel_module
from rookery.control.relay.tunnel import SCARCE_MAX, Call, Tunnel, TunnelTimeoutError, usable

GET = Call("GET", "/api/v5/nodes", timeout_s=30)


@pytest.fixture
def relay() -> FakeRelay:
    return FakeRelay()


@pytest.fixture
def tunnel(relay: FakeRelay) -> Tunnel:
    return Tunnel(relay)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def asked(tunnel: Tunnel, call: Call = GET, body: bytes = b"") -> tuple[int, bytes]:
    async with tunnel.call("a", call, pieces(body)) as answer:
        return answer.status, await answer.read(1 << 30)


async def test_a_short_call_is_one_message_each_way(relay: FakeRelay, tunnel: Tunnel) -> None:
    task = asyncio.create_task(asked(tunnel, Call("POST", "/x?y=1", credential="key"), b"in"))
    request = await relay.request()
    assert (request.method, request.path, request.body) == ("POST", "/x?y=1", b"in")
    assert (request.credential, request.more, request.credit) == ("key", False, WINDOW_CHUNKS)
    # Somebody else's answer is none, whatever it says.
    tunnel.handle("b", Reply(request.id, 500, body=b"forged"))
    tunnel.handle("a", Reply("0" * 32, 500, body=b"unknown"))
    tunnel.handle("a", Reply(request.id, 200, body=b"out"))
    assert await task == (200, b"out")
    assert relay.sent.empty()
    assert tunnel.counts == {}


async def test_a_long_answer_comes_as_fast_as_it_is_read(relay: FakeRelay, tunnel: Tunnel) -> None:
    content = bytes(range(256)) * (CHUNK_BYTES_MAX // 256) * 20
    task = asyncio.create_task(asked(tunnel))
    request = await relay.request()
    splitter = Splitter(request.id, request.credit)
    splitter.offer(content)
    splitter.finish()
    tunnel.handle("a", Reply(request.id, 200, more=True))
    under_way = 0
    while not splitter.is_over:
        for chunk in splitter.take():
            under_way += 1
            tunnel.handle("a", chunk)
        assert under_way <= WINDOW_CHUNKS
        if not splitter.is_over:
            _, credit = await relay.sent.get()
            assert isinstance(credit, Credit)
            under_way -= credit.chunks
            splitter.grant(credit.chunks)
    assert await task == (200, content)


async def test_a_long_request_waits_for_credit(relay: FakeRelay, tunnel: Tunnel) -> None:
    content = b"0123456789abcdef" * (CHUNK_BYTES_MAX // 16) * 20
    task = asyncio.create_task(asked(tunnel, Call("PUT", "/x"), content))
    request = await relay.request()
    assert request.more
    got = bytearray(request.body)
    reading = Reassembler(request.id)
    while not reading.is_over:
        _, message = await relay.sent.get()
        assert isinstance(message, Chunk)
        assert reading.accept(message) is message  # never without credit
        got += message.body
        credit = reading.used()
        if credit is not None:
            tunnel.handle("a", credit)
    assert bytes(got) == content
    tunnel.handle("a", Reply(request.id, 204))
    assert await task == (204, b"")


async def test_nobody_waits_for_an_agent_that_is_away(relay: FakeRelay, tunnel: Tunnel) -> None:
    relay.connected.clear()
    with pytest.raises(OutOfReachError, match="not connected"):
        await asked(tunnel)
    assert relay.sent.empty()


async def test_a_call_ends_with_the_connection(relay: FakeRelay, tunnel: Tunnel) -> None:
    task = asyncio.create_task(asked(tunnel))
    await relay.request()
    relay.connected.discard("a")
    tunnel.lost("b")
    tunnel.lost("a")
    with pytest.raises(OutOfReachError, match="lost"):
        await task
    assert tunnel.counts == {}


async def test_an_answer_that_breaks_off_is_an_error(relay: FakeRelay, tunnel: Tunnel) -> None:
    task = asyncio.create_task(asked(tunnel))
    request = await relay.request()
    tunnel.handle("a", Reply(request.id, 200, more=True))
    tunnel.handle("a", Cancel(request.id, "the cluster closed the connection"))
    with pytest.raises(OutOfReachError, match="the cluster closed"):
        await task


async def test_a_missing_chunk_ends_the_call_on_both_sides(
    relay: FakeRelay, tunnel: Tunnel
) -> None:
    task = asyncio.create_task(asked(tunnel))
    request = await relay.request()
    tunnel.handle("a", Reply(request.id, 200, more=True))
    tunnel.handle("a", Chunk(request.id, 2, body=b"x"))
    with pytest.raises(OutOfReachError, match="missing"):
        await task
    _, told = await relay.sent.get()
    assert isinstance(told, Cancel)


async def test_an_answer_that_is_late_is_cancelled(relay: FakeRelay, tunnel: Tunnel) -> None:
    with pytest.raises(TunnelTimeoutError):
        await asked(tunnel, Call("GET", "/slow", timeout_s=0.01))
    request = await relay.request()
    assert request.timeout_ms == 10
    _, told = await relay.sent.get()
    assert isinstance(told, Cancel)
    assert tunnel.counts == {}


async def test_who_loses_interest_cancels(relay: FakeRelay, tunnel: Tunnel) -> None:
    task = asyncio.create_task(asked(tunnel))
    request = await relay.request()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _, told = await relay.sent.get()
    assert isinstance(told, Cancel)
    assert told.id == request.id


async def test_so_many_calls_and_no_more(relay: FakeRelay, tunnel: Tunnel) -> None:
    tasks = [asyncio.create_task(asked(tunnel)) for _ in range(REQUESTS_MAX)]
    requests = [await relay.request() for _ in range(REQUESTS_MAX)]
    with pytest.raises(TooManyError):
        await asked(tunnel)
    for request in requests:
        tunnel.handle("a", Reply(request.id, 200))
    assert {status for status, _ in await asyncio.gather(*tasks)} == {200}


async def test_slow_clusters_keep_nobody_from_theirs(
    relay: FakeRelay, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel_module, "SCARCE_FROM", 2 * REQUESTS_MAX)
    relay.connected |= {"b", "c"}

    async def ask(agent: str) -> None:
        async with tunnel.call(agent, GET):
            raise AssertionError("nobody answers")

    async with asyncio.TaskGroup() as group:
        slow = [group.create_task(ask(agent)) for agent in ("a", "b") for _ in range(REQUESTS_MAX)]
        for _ in slow:
            await relay.request()
        fair = [group.create_task(ask("c")) for _ in range(SCARCE_MAX)]
        for _ in fair:
            await relay.request()
        for agent in ("a", "c"):
            with pytest.raises(TooManyError):
                await ask(agent)
        for task in (*slow, *fair):
            task.cancel()


async def test_a_hostile_cluster_cannot_make_our_answer_none(
    relay: FakeRelay, tunnel: Tunnel
) -> None:
    task = asyncio.create_task(asked(tunnel))
    request = await relay.request()
    tunnel.handle("a", Reply(request.id, 101))
    with pytest.raises(OutOfReachError, match="answered 101"):
        await task
    odd = [("x-a", "b\x00c"), ("x-b", "fine\ttoo"), ("Content-Length", "5")]
    assert usable(odd) == [("x-b", "fine\ttoo"), ("Content-Length", "5")]
    assert usable([("content-length", "+5")]) == []
    assert usable([("content-length", "5"), ("Content-Length", "6")]) == []
