"""Nodes that were asked to join without anybody waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rookery.broker.cluster.members import MEMBERS_MAX
from rookery.broker.management.rows import rfc3339
from rookery.clock import Clock
from rookery.errors import ExceedsLimitError, RookeryError


@dataclass(slots=True)
class _Invitation:
    started_at_ms: int
    finished_at_ms: int = 0
    reason: str = ""


class Invitations:
    """The latest of each node."""

    def __init__(self, invite: Callable[[str], Awaitable[None]], clock: Clock) -> None:
        self._invite = invite
        self._clock = clock
        self._known: dict[str, _Invitation] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, name: str) -> None:
        """Ask that node, unless it is being asked.

        Raises:
            ExceedsLimitError: too many are.
        """
        known = self._known.get(name)
        if known is not None and not known.finished_at_ms:
            return
        if len(self._tasks) >= MEMBERS_MAX:
            raise ExceedsLimitError(f"{MEMBERS_MAX} nodes are being invited")
        while len(self._known) >= MEMBERS_MAX:
            done = (key for key, value in self._known.items() if value.finished_at_ms)
            del self._known[next(done)]
        self._known[name] = invitation = _Invitation(self._clock.now_ms())
        task = asyncio.get_running_loop().create_task(self._ask(name, invitation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, name: str, invitation: _Invitation) -> None:
        try:
            await self._invite(name)
        except RookeryError as error:
            invitation.reason = error.message
        finally:
            invitation.finished_at_ms = self._clock.now_ms()

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """By how they stand."""
        found: dict[str, list[dict[str, Any]]] = {"succeed": [], "in_progress": [], "failed": []}
        for name, known in self._known.items():
            row: dict[str, Any] = {"node": name, "started_at": rfc3339(known.started_at_ms)}
            if not known.finished_at_ms:
                found["in_progress"].append(row)
                continue
            row["finished_at"] = rfc3339(known.finished_at_ms)
            if known.reason:
                found["failed"].append(row | {"reason": known.reason})
            else:
                found["succeed"].append(row)
        return found
