"""Frames of WebSockets."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.agent.failures import CallError
from rookery.agent.frames import BINARY, CLOSE, PING, TEXT, FrameReader, Piece, frame, masked
from rookery.contracts.agent_v1 import CHUNK_BYTES_MAX


def of_server(opcode: int, body: bytes, *, final: bool = True) -> bytes:
    """The same frame without its mask, as servers send it."""
    sent = frame(opcode, body, final=final, mask=bytes(4))
    at = 2 + {126: 2, 127: 8}.get(sent[1] & 0x7F, 0)
    return sent[:1] + bytes([sent[1] & 0x7F]) + sent[2:at] + sent[at + 4 :]


def read(data: bytes) -> list[Piece]:
    reader = FrameReader(io.BytesIO(data))
    return list(iter(reader.next, None))


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_masking_twice_changes_nothing(body: bytes, key: bytes) -> None:
    assert masked(masked(body, key), key) == body
    assert frame(TEXT, body, mask=key).endswith(masked(body, key))


@given(st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=400)), max_size=5))
def test_frames_of_a_server(frames: list[tuple[int, bytes]]) -> None:
    data = b"".join(of_server(opcode, body) for opcode, body in frames)

    assert read(data) == [Piece(opcode, body, final=True) for opcode, body in frames]


@pytest.mark.parametrize("length", [125, 126, 65_535, 65_536, CHUNK_BYTES_MAX + 1])
def test_frames_of_any_length_come_in_pieces_of_a_chunk(length: int) -> None:
    pieces = read(of_server(BINARY, b"x" * length) + of_server(CLOSE, b"\x03\xe8"))

    assert b"".join(piece.body for piece in pieces[:-1]) == b"x" * length
    assert all(len(piece.body) <= CHUNK_BYTES_MAX for piece in pieces)
    assert [piece.final for piece in pieces[:-1]] == [False] * (len(pieces) - 2) + [True]
    assert pieces[-1].opcode == CLOSE


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    try:
        read(data)
    except CallError:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"\xc1\x00",
        b"\x81\x80\x00\x00\x00\x00",
        b"\x83\x00",
        b"\x89\x7e\x00\x80",
        b"\x09\x00",
        b"\x82\x7f" + b"\xff" * 8,
        b"\x81\x05ab",
    ],
    ids=["bits", "masked", "kind", "long ping", "ping in parts", "huge", "cut"],
)
def test_what_breaks_the_protocol(data: bytes) -> None:
    with pytest.raises(CallError):
        read(data)
    assert read(of_server(PING, b"hi")) == [Piece(PING, b"hi", final=True)]
