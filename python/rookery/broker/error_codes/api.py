"""``/error_codes``."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.errors import NotFoundError
from rookery.web.codes import ERROR_CODES, OF_CONTROL
from rookery.web.language import LanguageQuery
from rookery.web.models import Row
from rookery.web.rest import errors

_OWN = sorted(ERROR_CODES.keys() - OF_CONTROL)


class ErrorCodeRow(Row):
    """A code and what it means."""

    code: str = Field(description="The code.", examples=["CLIENTID_NOT_FOUND"])
    description: str = Field(description="What it means.", examples=["Client id not found"])


def router(_node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Error Codes"])

    @api.get("/error_codes", summary="List error codes")
    async def error_codes(language: LanguageQuery) -> list[ErrorCodeRow]:
        """Every code that an answer of this interface may carry."""
        return [_row(code, language) for code in _OWN]

    @api.get("/error_codes/{code}", summary="Get an error code", responses=errors("NOT_FOUND"))
    async def error_code(code: str, language: LanguageQuery) -> ErrorCodeRow:
        """What one code means."""
        if code not in _OWN:
            raise NotFoundError(f"no error code {code}")
        return _row(code, language)

    return api


def _row(code: str, language: str) -> ErrorCodeRow:
    return ErrorCodeRow(code=code, description=ERROR_CODES[code].text(language))
