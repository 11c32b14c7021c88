"""Providers and sources in the configuration: entries of a list whose order matters.

An entry is found by what makes it unique: ``password_based:http`` of providers, ``file`` of
sources. Every change writes the whole list into the changes made at run time; when the list stands
in the configuration file, that refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rookery.broker.audit import unread
from rookery.broker.settings import NodeSettings
from rookery.config.runtime import KeyPath
from rookery.errors import BadRequestError, ConflictError, NotFoundError

Entry = dict[str, Any]
_PLAIN = ("mechanism", "backend", "type", "enable")
Status = Callable[[str, str], dict[str, Any]]
"""By the id of an entry and the language of reasons."""


class ChainService:
    """What can be done about the entries of one list."""

    def __init__(
        self,
        settings: NodeSettings,
        path: KeyPath,
        keys: tuple[str, ...],
        status: Status,
    ) -> None:
        """``keys`` make up an entry's id; ``status`` tells counters and health by id."""
        self._settings = settings
        self._path = path
        self._keys = keys
        self._status = status

    def all(self) -> list[Entry]:
        """Every entry in order, secrets hidden."""
        shown: Any = self._settings.config.effective()
        for key in self._path:
            shown = shown[key]
        return [{**entry, "id": self._id(entry)} for entry in shown]

    def entries(self) -> list[Entry]:
        """Every entry as the node reads it, secrets included."""
        found: list[Entry] = self._settings.config[".".join(self._path)]
        return found

    def get(self, entry_id: str) -> Entry:
        """One entry.

        Raises:
            NotFoundError: there is none of that id.
        """
        for entry in self.all():
            if entry["id"] == entry_id:
                return entry
        raise NotFoundError(f"{self._name} has no {entry_id}")

    def status(self, entry_id: str, language: str = "en") -> dict[str, Any]:
        """What it said since the start, and whether it can be asked.

        Raises:
            NotFoundError: there is none of that id.
        """
        self.get(entry_id)
        return self._status(entry_id, language)

    async def create(self, entry: Entry) -> Entry:
        """Add an entry at the end.

        Raises:
            ConflictError: there is one of that id.
        """
        entry = {key: value for key, value in entry.items() if key != "id"}
        entry_id = self._id(entry)
        with unread(entry, _PLAIN):
            if any(known["id"] == entry_id for known in self.all()):
                raise ConflictError(f"{self._name} has {entry_id} already")
            entries = [*self._stored(), entry]
            await self._write("create", entry_id, entries, written=len(entries))
        return self.get(entry_id)

    async def update(self, entry_id: str, entry: Entry) -> Entry:
        """Replace an entry; hidden secrets stay what they were.

        Raises:
            NotFoundError: there is none of that id.
            BadRequestError: the entry has another id.
        """
        entry = {key: value for key, value in entry.items() if key != "id"}
        with unread(entry, _PLAIN):
            if self._id(entry) != entry_id:
                raise BadRequestError(f"{', '.join(self._keys)} cannot be changed")
            entries = self._stored()
            index = self._index(entries, entry_id)
            entries[index] = entry
            await self._write("update", entry_id, entries, written=index + 1)
        return self.get(entry_id)

    async def delete(self, entry_id: str) -> None:
        """Remove an entry.

        Raises:
            NotFoundError: there is none of that id.
        """
        entries = self._stored()
        del entries[self._index(entries, entry_id)]
        await self._write("delete", entry_id, entries)

    async def move(self, entry_id: str, position: str) -> None:
        """Move an entry: ``front``, ``rear``, ``before:ID``, ``after:ID``, or a number from 1.

        Raises:
            NotFoundError: there is none of that id.
            BadRequestError: that is no position.
        """
        entries = self._stored()
        entry = entries.pop(self._index(entries, entry_id))
        entries.insert(self._position(entries, position), entry)
        await self._write("move", entry_id, entries)

    async def reorder(self, entry_ids: Sequence[str]) -> None:
        """Put these in front, in this order; those that are not named follow as they were.

        Raises:
            BadRequestError: there is none of such an id, or one is named twice.
        """
        entries = self._stored()
        known = {self._id(entry): entry for entry in entries}
        if unknown := [entry_id for entry_id in entry_ids if entry_id not in known]:
            raise BadRequestError(f"{self._name} has no {unknown[0]}")
        if len(set(entry_ids)) != len(entry_ids):
            raise BadRequestError("an id is there twice")
        first = [known[entry_id] for entry_id in entry_ids]
        rest = [entry for entry in entries if self._id(entry) not in entry_ids]
        await self._write("move", "", [*first, *rest])

    # -- inside ----------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return ".".join(self._path)

    def _id(self, entry: Entry) -> str:
        return ":".join(str(entry[key]) for key in self._keys if key in entry)

    def _stored(self) -> list[Entry]:
        """The list with its secrets; one that a stronger source has stays out of reach."""
        stored = self._settings.stored(self._path)
        if stored is None:
            return [
                {key: value for key, value in entry.items() if key != "id"} for entry in self.all()
            ]
        return list(stored)

    def _index(self, entries: list[Entry], entry_id: str) -> int:
        for index, entry in enumerate(entries):
            if self._id(entry) == entry_id:
                return index
        raise NotFoundError(f"{self._name} has no {entry_id}")

    def _position(self, entries: list[Entry], position: str) -> int:
        if position in ("front", "top"):
            return 0
        if position in ("rear", "bottom"):
            return len(entries)
        if position.isascii() and position.isdigit() and int(position[:6]) >= 1:
            return min(int(position[:6]) - 1, len(entries))
        side, _, entry_id = position.partition(":")
        if side in ("before", "after") and entry_id:
            return self._index(entries, entry_id) + (side == "after")
        raise BadRequestError(f"{position!r}: front, rear, before:ID, after:ID or a number")

    async def _write(
        self, operation: str, entry_id: str, entries: list[Entry], *, written: int | None = None
    ) -> None:
        """``written`` is the number of the entry that the caller wrote, if it wrote one."""
        target = "/".join((*self._path, entry_id)).rstrip("/")
        place = None if written is None else (*self._path, str(written))
        await self._settings.change(operation, target, {self._path: entries}, written_at=place)
