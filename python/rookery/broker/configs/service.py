"""Shows and changes any part of the configuration by its path.

Every change goes into the file of changes made at run time; what the configuration file, the
environment or ``--set`` says otherwise refuses it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from rookery.broker.settings import Applied, NodeSettings
from rookery.broker.settings.difference import is_hot
from rookery.config.on_machine import READ_ONLY
from rookery.config.problems import InvalidConfigError
from rookery.config.runtime import REMOVED, KeyPath, merged
from rookery.config.schema import ROOT
from rookery.config.schema.along import fields_along, type_at
from rookery.config.schema.model import REQUIRED, UNSET
from rookery.config.sources import parse_text
from rookery.config.tree import DEFAULT, Origin, join_path, split_path, wrap
from rookery.errors import BadRequestError, NotFoundError, StartError

_CHANGEABLE = frozenset({DEFAULT.kind, "runtime"})
# A file beside a text that came over the network is nobody's.
_INCLUDE = re.compile(r'(?<![\w.-])include\s*(?:"|(?:required|file|url|classpath)\s*\()')

Tree = dict[str, Any]


class Configs:
    """What can be done about the configuration as a whole."""

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings

    def shown(self, key: str = "") -> Tree:
        """What holds at ``key``, at its place; everything without one. Secrets are hidden.

        Raises:
            NotFoundError: nothing is there.
        """
        whole = self._settings.config.effective()
        if not key:
            return whole
        keys = _keys(key)
        value: Any = whole
        for name in keys:
            if not isinstance(value, dict) or name not in value:
                raise NotFoundError(f"there is no {key}")
            value = value[name]
        for name in reversed(keys):
            value = {name: value}
        found: Tree = value
        return found

    def text(self, key: str = "") -> str:
        """The same in HOCON."""
        # Its package is for imports of EMQX's files otherwise.
        from rookery.config.importing.writing import to_hocon  # noqa: PLC0415

        return to_hocon(wrap(self.shown(key), DEFAULT), {})

    def root(self, name: str) -> Tree:
        """The keys of one root."""
        found: Tree = self.shown(name)[name]
        return found

    def origins(self, key: str = "") -> list[Tree]:
        """Every value with its origin, and what can be done about it."""
        return [
            _origin_row(path, value, origin)
            for path, value, origin in self._settings.config.settings()
            if not key or path == key or path.startswith(f"{key}.")
        ]

    async def reload(self) -> Applied:
        """Read every source again.

        Raises:
            InvalidConfigError: what is written there cannot be used.
            BadRequestError: a listener cannot stand so; what held goes on.
        """
        try:
            return await self._settings.reload()
        except StartError as error:
            raise _refused(error, "BAD_CONFIG") from error

    async def put_root(self, name: str, keys: Any) -> None:
        """Replace the keys of one root; those that are not named get their default.

        Raises:
            InvalidConfigError: that would be no good configuration.
            ConflictError: a stronger source sets it.
        """
        changes: dict[KeyPath, Any] = {(name,): keys}
        await self._change("update", "configuration", changes)

    async def put(self, roots: Mapping[str, Any]) -> None:
        """Replace whole roots; keys that are not named get their default.

        Raises:
            InvalidConfigError: that would be no good configuration.
            ConflictError: a stronger source sets it.
        """
        changes: dict[KeyPath, Any] = {(name,): value for name, value in roots.items()}
        if not changes:
            raise BadRequestError("nothing to change", code="UPDATE_FAILED")
        await self._change("update", "configuration", changes, written_at=())

    async def put_text(self, text: str, *, is_merge: bool, ignore_read_only: bool) -> None:
        """Take over a configuration in HOCON: into what holds, or whole roots instead of theirs.

        Raises:
            BadRequestError: it is no HOCON, or has a root that cannot be changed.
            InvalidConfigError: that would be no good configuration.
            ConflictError: a stronger source sets it.
        """
        given = await asyncio.to_thread(_parsed, text)
        read_only = [name for name in given if name in READ_ONLY]
        if read_only and not ignore_read_only:
            names = ", ".join(read_only)
            raise BadRequestError(f"cannot be changed at run time: {names}", code="UPDATE_FAILED")
        roots = {name: value for name, value in given.items() if name not in READ_ONLY}
        if is_merge:
            roots = {
                name: merged(self._settings.stored((name,)), value) for name, value in roots.items()
            }
        await self.put(roots)

    async def reset(self, root: str, path: str) -> None:
        """Take back what was changed at run time.

        Raises:
            BadRequestError: there is no such key.
            ConflictError: a stronger source sets it.
        """
        keys = (root, *(_keys(path) if path else ()))
        if type_at(keys) is None:
            raise BadRequestError(f"there is no {join_path(keys)}", code="NO_DEFAULT_VALUE")
        await self._change("reset", join_path(keys), {keys: REMOVED})

    async def _change(
        self,
        operation: str,
        target: str,
        changes: Mapping[KeyPath, Any],
        *,
        written_at: KeyPath | None = None,
    ) -> None:
        """That a listener cannot stand so is the fault of what was asked."""
        try:
            await self._settings.change(operation, target, changes, written_at=written_at)
        except StartError as error:
            code = "UPDATE_FAILED" if operation == "update" else "BAD_REQUEST"
            raise _refused(error, code) from error


def _refused(error: StartError, code: str) -> BadRequestError:
    return BadRequestError(error.message, code=code, message_zh=error.message_zh)


def _keys(path: str) -> tuple[str, ...]:
    try:
        return tuple(split_path(path))
    except ValueError as error:
        raise NotFoundError(f"{path}: {error}") from None


def _parsed(text: str) -> Tree:
    if _INCLUDE.search(text):
        raise BadRequestError("include is not possible here", code="UPDATE_FAILED")
    try:
        parsed = parse_text(text, "request", "runtime", {}).plain()
    except InvalidConfigError as error:
        raise BadRequestError(
            str(error), code="UPDATE_FAILED", message_zh=error.text("zh")
        ) from None
    if not isinstance(parsed, dict) or not parsed:
        raise BadRequestError("a configuration is expected", code="UPDATE_FAILED")
    if unknown := [name for name in parsed if ROOT.get(name) is None]:
        raise BadRequestError(f"{unknown[0]}: unknown", code="UPDATE_FAILED")
    return parsed


def _origin_row(path: str, value: Any, origin: Origin) -> Tree:
    fields = list(fields_along(split_path(path)))
    last = fields[-1] if fields else None
    default = last.default if last is not None else None
    return {
        "path": path,
        "value": value,
        "origin": str(origin),
        "source": origin.kind,
        "changeable": origin.kind in _CHANGEABLE and path.partition(".")[0] not in READ_ONLY,
        "hot": is_hot(path),
        "default": None if default is REQUIRED or default is UNSET else default,
        "description": last.en if last is not None else "",
        "description_zh": last.zh if last is not None else "",
    }
