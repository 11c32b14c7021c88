"""OpenAPI documents: what the framework finds out, and what holds for every operation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from rookery.web import examples
from rookery.web.models import ErrorBody
from rookery.web.rest import ERROR_REF, errors

_UNUSED = ("HTTPValidationError", "ValidationError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around the operations.

    Attributes:
        schemes: How one says who asks, by name.
        complete: Adds to an operation, which is given with its method and path.
        examples: What parameters in paths look like, see :func:`rookery.web.examples.of_parameter`.
    """

    title: str
    version: str
    description: str
    server: str
    schemes: Mapping[str, Mapping[str, str]]
    complete: Callable[[dict[str, Any], str, str], None]
    examples: Mapping[str, Any] = field(default_factory=dict)


def make(routes: Sequence[APIRoute], frame: Frame) -> dict[str, Any]:
    """The document, the same for the same routes."""
    for route in routes:
        route.operation_id = route.operation_id or _operation_id(route)
        if not (route.summary and route.description):
            raise ValueError(f"{route.path}: summary or description is missing")
    found = get_openapi(
        title=frame.title,
        version=frame.version,
        openapi_version="3.1.0",
        description=frame.description,
        routes=list(routes),
        servers=[{"url": frame.server}],
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.setdefault(ErrorBody.__name__, ErrorBody.model_json_schema())
    components["schemas"] = dict(sorted(schemas.items()))
    for name in _UNUSED:
        components["schemas"].pop(name, None)
    components["securitySchemes"] = dict(frame.schemes)
    found["security"] = [{name: []} for name in frame.schemes]
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            responses: dict[str, Any] = operation["responses"]
            responses.pop("422", None)
            frame.complete(operation, method.upper(), path)
            if operation.get("parameters") or "requestBody" in operation:
                add_errors(responses, "BAD_REQUEST")
            if "requestBody" in operation:
                add_errors(responses, "EXCEED_LIMIT")
            operation["responses"] = dict(sorted(responses.items()))
    _leave_out_titles(found)
    found["paths"] = dict(sorted(found["paths"].items()))
    examples.complete(found, frame.examples)
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


def add_errors(responses: dict[str, Any], *codes: str) -> None:
    """What an operation may answer besides what it says itself."""
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
