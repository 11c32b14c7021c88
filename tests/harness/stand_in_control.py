"""A control plane as an agent sees it: enrolment over HTTP and a relay, nothing behind them.

The relay is this project's broker in a thread of its own; what agents say is kept in queues.
"""

from __future__ import annotations

import asyncio
import json
import queue
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.authority import Pair
from harness.client import DEADLINE_S
from rookery.contracts.agent_enrolment_v1 import (
    PATH,
    Metadata,
    MqttAccess,
    Registered,
    Registration,
    ReportPlan,
)
from rookery.contracts.agent_v1 import (
    Channel,
    Message,
    Presence,
    Report,
    parse,
    parse_topic,
    topic_name,
)
from rookery.engine import Broker, Client

AGENT_ID = "agent-1"
TOKEN = "the-agents-token"
REGISTRATION_TOKEN = "once-and-never-again"


class StandInControl:
    """Takes one registration. ``interval_s`` is how often the agent is to report."""

    def __init__(self, *, pair: Pair | None = None, ca: Path | None = None) -> None:
        self.interval_s = 1
        self.is_relay_closed = False
        self.tokens = {REGISTRATION_TOKEN}
        self.password = TOKEN
        self.clock_ms: int | None = None
        self.status: int | None = None
        self.calls: list[str] = []
        self.files: dict[str, bytes] = {}
        self.registrations: list[Registration] = []
        self.posted: queue.Queue[Report] = queue.Queue()
        self.reports: queue.Queue[Report] = queue.Queue()
        self.said: dict[Channel, queue.Queue[Message]] = {each: queue.Queue() for each in Channel}
        self._pair = pair
        self._ca = ca
        self._loop = asyncio.new_event_loop()
        self._broker: Broker | None = None
        self._port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair.cert, pair.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        scheme = "http" if self._pair is None else "https"
        return f"{scheme}://localhost:{self._server.server_address[1]}"

    # -- its life --------------------------------------------------------------------------

    def open(self) -> None:
        self._thread.start()
        self.open_relay()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.close_relay()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()

    def open_relay(self) -> None:
        self._wait(self._open_relay())

    def close_relay(self) -> None:
        """No relay any more, until it is opened again on the same port."""
        broker, self._broker = self._broker, None
        if broker is not None:
            self._wait(broker.stop(0.0))

    async def _open_relay(self) -> None:
        kind = "tcp" if self._pair is None else "ssl"
        config: dict[str, Any] = {}
        if self._pair is not None:
            options = "listeners.ssl.default.ssl_options"
            config = {
                f"{options}.certfile": str(self._pair.cert),
                f"{options}.keyfile": str(self._pair.key),
            }
        self._broker = Broker(
            listeners={f"{kind}:default": f"127.0.0.1:{self._port}"},
            hooks=[self.on_authenticate, self.on_publish],
            config=config,
        )
        await self._broker.start()
        self._port = self._broker.port

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_S)

    # -- the relay -------------------------------------------------------------------------

    def on_authenticate(self, client: Client, password: bytes | None) -> bool:
        return (client.username, password) == (AGENT_ID, self.password.encode())

    def on_publish(self, message: Any) -> Any:
        topic = parse_topic(message.topic)
        if message.payload:
            found = parse(message.payload)
            self.said[topic.channel].put(found)
            if isinstance(found, Report):
                self.reports.put(found)
        return message

    def tell(self, channel: Channel, message: Message, *, retain: bool = False) -> None:
        """Say something to the agent."""
        assert self._broker is not None
        name = topic_name(AGENT_ID, channel)
        self._wait(self._broker.publish(name, message.to_bytes(), qos=1, retain=retain))

    def heard(self, channel: Channel, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next message of a channel that is wanted; the others are dropped."""
        while True:
            message = self.said[channel].get(timeout=DEADLINE_S)
            if wanted(message):
                return message

    def report(self, wanted: Callable[[Report], bool] = lambda _: True) -> Report:
        """The next report over MQTT that is wanted."""
        found: Report = self.heard(Channel.REPORT, wanted)
        return found

    def presence(self, status: str) -> Presence:
        found: Presence = self.heard(Channel.PRESENCE, lambda one: one.status == status)
        return found

    def any_report(self, wanted: Callable[[Report], bool]) -> Report:
        """The next report that is wanted, whichever way it came."""
        while True:
            report = self.reports.get(timeout=DEADLINE_S)
            if wanted(report):
                return report

    def posted_report(self, wanted: Callable[[Report], bool] = lambda _: True) -> Report:
        """The next report over HTTP that is wanted."""
        while True:
            report = self.posted.get(timeout=DEADLINE_S)
            if wanted(report):
                return report

    # -- enrolment -------------------------------------------------------------------------

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, bytes]:
        self.calls.append(f"{method} {path}")
        if path == "/dl/agent/ca.pem" and self._ca is not None:
            return 200, self._ca.read_bytes()
        if path in self.files:
            return 200, self.files[path]
        if self.status is not None:
            return self.status, b'{"code":"TEST","message":"as the test wants it"}'
        if path == f"{PATH}/register":
            asked = Registration.from_json(body)
            if asked.registration_token not in self.tokens:
                return 401, b'{"code":"UNAUTHORIZED","message":"the token is used up"}'
            self.tokens.discard(asked.registration_token)
            self.registrations.append(asked)
            return 200, Registered(AGENT_ID, TOKEN).to_json()
        if token != f"Bearer {TOKEN}":
            return 401, b'{"code":"UNAUTHORIZED","message":"no such agent"}'
        if path == f"{PATH}/metadata":
            return 200, self._metadata().to_json()
        if path == f"{PATH}/report":
            report = Report.read(json.loads(body))
            self.posted.put(report)
            self.reports.put(report)
            return 204, b""
        return (204, b"") if path == f"{PATH}/unregister" else (404, b"{}")

    def _metadata(self) -> Metadata:
        scheme = "mqtt" if self._pair is None else "mqtts"
        return Metadata(
            "cluster-1",
            MqttAccess((f"{scheme}://localhost:{self._port}",)),
            ReportPlan(self.interval_s),
            self.clock_ms,
        )


def _handler(control: StandInControl) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            token = self.headers.get("authorization", "")
            status, content = control.answer(self.command, self.path, token, body)
            self.send_response(status)
            if status != 204:
                self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    return Handler
