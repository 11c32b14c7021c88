"""What this node is to the replicated state: remembered, for a restart may come in between.

``state.json`` in the folder of the cluster. Without it a node that has other members was one before
there was a replicated state.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from rookery.config.safe_file import write_private

Role: TypeAlias = Literal["founder", "joiner", "member"]
"""Puts what it has into the stream; has what is there instead; has had both alike once."""

ROLES: tuple[Role, ...] = get_args(Role)
FILE = "state.json"
VERSION = 1


class RoleFile:
    """The file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.role: Role = self._read()

    def keep(self, role: Role) -> None:
        """Be that from now on."""
        if role == self.role and self._path.exists():
            return
        text = json.dumps({"version": VERSION, "role": role}) + "\n"
        write_private(self._path, text)
        self.role = role

    def _read(self) -> Role:
        try:
            plain = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return "member"
        found = plain.get("role") if isinstance(plain, dict) else None
        return next((role for role in ROLES if role == found), "member")
