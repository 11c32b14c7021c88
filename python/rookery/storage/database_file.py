"""What a database file is, found out before anything is imported that could open it.

**Invariant.** A file is made whole or not at all, so an empty one is never one that is still to be made: it is
one that has lost what it held.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from rookery.errors import StartError

_BEGIN = b"SQLite format 3\0"


def refuse_damaged(path: Path) -> None:
    """Look at how the file begins; one that is missing is made later.

    Raises:
        StartError: it is something else, or empty.
    """
    try:
        with path.open("rb") as file:
            found = file.read(len(_BEGIN))
    except OSError:
        return  # whoever opens it says so
    if not found:
        raise damaged(path, "file is empty")
    if found != _BEGIN:
        raise damaged(path, "file is not a database")


def _without_tables(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA user_version = 0")


def make_sure(path: Path, fill: Callable[[sqlite3.Connection], object] = _without_tables) -> None:
    """Make the file, for nobody else to read and with what ``fill`` puts into it, where there is none.

    Raises:
        StartError: there is one that is something else, or empty.
        OSError: it cannot be made.
        sqlite3.OperationalError: it cannot be written.
    """
    if path.exists():
        refuse_damaged(path)
        return
    new = path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
            fill(connection)
        for rest in ("-wal", "-shm"):
            # Of a file that was moved away: it would be taken for a part of this one.
            path.with_name(path.name + rest).unlink(missing_ok=True)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def damaged(path: Path, reason: object) -> StartError:
    """What to say of a file that cannot be read as a database, with the way out."""
    return StartError(
        f"{path}: {reason}: put a copy of it back, or move it away to start without what it holds: "
        f"mv {path} {path}.damaged",
        message_zh=f"{path}：数据库文件已损坏（{reason}）：请恢复其副本，或将其移走后启动（其中的数据将不再生效）："
        f"mv {path} {path}.damaged",
    )
