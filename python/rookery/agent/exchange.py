"""One request on its way: to the cluster, and the answer back as fast as it is read."""

from __future__ import annotations

import http.client
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rookery.agent.failures import TIMEOUT, UNREACHABLE, CallError, calling
from rookery.agent.http_client import HttpClient
from rookery.clock import Clock
from rookery.contracts.agent_streams import Reassembler, Splitter
from rookery.contracts.agent_v1 import (
    CHUNK_BYTES_MAX,
    Cancel,
    Chunk,
    Credit,
    Message,
    MessageError,
    Reply,
    Request,
)

if TYPE_CHECKING:
    from rookery.agent.tunnel import Credentials

# Headers of one connection, not of what it carries (RFC 9110, 7.6.1), and those made here.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "expect",
    }
)
HEADERS_MAX = 64
HEADER_CHARS_MAX = 8192
HEADERS_CHARS_MAX = 16_384
CANCELLED = "CANCELLED"
# A wait without a deadline is made of such.
_WAIT_MAX_S = 3600.0


class Exchange:
    """A request with its bodies in both directions. ``receive`` may be called while it runs."""

    def __init__(
        self,
        request: Request,
        target: HttpClient,
        credentials: Credentials,
        send: Callable[[Message], bool],
        clock: Clock,
    ) -> None:
        self.id = request.id
        self.request = request
        self._target = target
        self._credentials = credentials
        self._send = send
        self._clock = clock
        self._deadline_s = clock.monotonic_s() + request.timeout_ms / 1000
        self._changed = threading.Condition()
        self._incoming: deque[Chunk] = deque()
        self._reassembler = Reassembler(request.id)
        self._splitter = Splitter(request.id, request.credit)
        # Kept here: the connection forgets its socket when the answer says that it is the last.
        self._sock: socket.socket | None = None
        self._fault = ""
        self._has_replied = False

    # -- called by the link ----------------------------------------------------------------

    def receive(self, message: Message) -> None:
        """A chunk of the request, credit for the answer, or the end of it all."""
        with self._changed:
            if isinstance(message, Credit):
                self._splitter.grant(message.chunks)
            elif isinstance(message, Cancel):
                self._break(f"{CANCELLED}: {message.reason}")
            elif isinstance(message, Chunk):
                try:
                    chunk = self._reassembler.accept(message)
                except MessageError as error:
                    self._break(f"ANSWER: {error}")
                else:
                    if chunk is not None:
                        self._incoming.append(chunk)
            self._changed.notify_all()

    def _break(self, fault: str) -> None:
        self._fault = self._fault or fault
        sock = self._sock
        if sock is not None:
            # Wakes the thread that reads from it.
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    # -- the worker ------------------------------------------------------------------------

    def run(self) -> None:
        """Make the call and send what comes of it; says a failure itself.

        Raises:
            CallError: for the log; it was said already.
        """
        try:
            self._check()
            self._call()
        except CallError as error:
            self._fail(error)
            raise

    def _call(self) -> None:
        request = self.request
        who = self._credentials.headers(request.credential)
        with calling(self._target.url):
            connection = self._target.connected(self._left_s())
            url = self._target.url
            try:
                with self._changed:
                    self._sock = connection.sock
                self._check()
                self._ask(connection, who)
                answer = connection.getresponse()
                if answer.status == 401 and request.credential != "none":
                    self._credentials.refused(request.credential)
                self._answer(answer)
            except (OSError, http.client.HTTPException) as error:
                if not self._has_replied and isinstance(error, (socket.timeout, TimeoutError)):
                    self._target.silent(url)
                # Whoever broke it off knows better why.
                self._check()
                raise
            finally:
                with self._changed:
                    self._sock = None
                connection.close()

    def _ask(self, connection: http.client.HTTPConnection, who: Mapping[str, str]) -> None:
        request = self.request
        connection.putrequest(request.method, request.path, skip_accept_encoding=True)
        given = {name.lower() for name, _ in request.headers}
        for name, value in request.headers:
            small = name.lower()
            if small in HOP_BY_HOP or small == "content-length" or small in who:
                continue
            connection.putheader(name, value.encode("utf-8"))
        for name, value in who.items():
            connection.putheader(name, value)
        if request.more:
            connection.putheader("Transfer-Encoding", "chunked")
        elif (
            request.body or "content-length" in given or request.method in ("POST", "PUT", "PATCH")
        ):
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders()
        if not request.more:
            if request.body:
                connection.send(request.body)
            return
        for piece in self._pieces():
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")

    def _pieces(self) -> Iterator[bytes]:
        """The body of the request, as it comes."""
        if self.request.body:
            yield self.request.body
        while True:
            with self._changed:
                while not self._incoming:
                    self._wait()
                chunk = self._incoming.popleft()
                credit = self._reassembler.used()
            if chunk.body:
                yield chunk.body
            if chunk.last:
                return
            if credit is not None:
                self._send(credit)

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        first = self._read(answer)
        is_over = not first or answer.isclosed()
        self._has_replied = True
        self._say(
            Reply(
                self.id,
                answer.status,
                headers=passed_on(answer.headers.items()),
                more=not is_over,
                body=first,
            )
        )
        while not is_over:
            piece = self._read(answer)
            is_over = not piece or answer.isclosed()
            with self._changed:
                if piece:
                    self._splitter.offer(piece)
                if is_over:
                    self._splitter.finish()
            self._flush()

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        """A piece as large as a chunk where the answer has a length, else what is there."""
        left_s = self._left_s()
        if self._sock is not None and self._sock.fileno() >= 0:
            self._sock.settimeout(left_s)
        if answer.length is not None:
            piece = answer.read(min(CHUNK_BYTES_MAX, answer.length)) if answer.length else b""
        else:
            piece = answer.read1(CHUNK_BYTES_MAX)
        self._check()
        return piece

    def _flush(self) -> None:
        """Send what there is credit for, and wait for credit while something waits for it."""
        while True:
            with self._changed:
                chunks = self._splitter.take()
                if not chunks:
                    if self._splitter.is_over or self._splitter.wants_more:
                        return
                    self._wait()
                    continue
            for chunk in chunks:
                self._say(chunk)

    # -- bounds ----------------------------------------------------------------------------

    def _wait(self) -> None:
        """Until something comes; the condition is held."""
        self._check()
        self._changed.wait(min(self._left_s(), _WAIT_MAX_S))
        self._check()

    def _left_s(self) -> float:
        left = self._deadline_s - self._clock.monotonic_s()
        if left <= 0:
            raise CallError(TIMEOUT, f"{self._target.url}: no answer in time")
        return left

    def _check(self) -> None:
        if self._fault:
            code, _, text = self._fault.partition(": ")
            raise CallError(code, text)
        self._left_s()

    def _say(self, message: Message) -> None:
        if not self._send(message):
            raise CallError(UNREACHABLE, "the connection to the relay is gone")

    def _fail(self, error: CallError) -> None:
        if error.code == CANCELLED:
            return
        reason = str(error)[:500]
        if self._has_replied:
            self._send(Cancel(self.id, reason))
            return
        status = 504 if error.code == TIMEOUT else 502
        self._send(Reply(self.id, status, error=reason))


def passed_on(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers of an answer that belong to it, not to the connection."""
    kept: list[tuple[str, str]] = []
    room = HEADERS_CHARS_MAX
    for name, value in headers:
        clean = "".join(c for c in value if c.isprintable())[:HEADER_CHARS_MAX]
        if name.lower() in HOP_BY_HOP or not _is_token(name) or len(kept) == HEADERS_MAX:
            continue
        # In JSON a character takes up to three bytes here.
        room -= len(name) + len(clean)
        if room < 0:
            break
        kept.append((name, clean))
    return tuple(kept)


def _is_token(name: str) -> bool:
    return 0 < len(name) <= 128 and all(
        c.isascii() and (c.isalnum() or c in "!#$%&'*+.^_`|~-") for c in name
    )
