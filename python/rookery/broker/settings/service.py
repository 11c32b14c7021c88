"""The settings of a running node: one change at a time, all of it or nothing.

A new configuration is checked whole, then handed to every part of the node in order. A part that
refuses makes those before it go back to what held; the caller gets the reason and nothing changed.
Only what took effect is written down.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from rookery.broker.audit import AuditLog
from rookery.broker.settings.difference import changed_paths, is_hot
from rookery.clock import Clock
from rookery.config import Config
from rookery.config.runtime import KeyPath, RuntimeChanges
from rookery.config.tree import below
from rookery.errors import RookeryError

_log = logging.getLogger("rookery.settings")


class Part(Protocol):
    """A part of the node that a configuration is about."""

    async def apply(self, old: Config, new: Config) -> None:
        """Make ``new`` hold instead of ``old``, or change nothing.

        Raises:
            RookeryError: it cannot.
        """
        ...


class Shared(Protocol):
    """Others that have the same settings."""

    async def ready(self) -> None:
        """Wait, not for long, until they can be told.

        Raises:
            RookeryError: they cannot.
        """
        ...

    async def tell(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Tell them what was changed.

        Raises:
            RookeryError: they do not take it.
        """
        ...


class Applied(NamedTuple):
    """What a change did: keys that hold now, and keys that wait for a restart."""

    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]


