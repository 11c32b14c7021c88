"""The sockets of the management plane, opened before anything that takes long.

The socket in the data directory is the operating system's way to say who may manage a node: its
folder can be entered by the owner alone.
"""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import NamedTuple

from rookery.config.local_socket import reachable
from rookery.errors import PortInUseError, StartError

BACKLOG = 128


class Port(NamedTuple):
    """A socket that the node listens on, and what it is for."""

    listener: str
    address: str
    purpose: str


def address_of(sock: socket.socket) -> str:
    """``address:port`` that a TCP socket got."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def open_unix(path: Path) -> socket.socket:
    """Listen on a node's own socket. The caller holds the data directory's lock.

    Raises:
        StartError: the folder cannot be made.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        path.unlink(missing_ok=True)  # left by a node that was killed: the lock is ours
        with reachable(path) as address:
            sock.bind(address)
        path.chmod(0o600)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise StartError(f"the management socket {path}: {error.strerror or error}") from None
    return sock


def open_http(host: str, port: int, listener: str = "http:dashboard") -> socket.socket:
    """Listen on ``dashboard.listeners.http.bind`` or that of ``https``.

    Raises:
        PortInUseError: the port is taken.
        StartError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What is accepted inherits it. Head and body of an answer are written apart: the second would
        # wait until the peer acknowledges the first, which it puts off by 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        message = f"listener {listener} cannot bind {address}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(message, listener=listener, address=address) from None
        raise StartError(message) from None
    return sock
