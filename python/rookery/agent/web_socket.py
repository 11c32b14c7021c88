"""A WebSocket through the tunnel: the agent is its client, the other side one of the tunnel's.

Two threads serve it: this one reads from the cluster, another writes what comes through the
tunnel. Both stop when either side closes, when it is cancelled, or when the link is gone.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from rookery.agent.exchange import CANCELLED, HOP_BY_HOP, Exchange, passed_on
from rookery.agent.failures import ANSWER, CallError, calling
from rookery.agent.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, FrameReader, frame
from rookery.agent.http_client import HttpClient
from rookery.clock import Clock
from rookery.contracts.agent_streams import Reassembler
from rookery.contracts.agent_v1 import Chunk, Message, Reply, Request

if TYPE_CHECKING:
    from rookery.agent.tunnel import Credentials

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_OWN_HEADERS = frozenset(
    {
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "content-length",
    }
)
CLOSE_TIMEOUT_S = 10.0
_WORDS = {TEXT: "text", BINARY: "binary"}
_OPCODES = {word: opcode for opcode, word in _WORDS.items()}


class WebSocketExchange(Exchange):
    """One WebSocket. The deadline of the request is that of its handshake."""

    def __init__(
        self,
        request: Request,
        target: HttpClient,
        credentials: Credentials,
        send: Callable[[Message], bool],
        clock: Clock,
    ) -> None:
        super().__init__(request, target, credentials, send, clock)
        # Its length is nobody's business: what lies in memory is bounded by credit.
        self._reassembler = Reassembler(request.id, bytes_max=None)

    def _call(self) -> None:
        who = self._credentials.headers(self.request.credential)
        with calling(self._target.url):
            connection = self._target.connected(self._left_s())
            try:
                sock = connection.sock
                with self._changed:
                    self._sock = sock
                self._check()
                source = sock.makefile("rb")
                status, headers = self._shake_hands(sock, source, who)
                if status != 101:
                    self._refused(status, headers)
                    return
                self._deadline_s = float("inf")
                sock.settimeout(None)
                self._has_replied = True
                self._say(Reply(self.id, 101, headers=passed_on(headers.items()), more=True))
                self._carry(sock, source)
            except (OSError, http.client.HTTPException):
                self._check()
                raise
            finally:
                with self._changed:
                    self._sock = None
                connection.close()

    def _shake_hands(
        self, sock: socket.socket, source: BinaryIO, who: Mapping[str, str]
    ) -> tuple[int, http.client.HTTPMessage]:
        key = base64.b64encode(os.urandom(16))
        lines = [
            f"GET {self.request.path} HTTP/1.1".encode("ascii"),
            b"Host: " + urlsplit(self._target.url).netloc.encode("idna"),
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: " + key,
        ]
        for name, value in self.request.headers:
            small = name.lower()
            if small not in HOP_BY_HOP and small not in _OWN_HEADERS and small not in who:
                lines.append(f"{name}: {value}".encode())
        lines.extend(f"{name}: {value}".encode() for name, value in who.items())
        sock.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        words = source.readline(65_537).split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            raise CallError(ANSWER, f"{self._target.url}: no HTTP")
        headers = http.client.parse_headers(source)
        status = int(words[1])
        if status == 101:
            expected = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
            if headers.get("sec-websocket-accept", "").encode("latin-1") != expected:
                raise CallError(ANSWER, f"{self._target.url}: the handshake is not answered")
        return status, headers

    def _refused(self, status: int, headers: http.client.HTTPMessage) -> None:
        if status == 401 and self.request.credential != "none":
            self._credentials.refused(self.request.credential)
        self._has_replied = True
        # An odd status of an odd server is still no reason to say nothing.
        status = status if 200 <= status <= 599 else 502
        self._say(Reply(self.id, status, headers=passed_on(headers.items())))

    def _carry(self, sock: socket.socket, source: BinaryIO) -> None:
        lock = threading.Lock()
        writer = threading.Thread(
            target=self._write, args=(sock, lock), name="tunnel-writer", daemon=True
        )
        writer.start()
        try:
            self._read_frames(FrameReader(source), sock, lock)
        except OSError:
            self._end("UNREACHABLE: the WebSocket broke")
            raise
        finally:
            self._end(f"{CANCELLED}: the WebSocket is closed")
            writer.join()

    def _end(self, fault: str) -> None:
        """Wake whoever reads, writes or waits; the first reason is the one."""
        with self._changed:
            self._break(fault)
            self._changed.notify_all()

    def _read_frames(self, reader: FrameReader, sock: socket.socket, lock: threading.Lock) -> None:
        word = ""
        while True:
            piece = reader.next()
            if piece is None:
                self._check()
                self._close(b"")
                return
            if piece.opcode == PING:
                with lock:
                    sock.sendall(frame(PONG, piece.body))
            elif piece.opcode == CLOSE:
                # Who has said it already may be gone.
                with lock, contextlib.suppress(OSError):
                    sock.sendall(frame(CLOSE, piece.body[:2]))
                self._close(piece.body)
                return
            elif piece.opcode != PONG:
                word = _WORDS.get(piece.opcode, word)
                if not word:
                    raise CallError(ANSWER, "a WebSocket message that begins with its middle")
                self._pass_on(piece.body, word, is_final=piece.final)

    def _pass_on(self, body: bytes, word: str, *, is_final: bool) -> None:
        with self._changed:
            self._splitter.offer(body, word, final=is_final)
        self._flush()

    def _close(self, body: bytes) -> None:
        with self._changed:
            self._splitter.offer(body, "close")
            self._splitter.finish()
        self._flush()

    def _write(self, sock: socket.socket, lock: threading.Lock) -> None:
        """What comes through the tunnel, until the end of either side."""
        is_within = False
        try:
            while True:
                chunk = self._next_chunk()
                if chunk.frame == "close":
                    with lock:
                        sock.sendall(frame(CLOSE, chunk.body[:125]))
                    # The server says the same, or is not worth waiting for.
                    sock.settimeout(CLOSE_TIMEOUT_S)
                elif chunk.frame:
                    opcode = CONTINUATION if is_within else _OPCODES[chunk.frame]
                    is_within = not chunk.final
                    with lock:
                        sock.sendall(frame(opcode, chunk.body, final=chunk.final))
                if chunk.last:
                    return
        except (OSError, CallError):
            self._end("UNREACHABLE: the WebSocket broke")

    def _next_chunk(self) -> Chunk:
        with self._changed:
            while not self._incoming:
                self._wait()
            chunk = self._incoming.popleft()
            credit = self._reassembler.used()
        if credit is not None:
            self._say(credit)
        return chunk
