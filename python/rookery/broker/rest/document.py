"""The OpenAPI document of a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.routing import APIRoute

from rookery.broker.rest import roles
from rookery.broker.rest.examples import NAMES
from rookery.web.document import Frame, add_errors
from rookery.web.document import make as make_document

VERSION = "5"
"""Of the interface, not of the product."""

DESCRIPTION = """\
Manage a Rookery node. Paths, members and error codes are EMQX 5's.

Say who you are with `Authorization: Bearer TOKEN` (`POST /login` gives one), or with an API key and
its secret as HTTP Basic. A refused request has `{"code": "…", "message": "…"}`.
"""


def make(routes: Sequence[APIRoute]) -> dict[str, Any]:
    """The document, the same for the same routes."""
    frame = Frame(
        title="Rookery",
        version=VERSION,
        description=DESCRIPTION,
        server="/api/v5",
        schemes={
            "bearerAuth": {"type": "http", "scheme": "bearer"},
            "basicAuth": {"type": "http", "scheme": "basic"},
        },
        complete=_complete,
        examples=NAMES,
    )
    return make_document(routes, frame)


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    """Add what stands around every operation."""
    if roles.is_open((method, path)):
        operation["security"] = []
        return
    if roles.is_for_users(path):
        operation["security"] = [{"bearerAuth": []}]
    responses = operation["responses"]
    add_errors(responses, "AUTHORIZATION_HEADER_ERROR", "BAD_TOKEN", "TOKEN_TIME_OUT")
    add_errors(responses, "UNAUTHORIZED_ROLE", "PASSWORD_CHANGE_REQUIRED")
