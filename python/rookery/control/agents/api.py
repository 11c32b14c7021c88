"""``/clusters/agents``: what agents ask over HTTPS, before and without a connection to the relay.

Who asks is told by the agent's own secret, not by a session or a token of people.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from rookery.contracts.agent_enrolment_v1 import (
    PATH,
    Metadata,
    MqttAccess,
    Registered,
    Registration,
    ReportPlan,
)
from rookery.contracts.agent_fields import MessageError, Record, parse_object
from rookery.contracts.agent_v1 import REPORT_BYTES_MAX, Report
from rookery.control.agents import texts
from rookery.control.agents.service import Known
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.errors import UnknownCallerError
from rookery.control.rest.guard import open_to_all
from rookery.web.peer import address_of
from rookery.web.rest import BODY_BYTES_MAX, errors, example

__all__ = ["router"]

Anybody = Annotated[Access | None, open_to_all()]
_PATH = PATH.removeprefix("/api")
_BEARER_BYTES_MAX = 600
_R = TypeVar("_R", bound=Record)


def _body(description: str, shape: dict[str, Any]) -> dict[str, Any]:
    """The document's word on a body that the contract reads, not the framework."""
    return {
        BODY_BYTES_MAX: REPORT_BYTES_MAX,
        "requestBody": {
            "required": True,
            "description": description,
            "content": {
                "application/json": {"schema": {"type": "object"}, "example": shape},
            },
        },
    }


_REGISTRATION = _body(
    "The machine and the registration token.",
    {"nodeId": "b3d1f0", "registrationToken": "rkr_…", "agentVersion": "0.6.0"},
)
_REPORT = _body(
    "A report, as on the relay.", {"agentVersion": "0.6.0", "clock": 1767225600000, "sequence": 7}
)


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Agents"])
    _entering(api, control)
    _staying(api, control)
    return api


def _entering(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        f"{_PATH}/register",
        summary="Register an agent",
        responses=example({"agentId": "4f0c9a1b2d3e5f60", "token": "rka_…"})
        | errors("BAD_REQUEST", "BAD_TOKEN", "ALREADY_EXISTS", "CONFLICT"),
        openapi_extra=_REGISTRATION,
    )
    async def register(request: Request, _access: Anybody) -> Response:
        """With the registration token of an entry. The agent's own token is told this once."""
        asked = await _read(request, Registration)
        agent_id, secret = await control.adoption.agents.register(asked, address_of(request))
        return _json(Registered(agent_id, secret).to_json())

    @api.get(
        f"{_PATH}/metadata",
        summary="Where the relay is",
        responses=example(
            {
                "clusterId": "4f0c9a1b2d3e5f60",
                "mqtt": {"servers": ["mqtts://control.example.com:38883"], "username": "9a1b"},
                "report": {"intervalS": 15},
                "clock": 1767225600000,
            }
        )
        | errors("BAD_TOKEN"),
    )
    async def metadata(request: Request, _access: Anybody) -> Response:
        """The password there is the agent's own token."""
        agent = await _known(control, request)
        servers = await control.adoption.relay_addresses(request.headers.get("host", ""))
        answer = Metadata(
            agent.cluster_id,
            MqttAccess(tuple(servers), agent.id),
            ReportPlan(round(control.adoption.report_interval_s)),
            control.clock.now_ms(),
        )
        return _json(answer.to_json())


def _staying(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        f"{_PATH}/report",
        status_code=204,
        summary="Report without a connection to the relay",
        responses=errors("BAD_REQUEST", "BAD_TOKEN"),
        openapi_extra=_REPORT,
        response_class=Response,
    )
    async def report(request: Request, _access: Anybody) -> Response:
        """What an agent does while it cannot reach the relay."""
        agent = await _known(control, request)
        control.adoption.agents.report(agent, await _read(request, Report))
        return Response(status_code=204)

    @api.post(
        f"{_PATH}/unregister",
        status_code=204,
        summary="Leave",
        responses=errors("BAD_TOKEN"),
        response_class=Response,
    )
    async def unregister(request: Request, _access: Anybody) -> Response:
        """The entry stays and another agent may register for it."""
        agent = await _known(control, request)
        await control.adoption.agents.unregister(agent)
        return Response(status_code=204)


async def _known(control: ControlContext, request: Request) -> Known:
    header = request.headers.get("authorization", "")[:_BEARER_BYTES_MAX]
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise UnknownCallerError(texts.NO_BEARER, code="AUTHORIZATION_HEADER_ERROR")
    return await control.adoption.agents.known(token.strip())


async def _read(request: Request, kind: type[_R]) -> _R:
    """A body by the rules of the contract.

    Raises:
        MessageError: it does not keep them.
    """
    try:
        data = await request.body()
    except ClientDisconnect:
        raise MessageError("the body did not come whole") from None
    # A report may be large; other requests are not to wait for it.
    if len(data) > 8192:
        return await run_in_threadpool(_parsed, data, kind)
    return _parsed(data, kind)


def _parsed(data: bytes, kind: type[_R]) -> _R:
    return kind.read(parse_object(data, REPORT_BYTES_MAX))


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")
