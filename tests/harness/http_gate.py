"""Stands between an agent and its cluster, counts what is changed there and holds an answer back.

with HttpGate(cluster_url) as gate:
    gate.hold("PUT", "/api/v5/license/setting")
    …                      # the agent is told to change it
    gate.wait_until_held() # it is done at the cluster, and nobody knows yet
    gate.let_go()
"""

from __future__ import annotations

import contextlib
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from harness.client import DEADLINE_S


class HttpGate(ThreadingHTTPServer):
    """Passes every request on, and its answer back."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(url)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.asked: list[tuple[str, str]] = []
        self.held: tuple[str, str] | None = None
        self.is_holding = threading.Event()
        self.is_open = threading.Event()
        self.is_open.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.is_open.set()
        self.shutdown()
        self.server_close()

    def hold(self, method: str, path: str) -> None:
        """Hold back the answer to the next such request, which the cluster gets."""
        self.is_holding.clear()
        self.is_open.clear()
        self.held = (method, path)

    def wait_until_held(self) -> None:
        """The cluster has done it."""
        assert self.is_holding.wait(DEADLINE_S)

    def let_go(self) -> None:
        self.held = None
        self.is_open.set()

    def count(self, method: str, path: str) -> int:
        """How often that was asked."""
        return self.asked.count((method, path))


class _Handler(BaseHTTPRequestHandler):
    server: HttpGate

    def _pass_on(self) -> None:
        gate, call = self.server, (self.command, self.path.partition("?")[0])
        gate.asked.append(call)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        connection = http.client.HTTPConnection(*gate.target, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            try:
                connection.request(self.command, self.path, body or None, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
            except OSError:
                self.close_connection = True
                return
        if gate.held == call:
            gate.is_holding.set()
            gate.is_open.wait(DEADLINE_S)
        with contextlib.suppress(OSError):  # who asked may be dead by now
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def do_GET(self) -> None:
        self._pass_on()

    def do_PUT(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""
