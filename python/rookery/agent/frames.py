"""Frames of the WebSocket protocol (RFC 6455), as the client of a server.

Reads what a server sends, frame by frame, and writes masked frames. Knows neither sockets nor
threads: it is given a file to read from.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

from rookery.agent.failures import ANSWER, CallError
from rookery.contracts.agent_v1 import CHUNK_BYTES_MAX

CONTINUATION = 0x0
TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA
_CONTROL_BYTES_MAX = 125
FRAME_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True)
class Piece:
    """A frame, or a part of one that is longer than a chunk. ``final`` ends the message."""

    opcode: int
    body: bytes
    final: bool


class FrameReader:
    """Reads pieces; what breaks the protocol is a :class:`CallError`."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._left = 0
        self._opcode = CONTINUATION
        self._is_final = True

    def next(self) -> Piece | None:
        """The next piece; None when the connection is over.

        Raises:
            CallError: that was no frame of a server.
        """
        if self._left:
            return self._part()
        head = self._source.read(2)
        if len(head) < 2:
            return None
        self._is_final = bool(head[0] & 0x80)
        opcode, short = head[0] & 0x0F, head[1] & 0x7F
        if head[0] & 0x70 or head[1] & 0x80:
            raise CallError(ANSWER, "a WebSocket frame with bits that nobody agreed on")
        if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise CallError(ANSWER, f"a WebSocket frame of the unknown kind {opcode}")
        if opcode >= CLOSE and (short > _CONTROL_BYTES_MAX or not self._is_final):
            raise CallError(ANSWER, "a WebSocket control frame that is too long")
        length = short
        if short >= 126:
            length = int.from_bytes(self._exactly(2 if short == 126 else 8), "big")
        if length > FRAME_BYTES_MAX:
            raise CallError(ANSWER, f"a WebSocket frame of more than {FRAME_BYTES_MAX} bytes")
        self._opcode = opcode
        if opcode >= CLOSE:
            return Piece(opcode, self._exactly(length), final=True)
        self._left = length
        return self._part()

    def _part(self) -> Piece:
        body = self._exactly(min(self._left, CHUNK_BYTES_MAX))
        self._left -= len(body)
        opcode, self._opcode = self._opcode, CONTINUATION
        return Piece(opcode, body, final=self._is_final and not self._left)

    def _exactly(self, count: int) -> bytes:
        data = self._source.read(count)
        if len(data) < count:
            raise CallError(ANSWER, "the WebSocket connection ended within a frame")
        return data


def frame(opcode: int, body: bytes, *, final: bool = True, mask: bytes | None = None) -> bytes:
    """A frame of a client: masked with random bytes."""
    key = os.urandom(4) if mask is None else mask
    head = bytes([(0x80 if final else 0) | opcode])
    length = len(body)
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 1 << 16:
        head += bytes([0x80 | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([0x80 | 127]) + length.to_bytes(8, "big")
    return head + key + masked(body, key)


def masked(body: bytes, key: bytes) -> bytes:
    """XOR with the key, over and over."""
    if not body:
        return b""
    times = -(-len(body) // 4)
    pad = int.from_bytes((key * times)[: len(body)], "big")
    return (int.from_bytes(body, "big") ^ pad).to_bytes(len(body), "big")
