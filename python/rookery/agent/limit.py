"""The connection limit that the control plane gives the cluster, and the one that it had before.

The former one is kept on this machine, and at a node that can show who manages it there as well:
whichever agent takes the limit back finds it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rookery.agent.commands import Done, ImpossibleError
from rookery.agent.facts import NOT_PERMITTED, UNBOUNDED, count_of
from rookery.agent.failures import ANSWER, CallError
from rookery.agent.keyed_api import KeyedApi
from rookery.agent.places import write_whole

log = logging.getLogger(__name__)

SETTING = "/license/setting"
LIMIT = "dynamic_max_connections"
MANAGER = "managed_by"
INFINITY = "infinity"
REFUSED = "NOT_PERMITTED"
# What a cluster answers whose licence has no such setting.
_WITHOUT = (400, 403, 404, 405, 501)
_FILE_BYTES_MAX = 4096


class ConnectionLimit:
    """Of one cluster. Used by one thread at a time."""

    def __init__(self, api: KeyedApi, path: Path) -> None:
        self._api = api
        self._path = path

    def set(self, given: Mapping[str, str]) -> Done:
        """Bound the clients of the cluster.

        Raises:
            CallError: it is not so.
            OSError: the former limit could not be kept; nothing was changed.
        """
        wanted = given.get("limit", "")
        if not (wanted.isascii() and wanted.isdecimal() and 0 < int(wanted) < UNBOUNDED):
            raise ImpossibleError("BAD_REQUEST", "the command names no limit")
        limit = int(wanted)
        found = self._read()
        former = self._former()
        if former is None:
            former = former_of(found)
            self._keep(former)
        body: dict[str, Any] = {}
        if found.get(LIMIT) != limit:
            body[LIMIT] = limit
        if MANAGER in found:
            manager = {
                "name": given.get("manager_name", ""),
                "url": given.get("manager_url", ""),
                "former_limit": former,
            }
            if found[MANAGER] != manager:
                body[MANAGER] = manager
        fields = {"limit": str(limit), "found": str(found.get(LIMIT))[:64]}
        if not body:
            return Done("ALREADY", fields)
        answer = self._write(body)
        if isinstance(answer, dict) and answer.get(LIMIT, limit) != limit:
            raise ImpossibleError(REFUSED, NOT_PERMITTED)
        return Done(fields=fields)

    def release(self, _given: Mapping[str, str] | None = None) -> Done:
        """Give the cluster back the limit that it had; nothing where none was set from here.

        Raises:
            CallError: it is not so.
            OSError: that it is so cannot be kept.
        """
        former = self._former()
        if former is None:
            return Done("ALREADY")
        found = self._read()
        body: dict[str, Any] = {}
        if found.get(LIMIT) != former:
            body[LIMIT] = former
        if found.get(MANAGER) is not None:
            body[MANAGER] = None
        if body:
            self._write(body)
        self._path.unlink(missing_ok=True)
        return Done(fields={"limit": str(former)})

    def _read(self) -> dict[str, Any]:
        try:
            found = self._api.get(SETTING)
        except CallError as error:
            if error.status in _WITHOUT:
                raise ImpossibleError(REFUSED, NOT_PERMITTED) from error
            raise
        if not isinstance(found, dict):
            raise CallError(ANSWER, f"{SETTING}: no object")
        if LIMIT not in found:
            raise ImpossibleError(REFUSED, NOT_PERMITTED)
        return found

    def _write(self, body: Mapping[str, Any]) -> Any:
        try:
            return self._api.send("PUT", SETTING, body)
        except CallError as error:
            if error.status in _WITHOUT:
                raise ImpossibleError(REFUSED, f"{NOT_PERMITTED}: {error.message}") from error
            raise

    def _former(self) -> int | str | None:
        try:
            with self._path.open("rb") as file:
                found = json.loads(file.read(_FILE_BYTES_MAX))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s: the former limit cannot be read: %s", self._path, error)
            return None
        return _limit_of(found.get("former")) if isinstance(found, dict) else None

    def _keep(self, former: int | str) -> None:
        write_whole(self._path, json.dumps({"former": former}).encode(), 0o600)


def former_of(found: Mapping[str, Any]) -> int | str:
    """What the limit was before anybody managed it, by what the cluster says."""
    manager = found.get(MANAGER)
    told = _limit_of(manager.get("former_limit")) if isinstance(manager, Mapping) else None
    return told or _limit_of(found.get(LIMIT)) or INFINITY


def _limit_of(value: Any) -> int | str | None:
    if value == INFINITY:
        return INFINITY
    return count_of(value) or None
