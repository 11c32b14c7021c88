"""The file of users: written whole or not at all, readable by its owner alone."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rookery.edge.users import texts
from rookery.edge.users.models import User
from rookery.errors import StartError

FILE = "users.json"
VERSION = 1
KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the file holds: users, and what tokens are signed with."""

    key: bytes
    users: tuple[User, ...] = ()


class UserFile:
    """Reads and writes."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE

    def read(self) -> Kept:
        """What is there; a key and nobody where there is no file.

        Raises:
            StartError: it cannot be read.
        """
        try:
            found = json.loads(self._path.read_text("utf-8"))
            if found["version"] != VERSION:
                raise ValueError(f"version {found['version']}")
            users = tuple(
                User(**{**row, "signed_out": tuple((jti, end) for jti, end in row["signed_out"])})
                for row in found["users"]
            )
            return Kept(key=bytes.fromhex(found["key"]), users=users)
        except FileNotFoundError:
            return Kept(key=secrets.token_bytes(KEY_BYTES))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StartError(
                texts.NOT_READ.en.format(file=self._path, reason=error),
                message_zh=texts.NOT_READ.zh.format(file=self._path, reason=error),
            ) from None

    def write(self, key: bytes, users: Sequence[User]) -> None:
        """Replace it.

        Raises:
            OSError: it cannot be written; what was there still is.
        """
        written = {
            "version": VERSION,
            "key": key.hex(),
            "users": [asdict(user) for user in users],
        }
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(written, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
