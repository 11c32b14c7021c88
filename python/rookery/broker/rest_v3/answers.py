"""What an answer looks like: ``{"code": 0, "data": …}``, and the numbers that mean something else.

EMQX 3 answers with HTTP status 200 whether an operation succeeded or not; ``code`` tells. Other
statuses are left to what HTTP itself has a word for: 401, 403, 404, 405, 413, 500.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rookery.errors import (
    BadRequestError,
    NotAllowedError,
    RookeryError,
    UnauthorizedError,
    UnavailableError,
)
from rookery.web.caller import FAILURE
from rookery.web.errors import answer_error, in_language, told

SUCCESS = 0
RPC_ERROR = 101
UNKNOWN_ERROR = 102
BAD_CREDENTIALS = 103
MISSING_PARAMETER = 107
BAD_PARAMETER = 108
NOT_JSON = 109
PLUGIN_LOADED = 110
PLUGIN_UNLOADED = 111
CLIENT_OFFLINE = 112
BAD_TOPIC = 115
BAD_QOS = 116

CODES: Mapping[int, str] = {
    SUCCESS: "done",
    RPC_ERROR: "the node is not known or does not answer",
    UNKNOWN_ERROR: "everything that has no number of its own",
    BAD_CREDENTIALS: "the application or its secret is wrong",
    MISSING_PARAMETER: "a parameter is missing",
    BAD_PARAMETER: "a parameter is not what it should be",
    NOT_JSON: "the body is no JSON",
    PLUGIN_LOADED: "the plugin is loaded already",
    PLUGIN_UNLOADED: "the plugin is not loaded",
    CLIENT_OFFLINE: "the client is not connected",
    BAD_TOPIC: "the topic breaks a rule of MQTT",
    BAD_QOS: "the QoS is not 0, 1 or 2",
}
_CHALLENGE = {"www-authenticate": 'Basic realm="rookery-management"'}


class RefusedError(Exception):
    """An operation that did not succeed.

    A sentence is told in the language of whoever asks. A word such as ``bad_topic`` is EMQX's, which
    programs compare: it is the same in every language.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Paged(NamedTuple):
    """A page of a list."""

    rows: list[Any]
    page: int
    limit: int
    total: int


def answer(value: Any = None) -> Response:
    """The answer of an operation that succeeded; without a value there is no ``data``."""
    if isinstance(value, Paged):
        meta = {"page": value.page, "limit": value.limit, "count": value.total}
        return _json({"code": SUCCESS, "data": value.rows, "meta": meta})
    return _json({"code": SUCCESS} if value is None else {"code": SUCCESS, "data": value})


def refusal(code: int, message: str, status: int = 200) -> Response:
    return _json({"code": code, "message": message}, status)


def code_of(error: RookeryError) -> int:
    """The number of an error that a service raised."""
    if isinstance(error, UnavailableError):
        return RPC_ERROR
    return BAD_PARAMETER if isinstance(error, BadRequestError) else UNKNOWN_ERROR


async def answer_failure(request: Request, error: Exception) -> Response:
    """Turn what an operation raised into an answer."""
    scope = request.scope
    if isinstance(error, RefusedError):
        return _told(request, error.code, error.message, in_language(scope, "", error.message))
    # For the audit, which is in English whatever language the answer has.
    if isinstance(error, UnauthorizedError):
        scope[FAILURE] = f"{BAD_CREDENTIALS}: {error.message}"
        return _json({"code": BAD_CREDENTIALS, "message": told(scope, error)}, 401, _CHALLENGE)
    if isinstance(error, NotAllowedError):
        scope[FAILURE] = f"{UNKNOWN_ERROR}: {error.message}"
        return refusal(UNKNOWN_ERROR, told(scope, error), 403)
    if isinstance(error, RookeryError):
        return _told(request, code_of(error), error.message, told(scope, error))
    if isinstance(error, HTTPException):
        scope[FAILURE] = f"{UNKNOWN_ERROR}: {error.detail}"
        message = in_language(scope, "", str(error.detail))
        return refusal(UNKNOWN_ERROR, message, error.status_code)
    logged = await answer_error(request, error)
    message = in_language(scope, "", "the request failed, the log says why")
    return refusal(UNKNOWN_ERROR, message, logged.status_code)


def _told(request: Request, code: int, message: str, shown: str) -> Response:
    # For the audit: the status will be 200.
    request.scope[FAILURE] = f"{code}: {message}"
    return refusal(code, shown)


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    # Half of a surrogate pair may stand in what a client called itself.
    return Response(text.encode(errors="replace"), status, headers, "application/json")
