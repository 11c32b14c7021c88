"""What a client is told whose request does not fit its description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from rookery.config import validator_zh
from rookery.web.accept_language import language_asked
from rookery.web.caller import FAILURE
from rookery.web.errors import problem
from rookery.words import Words

_NO_JSON_TYPE = Words(
    "the body is no JSON by its Content-Type: send it with application/json",
    "请求体的 Content-Type 不是 JSON：请使用 application/json",
)
_MORE = Words("and {count} more", "以及另外 {count} 项")
MESSAGES_MAX = 10
"""Of more things that are wrong with a request only the first are told."""


async def answer_invalid(request: Request, error: Exception) -> Response:
    """400 with everything that is wrong."""
    assert isinstance(error, RequestValidationError)
    request.scope[FAILURE] = f"BAD_REQUEST: {_told(request, error, 'en')}"
    return problem(400, "BAD_REQUEST", told_invalid(request, error))


def told_invalid(request: Request, error: RequestValidationError) -> str:
    """Everything that is wrong, in the language of the request."""
    return _told(request, error, language_asked(request.headers.get("accept-language")))


def _told(request: Request, error: RequestValidationError, language: str) -> str:
    if error.errors()[0]["loc"] == ("body",) and not _is_json(request):
        return _NO_JSON_TYPE.text(language)
    problems = [_text_of(item, error.body, in_chinese=language == "zh") for item in error.errors()]
    if len(problems) > MESSAGES_MAX:
        more = _MORE.format(count=len(problems) - MESSAGES_MAX)
        problems = [*problems[:MESSAGES_MAX], more.text(language)]
    return "; ".join(problems)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _text_of(item: Mapping[str, Any], body: Any, *, in_chinese: bool) -> str:
    if item["type"] == "json_invalid" and not in_chinese:
        return f"the body is no JSON: {item['ctx']['error']} at character {item['loc'][-1]}"
    # The value itself is not told: it may be a password under a mistyped name.
    where, *steps = item["loc"]
    if where == "body":
        steps = _written(steps, body, is_missing=item["type"] == "missing")
    elif where not in ("query", "path"):
        steps = [where, *steps]
    place = ".".join(map(str, steps))
    message = validator_zh.text_of(item) if in_chinese else validator_zh.english_of(item)
    if in_chinese:
        place = "" if item["type"] == "json_invalid" else place
    return f"{place}: {message}" if place else message


def _written(steps: Sequence[int | str], body: Any, *, is_missing: bool) -> list[int | str]:
    """A place without the names of forms that the validator puts in between.

    ``is_missing``: the last step is a member that is not there, and is told all the same.
    """
    found: list[int | str] = []
    for number, step in enumerate(steps, start=1):
        is_there = isinstance(body, Mapping) and step in body
        is_item = isinstance(body, list) and isinstance(step, int) and step < len(body)
        if is_there or is_item or (is_missing and number == len(steps)):
            found.append(step)
        if is_there or is_item:
            body = body[step]
    return found
