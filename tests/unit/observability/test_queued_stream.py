"""A reader that does not read holds nobody up."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from rookery.observability.queued_stream import QueuedStream


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


def told(output: bytes) -> int:
    """How many lines the reader was told to have missed."""
    return sum(
        int(count) for count in re.findall(rb"^\((\d+) lines were lost", output, re.MULTILINE)
    )


def test_lines_arrive_in_order(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with QueuedStream(writer) as stream:
        for number in range(100):
            stream.write(f"line {number} ü\n")

    assert os.read(reader, 1 << 16).decode() == "".join(f"line {n} ü\n" for n in range(100))


def test_a_reader_that_hangs_holds_nobody_up_and_learns_what_it_missed(
    pipe: tuple[int, int],
) -> None:
    reader, writer = pipe
    stream = QueuedStream(writer, bytes_max=200_000)
    line = "x" * 999 + "\n"
    for _ in range(1000):
        stream.write(line)

    assert 0 < stream.lost_lines < 1000
    assert not stream.drain(0.0)

    kept = 1000 - stream.lost_lines
    got = b""
    while got.count(b"x" * 999) < kept or told(got) < stream.lost_lines:
        got += os.read(reader, 1 << 16)
    assert told(got) == stream.lost_lines
    assert stream.drain(10)


def test_a_reader_that_went_away_is_told_of(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    stream = QueuedStream(writer)
    stream.write("first\n")

    assert stream.drain(10)
    with pytest.raises(BrokenPipeError):
        stream.write("second\n")
