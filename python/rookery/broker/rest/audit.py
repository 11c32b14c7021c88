"""Writes what requests changed into the node's audit log.

Whoever has no credentials must not be able to push out what others did: of requests by nobody at
most :data:`NOBODY_MAX` a minute are kept, the rest is counted.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

from rookery.broker.audit import AuditLog, Changes, without_keys
from rookery.clock import Clock
from rookery.web.caller import Caller, Via

if TYPE_CHECKING:
    # It loads the framework, and this module is there before anybody asks.
    from rookery.broker.rest.operations import RequestEntry

NOBODY_MAX = 60
NOBODY_WINDOW_S = 60.0
NOBODY_BODY_MAX = 512

_log = logging.getLogger("rookery.audit")
_FROM: dict[Via, str] = {
    "token": "dashboard",
    "sso": "dashboard",
    "api_key": "rest_api",
    "local": "cli",
}
_SETTINGS_OF_PLUGINS = ("PUT", "/plugins/{name}/config")
"""What of it is secret only the plugin's own schema says: what was before and after is told without."""
_PARAMETER = re.compile(r"\{([^}:]+)[^}]*\}")


class RestAudit:
    """Turns a request into an entry."""

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._window_s = -NOBODY_WINDOW_S
        self._in_window = 0
        self.suppressed = 0

    async def record_request(self, entry: RequestEntry) -> None:
        if entry.caller is None and not self._has_room():
            self.suppressed += 1
            return
        await asyncio.to_thread(self._write, entry)

    def metrics(self) -> dict[str, int]:
        return {"audit.suppressed": self.suppressed}

    def _has_room(self) -> bool:
        now_s = self._clock.monotonic_s()
        if now_s - self._window_s >= NOBODY_WINDOW_S:
            if self._in_window > NOBODY_MAX:
                _log.warning(
                    "%d requests without credentials in a minute are not in the audit log",
                    self._in_window - NOBODY_MAX,
                )
            self._window_s, self._in_window = now_s, 0
        self._in_window += 1
        return self._in_window <= NOBODY_MAX

    def _write(self, entry: RequestEntry) -> None:
        caller = entry.caller
        body = entry.body
        if caller is None and len(str(body)) > NOBODY_BODY_MAX:
            body = "too long to keep"
        if (entry.method, entry.operation) == _SETTINGS_OF_PLUGINS:
            body = "not kept, it may hold secrets of the plugin"
        if body is not None and not entry.changes.is_body_kept:
            body = "not kept, it has not the form that is taken here"
        unknown = entry.changes.unknown
        said = _name_of(caller) if caller is not None else _claimed(body)
        operation = _PARAMETER.sub(r":\1", entry.operation)
        self._audit.record(
            entry.method,
            entry.path,
            before=without_keys(_only(entry.changes, "before"), unknown),
            after=without_keys(_only(entry.changes, "after"), unknown),
            by=said,
            error=entry.failure or ("" if entry.status else "no answer"),
            request={
                "from": _FROM[caller.via] if caller is not None else "dashboard",
                "via": caller.via if caller is not None else "",
                "address": caller.address if caller is not None else entry.address,
                "method": entry.method.lower(),
                "operation": operation,
                "bindings": entry.bindings,
                "query": entry.query,
                "status": entry.status,
                "duration_ms": entry.duration_ms,
                "body": without_keys(body, unknown),
            },
        )


def _name_of(caller: Caller) -> str:
    """Who asked. A name that came with a sign-in code may be anybody's: the key that gave it is told."""
    return f"{caller.name} (API key {caller.key})" if caller.key else caller.name


def _claimed(body: Any) -> str:
    """Who somebody without credentials says to be, as when signing in."""
    name = body.get("username") if isinstance(body, dict) else None
    return name if isinstance(name, str) else ""


def _only(changes: Changes, which: str) -> Any:
    """What a single thing was; of several a table by their names."""
    found: dict[str, Any] = changes.before if which == "before" else changes.after
    found = {target: value for target, value in found.items() if value is not None}
    if len(changes.before) == 1:
        return next(iter(found.values()), None)
    return found or None
