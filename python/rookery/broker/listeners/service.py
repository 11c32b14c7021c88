"""Which listeners stand: those of the configuration, and what an operator did to single ones.

Starting and stopping lasts until the node ends; creating, changing and deleting goes into the
configuration. The core gets the complete list each time, and touches only what differs in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from rookery.broker.alarms import AlarmRegistry, message
from rookery.broker.audit import AuditLog, unread
from rookery.broker.settings import NodeSettings
from rookery.config import Config
from rookery.config.build import LISTENER_KINDS, listener_config
from rookery.config.runtime import REMOVED, KeyPath, merged
from rookery.config.schema import ROOT
from rookery.config.schema.model import MapOf, Struct
from rookery.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    StartError,
)
from rookery.native.config import ListenerConfig
from rookery.native.errors import not_opened
from rookery.native.models import Listener, ListenerOutcome

FAILED = "failed"
FAILED_ALARM = "listener_failed"
BAD_ID = "BAD_LISTENER_ID"
_PLAIN = ("type", "name", "id", "bind", "enable", "max_connections")


class ListenerRuntime(Protocol):
    """The core's side; calls wait for its workers."""

    def listeners(self) -> list[Listener]: ...
    def apply_listeners(self, listeners: Sequence[ListenerConfig]) -> list[ListenerOutcome]: ...
    def restart_listener(self, listener_id: str) -> None: ...


