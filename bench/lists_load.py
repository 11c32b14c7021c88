"""The clients of `lists.py`: sessions that are left behind, clients that stay, paced messages."""

from __future__ import annotations

import asyncio
import math
import resource
import struct
import time
from multiprocessing.connection import Connection

SOURCES = 20
"""Addresses that clients come from: one has ports for 28,000 connections."""
AT_ONCE = 200
RETAINED = 10_000
DELAYED = 1_000
FOR_EVER = 0xFFFFFFFF
KEEP_ALIVE_S = 3600


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _packet(first: int, body: bytes) -> bytes:
    left, length = len(body), b""
    while True:
        length += bytes([left % 128 | (0x80 if left >= 128 else 0)])
        left //= 128
        if not left:
            return bytes([first]) + length + body


def _connect(client_id: str, username: str, *, lasting: bool) -> bytes:
    properties = b"\x11" + struct.pack(">I", FOR_EVER) if lasting else b""
    head = _text("MQTT") + bytes([5, 0x80 | (0 if lasting else 2)])
    head += struct.pack(">H", KEEP_ALIVE_S) + bytes([len(properties)]) + properties
    return _packet(0x10, head + _text(client_id) + _text(username))


def _subscribe(*filters: str) -> bytes:
    entries = b"".join(_text(item) + b"\x00" for item in filters)
    return _packet(0x82, struct.pack(">HB", 1, 0) + entries)


def _publish(topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    return _packet(0x31 if retain else 0x30, _text(topic) + b"\x00" + payload)


async def _read_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first, await reader.readexactly(length)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Load:
    """Everything that the clients do."""

    def __init__(self, port: int, rate: int) -> None:
        self._port = port
        self._rate = rate
        self._latencies_ms: list[float] = []
        self._clients: list[Streams] = []

    async def _open(self, number: int, name: str, *, lasting: bool) -> Streams:
        source = (f"127.0.0.{2 + number % SOURCES}", 0)
        streams = await asyncio.open_connection("127.0.0.1", self._port, local_addr=source)
        reader, writer = streams
        client_id = f"{name}-{number}"
        writer.write(_connect(client_id, f"user-{number % 100}", lasting=lasting))
        writer.write(_subscribe(f"own/{client_id}", f"$share/g{number % 10}/jobs/{number % 1000}"))
        assert (await _read_packet(reader))[0] == 0x20
        assert (await _read_packet(reader))[0] == 0x90
        return streams

    async def come(self, connected: int, away: int) -> None:
        """Leave sessions behind, then stay."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def leave(number: int) -> None:
            async with gate:
                _, writer = await self._open(number, "away", lasting=True)
                writer.write(b"\xe0\x00")
                writer.close()
                await writer.wait_closed()

        async def stay(number: int) -> None:
            async with gate:
                self._clients.append(await self._open(number, "here", lasting=False))

        for first in range(0, away, 10_000):
            await asyncio.gather(*map(leave, range(first, min(away, first + 10_000))))
        for first in range(0, connected, 5_000):
            await asyncio.gather(*map(stay, range(first, min(connected, first + 5_000))))

    async def prepare(self) -> list[Streams]:
        """Retained and delayed messages; the pairs that messages go through."""
        _, writer = await self._open(0, "publisher", lasting=False)
        for number in range(RETAINED):
            writer.write(_publish(f"kept/{number // 10}/{number % 10}", b"x" * 50, retain=True))
            if number < DELAYED:
                writer.write(_publish(f"$delayed/86400/later/{number}", b"x"))
            if number % 100 == 0:
                await writer.drain()
        return [await self._open(number, "pair", lasting=False) for number in range(20)]

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        while True:
            first, body = await _read_packet(reader)
            if first >> 4 == 3:
                sent_ns = int.from_bytes(body[-8:], "big")
                self._latencies_ms.append((time.perf_counter_ns() - sent_ns) / 1e6)

    async def flow(self, pairs: list[Streams]) -> None:
        """Send at the rate, each pair to itself, until the process ends."""
        receivers = [asyncio.ensure_future(self._receive(reader)) for reader, _ in pairs]
        begin, sent = time.perf_counter(), 0
        while not any(receiver.done() for receiver in receivers):
            due = int((time.perf_counter() - begin) * self._rate)
            while sent < due:
                number = sent % len(pairs)
                payload = time.perf_counter_ns().to_bytes(8, "big")
                pairs[number][1].write(_publish(f"own/pair-{number}", payload))
                sent += 1
            await asyncio.sleep(0.002)

    def take(self) -> dict[str, float]:
        """Latencies since the last time."""
        taken, self._latencies_ms = sorted(self._latencies_ms), []
        if not taken:
            return {"messages": 0}

        def at(part: float) -> float:
            return round(taken[min(len(taken) - 1, math.ceil(part * len(taken)) - 1)], 2)

        return {
            "messages": len(taken),
            "p50_ms": at(0.5),
            "p99_ms": at(0.99),
            "p999_ms": at(0.999),
            "max_ms": round(taken[-1], 2),
        }


async def _serve(port: int, orders: Connection, connected: int, away: int, rate: int) -> None:
    load = Load(port, rate)
    begin = time.perf_counter()
    await load.come(connected, away)
    pairs = await load.prepare()
    flowing = asyncio.ensure_future(load.flow(pairs))
    orders.send(f"{connected} + {away} in {time.perf_counter() - begin:.0f} s")
    loop = asyncio.get_running_loop()
    while not flowing.done():
        order, seconds = await loop.run_in_executor(None, orders.recv)
        if order == "measure":
            load.take()
            await asyncio.sleep(seconds)
        if order in ("measure", "end"):
            orders.send(load.take())
        else:
            load.take()


def run(port: int, orders: Connection, connected: int, away: int, rate: int) -> None:
    """The process."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_serve(port, orders, connected, away, rate))
