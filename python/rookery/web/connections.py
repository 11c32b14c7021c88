"""Keeps slow clients from holding connections of an HTTP server.

The server library closes a connection that is idle after an answer, and nothing else: a client
that sends its request byte by byte, or does not read its answer, would stay as long as it likes.

**Bounds.** A request has to be whole ``deadline_s`` after the connection was made or after the answer
before it, however many bytes trickle in; an answer that does not flow has as long. At most
``connections_max`` connections are open: the one that has waited longest for its request gives way to
a new one, and when all are being answered the new one is closed.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from rookery.web.counters import COUNTERS

REQUEST_DEADLINE_S = 10.0
HEAD_BYTES_MAX = 16 << 10


class Connections:
    """The connections of one server. Lives on its event loop."""

    def __init__(self, *, connections_max: int, deadline_s: float = REQUEST_DEADLINE_S) -> None:
        self.connections_max = connections_max
        self.deadline_s = deadline_s
        self.counters = dict.fromkeys(COUNTERS, 0)
        # In the order in which they began to wait.
        self._waiting: dict[BoundedProtocol, None] = {}
        self._open: set[BoundedProtocol] = set()

    def protocol(self) -> type[asyncio.Protocol]:
        """What the server makes for each connection."""

        class Bounded(BoundedProtocol):
            connections_of_server = self

        return Bounded

    def add(self, protocol: BoundedProtocol) -> None:
        """A connection was made."""
        self._open.add(protocol)
        if len(self._open) <= self.connections_max:
            return
        longest = next(iter(self._waiting), None)
        self.counters["http.too_many" if longest is None else "http.gave_way"] += 1
        (longest or protocol).give_up()

    def waits(self, protocol: BoundedProtocol) -> None:
        """A connection waits for its client from here on."""
        self._waiting.pop(protocol, None)
        self._waiting[protocol] = None

    def works(self, protocol: BoundedProtocol) -> None:
        """A connection waits for us."""
        self._waiting.pop(protocol, None)

    def remove(self, protocol: BoundedProtocol) -> None:
        """A connection is closed, or will be without anybody's doing."""
        self._waiting.pop(protocol, None)
        self._open.discard(protocol)


class BoundedProtocol(H11Protocol):
    """One connection with a deadline on everything that its client has to do."""

    connections_of_server: ClassVar[Connections]
    _deadline: asyncio.TimerHandle | None = None
    _is_given_up = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.client = self.client or local_peer(transport.get_extra_info("socket"))
        self.connections_of_server.add(self)
        if not self._is_given_up:
            self._await_client()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.connections_of_server.remove(self)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self._is_working:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        # Before the next request that may have come already; what is left of the answer has to
        # leave within the same time.
        self._await_client()
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_client()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._is_working:
            self._stop_waiting()

    @property
    def _is_working(self) -> bool:
        """Whether a whole request is here and its answer is not."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    def give_up(self) -> None:
        """Close at once, whatever is under way."""
        self._is_given_up = True
        self._stop_waiting()
        self.connections_of_server.remove(self)
        self.transport.abort()

    def _await_client(self) -> None:
        self._stop_waiting()
        self.connections_of_server.waits(self)
        deadline_s = self.connections_of_server.deadline_s
        self._deadline = self.loop.call_later(deadline_s, self._be_too_slow)

    def _stop_waiting(self) -> None:
        self.connections_of_server.works(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _be_too_slow(self) -> None:
        self.connections_of_server.counters["http.too_slow"] += 1
        self.give_up()


def local_peer(sock: socket.socket | None) -> tuple[str, int] | None:
    """``local:USER`` and the process id of who connected to a Unix socket, as the system knows it."""
    option = getattr(socket, "SO_PEERCRED", None)
    if sock is None or option is None or sock.family != socket.AF_UNIX:
        return None
    credentials = struct.Struct("3i")  # unix(7): pid, uid, gid
    pid, uid, _gid = credentials.unpack(
        sock.getsockopt(socket.SOL_SOCKET, option, credentials.size)
    )
    return f"local:{uid}", pid
