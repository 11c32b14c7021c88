"""What a node remembers of its cluster: ``cluster/`` in the data directory.

``node.json`` says which node the directory is of; ``members.json`` who belongs to the cluster. Both
are written whole or not at all and read by their owner alone.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rookery.broker.cluster.members import Members
from rookery.broker.cluster.texts import refusal
from rookery.config.safe_file import write_private
from rookery.errors import StartError

FOLDER = "cluster"
NODE_FILE = "node.json"
MEMBERS_FILE = "members.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """This run of this node.

    Attributes:
        node_id: Of the data directory.
        incarnation: Milliseconds of the start; grows with every start whatever the clock says.
    """

    node_id: str
    incarnation: int


class ClusterStore:
    """The files. Blocking, small and seldom."""

    def __init__(self, data_dir: Path, node_name: str) -> None:
        self.folder = data_dir / FOLDER
        self._node_name = node_name

    @property
    def is_known(self) -> bool:
        """Whether the node was ready for a cluster before."""
        return (self.folder / NODE_FILE).exists()

    def open(self, now_ms: int) -> Identity:
        """Begin a run of this node.

        Raises:
            StartError: the directory belongs to another node, or cannot be read or written.
        """
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            known = self._read(NODE_FILE)
            if known is None:
                return self._begin(secrets.token_hex(16), now_ms)
            if known.get("name") != self._node_name:
                if len(self.members()) <= 1:
                    self.keep(Members())
                    return self._begin(secrets.token_hex(16), now_ms)
                found = known.get("name")
                raise refusal(
                    StartError, "foreign-dir", folder=self.folder, found=found, name=self._node_name
                )
            node_id, last = str(known["node_id"]), int(known["incarnation"])
            return self._begin(node_id, max(now_ms, last + 1))
        except (OSError, ValueError, KeyError) as error:
            raise refusal(StartError, "unreadable", folder=self.folder, error=error) from None

    def renew(self, identity: Identity) -> Identity:
        """Become another node: whoever left is never taken for the one that was a member."""
        return self._begin(secrets.token_hex(16), identity.incarnation)

    def members(self) -> Members:
        """The list as it was kept; empty when there never was one.

        Raises:
            StartError: the file cannot be read.
        """
        try:
            known = self._read(MEMBERS_FILE)
            return Members() if known is None else Members.from_plain(known.get("members"))
        except (OSError, ValueError) as error:
            raise refusal(StartError, "unreadable", folder=self.folder, error=error) from None

    def keep(self, members: Members) -> None:
        """Remember the list."""
        self._write(MEMBERS_FILE, {"version": VERSION, "members": members.to_plain()})

    def _begin(self, node_id: str, incarnation: int) -> Identity:
        plain = {"version": VERSION, "name": self._node_name, "node_id": node_id}
        self._write(NODE_FILE, plain | {"incarnation": incarnation})
        return Identity(node_id, incarnation)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            text = (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        plain = json.loads(text)
        if not isinstance(plain, dict):
            raise ValueError(f"{name} is no object")
        return plain

    def _write(self, name: str, plain: dict[str, Any]) -> None:
        write_private(self.folder / name, json.dumps(plain, indent=2) + "\n")
