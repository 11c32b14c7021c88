"""Reads a thing as its own ``GET`` answers it, within the request that is going to change it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Scope

from rookery.broker.rest.looks import Look

KEPT_BYTES_MAX = 64 << 10
"""Of a longer answer the audit log tells its length, and of a page what it says of itself."""
_log = logging.getLogger("rookery.audit")


class Reader:
    """Of one operation."""

    def __init__(self, reading: Mapping[str, ASGIApp], looks: Sequence[Look]) -> None:
        """``reading`` are the applications behind every ``GET``, by path; whoever may change a thing
        is asked for no right to look at it.
        """
        self._reading = reading
        self._looks = looks

    async def __call__(self, scope: Scope) -> Any:
        """How it is now; none where there is nothing. Of several a table by the ends of their paths."""
        found = {
            look.path.rpartition("/")[2]: await self._read(look, scope) for look in self._looks
        }
        return found if len(found) > 1 else next(iter(found.values()))

    async def _read(self, look: Look, scope: Scope) -> Any:
        parameters: dict[str, str] = scope["path_params"]
        named = {name: quote(str(value), safe="") for name, value in parameters.items()}
        asked = {
            **scope,
            "method": "GET",
            "path_params": dict(parameters),
            "query_string": look.query.format_map(named).encode(),
            "headers": [header for header in scope["headers"] if header[0] == b"accept-language"],
        }
        status, body = 0, bytearray()

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            body.extend(message.get("body", b""))

        try:
            await self._reading[look.path](asked, _nothing, send)
            answer = json.loads(body) if status == 200 else None
        except Exception:  # noqa: BLE001 — what is asked for is done all the same, the entry says so
            _log.exception("%s cannot be read for the audit log", look.path)
            return "it could not be read, the log says why"
        kept = look.kept(answer)
        return _short(kept, len(body) if kept is answer else 0)


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _short(answer: Any, length: int) -> Any:
    if length <= KEPT_BYTES_MAX:
        return answer
    told = f"{length} bytes, too long to keep"
    if isinstance(answer, dict) and "meta" in answer:
        return {"data": told, "meta": answer["meta"]}
    return told
