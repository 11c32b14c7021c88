"""The plugins of a node as a copy of what all nodes of a cluster have.

What is wanted is kept in ``plugins/replica.json``, with revisions; making it so takes its time (an
archive is fetched, an environment built) and is the business of :mod:`~rookery.broker.plugins.shared`. Of a
plugin all nodes know the digest of its archive; the archive itself goes from node to node.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from rookery.config.safe_file import write_private
from rookery.storage.replica import Mark, Propose, Ready, Revised, Row

PLUGIN, ORDER, SETTINGS, RUN = "plugin", "order", "settings", "run"
TABLES = (PLUGIN, ORDER, SETTINGS, RUN)
FILE = "replica.json"
VERSION = 1

Key: TypeAlias = tuple[str, str]
"""Table, and the id or the name of a plugin."""
Values: TypeAlias = Mapping[str, Any]
ONE_ORDER: Key = (ORDER, "all")


class PluginReplica:
    """What is wanted, and how far that follows the others."""

    name = "plugins"

    def __init__(
        self,
        folder: Path,
        *,
        own: Callable[[], Awaitable[Mapping[Key, Values]]],
        is_joining: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        """``own`` gives what this node has, ``changed`` is told that something else is wanted."""
        self._file = folder / FILE
        self._own = own
        self._is_joining = is_joining
        self._changed = changed
        self._mark: Mark | None = None
        self._writing = asyncio.Lock()
        self._ready: Ready
        self._propose: Propose
        self._revisions: dict[Key, int] = {}
        self.wanted: dict[Key, Values] = {}
        self.gone: set[str] = set()
        self.is_open = False

    async def open(self, ready: Ready, propose: Propose) -> None:
        self._ready, self._propose = ready, propose
        await asyncio.to_thread(self._read)
        self.is_open = True
        self._changed()

    async def close(self) -> None:
        self.is_open = False

    # -- changes of this node --------------------------------------------------------------

    async def ready(self) -> None:
        """Before a change is looked at.

        Raises:
            NotReplicatedError: the others cannot be told.
        """
        await self._ready()

    async def tell(self, changes: Mapping[Key, Values | None]) -> None:
        """Have all nodes want that; none: no more.

        Raises:
            ChangedElsewhereError: another node changed the same.
            NotReplicatedError: the others could not be told.
        """
        changes = {key: value for key, value in changes.items() if self.wanted.get(key) != value}
        if not changes:
            return
        revised = [
            Revised(Row(key[0], key[1:], value), self._revisions.get(key, 0))
            for key, value in changes.items()
        ]
        found = await asyncio.to_thread(self._propose, revised)
        self._revisions |= dict(zip(changes, found, strict=True))
        for key, value in changes.items():
            self._want(key, value)
        await self._remember()

    # -- changes of others -----------------------------------------------------------------

    async def mark(self) -> Mark | None:
        return self._mark

    async def rows(self) -> list[Row]:
        return [Row(key[0], key[1:], values) for key, values in (await self._own()).items()]

    async def adopt(self, revised: Sequence[Revised], mark: Mark) -> None:
        self._take(revised)
        await self._keep(mark)

    async def replace(self, revised: Sequence[Revised], mark: Mark) -> dict[str, int]:
        wanted = {_key(item.row) for item in revised if _is_known(item.row)}
        before = {key for key in self.wanted if key[0] == PLUGIN}
        if self._is_joining():
            before |= {key for key in await self._own() if key[0] == PLUGIN}
        self.gone |= {plugin_id for _, plugin_id in before - wanted}
        self.wanted, self._revisions = {}, {}
        self._take(revised)
        await self._keep(mark)
        self._changed()
        return {"plugins": len(self.gone)} if self.gone else {}

    async def apply(self, revised: Sequence[Revised], mark: Mark) -> None:
        fresh = [item for item in revised if item.revision > self._revisions.get(_key(item.row), 0)]
        self._take(fresh)
        await self._keep(mark)
        if fresh:
            self._changed()

    def _take(self, revised: Sequence[Revised]) -> None:
        for item in revised:
            if _is_known(item.row):
                self._revisions[_key(item.row)] = item.revision
                self._want(_key(item.row), item.row.values)

    def _want(self, key: Key, values: Values | None) -> None:
        if values is not None:
            self.wanted[key] = values
            self.gone.discard(key[1])
        elif self.wanted.pop(key, None) is not None and key[0] == PLUGIN:
            self.gone.add(key[1])

    # -- the file --------------------------------------------------------------------------

    async def _remember(self) -> None:
        # A change of this node and one of another may come at the same time.
        async with self._writing:
            plain = {
                "version": VERSION,
                "mark": self._mark,
                "rows": [[*key, self.wanted.get(key), rev] for key, rev in self._revisions.items()],
                "gone": sorted(self.gone),
            }
            await asyncio.to_thread(self._write, plain)

    async def _keep(self, mark: Mark) -> None:
        self._mark = mark
        await self._remember()

    async def is_gone(self, plugin_id: str) -> None:
        """It was removed here."""
        self.gone.discard(plugin_id)
        await self._remember()

    def _write(self, plain: Mapping[str, Any]) -> None:
        """Also where no node ever had a plugin: without a mark everything would be taken anew."""
        self._file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        write_private(self._file, json.dumps(plain) + "\n")

    def _read(self) -> None:
        self._mark, self._revisions, self.wanted, self.gone = None, {}, {}, set()
        try:
            plain = json.loads(self._file.read_text(encoding="utf-8"))
            rows = [((table, key), values, int(rev)) for table, key, values, rev in plain["rows"]]
            gone = {str(plugin_id) for plugin_id in plain["gone"]}
            mark = plain["mark"]
            self._mark = None if mark is None else Mark(*mark)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            # Then everything is taken anew.
            return
        self._revisions = {key: revision for key, _, revision in rows}
        self.wanted = {key: values for key, values, _ in rows if values is not None}
        self.gone = gone


def _key(row: Row) -> Key:
    return row.table, row.key[0]


def _is_known(row: Row) -> bool:
    return row.table in TABLES and len(row.key) == 1
