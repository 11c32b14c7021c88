"""The two ends of a body in chunks, as state machines: no I/O, no clock, usable on both sides.

A sender has credit, which the receiver gives: one chunk costs one. The receiver so decides how
much of a body lies in memory anywhere, and a slow reader slows the sender down, not the link.

MQTT may deliver twice at QoS 1: a chunk that was there already is ignored. A chunk that is
missing cannot come any more, so the stream is broken.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

from collections import deque

from rookery.contracts.agent_v1 import (
    BODY_BYTES_MAX,
    CHUNK_BYTES_MAX,
    WINDOW_CHUNKS,
    WINDOW_CHUNKS_MAX,
    Chunk,
    Credit,
    MessageError,
)


class Splitter:
    """Cuts what is offered into chunks and lets go those that there is credit for."""

    def __init__(
        self, request_id: str, credit: int = WINDOW_CHUNKS, *, chunk_bytes: int = CHUNK_BYTES_MAX
    ) -> None:
        self._id = request_id
        self._credit = credit
        self._chunk_bytes = chunk_bytes
        self._sequence = 0
        self._waiting: deque[tuple[bytes, str, bool]] = deque()
        self._is_finished = False
        self._is_over = False

    @property
    def wants_more(self) -> bool:
        """Whether more should be read from the source now: nothing waits for credit."""
        return not self._is_finished and not self._waiting

    @property
    def is_over(self) -> bool:
        """Whether the last chunk was taken."""
        return self._is_over

    def offer(self, body: bytes, frame: str = "", *, final: bool = True) -> None:
        """Add bytes; with ``frame`` they are a message of a WebSocket, to its end if ``final``."""
        if self._is_finished:
            raise MessageError("chunk: after the end")
        starts = range(0, len(body), self._chunk_bytes)
        for start in starts:
            end = start + self._chunk_bytes
            self._waiting.append((body[start:end], frame, final and end >= len(body)))
        if frame and not body:
            self._waiting.append((b"", frame, final))

    def finish(self) -> None:
        """Nothing follows."""
        self._is_finished = True

    def grant(self, chunks: int) -> None:
        """Take credit; more than a window at once is the other side's mistake and is cut."""
        self._credit = min(self._credit + chunks, WINDOW_CHUNKS_MAX)

    def take(self) -> list[Chunk]:
        """What may be sent now."""
        taken: list[Chunk] = []
        while self._credit > 0 and not self._is_over:
            if self._waiting:
                body, frame, final = self._waiting.popleft()
                self._is_over = self._is_finished and not self._waiting
            elif self._is_finished:
                body, frame, final, self._is_over = b"", "", True, True
            else:
                break
            self._credit -= 1
            self._sequence += 1
            taken.append(
                Chunk(
                    self._id,
                    self._sequence,
                    last=self._is_over,
                    frame=frame,
                    final=final,
                    body=body,
                )
            )
        return taken


class Reassembler:
    """Puts chunks in order and gives credit back for what was used."""

    def __init__(
        self,
        request_id: str,
        window: int = WINDOW_CHUNKS,
        *,
        bytes_max: int | None = BODY_BYTES_MAX,
    ) -> None:
        self._id = request_id
        self._window = window
        self._bytes_max = bytes_max
        self._next = 1
        self._under_way = window
        self._used = 0
        self._bytes = 0
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether the last chunk has come."""
        return self._is_over

    def accept(self, chunk: Chunk) -> Chunk | None:
        """The chunk when it is the next one, None when it was here before.

        Raises:
            MessageError: one is missing, there was no credit for it, or it is all too much; the
                request is to be cancelled.
        """
        if chunk.id != self._id:
            raise MessageError("chunk: of another request")
        if chunk.sequence < self._next:
            return None
        if self._is_over:
            raise MessageError("chunk: after the last")
        if chunk.sequence > self._next:
            raise MessageError("chunk: one before it is missing")
        if self._under_way == 0:
            raise MessageError("chunk: without credit")
        self._bytes += len(chunk.body)
        if self._bytes_max is not None and self._bytes > self._bytes_max:
            raise MessageError(f"chunk: more than {self._bytes_max} bytes in all")
        self._next += 1
        self._under_way -= 1
        self._is_over = chunk.last
        return chunk

    def used(self, chunks: int = 1) -> Credit | None:
        """Say that so many are out of memory; the credit to send, given in halves of a window."""
        self._used += chunks
        if self._is_over or self._used * 2 < self._window:
            return None
        give, self._used = self._used, 0
        self._under_way += give
        return Credit(self._id, give)
