"""The socket in a node's data directory: HTTP over a Unix socket, for whoever may read it."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

from rookery.client.http_client import API, Content, NodeClient, UnreachableError, path_of
from rookery.config.local_socket import SOCKET_NAME, reachable, socket_path

__all__ = ["API", "Content", "ManagementClient", "UnreachableError", "path_of"]


class ManagementClient(NodeClient):
    """A node of this machine; no credentials are needed."""

    def __init__(
        self,
        data_dir: Path,
        *,
        timeout_s: float = 5.0,
        language: str = "",
        prefix: str = "",
        socket_name: str = SOCKET_NAME,
    ) -> None:
        """``prefix`` stands before every path, such as :data:`API`."""
        self._path = socket_path(data_dir, socket_name)
        self._timeout_s = timeout_s
        headers = {"accept-language": language} if language else {}
        super().__init__(str(self._path), prefix=prefix, headers=headers)

    @contextlib.contextmanager
    def opened(self) -> Iterator[http.client.HTTPConnection]:
        with reachable(self._path) as address:
            yield _UnixConnection(address, self._timeout_s)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, address: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._address)
