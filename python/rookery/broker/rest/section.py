"""One section of the configuration behind a GET and a PUT of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.config.runtime import KeyPath
from rookery.web.rest import fast


class Section:
    """Shows a section as it holds, and changes what is named of it."""

    def __init__(self, node: NodeContext, name: str, target: str) -> None:
        """``target`` is what the audit log calls it, such as ``mqtt/retainer``."""
        self._settings = node.services.settings
        self._name = name
        self._target = target

    def shown(self) -> Response:
        return fast(self._settings.config.effective()[self._name])

    async def change(self, values: dict[str, Any], *, merged: Sequence[str] = ()) -> Response:
        """Holds at once and survives a restart; what is not named stays as it is.

        Members in ``merged`` are objects of which the same is true; others are replaced.

        Raises:
            BadRequestError: it makes no sense.
            ConflictError: a stronger source has it.
        """
        changes: dict[KeyPath, Any] = {}
        for name, value in values.items():
            if name in merged:
                changes |= {(self._name, name, key): item for key, item in value.items()}
            else:
                changes[self._name, name] = value
        if changes:
            await self._settings.change("update", self._target, changes, written_at=(self._name,))
        return self.shown()
