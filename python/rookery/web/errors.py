"""How an error becomes an HTTP answer: EMQX's ``{"code": …, "message": …}`` and a status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rookery.errors import (
    BadRequestError,
    ConflictError,
    ExceedsLimitError,
    NoMatchError,
    NotAllowedError,
    NotAvailableError,
    NotFoundError,
    RemovedError,
    RookeryError,
    TimedOutError,
    UnauthorizedError,
    UnavailableError,
)

_log = logging.getLogger("rookery.web")


STATUS: Mapping[type[RookeryError], int] = {
    BadRequestError: 400,
    UnauthorizedError: 401,
    NotAllowedError: 403,
    NotFoundError: 404,
    RemovedError: 410,
    ConflictError: 409,
    NoMatchError: 412,
    ExceedsLimitError: 413,
    NotAvailableError: 501,
    UnavailableError: 503,
    TimedOutError: 504,
}
"""The status of a class and of those below it; every other error is 500."""

_HTTP_CODES = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "EXCEED_LIMIT",
    415: "UNSUPPORTED_MEDIA_TYPE",
}
# EMQX's realm is its product; the header is what makes curl and browsers ask.
_CHALLENGE = {"www-authenticate": 'Basic realm="rookery-dashboard"'}


def status_of(error: RookeryError) -> int:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The body that every refused request gets."""
    return JSONResponse({"code": code, "message": message}, status_code=status, headers=headers)


async def answer_error(request: Request, error: Exception) -> Response:
    """Turn what a handler raised into an answer."""
    if isinstance(error, RookeryError):
        # Errors that people read most come in their language.
        in_language = getattr(error, "text", None)
        language = request.headers.get("accept-language", "")[:2].lower()
        message = in_language(language) if in_language is not None else error.message
        is_unknown = error.code == "AUTHORIZATION_HEADER_ERROR"
        return problem(status_of(error), error.code, message, _CHALLENGE if is_unknown else None)
    if isinstance(error, HTTPException):
        code = _HTTP_CODES.get(error.status_code, "BAD_REQUEST")
        return problem(error.status_code, code, str(error.detail), error.headers)
    _log.error("a request failed", exc_info=error)
    return problem(500, "INTERNAL_ERROR", "the request failed, the log says why")


HANDLERS: dict[int | type[Exception], Any] = {
    RookeryError: answer_error,
    HTTPException: answer_error,
    Exception: answer_error,
}
"""For ``Starlette(exception_handlers=…)``."""