class ListenerService:
    """What can be done about listeners. Is the part of the node that applies them."""

    def __init__(
        self,
        native: ListenerRuntime,
        settings: NodeSettings,
        audit: AuditLog,
        alarms: AlarmRegistry,
        check_certificates: Callable[[], Awaitable[None]],
    ) -> None:
        """``check_certificates`` is called after other listeners may stand."""
        self._native = native
        self._check_certificates = check_certificates
        self._settings = settings
        self._audit = audit
        self._alarms = alarms
        self._failed: frozenset[str] = frozenset()
        # By id: started although disabled, or stopped although enabled.
        self._is_wanted: dict[str, bool] = {}

    # -- as a part of the node --------------------------------------------------------------

    async def apply(self, old: Config, new: Config) -> None:
        """Make the listeners of ``new`` stand.

        Raises:
            StartError: one cannot; those of ``old`` stand.
        """
        known = {listener_id for listener_id, *_ in _all(new)}
        gone = {id_: wanted for id_, wanted in self._is_wanted.items() if id_ not in known}
        for id_ in gone:
            del self._is_wanted[id_]
        if self._wanted(old) == self._wanted(new):
            return
        try:
            await self._make_stand(new)
        except StartError:
            self._is_wanted |= gone
            await asyncio.to_thread(self._native.apply_listeners, self._wanted(old))
            await self.judge()
            raise

    def _wanted(self, config: Config) -> list[ListenerConfig]:
        return [
            listener_config(kind, name, item)
            for id_, kind, name, item in _all(config)
            if self._is_wanted.get(id_, item["enable"])
        ]

    async def judge(self) -> None:
        """Have an alarm for each listener that should stand and does not, and for certificates."""
        standing = await asyncio.to_thread(self._native.listeners)
        failed = {item.id: item.error for item in standing if item.error}
        for id_ in self._failed - failed.keys():
            self._alarms.deactivate(f"{FAILED_ALARM}/{id_}")
        for id_, error in failed.items():
            said = message("listener_failed", listener=id_, error=error)
            self._alarms.activate(f"{FAILED_ALARM}/{id_}", said, {"listener": id_})
        self._failed = frozenset(failed)
        await self._check_certificates()

    async def _make_stand(self, config: Config) -> None:
        outcomes = await asyncio.to_thread(self._native.apply_listeners, self._wanted(config))
        await self.judge()
        for outcome in outcomes:
            if outcome.what == FAILED:
                raise _failure(outcome)

    # -- what is asked for ------------------------------------------------------------------

    async def all(self) -> list[dict[str, Any]]:
        """Every listener of the configuration with what it does now."""
        standing = {item.id: item for item in await asyncio.to_thread(self._native.listeners)}
        shown = self._settings.config.effective()["listeners"]
        return [
            _row(id_, kind, name, shown[kind][name], standing.get(id_))
            for id_, kind, name, _ in _all(self._settings.config)
        ]

    async def get(self, listener_id: str) -> dict[str, Any]:
        """One listener.

        Raises:
            NotFoundError: there is none of that id.
        """
        for row in await self.all():
            if row["id"] == listener_id:
                return row
        raise _unknown(listener_id)

    async def create(self, listener_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Define a listener and open it.

        Raises:
            ConflictError: there is one of that id.
            StartError: it cannot be opened; it is not defined then.
        """
        with unread(body, _PLAIN):
            path = _path(listener_id)
            if any(id_ == listener_id for id_, *_ in _all(self._settings.config)):
                raise ConflictError(
                    f"there is a listener {listener_id} already",
                    message_zh=f"监听器 {listener_id} 已存在",
                )
            target = f"listeners/{listener_id}"
            await self._settings.change("create", target, {path: _settable(body)})
        return await self.get(listener_id)

    async def update(self, listener_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change a listener: keys that are not named stay.

        Raises:
            NotFoundError: there is none of that id.
            StartError: it cannot be opened so; it goes on as before.
        """
        with unread(body, _PLAIN):
            shown = await self.get(listener_id)
            path = _path(listener_id)
            if body.get("bind") == shown["bind"]:
                # Where it stands; the configuration may leave the port to the system.
                body = {key: value for key, value in body.items() if key != "bind"}
            value = merged(self._settings.stored(path) or {}, _settable(body))
            await self._settings.change("update", f"listeners/{listener_id}", {path: value})
        return await self.get(listener_id)

    async def delete(self, listener_id: str) -> None:
        """Close a listener for good.

        Raises:
            NotFoundError: there is none of that id.
        """
        await self.get(listener_id)
        path = _path(listener_id)
        value = None if _is_usual(path) else REMOVED
        await self._settings.change("delete", f"listeners/{listener_id}", {path: value})

    async def start(self, listener_id: str) -> None:
        """Open a listener that does not stand, until the node ends.

        Raises:
            NotFoundError: there is none of that id.
            StartError: it cannot be opened.
        """
        await self._want(listener_id, "start", is_wanted=True)

    async def stop(self, listener_id: str) -> None:
        """Close a listener and its clients' connections, until the node ends.

        Raises:
            NotFoundError: there is none of that id.
        """
        await self._want(listener_id, "stop", is_wanted=False)

    async def restart(self, listener_id: str) -> None:
        """Close a listener and its clients' connections, and open it again.

        Raises:
            NotFoundError: there is none of that id.
            StartError: it cannot be opened again.
        """
        row = await self.get(listener_id)
        if not row["running"]:
            await self.start(listener_id)
            return
        await asyncio.to_thread(self._native.restart_listener, listener_id)
        await self.judge()
        self._audit.record("restart", f"listeners/{listener_id}")

    async def _want(self, listener_id: str, operation: str, *, is_wanted: bool) -> None:
        config = self._settings.config
        item = next((item for id_, _, _, item in _all(config) if id_ == listener_id), None)
        if item is None:
            raise _unknown(listener_id)
        if is_wanted and "ssl_options" in item and not item["ssl_options"]["certfile"]:
            raise BadRequestError(
                f"listener {listener_id} has no ssl_options.certfile",
                message_zh=f"监听器 {listener_id} 没有设置 ssl_options.certfile",
            )
        before = self._is_wanted.get(listener_id)
        self._is_wanted[listener_id] = is_wanted
        try:
            await self._make_stand(config)
        except StartError as error:
            if before is None:
                del self._is_wanted[listener_id]
            else:
                self._is_wanted[listener_id] = before
            self._audit.record(operation, f"listeners/{listener_id}", error=str(error))
            raise
        self._audit.record(operation, f"listeners/{listener_id}")


def _all(config: Config) -> list[tuple[str, str, str, dict[str, Any]]]:
    return [
        (f"{kind}:{name}", kind, name, item)
        for kind in LISTENER_KINDS
        for name, item in config[f"listeners.{kind}"].items()
    ]


def _unknown(listener_id: str) -> NotFoundError:
    return NotFoundError(f"no listener {listener_id}", code=BAD_ID)


def _path(listener_id: str) -> KeyPath:
    kind, colon, name = listener_id.partition(":")
    if not colon or kind not in LISTENER_KINDS or not name:
        kinds = ", ".join(LISTENER_KINDS)
        raise BadRequestError(
            f"{listener_id!r}: a listener is {kinds}:NAME",
            code=BAD_ID,
            message_zh=f"{listener_id}：监听器应写作 {kinds}:名称",
        )
    return ("listeners", kind, name)


def _is_usual(path: KeyPath) -> bool:
    """Whether it is there without anybody writing it: then it has to be taken away."""
    listeners = ROOT.get("listeners")
    kinds = listeners.type if listeners is not None else None
    kind = kinds.get(path[1]) if isinstance(kinds, Struct) else None
    return kind is not None and isinstance(kind.type, MapOf) and path[2] in kind.type.entries


_SHOWN_ONLY = frozenset({"id", "type", "name", "running", "current_connections", "status", "error"})


def _settable(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in _SHOWN_ONLY}


def _row(
    id_: str, kind: str, name: str, shown: dict[str, Any], standing: Listener | None
) -> dict[str, Any]:
    is_running = standing is not None and not standing.error
    row = {
        **shown,
        "id": id_,
        "type": kind,
        "name": name,
        "running": is_running,
        "current_connections": standing.connections if standing is not None else 0,
    }
    if standing is not None and is_running:
        row["bind"] = standing.address
    if standing is not None and standing.error:
        row["error"] = standing.error
    return row


def _failure(outcome: ListenerOutcome) -> StartError:
    message = outcome.reason or f"listener {outcome.id} cannot be opened"
    return not_opened(message, outcome.id, outcome.address or None)
