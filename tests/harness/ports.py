"""Ports for servers that have to be told theirs before they start."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody uses, and that the system gives nobody else while this process lives.

    A socket stays bound to it and never listens: Linux then lets a server have the port that asks
    for it by number with ``SO_REUSEADDR``, as servers do, and passes over it where any port will
    do. Tests that run at the same time in another process ask for any port all the time.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        port: int = holder.getsockname()[1]
        holder.detach()
        return port
