"""The socket in a node's data directory: HTTP over a Unix socket, for whoever may read it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from pathlib import Path
from typing import Any

from rookery.client.local_socket import reachable, socket_path
from rookery.errors import InternalError, TimedOutError, UnavailableError

ANSWER_BYTES_MAX = 64 << 20


class ManagementClient:
    """One request per call; nothing stays open."""

    def __init__(self, data_dir: Path, *, timeout_s: float = 5.0) -> None:
        self._path = socket_path(data_dir)
        self._timeout_s = timeout_s

    def get(self, path: str) -> Any:
        """Ask, and give back the JSON of the answer.

        Raises:
            UnavailableError: nobody listens there.
            TimedOutError: somebody does, and does not answer.
        """
        return self._request("GET", path)

    def post(self, path: str) -> Any:
        """Tell the node to do something.

        Raises:
            UnavailableError: nobody listens there.
            TimedOutError: somebody does, and does not answer.
        """
        return self._request("POST", path)

    def _request(self, method: str, path: str) -> Any:
        try:
            with reachable(self._path) as address:
                connection = _UnixConnection(address, self._timeout_s)
                with contextlib.closing(connection):
                    connection.request(method, path)
                    answer = connection.getresponse()
                    body = answer.read(ANSWER_BYTES_MAX)
        except TimeoutError:
            raise TimedOutError(f"the node does not answer on {self._path}") from None
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"no node answers on {self._path}: {error}") from None
        if answer.status >= 400:
            raise InternalError(
                f"{method} {path}: {answer.status} {body[:200].decode(errors='replace')}"
            )
        return json.loads(body) if body else None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, address: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._address)
