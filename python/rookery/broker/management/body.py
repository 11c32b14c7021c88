"""Reads what a request carries, within bounds."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from rookery.errors import BadRequestError, ExceedsLimitError

JSON_BYTES_MAX = 4 << 20
FILE_BYTES_MAX = 256 << 20


async def read_bytes(request: Request, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """The whole body.

    Raises:
        ExceedsLimitError: it is larger than ``bytes_max``.
    """
    content = bytearray()
    async for chunk in request.stream():
        if len(content) + len(chunk) > bytes_max:
            raise ExceedsLimitError(f"at most {bytes_max} bytes")
        content += chunk
    return bytes(content)


async def read_json(request: Request) -> Any:
    """The body as JSON; without a body an empty object.

    Raises:
        BadRequestError: it is something else.
    """
    content = await read_bytes(request, JSON_BYTES_MAX)
    try:
        return json.loads(content) if content else {}
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is no JSON: {error}") from None


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object; without a body an empty one.

    Raises:
        BadRequestError: it is something else.
    """
    value = await read_json(request)
    if not isinstance(value, dict):
        raise BadRequestError("the body is no JSON object")
    return value


def text_of(body: dict[str, Any], name: str, default: str | None = None) -> str:
    """A member that is text.

    Raises:
        BadRequestError: it is absent without a default, or no text.
    """
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise BadRequestError(f"{name} is text")
    return value


def flag_of(body: dict[str, Any], name: str) -> bool | None:
    """A member that is true, false or absent.

    Raises:
        BadRequestError: it is something else.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRequestError(f"{name} is true or false")
    return value
