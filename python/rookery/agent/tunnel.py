"""Carries requests of the control plane to the cluster and the answers back.

Where a request goes is fixed by the settings: the control plane names a path, never an address.
What may be under way is bounded: requests by their number, bodies by credit, all by a deadline.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Protocol

from rookery.agent.exchange import Exchange
from rookery.agent.failures import CallError
from rookery.agent.http_client import HttpClient
from rookery.agent.web_socket import WebSocketExchange
from rookery.clock import Clock
from rookery.contracts.agent_v1 import (
    REQUESTS_MAX,
    Cancel,
    Chunk,
    Command,
    Credit,
    Message,
    MessageError,
    Reply,
    Request,
    UnknownMessageError,
    parse,
)

log = logging.getLogger(__name__)

WORKERS_MAX = 16
WEB_SOCKETS_MAX = 16
# As many ids are remembered as could come twice: MQTT repeats only what is not acknowledged.
REMEMBERED_MAX = 1024
Send = Callable[[Message], bool]


class Credentials(Protocol):
    """As whom a request is made."""

    def headers(self, credential: str) -> Mapping[str, str]:
        """The header that says who asks.

        Raises:
            CallError: there is no such credential now.
        """
        ...

    def refused(self, credential: str) -> None:
        """The cluster did not take it."""
        ...


class Tunnel:
    """All requests under way. ``receive`` never waits."""

    def __init__(
        self,
        targets: Mapping[str, HttpClient],
        credentials: Credentials,
        send: Send,
        clock: Clock,
        *,
        on_command: Callable[[Command], None] = lambda _command: None,
    ) -> None:
        """``on_command`` is given what comes on the same topic and is no request."""
        self._on_command = on_command
        self._targets = targets
        self._credentials = credentials
        self._send = send
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: dict[str, Exchange] = {}
        self._waiting: deque[Exchange] = deque()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._workers = 0

    @property
    def count(self) -> int:
        """Requests under way."""
        return len(self._under_way)

    def receive(self, payload: bytes) -> None:
        """Take a message of the topic ``req``."""
        try:
            message = parse(payload)
        except UnknownMessageError:
            return
        except MessageError as error:
            log.warning("a request that cannot be read: %s", error)
            return
        if isinstance(message, Request):
            self._begin(message)
        elif isinstance(message, Command):
            self._on_command(message)
        elif isinstance(message, (Chunk, Credit, Cancel)):
            exchange = self._under_way.get(message.id)
            if exchange is not None:
                exchange.receive(message)

    def cancel_all(self, reason: str) -> None:
        """Nobody waits for the answers any more."""
        with self._lock:
            exchanges = list(self._under_way.values())
        for exchange in exchanges:
            exchange.receive(Cancel(exchange.id, reason))

    def _begin(self, request: Request) -> None:
        is_web_socket = request.upgrade == "websocket"
        kind = WebSocketExchange if is_web_socket else Exchange
        exchange = kind(
            request, self._targets[request.target], self._credentials, self._send, self._clock
        )
        with self._lock:
            if request.id in self._seen:
                return
            self._seen[request.id] = None
            while len(self._seen) > REMEMBERED_MAX:
                self._seen.popitem(last=False)
            open_count = sum(isinstance(one, WebSocketExchange) for one in self._under_way.values())
            is_full = len(self._under_way) >= REQUESTS_MAX
            is_full = is_full or (is_web_socket and open_count >= WEB_SOCKETS_MAX)
            is_new_worker = False
            if not is_full:
                self._under_way[request.id] = exchange
                if not is_web_socket:
                    self._waiting.append(exchange)
                    is_new_worker = self._workers < WORKERS_MAX
                    self._workers += is_new_worker
        if is_full:
            self._send(Reply(request.id, 503, error="BUSY: too many requests at once"))
        elif is_web_socket:
            # It lasts: a thread of its own, lest those that are quick wait for it.
            threading.Thread(target=self._serve, args=(exchange,), daemon=True).start()
        elif is_new_worker:
            threading.Thread(target=self._work, name="tunnel", daemon=True).start()

    def _work(self) -> None:
        """Serve requests until none waits."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._workers -= 1
                    return
                exchange = self._waiting.popleft()
            self._serve(exchange)

    def _serve(self, exchange: Exchange) -> None:
        try:
            exchange.run()
        except CallError as error:
            log.info("request %s: %s", exchange.id, error)
        except Exception:
            log.exception("request %s", exchange.id)
            with contextlib.suppress(MessageError):
                self._send(Reply(exchange.id, 502, error="INTERNAL: see the agent's log"))
        finally:
            with self._lock:
                self._under_way.pop(exchange.id, None)
