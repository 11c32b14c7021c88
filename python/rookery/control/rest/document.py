"""The OpenAPI document of the control plane."""

from __future__ import annotations

from typing import Any

from fastapi.routing import APIRoute

from rookery.control.features import routes
from rookery.control.rest.guard import Need, need_of
from rookery.web.document import Frame, add_errors, make

VERSION = "1"
"""Of the interface, not of the product."""

DESCRIPTION = """\
Manage organizations, projects, their people, and the clusters that they adopted.

Say who you are with `Authorization: Bearer TOKEN`: what `POST /login` gives, or an API token (`rkt_…`).
A refused request has `{"code": "…", "message": "…"}`, the message in the language of `Accept-Language`
(English or Chinese). Query parameters that an operation does not know are refused (400, `BAD_REQUEST`). What a caller may not get to know of is answered as if it were not there.
"""
_ID = "4f0c9a1b2d3e5f60"
EXAMPLES: dict[str, Any] = dict.fromkeys(
    ("org", "project", "user", "token", "session", "cluster", "invitation", "service"), _ID
)
EXAMPLES |= dict.fromkeys(("alarm", "channel", "delivery", "window"), _ID)
EXAMPLES |= {"template": _ID, "number": 3}
EXAMPLES |= {"kind": "rule.abnormal", "agent": f"edge-{_ID}"}


def document() -> dict[str, Any]:
    """The same for every control plane: routers do nothing with one before they are asked."""
    nothing: Any = None
    found = list(routes(nothing))
    needs = {_key(route): need_of(route) for route in found}

    def complete(operation: dict[str, Any], method: str, path: str) -> None:
        _complete(operation, needs[method, path])
        _describe_place(operation, path)

    frame = Frame(
        title="Rookery control plane",
        version=VERSION,
        description=DESCRIPTION,
        server="/api",
        schemes={"bearerAuth": {"type": "http", "scheme": "bearer"}},
        complete=complete,
        examples=EXAMPLES,
    )
    return make(found, frame)


def _key(route: APIRoute) -> tuple[str, str]:
    return min(route.methods or {"GET"}), route.path_format


def _describe_place(operation: dict[str, Any], path: str) -> None:
    """The guard reads organization and project from the path, so an operation need not."""
    parameters = operation.setdefault("parameters", [])
    known = {parameter["name"] for parameter in parameters}
    missing = [name for name in ("org", "project") if f"{{{name}}}" in path and name not in known]
    for at, name in enumerate(missing):
        schema = {"type": "string", "title": name.capitalize()}
        parameters.insert(at, {"name": name, "in": "path", "required": True, "schema": schema})
    if not parameters:
        del operation["parameters"]


def _complete(operation: dict[str, Any], need: Need) -> None:
    responses = operation["responses"]
    if need.kind == "open":
        operation["security"] = []
    else:
        add_errors(responses, "AUTHORIZATION_HEADER_ERROR", "BAD_TOKEN", "TOKEN_TIME_OUT")
        if need.kind != "signed in":
            add_errors(responses, "FORBIDDEN")
    add_errors(responses, "BAD_REQUEST", "SERVICE_UNAVAILABLE")
    if need.resource is not None:
        operation["x-permission"] = {
            "resource": need.resource.value,
            "level": need.level.name.lower(),
        }
