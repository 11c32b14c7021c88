"""The OpenAPI document: what the framework finds out, and what holds for every operation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from rookery.broker.rest import examples, roles
from rookery.web.models import ErrorBody
from rookery.web.rest import ERROR_REF, errors

VERSION = "5"
"""Of the interface, not of the product."""

DESCRIPTION = """\
Manage a Rookery node. Paths, members and error codes are EMQX 5's.

Say who you are with `Authorization: Bearer TOKEN` (`POST /login` gives one), or with an API key and
its secret as HTTP Basic. A refused request has `{"code": "…", "message": "…"}`.
"""
_UNUSED = ("HTTPValidationError", "ValidationError")


def make(routes: Sequence[APIRoute]) -> dict[str, Any]:
    """The document, the same for the same routes."""
    for route in routes:
        route.operation_id = route.operation_id or _operation_id(route)
        if not (route.summary and route.description):
            raise ValueError(f"{route.path}: summary or description is missing")
    found = get_openapi(
        title="Rookery",
        version=VERSION,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=list(routes),
        servers=[{"url": "/api/v5"}],
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.setdefault(ErrorBody.__name__, ErrorBody.model_json_schema())
    components["schemas"] = dict(sorted(schemas.items()))
    for name in _UNUSED:
        components.get("schemas", {}).pop(name, None)
    components["securitySchemes"] = {
        "bearerAuth": {"type": "http", "scheme": "bearer"},
        "basicAuth": {"type": "http", "scheme": "basic"},
    }
    found["security"] = [{"bearerAuth": []}, {"basicAuth": []}]
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            _complete(operation, (method.upper(), path))
    _leave_out_titles(found)
    found["paths"] = dict(sorted(found["paths"].items()))
    examples.complete(found)
    return found


def _leave_out_titles(part: Any) -> None:
    """The framework makes titles of names, ``Ip Address`` of ``ip_address``: they tell nothing more."""
    if isinstance(part, list):
        for item in part:
            _leave_out_titles(item)
    elif isinstance(part, dict):
        for name, item in part.items():
            if name in ("example", "examples"):
                continue
            below = item.values() if name == "properties" and isinstance(item, dict) else [item]
            if name in ("properties", "schema", "items"):
                for schema in below:
                    if isinstance(schema, dict) and isinstance(schema.get("title"), str):
                        del schema["title"]
            _leave_out_titles(item)


def _complete(operation: dict[str, Any], key: roles.OperationKey) -> None:
    """Add what stands around every operation."""
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    if roles.is_open(key):
        operation["security"] = []
    else:
        if roles.is_for_users(key[1]):
            operation["security"] = [{"bearerAuth": []}]
        _add(responses, "AUTHORIZATION_HEADER_ERROR", "BAD_TOKEN", "TOKEN_TIME_OUT")
        _add(responses, "UNAUTHORIZED_ROLE", "PASSWORD_CHANGE_REQUIRED")
    if operation.get("parameters") or "requestBody" in operation:
        _add(responses, "BAD_REQUEST")
    if "requestBody" in operation:
        _add(responses, "EXCEED_LIMIT")
    operation["responses"] = dict(sorted(responses.items()))


def _add(responses: dict[str, Any], *codes: str) -> None:
    for status, entry in errors(*codes).items():
        there = responses.setdefault(
            str(status),
            {
                "description": entry["description"],
                "content": {"application/json": {"schema": ERROR_REF}},
            },
        )
        content = there.setdefault("content", {}).setdefault(
            "application/json", {"schema": ERROR_REF}
        )
        if "example" not in content:
            content.setdefault("examples", {}).update(
                entry["content"]["application/json"]["examples"]
            )


def _operation_id(route: APIRoute) -> str:
    method = min(route.methods or {"GET"}).lower()
    words = re.findall(r"[A-Za-z0-9]+", route.path_format)
    return "_".join([method, *words])
