"""Watches how long certificates and revocation lists hold, and reads them again on command.

The core reads a certificate again by itself when its file changes; what became of that arrives as
an event. Nothing here touches a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from rookery.broker.alarms import AlarmRegistry, message
from rookery.broker.audit import AuditLog
from rookery.clock import Clock
from rookery.ending import ended
from rookery.native.models import Certificate, CertificateOutcome
from rookery.native.rows import EventRow

DAY_S = 86_400
# The last one: it has ended.
THRESHOLDS_DAYS = (30, 7, 1, 0)
# Lists are made anew every week or month: only one that is late is news.
LIST_FIELD = "crlfile"
LIST_THRESHOLDS_DAYS = (1, 0)
CHECK_INTERVAL_S = 3600.0

_MESSAGES = {
    (False, True): "certificate_ends",
    (False, False): "certificate_ended",
    (True, True): "revocation_list_ends",
    (True, False): "revocation_list_ended",
}
"""What an alarm says: of a list or not, while it holds or not."""


class CertificateRuntime(Protocol):
    """The core's side."""

    def certificates(self) -> list[Certificate]: ...
    def reload_certificates(self) -> list[CertificateOutcome]: ...


class CertificateService:
    """Lists, reloads, and raises alarms at 30, 7 and 1 days before the end."""

    def __init__(
        self,
        native: CertificateRuntime,
        alarms: AlarmRegistry,
        audit: AuditLog,
        clock: Clock,
        dashboard: Callable[[], list[Certificate]] = list,
    ) -> None:
        """``dashboard`` is asked for what the node's own HTTPS listener shows."""
        self._native = native
        self._dashboard = dashboard
        self._alarms = alarms
        self._audit = audit
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._found: Sequence[Certificate] = ()
        self._days: dict[str, int] = {}
        # By alarm: the threshold it was raised for last.
        self._raised: dict[str, int] = {}

    def open(self) -> None:
        """Begin to look at the dates on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._check_always())

    async def close(self) -> None:
        task, self._task = self._task, None
        await ended("looking at the certificates", task)

    async def all(self) -> list[dict[str, Any]]:
        """Every certificate in use."""
        found = await asyncio.to_thread(self._read)
        self._look_at(found)
        return [self._row(item) for item in found]

    async def reload(self) -> list[dict[str, Any]]:
        """Read all of them again; what became of each listener."""
        outcomes = await asyncio.to_thread(self._native.reload_certificates)
        rows = [
            {"listener": item.listener, "ok": not item.error, "result": item.error or "ok"}
            for item in outcomes
        ]
        for item in outcomes:
            self._note_reload(item.listener, item.error)
        self._audit.record("reload", "certificates", after=rows)
        await self.check()
        return rows

    async def check(self) -> None:
        """Look at the dates now."""
        self._look_at(await asyncio.to_thread(self._read))

    def in_use(self) -> Sequence[Certificate]:
        """What was found at the last look."""
        return self._found

    def watch(self, rows: list[EventRow]) -> None:
        """Take what the core tells about certificates that it read again."""
        for row in rows:
            if row[0] == "certificate":
                self.was_read(row[1], row[2])

    def was_read(self, listener: str, error: str | None) -> None:
        """Take what became of the files of a listener when they changed, and look at the dates."""
        self._note_reload(listener, error)
        self._changed.set()

    def stats(self) -> dict[str, int]:
        """Days left: of each certificate, and of the one that ends first."""
        figures = {f"certificate.expiry.{name}": days for name, days in self._days.items()}
        if figures:
            figures["certificate.expiry"] = min(figures.values())
        return figures

    # -- inside ----------------------------------------------------------------------------

    async def _check_always(self) -> None:
        while True:
            self._changed.clear()
            await self.check()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), CHECK_INTERVAL_S)

    def _read(self) -> list[Certificate]:
        return [*self._native.certificates(), *self._dashboard()]

    def _look_at(self, found: Sequence[Certificate]) -> None:
        self._found = found
        self._days = {f"{item.listener}.{item.field}": self._days_left(item) for item in found}
        seen: set[str] = set()
        for item in found:
            name = f"certificate_expiry/{item.listener}/{item.field}"
            seen.add(name)
            self._judge(name, item)
        for name in [name for name in self._raised if name not in seen]:
            del self._raised[name]
            self._alarms.deactivate(name)

    def _judge(self, name: str, item: Certificate) -> None:
        days = self._days_left(item)
        is_list = item.field == LIST_FIELD
        thresholds = LIST_THRESHOLDS_DAYS if is_list else THRESHOLDS_DAYS
        crossed = min((limit for limit in thresholds if days < limit), default=None)
        if crossed is None:
            self._raised.pop(name, None)
            self._alarms.deactivate(name)
            return
        known = self._raised.get(name)
        if crossed == known:
            return
        if known is not None:
            self._alarms.deactivate(name)
        self._raised[name] = crossed
        said = message(
            _MESSAGES[is_list, days >= 0],
            field=item.field,
            listener=item.listener,
            days=days,
            when=_when(item.not_after_s),
            file=item.file,
        )
        self._alarms.activate(name, said, self._row(item))

    def _note_reload(self, listener: str, error: str | None) -> None:
        name = f"certificate_reload_failed/{listener}"
        if error:
            said = message("certificate_reload_failed", listener=listener, error=error)
            self._alarms.activate(name, said, {"listener": listener})
        else:
            self._alarms.deactivate(name)

    def _days_left(self, item: Certificate) -> int:
        return (item.not_after_s - self._clock.now_ms() // 1000) // DAY_S

    def _row(self, item: Certificate) -> dict[str, Any]:
        return {
            "listener": item.listener,
            "field": item.field,
            "file": item.file,
            "subject": item.subject,
            "not_after": _when(item.not_after_s),
            "days_left": self._days_left(item),
        }


def _when(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
