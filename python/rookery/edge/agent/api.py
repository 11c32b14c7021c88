"""``/tunnel``, ``/status/ecp_tunnel`` and ``/management/cancel``: the connection to a control plane."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from rookery.contracts.agent_edge import DEFAULT_USERNAME, EDGE_PREFIX
from rookery.edge.agent.settings import TEXT_MAX, AgentSettings, parse_address, pem_of, wrong
from rookery.edge.agent.status import State, Status
from rookery.edge.agent.texts import WRONG_SCHEME
from rookery.edge.context import EdgeContext
from rookery.edge.rest.models import DONE, Done
from rookery.web.language import LanguageQuery
from rookery.web.models import Model, Row

_FILE_MAX = 128 * 1024
SHORT_ID_LENGTH = 8
Encoded = Annotated[
    str | None,
    Field(
        max_length=_FILE_MAX,
        description="Base64 of the PEM file; absent: as it is, empty: none.",
        examples=[None],
    ),
]


class TunnelGiven(Model):
    """How this service connects to a control plane."""

    enable: bool = Field(description="Whether it connects; off, it leaves.", examples=[True])
    enableSSL: bool = Field(default=False, description="Whether with TLS.")  # noqa: N815
    address: str = Field(
        default="",
        max_length=300,
        description="`HOST:PORT` of the control plane, with or without `tcp://` or `ssl://`.",
        examples=["tcp://control.example.com:31883"],
    )
    username: str = Field(
        default=DEFAULT_USERNAME,
        max_length=TEXT_MAX,
        description="Of the account that agents make themselves known with.",
        examples=["admin"],
    )
    password: str | None = Field(
        default=None,
        max_length=TEXT_MAX,
        description="Of it; absent: as it is.",
        json_schema_extra={"format": "password"},
        examples=["public"],
    )
    description: str = Field(
        default="",
        max_length=TEXT_MAX,
        description="What the control plane shows of this service.",
        examples=["Hall 3"],
    )
    certificationRaw: Encoded = None  # noqa: N815
    privateKeyRaw: Encoded = None  # noqa: N815
    rootCARaw: Encoded = None  # noqa: N815
    registerId: str | None = Field(  # noqa: N815
        default=None,
        max_length=TEXT_MAX,
        description="Taken as a client of NeuronEX sends it; the service keeps its own.",
        examples=[None],
    )


class TunnelShown(Row):
    """The same without what is secret."""

    enable: bool = Field(description="Whether it connects.", examples=[True])
    enableSSL: bool = Field(description="Whether with TLS.")  # noqa: N815
    address: str = Field(
        description="Where to; empty: not set.", examples=["tcp://control.example.com:31883"]
    )
    username: str = Field(description="Of the account.", examples=["admin"])
    description: str = Field(description="What the control plane shows.", examples=["Hall 3"])
    registerId: str = Field(  # noqa: N815
        description="The service's own name for itself.", examples=["9a1b2c3d-4f0c9a1b2d3e5f60"]
    )
    hasPassword: bool = Field(description="Whether one is set.", examples=[True])  # noqa: N815
    hasCertificate: bool = Field(description="Whether one was uploaded.")  # noqa: N815
    hasPrivateKey: bool = Field(description="Whether one was uploaded.")  # noqa: N815
    hasRootCA: bool = Field(description="Whether one was uploaded.")  # noqa: N815


class ProblemShown(Row):
    """Why there is no connection."""

    code: str = Field(description="For programs.", examples=["WRONG_PASSWORD"])
    message: str = Field(description="For people, in the language of the caller.")


class StatusShown(Row):
    """How the connection stands."""

    status: State = Field(
        description="`init`: switched off. `disconnected` is tried again soon, `refused` and `rejected` "
        "seldom, `removed` when the settings are saved.",
        examples=["connected"],
    )
    agentId: str = Field(description="The name at the control plane.")  # noqa: N815
    shortId: str = Field(description="Its short form, as pages show it.")  # noqa: N815
    managed: bool = Field(description="Whether it was adopted.", examples=[True])
    service: str = Field(description="What it is called there.", examples=["hall-3"])
    project: str = Field(description="Of which project it is.", examples=["Plant 1"])
    organization: str = Field(description="Of which organization.", examples=["Factory East"])
    address: str = Field(description="Where the control plane is.")
    since: int = Field(
        description="Since when, in milliseconds since 1970.", examples=[1769846400000]
    )
    error: ProblemShown | None = Field(description="What went wrong last; none: nothing.")


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(tags=["Agent"])

    @api.get("/tunnel", summary="The connection to a control plane")
    async def shown() -> TunnelShown:
        """Passwords and files are not told."""
        return _shown(edge.agent.settings)

    @api.post("/tunnel", summary="Connect to a control plane, or leave it")
    async def save(given: TunnelGiven) -> Done:
        """At once. With other settings it connects anew and keeps its name, as long as the host is the same."""
        await edge.agent.save(_wanted(given, edge.agent.settings))
        return DONE

    @api.get("/status/ecp_tunnel", summary="How the connection to the control plane stands")
    async def status(language: LanguageQuery) -> StatusShown:
        """With what went wrong last."""
        return _status(edge.agent.status, edge.agent.settings, language)

    @api.get("/status/report", summary="How this service and its nodes are")
    async def report() -> dict[str, Any]:
        """What an agent tells its control plane, for one that has to ask: a message of type `edge_report`."""
        message = edge.agent.report()
        return {"type": message.TYPE, **message.written()}

    @api.post("/management/cancel", summary="Leave the control plane for good")
    async def cancel() -> Done:
        """It forgets its name there and is switched off. Its configuration stays."""
        await edge.agent.cancel()
        return DONE

    return api


def _shown(settings: AgentSettings) -> TunnelShown:
    return TunnelShown(
        enable=settings.is_enabled,
        enableSSL=settings.is_tls,
        address=settings.url,
        username=settings.username,
        description=settings.description,
        registerId=settings.register_id,
        hasPassword=bool(settings.password),
        hasCertificate=bool(settings.certificate),
        hasPrivateKey=bool(settings.private_key),
        hasRootCA=bool(settings.authority),
    )


def _wanted(given: TunnelGiven, before: AgentSettings) -> AgentSettings:
    host, port = "", 0
    if given.address.strip():
        host, port, is_tls = parse_address(given.address)
        if is_tls and not given.enableSSL:
            raise wrong(WRONG_SCHEME)
    files = {
        "certificate": ("certificationRaw", given.certificationRaw),
        "private_key": ("privateKeyRaw", given.privateKeyRaw),
        "authority": ("rootCARaw", given.rootCARaw),
    }
    taken = {name: pem_of(member, raw) for name, (member, raw) in files.items() if raw is not None}
    if given.password is not None:
        taken["password"] = given.password
    return replace(
        before,
        is_enabled=given.enable,
        is_tls=given.enableSSL,
        host=host,
        port=port,
        username=given.username,
        description=given.description.strip(),
        **taken,
    )


def _status(status: Status, settings: AgentSettings, language: str) -> StatusShown:
    problem = status.problem
    return StatusShown(
        status=status.state,
        agentId=status.agent_id,
        shortId=status.agent_id.removeprefix(EDGE_PREFIX)[:SHORT_ID_LENGTH],
        managed=status.is_managed,
        service=status.service,
        project=status.project,
        organization=status.organization,
        address=settings.address,
        since=status.since_ms,
        error=None
        if problem is None
        else ProblemShown(code=problem.code, message=problem.words.text(language)),
    )
