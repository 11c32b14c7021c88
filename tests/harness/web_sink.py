"""A web service that notes what it is sent, goes away and comes back where it was."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from harness.client import DEADLINE_S

HOST = "127.0.0.1"


class WebSink:
    """Runs in threads of its own, beside a browser that is driven without an event loop."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.gate = threading.Event()  # answers wait for it
        self.gate.set()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Listen, where it did before."""
        taken, gate = self.taken, self.gate

        # HTTP/1.0: no connection is left that would still be answered after the end.
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                gate.wait(DEADLINE_S)
                taken.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer((HOST, self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """From now on connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
