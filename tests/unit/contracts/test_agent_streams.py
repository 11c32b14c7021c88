"""Bodies in chunks: whole and in order at the other end, never more than there is credit for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.contracts.agent_streams import Reassembler, Splitter
from rookery.contracts.agent_v1 import Chunk, MessageError


@given(
    st.lists(st.binary(max_size=50), max_size=12),
    st.integers(1, 9),
    st.integers(1, 17),
    st.randoms(use_true_random=False),
)
def test_what_goes_in_comes_out(
    pieces: list[bytes], window: int, size: int, random: object
) -> None:
    splitter = Splitter("r", window, chunk_bytes=size)
    reassembler = Reassembler("r", window)
    got = b""
    unused = 0
    waiting = list(pieces)
    while not reassembler.is_over:
        if waiting:
            splitter.offer(waiting.pop(0))
        else:
            splitter.finish()
        for chunk in splitter.take():
            unused += 1
            # Never more under way than the window.
            assert unused <= window
            accepted = reassembler.accept(chunk)
            assert accepted is not None
            assert reassembler.accept(chunk) is None, "a repetition changes nothing"
            got += accepted.body
        while unused:
            unused -= 1
            credit = reassembler.used()
            if credit is not None:
                splitter.grant(credit.chunks)
    assert got == b"".join(pieces)
    assert splitter.is_over


def test_without_credit_nothing_goes() -> None:
    splitter = Splitter("r", 1, chunk_bytes=2)
    splitter.offer(b"abcdef")
    splitter.finish()

    assert [chunk.body for chunk in splitter.take()] == [b"ab"]
    assert splitter.take() == []
    assert not splitter.wants_more
    splitter.grant(5)
    assert [(chunk.body, chunk.last) for chunk in splitter.take()] == [
        (b"cd", False),
        (b"ef", True),
    ]


def test_an_empty_body_has_an_end() -> None:
    splitter = Splitter("r")
    splitter.finish()

    assert splitter.take() == [Chunk("r", 1, last=True)]


def test_messages_of_a_websocket_keep_their_ends() -> None:
    splitter = Splitter("r", 8, chunk_bytes=3)
    splitter.offer(b"abcd", "text")
    splitter.offer(b"", "binary")

    found = [(chunk.frame, chunk.body, chunk.final) for chunk in splitter.take()]

    assert found == [("text", b"abc", False), ("text", b"d", True), ("binary", b"", True)]


@pytest.mark.parametrize(
    "chunks",
    [
        [Chunk("other", 1)],
        [Chunk("r", 2)],
        [Chunk("r", 1), Chunk("r", 2), Chunk("r", 3)],
        [Chunk("r", 1, last=True), Chunk("r", 2)],
        [Chunk("r", 1, body=b"12345")],
    ],
    ids=["of another", "one is missing", "without credit", "after the last", "too much"],
)
def test_what_breaks_a_stream(chunks: list[Chunk]) -> None:
    reassembler = Reassembler("r", 2, bytes_max=4)
    with pytest.raises(MessageError):
        for chunk in chunks:
            reassembler.accept(chunk)
