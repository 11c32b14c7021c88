"""Writes what requests changed into the node's audit log."""

from __future__ import annotations

import asyncio

from rookery.broker.audit import AuditLog
from rookery.broker.rest.operations import RequestEntry


class RestAudit:
    """Turns a request into an entry."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    async def record_request(self, entry: RequestEntry) -> None:
        await asyncio.to_thread(self._write, entry)

    def _write(self, entry: RequestEntry) -> None:
        self._audit.record(
            entry.method,
            entry.operation,
            before=entry.changes.before,
            after=entry.changes.after,
            by=entry.caller.name if entry.caller else "",
            error=entry.failure,
        )
