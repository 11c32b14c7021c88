"""HTTPS and HTTP on one port: the first byte of a connection says which (0x16 begins TLS)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

_log = logging.getLogger("rookery.web")

TLS_HANDSHAKE = 0x16
FIRST_BYTE_S = 10.0
WAITING_MAX = 256
ACCEPTED_AT_ONCE = 64
# Out of descriptors: what ends frees some.
PAUSE_S = 0.2


@dataclass(slots=True)
class _Waiting:
    sock: socket.socket
    deadline: asyncio.TimerHandle


class OnePort:
    """Accepts connections and hands them to a server, with TLS or without.

    **Bounds.** A connection that has not said a byte is closed after :data:`FIRST_BYTE_S`; of more than
    :data:`WAITING_MAX` such the one that has waited longest gives way.
    """

    def __init__(
        self, sock: socket.socket, tls: ssl.SSLContext, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        """``protocol`` makes what serves one connection."""
        self._sock = sock
        self._tls = tls
        self._protocol = protocol
        self._waiting: dict[int, _Waiting] = {}
        self._starting: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pause: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Begin on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._sock.setblocking(False)
        self._loop.add_reader(self._sock, self._accept)

    def close(self) -> None:
        """Accept no more; what has begun goes on. May be called twice."""
        if self._loop is None:
            return
        self._loop.remove_reader(self._sock)
        if self._pause is not None:
            self._pause.cancel()
        for fd in list(self._waiting):
            self._drop(fd)
        for task in self._starting:
            task.cancel()
        self._loop = None

    def _accept(self) -> None:
        assert self._loop is not None
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                sock, _address = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                _log.error("no connection can be accepted: %s", error)
                self._loop.remove_reader(self._sock)
                self._pause = self._loop.call_later(PAUSE_S, self.open)
                return
            sock.setblocking(False)
            self._wait(sock)

    def _wait(self, sock: socket.socket) -> None:
        assert self._loop is not None
        if len(self._waiting) >= WAITING_MAX:
            self._drop(next(iter(self._waiting)))
        fd = sock.fileno()
        deadline = self._loop.call_later(FIRST_BYTE_S, self._drop, fd)
        self._waiting[fd] = _Waiting(sock, deadline)
        self._loop.add_reader(fd, self._look, fd)

    def _forget(self, fd: int) -> socket.socket:
        assert self._loop is not None
        waiting = self._waiting.pop(fd)
        waiting.deadline.cancel()
        self._loop.remove_reader(fd)
        return waiting.sock

    def _drop(self, fd: int) -> None:
        self._forget(fd).close()

    def _look(self, fd: int) -> None:
        assert self._loop is not None
        sock = self._waiting[fd].sock
        try:
            first = sock.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        self._forget(fd)
        if not first:
            sock.close()
            return
        tls = self._tls if first[0] == TLS_HANDSHAKE else None
        task = self._loop.create_task(self._serve(sock, tls))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _serve(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        timeout_s = None if tls is None else FIRST_BYTE_S
        # A handshake that fails is its client's business.
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.TimeoutError):
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol, sock, ssl=tls, ssl_handshake_timeout=timeout_s
            )
