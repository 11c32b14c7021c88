"""How an error becomes an HTTP answer: EMQX's ``{"code": …, "message": …}`` and a status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from rookery.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    ExceedsLimitError,
    InvalidValueError,
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
from rookery.web.accept_language import language_asked
from rookery.web.caller import FAILURE
from rookery.web.codes import ERROR_CODES

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
_BASIC = 'Basic realm="rookery-dashboard"'
_FAILED = "the request failed, the log says why"


def status_of(error: RookeryError) -> int:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(
    status: int, code: str, message: object, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The body that every refused request gets."""
    return JSONResponse({"code": code, "message": message}, status_code=status, headers=headers)


def in_language(scope: Scope, code: str, message: str) -> str:
    """A message for whoever sent a request, of an error without words in that language: those that
    its English stands for, else what its code means and the English.
    """
    if _language(scope) != "zh":
        return message
    meaning = ERROR_CODES.get(code)
    if meaning is not None and message in (meaning.description, ""):
        return meaning.zh
    # Many texts, which few processes say.
    from rookery.web.refusals_zh import in_chinese  # noqa: PLC0415

    if (chinese := in_chinese(message)) is not None:
        return chinese
    return message if meaning is None else f"{meaning.zh}：{message}"


def _language(scope: Scope) -> str:
    return language_asked(Headers(scope=scope).get("accept-language"))


def told(scope: Scope, error: RookeryError) -> str:
    """What an error says to whoever sent a request."""
    message = error.text(_language(scope))
    return in_language(scope, error.code, message) if message == error.message else message


def _http_code(error: HTTPException) -> str:
    return _HTTP_CODES.get(error.status_code, "BAD_REQUEST")


def http_told(scope: Scope, error: HTTPException) -> str:
    """The same of an error of the framework, which has English alone."""
    return in_language(scope, _http_code(error), str(error.detail))


def _said(error: RookeryError, text: str) -> object:
    """EMQX: an object where a value breaks a rule that programs test for."""
    if not isinstance(error, InvalidValueError):
        return text
    return {
        "kind": "validation_error",
        "path": error.path,
        "reason": error.reason,
        "text": text,
    }


async def answer_error(request: Request, error: Exception) -> Response:
    """Turn what a handler raised into an answer."""
    scope = request.scope
    if isinstance(error, RookeryError):
        scope[FAILURE] = f"{error.code}: {error.message}"
        message = told(scope, error)
        headers = None
        if error.code == "AUTHORIZATION_HEADER_ERROR":
            headers = {"www-authenticate": getattr(error, "challenge", _BASIC)}
        elif isinstance(error, BusyError):
            headers = {"retry-after": str(error.retry_after_s)}
        return problem(status_of(error), error.code, _said(error, message), headers)
    if isinstance(error, HTTPException):
        code = _http_code(error)
        scope[FAILURE] = f"{code}: {error.detail}"
        return problem(error.status_code, code, http_told(scope, error), error.headers)
    _log.error("a request failed", exc_info=error)
    scope[FAILURE] = f"INTERNAL_ERROR: {_FAILED}"
    return problem(500, "INTERNAL_ERROR", in_language(scope, "INTERNAL_ERROR", _FAILED))


HANDLERS: dict[int | type[Exception], Any] = {
    RookeryError: answer_error,
    HTTPException: answer_error,
    Exception: answer_error,
}
"""For ``Starlette(exception_handlers=…)``."""
