"""Where the management socket of a process lies; it and its clients agree on it here."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

RUN_DIR = "run"
SOCKET_NAME = "node.sock"
CONTROL_SOCKET_NAME = "control.sock"
EDGE_SOCKET_NAME = "edge.sock"
_UNIX_PATH_BYTES_MAX = 107


def socket_path(data_dir: Path, name: str = SOCKET_NAME) -> Path:
    """Where a node with this data directory can be managed; or a control plane or edge service, by its name."""
    return data_dir / RUN_DIR / name


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name for ``path`` that fits into a socket address, good while the context is open."""
    if len(os.fsencode(path)) <= _UNIX_PATH_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
