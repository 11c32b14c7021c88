"""What a client is told whose request does not fit its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from rookery.web import invalid_zh
from rookery.web.errors import problem
from rookery.web.language import language_of

MESSAGES_MAX = 10
"""Of more things that are wrong with a request only the first are told."""


async def answer_invalid(request: Request, error: Exception) -> Response:
    """400 with everything that is wrong."""
    assert isinstance(error, RequestValidationError)
    in_chinese = language_of(request.headers.get("accept-language")) == "zh"
    if error.errors()[0]["loc"] == ("body",) and not _is_json(request):
        text = "the body is no JSON by its Content-Type: send it with application/json"
        return problem(400, "BAD_REQUEST", invalid_zh.NO_JSON_TYPE if in_chinese else text)
    problems = [_text_of(item, in_chinese=in_chinese) for item in error.errors()]
    if len(problems) > MESSAGES_MAX:
        more = invalid_zh.MORE if in_chinese else "and {count} more"
        problems = [*problems[:MESSAGES_MAX], more.format(count=len(problems) - MESSAGES_MAX)]
    return problem(400, "BAD_REQUEST", "; ".join(problems))


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _text_of(item: Mapping[str, Any], *, in_chinese: bool) -> str:
    if item["type"] == "json_invalid" and not in_chinese:
        return f"the body is no JSON: {item['ctx']['error']} at character {item['loc'][-1]}"
    # The value itself is not told: it may be a password under a mistyped name.
    place = ".".join(str(part) for part in item["loc"] if part not in ("body", "query", "path"))
    message = str(item["msg"]).removeprefix("Value error, ")
    if in_chinese:
        message = invalid_zh.text_of(item)
        place = "" if item["type"] == "json_invalid" else place
    return f"{place}: {message}" if place else message