class NodeSettings:
    """Owns the configuration that holds."""

    def __init__(self, config: Config, audit: AuditLog, clock: Clock) -> None:
        self._config = config
        self._audit = audit
        self._clock = clock
        self._parts: tuple[Part, ...] = ()
        self._stored = RuntimeChanges(config.data_dir)
        # Of two interleaved changes the older configuration could be applied last.
        self._changing = asyncio.Lock()
        self._is_open = asyncio.Event()
        self._shared: Shared | None = None

    def open(self, parts: Sequence[Part]) -> None:
        """Name the parts, in the order in which they take a change."""
        self._parts = tuple(parts)
        self._is_open.set()

    async def opened(self) -> None:
        """Until the parts are named."""
        await self._is_open.wait()

    def share(self, shared: Shared | None) -> None:
        """Tell that one of every change before it is kept; none: nobody."""
        self._shared = shared

    @property
    def tree(self) -> dict[str, Any]:
        """All that was changed while a node ran, secrets included."""
        return self._stored.tree

    @property
    def config(self) -> Config:
        """What holds."""
        return self._config

    def stored(self, path: KeyPath) -> Any:
        """What was changed at ``path`` while a node ran, secrets included."""
        return self._stored.at(path)

    async def reload(self) -> Applied:
        """Read every source again and apply what can change while the node runs.

        Raises:
            InvalidConfigError: what is written there cannot be used.
            RookeryError: a part refuses; what held goes on.
        """
        async with self._changing:
            stored = RuntimeChanges(self._config.data_dir)
            old = self._config
            try:
                new = await asyncio.to_thread(self._config.sources.load)
                applied = await self._apply(new)
            except RookeryError as error:
                self._audit.record("reload", "configuration", error=str(error))
                raise
            self._stored = stored
        paths = [tuple(path.split(".")) for path in (*applied.changed, *applied.needs_restart)]
        self._audit.record(
            "reload", "configuration", before=_shown(old, paths), after=_shown(new, paths)
        )
        return applied

    async def change(
        self,
        operation: str,
        target: str,
        changes: Mapping[KeyPath, Any],
        *,
        written_at: KeyPath | None = None,
    ) -> Applied:
        """Put values at paths, apply them, and keep them for the next start.

        Args:
            operation: What is done, for the audit log: ``create``, ``update``, ``delete`` …
            target: To what, such as ``listeners/tcp:default``.
            changes: By path; :data:`rookery.config.runtime.REMOVED` takes a value away.
            written_at: Where what the caller wrote begins: errors name keys as they stand in it.
                Without it that is where all changes are.

        Raises:
            InvalidConfigError: that would be no good configuration.
            ConflictError: a stronger source sets it.
            RookeryError: a part refuses; what held goes on.
        """
        if self._shared is not None:
            await self._shared.ready()
        async with self._changing:
            before = self._shown(changes)
            try:
                new, tree = await asyncio.to_thread(self._stored.changed, self._config, changes)
                applied = await self._hold(new, tree, self._shared)
            except RookeryError as error:
                still = self._shown(changes)
                self._audit.record(operation, target, before=before, after=still, error=str(error))
                seen_from = getattr(error, "seen_from", None)
                if seen_from is None:
                    raise
                base = _common(changes) if written_at is None else written_at
                raise seen_from(base, _written(changes, base)) from error
            after = self._shown(changes)
        self._audit.record(operation, target, before=before, after=after)
        return applied

    async def take(self, changes: Mapping[KeyPath, Any]) -> None:
        """Have what another node of the cluster changed.

        Raises:
            InvalidConfigError: that would be no good configuration of this node.
            RookeryError: a part refuses; what held goes on.
        """
        async with self._changing:
            new, tree = await asyncio.to_thread(self._stored.taken, self._config, changes)
            before = self._shown(changes)
            await self._hold(new, tree, None)
            after = self._shown(changes)
        self._audit.record("take", "configuration", before=before, after=after)

    async def _hold(self, new: Config, tree: dict[str, Any], shared: Shared | None) -> Applied:
        """Make it hold and keep it; where that fails what held goes on."""
        old = self._config
        applied = await self._apply(new)
        try:
            if shared is not None:
                await shared.tell(self._stored.tree, tree)
            await asyncio.to_thread(self._stored.save, tree, self._clock.now_ms())
        except (OSError, RookeryError) as error:
            await self._apply(old)
            if isinstance(error, RookeryError):
                raise
            raise RookeryError(f"{self._stored.file}: {error.strerror or error}") from error
        return applied

    async def _apply(self, new: Config) -> Applied:
        old = self._config
        paths = changed_paths(old, new)
        done: list[Part] = []
        for part in self._parts:
            try:
                await part.apply(old, new)
            except BaseException:
                await self._take_back(done, old, new)
                raise
            done.append(part)
        self._config = new
        return Applied(
            tuple(path for path in paths if is_hot(path)),
            tuple(path for path in paths if not is_hot(path)),
        )

    async def _take_back(self, done: list[Part], old: Config, new: Config) -> None:
        for part in reversed(done):
            try:
                await part.apply(new, old)
            except RookeryError:
                _log.exception("%s could not go back to what held", type(part).__name__)

    def _shown(self, paths: Iterable[KeyPath]) -> dict[str, Any]:
        return _shown(self._config, paths)


def _shown(config: Config, paths: Iterable[KeyPath]) -> dict[str, Any]:
    """What holds at each path, for the audit log; none where nothing is."""
    tree = config.effective()
    return {".".join(path): _at(tree, path) for path in paths}


def _at(tree: Any, path: KeyPath) -> Any:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return None
        tree = tree[key]
    return tree


def _written(changes: Mapping[KeyPath, Any], base: KeyPath) -> Any:
    """What whoever changes something wrote at ``base``."""
    found: dict[str, Any] = {}
    for path, value in changes.items():
        if path == base[: len(path)]:
            return below(value, base[len(path) :])
        *above, key = path[len(base) :]
        inner = found
        for step in above:
            inner = inner.setdefault(step, {})
        inner[key] = value
    return found


def _common(paths: Iterable[KeyPath]) -> KeyPath:
    """Where all of them begin."""
    first, *others = paths
    for other in others:
        same = zip(first, other, strict=False)
        first = tuple(key for key, _ in itertools.takewhile(lambda keys: keys[0] == keys[1], same))
    return first
