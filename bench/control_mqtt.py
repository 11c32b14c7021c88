"""As much of MQTT 5 as an agent speaks, on asyncio, for many connections in one process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Sequence

KEEP_ALIVE_S = 30
SESSION_EXPIRY_S = 3600
WILL_DELAY_S = 10
ANSWER_S = 20.0
CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 14

Heard = Callable[[str, bytes], None]


class LostError(Exception):
    """There was a connection, and it ended."""


class RefusedError(Exception):
    """The broker said no."""


class Connection:
    """One connection that stands."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.cycle(range(1, 65_536))
        self._awaited: dict[tuple[int, int], asyncio.Future[bytes]] = {}
        self._pinging: asyncio.Task[None] | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        client_id: str,
        password: str,
        will: tuple[str, bytes] | None,
        username: str = "",
        source: str | None = None,
    ) -> AsyncIterator[Connection]:
        """Connect as an agent does: its session stays, its Will says that it is gone.

        ``username`` is the Client Identifier unless it is given; ``source`` the address of this machine to
        come from.
        """
        local = None if source is None else (source, 0)
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls, local_addr=local)
            made = cls(reader, writer)
            try:
                writer.write(_connect(client_id, username or client_id, password, will))
                kind, body = await made._packet()
                if kind >> 4 != CONNACK or body[1] != 0:
                    raise RefusedError(body[:2].hex())
            except BaseException:
                writer.transport.abort()
                raise
        made._pinging = asyncio.create_task(made._ping())
        try:
            yield made
        finally:
            made._pinging.cancel()
            writer.transport.abort()
            await asyncio.gather(made._pinging, return_exceptions=True)

    async def read(self, heard: Heard) -> None:
        """Take what comes, to the end of the connection."""
        try:
            while True:
                kind, body = await self._packet()
                self._take(kind, body, heard)
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            for waiting in self._awaited.values():
                if not waiting.done():
                    waiting.set_exception(LostError())

    def _take(self, kind: int, body: bytes, heard: Heard) -> None:
        if kind >> 4 in (PUBACK, SUBACK):
            (packet_id,) = struct.unpack_from("!H", body)
            waiting = self._awaited.pop((kind >> 4, packet_id), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(body)
        elif kind >> 4 == PUBLISH:
            (length,) = struct.unpack_from("!H", body)
            topic, at = body[2 : 2 + length].decode(), 2 + length
            if kind & 0x06:
                self._writer.write(b"\x40\x02" + body[at : at + 2])
                at += 2
            skipped, size = _number(body, at)
            heard(topic, body[size + skipped :])

    async def subscribe(self, topics: Sequence[str]) -> None:
        packet_id = next(self._ids)
        body = struct.pack("!H", packet_id) + b"\x00"
        body += b"".join(_text(topic) + b"\x01" for topic in topics)
        await self._ask(SUBACK, packet_id, _packet(SUBSCRIBE << 4 | 2, body))

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """With QoS 1, until it is acknowledged."""
        packet_id, data = self._publication(topic, payload, retain=retain)
        answer = await self._ask(PUBACK, packet_id, data)
        if len(answer) > 2 and answer[2] >= 0x80:
            raise RefusedError(f"{topic}: {answer[2]:#x}")

    def publish_soon(self, topic: str, payload: bytes) -> None:
        """The same, without waiting."""
        self._writer.write(self._publication(topic, payload, retain=False)[1])

    def _publication(self, topic: str, payload: bytes, *, retain: bool) -> tuple[int, bytes]:
        packet_id = next(self._ids)
        body = _text(topic) + struct.pack("!H", packet_id) + b"\x00" + payload
        return packet_id, _packet(PUBLISH << 4 | 2 | retain, body)

    async def _ask(self, kind: int, packet_id: int, data: bytes) -> bytes:
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._awaited[kind, packet_id] = waiting
        self._writer.write(data)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await waiting
        except TimeoutError:
            raise LostError from None
        finally:
            self._awaited.pop((kind, packet_id), None)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_S * 0.8)
            self._writer.write(bytes((PINGREQ << 4, 0)))

    async def _packet(self) -> tuple[int, bytes]:
        kind = (await self._reader.readexactly(1))[0]
        length = shift = 0
        while True:
            byte = (await self._reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        return kind, await self._reader.readexactly(length)


def _connect(client_id: str, username: str, password: str, will: tuple[str, bytes] | None) -> bytes:
    properties = b"\x11" + struct.pack("!I", SESSION_EXPIRY_S)
    # User name and password; the Will retained with QoS 1; the session goes on.
    flags = 0x80 | 0x40 | (0x20 | 0x08 | 0x04 if will is not None else 0)
    body = _text("MQTT") + bytes((5, flags)) + struct.pack("!H", KEEP_ALIVE_S)
    body += _length(len(properties)) + properties + _text(client_id)
    if will is not None:
        will_properties = b"\x18" + struct.pack("!I", WILL_DELAY_S)
        body += _length(len(will_properties)) + will_properties
        body += _text(will[0]) + struct.pack("!H", len(will[1])) + will[1]
    return _packet(CONNECT << 4, body + _text(username) + _text(password))


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + _length(len(body)) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def _length(number: int) -> bytes:
    found = bytearray()
    while True:
        number, low = divmod(number, 128)
        found.append(low | (0x80 if number else 0))
        if not number:
            return bytes(found)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer, and where what follows it begins."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
