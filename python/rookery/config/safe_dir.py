"""Which directories a node trusts with its data.

The rule of OpenSSH for the files it trusts: the owner is the user of the process or root, and nobody
else may write. Two differences: a directory that everybody may write is taken when it is sticky, for
what is ours in it stays ours; and a group may write, as it does in volumes that a container is given.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from rookery.errors import StartError


def refuse_unsafe(path: Path, *, may_be_link: bool = True) -> None:
    """Refuse a directory in which somebody else could put what the node then trusts.

    Raises:
        StartError: it is not safe; the message names the way out.
        OSError: it cannot be looked at.
    """
    here = path.lstat()
    if stat.S_ISLNK(here.st_mode) and not may_be_link:
        raise StartError(
            f"{path} is a symbolic link: remove it, the node makes a directory there itself"
        )
    user = os.geteuid()
    found = path.stat()
    for owner in (here.st_uid, found.st_uid):
        if owner not in (0, user):
            raise StartError(
                f"{path} belongs to user {owner}, the node runs as user {user}: "
                f"run it as that user, use another --data-dir, or chown -R {user} {path}"
            )
    if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise StartError(f"everybody may write in {path}: chmod o-w {path}")
