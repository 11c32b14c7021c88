"""The settings of a node as a copy of what all nodes of a cluster have.

Revisions are kept in ``configs/replica.json``. What this node cannot use (a file that it lacks, a port
that is taken here) is left as it was, with an alarm: it goes when the setting can be used or is changed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.broker.alarms import AlarmRegistry, message
from rookery.broker.settings.rows import TABLE, differences, is_shared, rows_of
from rookery.config.runtime import REMOVED, KeyPath
from rookery.config.safe_file import write_private
from rookery.errors import RookeryError
from rookery.storage.replica import Mark, Propose, Ready, Revised, Row
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.broker.settings.service import NodeSettings

FILE = "configs/replica.json"
VERSION = 1
ALARM = "settings_refused"


class SettingsReplica:
    """What was changed while the node ran."""

    name = "configs"

    def __init__(self, settings: NodeSettings, data_dir: Path, alarms: AlarmRegistry) -> None:
        self._settings = settings
        self._alarms = alarms
        self._file = data_dir / FILE
        self._mark: Mark | None = None
        self._writing = asyncio.Lock()
        self._revisions: dict[KeyPath, int] = {}
        self._refused: set[KeyPath] = set()
        self._ready: Ready
        self._propose: Propose

    async def open(self, ready: Ready, propose: Propose) -> None:
        await self._settings.opened()
        self._ready, self._propose = ready, propose
        await asyncio.to_thread(self._read)
        self._settings.share(self)

    async def close(self) -> None:
        self._settings.share(None)

    # -- changes of this node --------------------------------------------------------------

    async def ready(self) -> None:
        """Before a change is looked at.

        Raises:
            NotReplicatedError: the others cannot be told.
        """
        await self._ready()

    async def tell(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Before a change is kept.

        Raises:
            ChangedElsewhereError: another node changed the same.
            NotReplicatedError: the others could not be told.
        """
        changed = differences(before, after)
        if not changed:
            return
        revised = [
            Revised(_row(path, value), self._revisions.get(path, 0))
            for path, value in changed.items()
        ]
        found = await asyncio.to_thread(self._propose, revised)
        self._revisions |= dict(zip(changed, found, strict=True))
        self._allow(changed)
        await self._remember()

    # -- changes of others -----------------------------------------------------------------

    async def mark(self) -> Mark | None:
        return self._mark

    async def rows(self) -> list[Row]:
        return [_row(path, value) for path, value in rows_of(self._settings.tree).items()]

    async def adopt(self, revised: Sequence[Revised], mark: Mark) -> None:
        self._revisions = {item.row.key: item.revision for item in revised}
        await self._keep(mark)

    async def replace(self, revised: Sequence[Revised], mark: Mark) -> dict[str, int]:
        wanted = {item.row.key: item for item in revised if _is_shared(item.row)}
        own = rows_of(self._settings.tree)
        changes = {path: _value(item.row) for path, item in wanted.items()}
        changes |= dict.fromkeys(own.keys() - wanted.keys(), REMOVED)
        lost = sum(changes.get(path, REMOVED) != value for path, value in own.items())
        await self._take(changes)
        self._revisions = {path: item.revision for path, item in wanted.items()}
        await self._keep(mark)
        return {TABLE: lost} if lost else {}

    async def apply(self, revised: Sequence[Revised], mark: Mark) -> None:
        fresh = {
            item.row.key: item
            for item in revised
            if _is_shared(item.row) and item.revision > self._revisions.get(item.row.key, 0)
        }
        await self._take({path: _value(item.row) for path, item in fresh.items()})
        self._revisions |= {path: item.revision for path, item in fresh.items()}
        await self._keep(mark)

    async def _take(self, changes: Mapping[KeyPath, Any]) -> None:
        if len(changes) > 1:
            try:
                await self._settings.take(changes)
            except RookeryError:
                pass  # One by one: it is said which of them it is.
            else:
                self._allow(changes)
                return
        for path, value in changes.items():
            await self._take_one(path, value)

    async def _take_one(self, path: KeyPath, value: Any) -> None:
        try:
            await self._settings.take({path: value})
        except RookeryError as error:
            self._refused.add(path)
            name = ".".join(path)
            why = Words(error.message, error.text("zh"))
            self._alarms.activate(f"{ALARM}/{name}", message(ALARM, setting=name, error=why))
        else:
            self._allow([path])

    def _allow(self, paths: Iterable[KeyPath]) -> None:
        for path in self._refused.intersection(paths):
            self._refused.discard(path)
            self._alarms.deactivate(f"{ALARM}/{'.'.join(path)}")

    # -- the file --------------------------------------------------------------------------

    async def _remember(self) -> None:
        # A change of this node and one of another may come at the same time.
        async with self._writing:
            revisions = [[list(path), revision] for path, revision in self._revisions.items()]
            plain = {"version": VERSION, "mark": self._mark, "revisions": revisions}
            await asyncio.to_thread(self._write, plain)

    async def _keep(self, mark: Mark) -> None:
        self._mark = mark
        await self._remember()

    def _write(self, plain: Mapping[str, Any]) -> None:
        self._file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        write_private(self._file, json.dumps(plain) + "\n")

    def _read(self) -> None:
        try:
            plain = json.loads(self._file.read_text(encoding="utf-8"))
            mark = plain["mark"]
            self._mark = None if mark is None else Mark(*mark)
            self._revisions = {tuple(path): revision for path, revision in plain["revisions"]}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            # Then everything is taken anew.
            self._mark, self._revisions = None, {}


def _row(path: KeyPath, value: Any) -> Row:
    return Row(TABLE, path, None if value == REMOVED else {"value": value})


def _value(row: Row) -> Any:
    return REMOVED if row.values is None else row.values.get("value")


def _is_shared(row: Row) -> bool:
    return row.table == TABLE and bool(row.key) and is_shared(row.key)
