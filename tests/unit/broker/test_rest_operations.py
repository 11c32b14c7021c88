"""What stands around an operation of the REST interface."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rookery.broker.rest.operations import Operation, RequestEntry
from rookery.errors import BadRequestError
from rookery.web.caller import Caller

CALLER = Caller("alice", "administrator", "token", "192.0.2.10")


class Admit:
    async def caller(self, request: Request) -> Caller | None:
        return CALLER


class Keep:
    """An audit log that stands in the same list as what the client gets."""

    def __init__(self, seen: list[Message | RequestEntry]) -> None:
        self._seen = seen

    async def record_request(self, entry: RequestEntry) -> None:
        self._seen.append(entry)


def answered(response: Response) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    return app


def parts() -> Iterator[bytes]:
    yield b"one,"
    yield b"two"


async def refused(scope: Scope, receive: Receive, send: Send) -> None:
    raise BadRequestError("not like this")


async def gone(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ConnectionResetError


async def run(app: ASGIApp) -> list[Message | RequestEntry]:
    seen: list[Message | RequestEntry] = []

    asked: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not asked:
            await asyncio.Event().wait()  # a client that stays to the end
        return asked.pop()

    async def send(message: Message) -> None:
        seen.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/api/v5/users/alice",
        "query_string": b"",
        "path_params": {"username": "alice"},
        "headers": [],
        "client": ("192.0.2.10", 40000),
    }
    operation = Operation(app, "/api/v5/users/{username}", Admit(), Keep(seen))
    try:
        await operation(scope, receive, send)
    except ConnectionResetError:
        seen.append({"type": "raised"})
    return seen


@pytest.mark.parametrize(
    ("app", "status"),
    [
        (answered(JSONResponse({"done": True})), 200),
        (answered(Response(status_code=204)), 204),
        (answered(StreamingResponse(parts())), 200),
        (refused, 400),
    ],
)
async def test_whoever_has_the_answer_finds_the_entry(app: ASGIApp, status: int) -> None:
    seen = await run(app)
    (at,) = (at for at, one in enumerate(seen) if isinstance(one, RequestEntry))
    entry, before, after = seen[at], seen[:at], seen[at + 1 :]

    assert isinstance(entry, RequestEntry)
    assert (entry.status, entry.caller) == (status, CALLER)
    assert ("not like this" in entry.failure) == (status == 400)
    # Nobody takes an answer for whole before: one without a body is with its head.
    assert bool(before) == (status != 204)
    last = after[-1]
    assert not isinstance(last, RequestEntry)
    assert last["type"] == "http.response.body"
    assert not last.get("more_body", False)


async def test_an_answer_that_broke_off_leaves_one_entry() -> None:
    seen = await run(gone)

    entries = [message for message in seen if isinstance(message, RequestEntry)]
    assert [entry.status for entry in entries] == [200]
