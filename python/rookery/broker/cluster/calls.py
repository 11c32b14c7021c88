"""What nodes ask each other: operations by name, with a deadline, never more at once than a bound.

An operation that one node has and another, of an earlier version, has not, is answered with
``NOT_AVAILABLE``; a node that is down or slow costs whoever asks the deadline at most, and the rest of
the answer is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

from rookery.broker.cluster.bus import Body, Bus
from rookery.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    NotAllowedError,
    NotAvailableError,
    NotFoundError,
    RookeryError,
    TimedOutError,
    UnavailableError,
)

DEADLINE_S = 3.0
SERVED_MAX = 64
"""Most questions of others that are worked on at once; the rest is told to come again."""
TOPIC = "call"

_log = logging.getLogger("rookery.cluster")

_KINDS: dict[str, type[RookeryError]] = {
    kind.__name__: kind
    for kind in (
        BadRequestError,
        BusyError,
        ConflictError,
        NotAllowedError,
        NotAvailableError,
        NotFoundError,
        TimedOutError,
        UnavailableError,
    )
}

Operation: TypeAlias = Callable[[Any], Awaitable[Any]]


class Calls:
    """Asks other nodes, and answers them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._operations: dict[str, Operation] = {}
        self._serving = 0
        self.refused = 0
        bus.answer(TOPIC, self._serve)

    def on(self, name: str, operation: Operation) -> None:
        """Answer that operation."""
        self._operations[name] = operation

    async def ask(
        self, node: str, name: str, body: Any = None, within_s: float = DEADLINE_S
    ) -> Any:
        """What that node answers.

        Raises:
            UnavailableError: it cannot be reached.
            TimedOutError: it did not answer in time.
            RookeryError: it refused, with the error as it was there.
        """
        asked = {"operation": name, "body": body}
        answer = await self._bus.ask(node, TOPIC, asked, within_s)
        if error := answer.get("error"):
            raise _raised(error)
        return answer.get("body")

    async def ask_all(
        self, nodes: Iterable[str], name: str, body: Any = None, within_s: float = DEADLINE_S
    ) -> dict[str, Any]:
        """What each of them answers, at once; of who does not, the error."""
        names = list(nodes)
        found = await asyncio.gather(
            *(self.ask(node, name, body, within_s) for node in names), return_exceptions=True
        )
        for result in found:
            if isinstance(result, BaseException) and not isinstance(result, RookeryError):
                raise result
        return dict(zip(names, found, strict=True))

    async def _serve(self, body: Body) -> Body:
        if self._serving >= SERVED_MAX:
            self.refused += 1
            return _told(BusyError("the node answers as many questions as it may"))
        self._serving += 1
        try:
            name = body.get("operation")
            operation = self._operations.get(name) if isinstance(name, str) else None
            if operation is None:
                return _told(NotAvailableError(f"this version knows no operation {name}"))
            return {"body": await operation(body.get("body"))}
        except RookeryError as error:
            return _told(error)
        except Exception:  # noqa: BLE001  -- whoever asks is told, and the log says why
            _log.exception("a question of another node")
            return _told(RookeryError("the node failed to answer, its log says why"))
        finally:
            self._serving -= 1


def _told(error: RookeryError) -> Body:
    kind = next((base.__name__ for base in type(error).__mro__ if base.__name__ in _KINDS), "")
    told = {"kind": kind, "code": error.code, "message": error.message}
    return {"error": told | {"message_zh": error.message_zh}}


def _raised(told: Any) -> RookeryError:
    plain = told if isinstance(told, dict) else {}
    kind = _KINDS.get(str(plain.get("kind")), RookeryError)
    code, zh = str(plain.get("code", kind.code)), plain.get("message_zh")
    message = str(plain.get("message", "another node refused"))
    return kind(message, code=code, message_zh=zh if isinstance(zh, str) else None)
