"""How an error becomes an answer: Neuron's ``{"error": NUMBER}``, and the same for people beside it.

What is wrong with one element of a list is answered with 206 and its ``index``: what stands before it is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rookery.edge.errors import EdgeError
from rookery.errors import BusyError, RookeryError
from rookery.web.accept_language import language_asked
from rookery.web.codes import ERROR_CODES
from rookery.web.errors import http_told, in_language, status_of
from rookery.web.invalid import told_invalid

_log = logging.getLogger("rookery.edge")

INTERNAL = 1001
BODY_IS_WRONG = 1002
PARAM_IS_WRONG = 1003

NUMBERS: Mapping[str, int] = {
    "AUTHORIZATION_HEADER_ERROR": 1004,
    "TOKEN_TIME_OUT": 1006,
    "BAD_TOKEN": 1008,
    "BAD_USERNAME_OR_PWD": 1009,
    "LOGIN_LOCKED": 1009,
    "SERVICE_UNAVAILABLE": 1010,
    "NOT_FOUND": 1011,
    "PASSWORD_LENGTH": 1012,
    "SAME_PASSWORD": 1013,
    "USER_NOT_FOUND": 1017,
    "ALREADY_EXISTS": 1017,
    "UNAUTHORIZED_ROLE": 1017,
    "ERROR_PWD_NOT_MATCH": 1018,
    "PASSWORD_CHANGE_REQUIRED": 1018,
}
"""Of errors that are not this role's own; what is not here is a wrong body (4xx) or internal (5xx)."""

CHALLENGE = 'Bearer realm="rookery-edge"'


def problem(
    status: int,
    number: int,
    message: str,
    *,
    index: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The body that every refused request gets."""
    body: dict[str, Any] = {"error": number, "message": message}
    if index is not None:
        body["index"] = index
    return JSONResponse(body, status_code=status, headers=dict(headers or {}))


def status_of_edge(error: EdgeError) -> int:
    """206 where the beginning of a list went in."""
    if error.index is not None:
        return 206
    if error.code == "NOT_AVAILABLE":
        return 400  # of a plugin that cannot do that: another one can
    known = ERROR_CODES.get(error.code)
    return 401 if error.code == "UNAUTHORIZED" else known.status if known is not None else 500


async def answer_error(request: Request, error: Exception) -> Response:
    """Turn what a handler raised into an answer."""
    language = language_asked(request.headers.get("accept-language"))
    if isinstance(error, EdgeError):
        return problem(status_of_edge(error), error.number, error.text(language), index=error.index)
    if isinstance(error, RookeryError):
        status = status_of(error)
        number = NUMBERS.get(error.code, BODY_IS_WRONG if status < 500 else INTERNAL)
        headers = {"www-authenticate": CHALLENGE} if number == 1004 else {}
        if isinstance(error, BusyError):
            headers["retry-after"] = str(error.retry_after_s)
        return problem(status, number, error.text(language), headers=headers)
    if isinstance(error, RequestValidationError):
        is_body = all(item["loc"][:1] == ("body",) for item in error.errors())
        number = BODY_IS_WRONG if is_body else PARAM_IS_WRONG
        return problem(400, number, told_invalid(request, error))
    if isinstance(error, HTTPException):
        number = PARAM_IS_WRONG if error.status_code in (404, 405) else BODY_IS_WRONG
        message = http_told(request.scope, error)
        return problem(error.status_code, number, message, headers=error.headers)
    _log.error("a request failed", exc_info=error)
    message = in_language(request.scope, "INTERNAL_ERROR", "the request failed, the log says why")
    return problem(500, INTERNAL, message)


HANDLERS: dict[int | type[Exception], Any] = {
    RookeryError: answer_error,
    RequestValidationError: answer_error,
    HTTPException: answer_error,
    Exception: answer_error,
}
"""For ``FastAPI(exception_handlers=…)``."""
