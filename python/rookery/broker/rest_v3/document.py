"""The OpenAPI document of ``/api/v3``, made from the table of operations."""

from __future__ import annotations

import re
from typing import Any

from rookery.broker.rest_v3.answers import CODES, SUCCESS
from rookery.broker.rest_v3.app import OPERATIONS, plain
from rookery.broker.rest_v3.asking import LIMIT_MAX, PAGE_MAX, PREFIX, Operation

DESCRIPTION = """\
The interface of EMQX 3, for programs that were written for it. Say who you are with HTTP Basic: an
application and its secret, which are an API key and its secret.

Answers have HTTP status 200 whether an operation succeeded or not; `code` says that.
"""
_TYPES = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))
_REFUSALS = {"401": "Nobody or somebody wrong asks.", "403": "The role does not allow it."}


def make() -> dict[str, Any]:
    """The document, the same for the same table."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        methods = paths.setdefault(plain(operation.path), {})
        methods[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rookery, as EMQX 3", "version": "3", "description": DESCRIPTION},
        "servers": [{"url": PREFIX}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"basicAuth": {"type": "http", "scheme": "basic"}},
            "schemas": {"Refusal": _refusal()},
        },
        "security": [{"basicAuth": []}],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    refusal = {"$ref": "#/components/schemas/Refusal"}
    succeeded, example = _success(operation)
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {
            "200": {
                "description": "Done, or refused with a code that is not 0.",
                "content": _json({"anyOf": [succeeded, refusal]}, example),
            },
            **{
                status: {"description": text, "content": _json(refusal, _refused(status))}
                for status, text in _REFUSALS.items()
            },
        },
    }
    if operation.body is not None:
        shape = {"type": "array" if isinstance(operation.body, list) else "object"}
        found["requestBody"] = {"required": True, "content": _json(shape, operation.body)}
    return found


def _success(operation: Operation) -> tuple[dict[str, Any], dict[str, Any]]:
    members: dict[str, Any] = {"code": {"const": SUCCESS}}
    example: dict[str, Any] = {"code": SUCCESS}
    if operation.data is not None:
        # EMQX answers with an empty list where an application is not there.
        may_be_none = operation.name == "lookup_app"
        shape = _shape(operation.data)
        members["data"] = {"anyOf": [shape, {"type": "array"}]} if may_be_none else shape
        example["data"] = operation.data
    if operation.is_paged:
        example["meta"] = {"page": 1, "limit": LIMIT_MAX, "count": 1}
        members["meta"] = _shape(example["meta"])
    return {"type": "object", "properties": members, "required": list(members)}, example


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{([^}]+)\}", plain(operation.path))
    ]
    pages = (("_page", PAGE_MAX, "Number of the page, from 1."),
             ("_limit", LIMIT_MAX, "Most rows on a page."))  # fmt: skip
    for name, most, told in pages if operation.is_paged else ():
        schema = {"type": "integer", "minimum": 1, "maximum": most}
        found.append({"name": name, "in": "query", "description": told, "schema": schema})
    for name, told in (operation.query or {}).items():
        schema = {"type": "string"}
        found.append({"name": name, "in": "query", "description": told, "schema": schema})
    return found


def _shape(example: Any) -> dict[str, Any]:
    """What everything that looks like the example has in common."""
    if isinstance(example, dict):
        return {
            "type": "object",
            "properties": {name: _shape(value) for name, value in example.items()},
        }
    if isinstance(example, list):
        return {"type": "array", **({"items": _shape(example[0])} if example else {})}
    return next(({"type": name} for kind, name in _TYPES if isinstance(example, kind)), {})


def _refusal() -> dict[str, Any]:
    told = "; ".join(f"{code}: {text}" for code, text in CODES.items() if code)
    return {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "integer", "minimum": 101, "description": told},
            "message": {"type": "string", "description": "The same for people."},
        },
    }


def _refused(status: str) -> dict[str, Any]:
    return {"code": 103 if status == "401" else 102, "message": _REFUSALS[status]}


def _json(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema, "example": example}}
