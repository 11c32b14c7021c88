"""Asks the REST interface of a node over its own socket, and shows whole answers."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from pathlib import Path
from typing import Any, NamedTuple

from harness.client import DEADLINE_S
from rookery.client.management import API
from rookery.config.local_socket import reachable, socket_path


class RestAnswer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def problem(self) -> tuple[int, str]:
        """Status and error code."""
        return self.status, self.json["code"]


class RestSocket:
    """One request per call."""

    def __init__(self, data_dir: Path) -> None:
        self._path = socket_path(data_dir)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> RestAnswer:
        """``body`` is sent as JSON, text and bytes as they are."""
        sent = dict(headers or {})
        content: bytes | None
        if isinstance(body, (bytes, str)):
            content = body.encode() if isinstance(body, str) else body
        else:
            content = None if body is None else json.dumps(body).encode()
            if body is not None:
                sent.setdefault("content-type", "application/json")
        with reachable(self._path) as address, contextlib.closing(_Connection(address)) as asked:
            asked.request(method, API + path, content, sent)
            answer = asked.getresponse()
            text = answer.read().decode()
        names = {name.lower(): value for name, value in answer.headers.items()}
        return RestAnswer(answer.status, names, text)


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: str) -> None:
        super().__init__("localhost", timeout=DEADLINE_S)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._address)
