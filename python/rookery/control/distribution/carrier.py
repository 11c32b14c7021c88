"""Speaks with one edge service about deliveries: what one would change, have it take one, have it take one back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rookery.control.distribution import texts
from rookery.control.distribution.render import Document
from rookery.control.errors import OutOfReachError
from rookery.errors import RookeryError

PATH = "/api/deliveries"
TIMEOUT_S = 30.0
_UNKNOWN_PATH = (404, 405)
_REASON_MAX = 800


class Answered(Protocol):
    """What an edge service answered."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...


class Asking(Protocol):
    """Asks an edge service as its administrator."""

    async def __call__(
        self,
        service_id: str,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> Answered: ...


class RefusedError(RookeryError):
    """The edge service does not take it, and would not later."""


class LaterError(RookeryError):
    """The edge service could not take it just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What is delivered, as an edge service is told it."""

    template: str
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Carrier:
    """One edge service.

    All of it raises RefusedError where it refuses, and other errors where it could not be asked.
    """

    asking: Asking
    service_id: str
    timeout_s: float = TIMEOUT_S

    async def check(self, template: str, document: Document) -> Sequence[Mapping[str, Any]]:
        """What a delivery would change of each node; nothing changes there."""
        given = {"template": template, "document": document}
        found = await self._ask("POST", f"{PATH}/check", given)
        nodes = found.get("nodes")
        if not isinstance(nodes, list) or not all(isinstance(one, dict) for one in nodes):
            raise OutOfReachError(texts.EDGE_ODD, status=200)
        return nodes

    async def deliver(self, delivery: str, version: Version, document: Document) -> None:
        """Have it take a delivery; one that it has already changes nothing."""
        given = {
            "template": version.template,
            "name": version.name,
            "version": version.number,
            "delivery": delivery,
            "document": document,
        }
        await self._ask("PUT", PATH, given)

    async def roll_back(self, delivery: str, template: str, of: str) -> int:
        """Have it take the delivery ``of`` back; the version that is there then, 0: none."""
        given = {"template": template, "delivery": delivery, "of": of}
        found = await self._ask("POST", f"{PATH}/rollback", given)
        delivered = found.get("delivered")
        number = delivered.get("version") if isinstance(delivered, dict) else None
        if not isinstance(number, int) or number < 0:
            raise OutOfReachError(texts.EDGE_ODD, status=200)
        return number

    async def _ask(self, method: str, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        body = await asyncio.to_thread(_bytes, given)
        headers = (("accept", "application/json"), ("content-type", "application/json"))
        answer = await self.asking(
            self.service_id, method, path, body=body, headers=headers, timeout_s=self.timeout_s
        )
        if answer.status in _UNKNOWN_PATH:
            raise RefusedError(texts.EDGE_OLD.en, message_zh=texts.EDGE_OLD.zh)
        found = _json(answer.body)
        if answer.status == 200 and found is not None:
            return found
        odd = OutOfReachError(texts.EDGE_ODD, status=answer.status)
        if found is None or not isinstance(found.get("message"), str):
            raise odd
        english = found["message"][:_REASON_MAX]
        chinese = str(found.get("message_zh") or english)[:_REASON_MAX]
        words = (
            texts.EDGE_SAYS.en.format(reason=english),
            texts.EDGE_SAYS.zh.format(reason=chinese),
        )
        # 5xx: its disk is full, it has too much to do: it may take it later.
        kind = RefusedError if 400 <= answer.status < 500 else LaterError
        raise kind(words[0], message_zh=words[1])


def _bytes(given: Mapping[str, Any]) -> bytes:
    return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
