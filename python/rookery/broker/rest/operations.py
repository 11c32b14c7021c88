"""What stands around every operation: who asks, whether that one may, how much it sends, the audit.

Wrapped around each route after the framework has matched it and before it has read a byte of the
body: who may not do something is told so without any of his body being looked at.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rookery.broker.audit import Changes, one_entry
from rookery.broker.rest import roles
from rookery.errors import UnauthorizedError
from rookery.web.caller import CALLER, FAILURE, Caller
from rookery.web.errors import answer_error
from rookery.web.peer import address_of
from rookery.web.segments import decoded

JSON_BYTES_MAX = 4 << 20
AUDITED_BODY_BYTES_MAX = 16 << 10
"""Of a longer body the audit log tells its length alone."""
_BODILESS = frozenset({204, 304})


class Admission(Protocol):
    """Finds out who asks."""

    async def caller(self, request: Request) -> Caller | None:
        """Who asks; none when the request does not say.

        Raises:
            RookeryError: what it says is wrong.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEntry:
    """What an operation leaves in the audit log."""

    caller: Caller | None
    address: str
    method: str
    path: str
    operation: str
    bindings: dict[str, str]
    query: str
    status: int
    duration_ms: int
    body: Any
    failure: str
    changes: Changes


class Rules(Protocol):
    """Who may do what."""

    def is_open(self, key: roles.OperationKey) -> bool: ...

    def known(self, caller: Caller | None) -> Caller: ...

    def check(self, caller: Caller, key: roles.OperationKey) -> None: ...


class Looking(Protocol):
    """Reads what an operation is going to change."""

    async def __call__(self, scope: Scope) -> Any:
        """How it is now; none where there is nothing."""
        ...


class RequestAudit(Protocol):
    """Keeps what was changed."""

    async def record_request(self, entry: RequestEntry) -> None: ...


@dataclass(slots=True)
class _Seen:
    """What passed by while an operation ran."""

    status: int = 0
    sent: bytearray = field(default_factory=bytearray)
    got: bytearray = field(default_factory=bytearray)
    got_bytes: int = 0
    is_json: bool = False
    is_recorded: bool = False
    is_admitted: bool = False
    before: Any = None


class Operation:
    """An operation with all that stands around it."""

    def __init__(
        self,
        app: ASGIApp,
        path: str,
        admission: Admission,
        audit: RequestAudit | None,
        *,
        body_bytes_max: int = JSON_BYTES_MAX,
        rules: Rules = roles,
        answer_error: Callable[[Request, Exception], Awaitable[Response]] = answer_error,
        look: Looking | None = None,
    ) -> None:
        """With ``look`` the audit log has what that reads before and after. Without ``audit`` it has
        nothing of it, as of every ``GET``.
        """
        self._app = app
        self._path = path
        self._admission = admission
        self._audit = audit
        self._body_bytes_max = body_bytes_max
        self._rules = rules
        self._answer_error = answer_error
        self._look = look

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        method = scope["method"]
        scope["path_params"] = {
            name: decoded(value) for name, value in scope["path_params"].items()
        }
        seen = _Seen(is_json="json" in request.headers.get("content-type", ""))
        receiving = self._bounded(receive, seen)
        audit = self._audit
        if method == "GET" or audit is None:
            await self._admit(request, method)
            await self._app(scope, receiving, send)
            return
        began = time.monotonic()
        with one_entry() as changes:

            async def record() -> None:
                if not seen.is_recorded:
                    seen.is_recorded = True
                    await self._look_after(scope, seen, changes)
                    elapsed_ms = round((time.monotonic() - began) * 1000)
                    await audit.record_request(self._entry(request, seen, changes, elapsed_ms))

            try:
                await self._run(request, receiving, _watched(send, seen, record), seen)
            finally:
                await record()  # nobody waited for the end of the answer

    async def _run(self, request: Request, receive: Receive, send: Send, seen: _Seen) -> None:
        scope = request.scope
        try:
            await self._admit(request, scope["method"])
            seen.is_admitted = True
            if self._look is not None:
                seen.before = await self._look(scope)
            await self._app(scope, receive, send)
        except Exception as error:
            if seen.status:
                raise  # too late for another answer
            # Answered here rather than further out, where the audit would not see the status.
            answer = await self._answer_error(request, error)
            await answer(scope, receive, send)

    async def _look_after(self, scope: Scope, seen: _Seen, changes: Changes) -> None:
        if self._look is None or not seen.is_admitted or not seen.status:
            return
        after = await self._look(scope)
        is_refused = seen.status >= 400  # which may have done a part of it
        if not is_refused or after != seen.before:
            changes.looked(seen.before, after)

    async def _admit(self, request: Request, method: str) -> None:
        scope = request.scope
        key = (method, self._path)
        if self._rules.is_open(key):
            # A token that ended must not keep anybody from signing in.
            with contextlib.suppress(UnauthorizedError):
                await self._identify(request)
            return
        await self._identify(request)
        self._rules.check(self._rules.known(scope.get(CALLER)), key)

    async def _identify(self, request: Request) -> None:
        scope = request.scope
        if CALLER not in scope and (caller := await self._admission.caller(request)) is not None:
            scope[CALLER] = caller

    def _bounded(self, receive: Receive, seen: _Seen) -> Receive:
        async def bounded() -> Message:
            message = await receive()
            chunk = message.get("body", b"")
            seen.got_bytes += len(chunk)
            if seen.got_bytes > self._body_bytes_max:
                raise HTTPException(413, f"at most {self._body_bytes_max} bytes")
            if len(seen.got) < AUDITED_BODY_BYTES_MAX:
                seen.got += chunk[:AUDITED_BODY_BYTES_MAX]
            return message

        return bounded

    def _entry(
        self, request: Request, seen: _Seen, changes: Changes, duration_ms: int
    ) -> RequestEntry:
        scope = request.scope
        return RequestEntry(
            caller=scope.get(CALLER),
            address=address_of(request),
            method=scope["method"],
            path=decoded(scope["path"]),
            operation=self._path,
            bindings=scope["path_params"],
            query=scope["query_string"].decode("latin-1"),
            status=seen.status,
            duration_ms=duration_ms,
            body=_body_of(seen),
            failure=scope.get(FAILURE)
            or (_failure_of(bytes(seen.sent)) if seen.status >= 400 else ""),
            changes=changes,
        )


def _watched(send: Send, seen: _Seen, record: Callable[[], Awaitable[None]]) -> Send:
    """Whoever has the whole answer finds its entry: that is written before the last part leaves."""
    held: list[Message] = []  # an answer without a body is whole with its head

    async def watched(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            if seen.status in _BODILESS:
                held.append(message)
                return
        else:
            if seen.status >= 400 and len(seen.sent) < AUDITED_BODY_BYTES_MAX:
                seen.sent += message.get("body", b"")
            if not message.get("more_body", False):
                await record()
        while held:
            await send(held.pop())
        await send(message)

    return watched


def _body_of(seen: _Seen) -> Any:
    if not seen.got_bytes:
        return None
    if not seen.is_json or seen.got_bytes > AUDITED_BODY_BYTES_MAX:
        return f"{seen.got_bytes} bytes"
    try:
        # Whoever reads the log reads JSON, which has no word for them.
        return json.loads(bytes(seen.got), parse_constant=str)
    except (ValueError, RecursionError):
        return f"{seen.got_bytes} bytes that are no JSON"


def _failure_of(body: bytes) -> str:
    try:
        said = json.loads(body)
        return f"{said['code']}: {said['message']}"
    except (ValueError, RecursionError, KeyError, TypeError):
        return body[:200].decode(errors="replace")
