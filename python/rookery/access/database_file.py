"""What a database file is, found out before anything is imported that could open it."""

from __future__ import annotations

from pathlib import Path

from rookery.errors import StartError

_BEGIN = b"SQLite format 3\0"


def refuse_damaged(path: Path) -> None:
    """Look at how the file begins; one that is missing or empty is made later.

    Raises:
        StartError: it is something else.
    """
    try:
        with path.open("rb") as file:
            found = file.read(len(_BEGIN))
    except OSError:
        return  # whoever opens it says so
    if found and found != _BEGIN:
        raise damaged(path, "file is not a database")


def damaged(path: Path, reason: object) -> StartError:
    """What to say of a file that cannot be read as a database, with the way out."""
    return StartError(
        f"{path}: {reason}: put a copy of it back, or move it away to start without what it holds: "
        f"mv {path} {path}.damaged",
        message_zh=f"{path}：数据库文件已损坏（{reason}）：请恢复其副本，或将其移走后启动（其中的数据将不再生效）："
        f"mv {path} {path}.damaged",
    )
