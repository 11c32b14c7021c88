"""The OpenAPI document of an edge service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.routing import APIRoute

from rookery.edge.features import routes
from rookery.edge.rest.guard import NEED, need_of
from rookery.edge.rest.models import Refused
from rookery.web.document import Frame, make

VERSION = "1"
"""Of the interface, not of the product."""

DESCRIPTION = """\
Connect devices to MQTT: drivers and applications are nodes, drivers have groups of tags, applications subscribe
to groups. Paths below `/neuron` have the names and members that scripts for Neuron use.

Say who you are with `Authorization: Bearer TOKEN`, the token of `POST /login`. A viewer may everything that is a
GET, and read values; an administrator everything.

A refused request has `{"error": NUMBER, "message": "…"}`, the number Neuron's, the message in the language of
`Accept-Language` (English or Chinese). Of a list of tags those before a wrong one are kept: status 206 with its
`index`.
"""
EXAMPLES = {"name": "ada", "template": "pump", "tag": "temperature"}
_EXAMPLES: Mapping[str, tuple[Any, ...]] = {
    "206": (2205, "tag level: address 40: expected SLAVE!REGISTER", 3),
    "400": (1002, "node: Field required"),
    "401": (1004, "sign in first"),
    "403": (1017, "viewers may look, and change nothing"),
    "404": (2003, "there is no node plc"),
    "409": (2002, "there is a node plc already"),
    "413": (1002, "at most 8388608 bytes"),
    "500": (1001, "the request failed, the log says why"),
    "503": (3002, "not connected to the device"),
}
_REFUSED = {"$ref": "#/components/schemas/Refused"}


def document() -> dict[str, Any]:
    """The same for every edge service: routers do nothing with one before they are asked."""
    nothing: Any = None
    found = list(routes(nothing))
    needs = {_key(route): need_of(route) for route in found}

    def complete(operation: dict[str, Any], method: str, path: str) -> None:
        need = needs[method, path]
        operation[NEED] = need
        responses = operation["responses"]
        _add(responses, 400, "The request is wrong")
        if need == "nobody":
            operation["security"] = []
        _add(responses, 401, "Nobody knows who asks")
        if need != "nobody":
            _add(responses, 403, "The caller may not do this, or has to choose a password first")
        if need != "nobody" and path.startswith(("/neuron", "/users", "/deliveries")):
            _add(responses, 404, "There is none of that name")
            _add(responses, 409, "What is there stands against it")
        _add(responses, 413, "The body is too long")
        _add(responses, 503, "Too much to do at present, or the device does not answer")

    frame = Frame(
        title="Rookery edge service",
        version=VERSION,
        description=DESCRIPTION,
        server="/api",
        schemes={"bearerAuth": {"type": "http", "scheme": "bearer"}},
        complete=complete,
        examples=EXAMPLES,
    )
    made = make(found, frame)
    _take_own_errors(made)
    return made


def _take_own_errors(made: dict[str, Any]) -> None:
    """The frame describes errors as the other interfaces have them."""
    schemas = made["components"]["schemas"]
    schemas.pop("ErrorBody", None)
    schemas["Refused"] = Refused.model_json_schema()
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    for operations in made["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")) or status == "206":
                    content = {"schema": dict(_REFUSED), "example": _example(status)}
                    response["content"] = {"application/json": content}


def _example(status: str) -> dict[str, Any]:
    number, message, *index = _EXAMPLES[status]
    return {"error": number, "message": message} | ({"index": index[0]} if index else {})


def _key(route: APIRoute) -> tuple[str, str]:
    return min(route.methods or {"GET"}), route.path_format


def _add(responses: dict[str, Any], status: int, description: str) -> None:
    responses.setdefault(str(status), {"description": description})
