"""``/configuration/agent-relay``: whether the relay of agents answers, and the certificates for edges."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from cryptography import x509
from fastapi import APIRouter
from pydantic import Field, StringConstraints
from starlette.responses import Response

from rookery.access.authority import now_utc
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.relay.export import export
from rookery.control.relay.files import CertificateError, RelayFiles
from rookery.control.rest.guard import requires
from rookery.control.rest.models import Given, Shown
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

Sees = Annotated[Access, requires(Resource.SETTINGS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.SETTINGS, Level.EDIT)]
PATH = "/configuration/agent-relay"
FILE_NAME = "rookery-edge-certificates.zip"
_DAY_S = 86_400


class CertificateShown(Shown):
    """What the relay shows with TLS."""

    file: str = Field(examples=["/var/lib/rookery/control/certificates/server.pem"])
    subject: str = Field(examples=["CN=control.example.com"])
    issuer: str = Field(examples=["CN=Rookery private CA"])
    not_after: int = Field(description="Milliseconds since 1970.", examples=[1_830_000_000_000])
    days_left: int = Field(examples=[396])


class RelayShown(Shown):
    """The relay."""

    is_connected: bool = Field(
        description="The control plane has just reached it through its own port.", examples=[True]
    )
    problem: str = Field(description="Why it has not; empty: it has.", examples=[""])
    tcp_port: int | None = Field(description="None: closed.", examples=[31883])
    tls_port: int | None = Field(description="None: closed.", examples=[38883])
    agents: int = Field(description="Agents that are connected to this process.", examples=[12])
    verify_peer: bool = Field(description="Agents are asked for a certificate.", examples=[False])
    fail_if_no_peer_cert: bool = Field(
        description="Agents without one are refused.", examples=[False]
    )
    certificate: CertificateShown | None = Field(description="None: TLS is off.")
    certificate_problem: str = Field(
        description="Why files that changed were not taken; the old ones hold.", examples=[""]
    )
    has_client_certificate: bool = Field(
        description="The archive holds a client certificate beside the CA.", examples=[True]
    )


class ExportGiven(Given):
    """For whom."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        default="edge",
        description="Common name of the certificate that is made.",
        examples=["plant-7"],
    )


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Settings"])

    @api.get(PATH, summary="The relay of agents")
    async def shown(access: Sees, language: LanguageQuery) -> RelayShown:
        """Looks at it now, through its port, as `control.mqtt` says."""
        return await _shown(control, language)

    @api.post(
        PATH + "/certificates",
        summary="Export certificates for edges",
        response_class=Response,
        responses={
            200: {"content": {"application/zip": {}}, "description": "An archive."},
            **errors("CONFLICT", "SERVICE_UNAVAILABLE"),
        },
    )
    async def certificates(access: Edits, given: ExportGiven) -> Response:
        """The CA, and a client certificate with its key: the one that was brought, else one that is made for
        this archive. The key of an authority never leaves the control plane.
        """
        made = await asyncio.to_thread(export, control.adoption.relay_files, given.name)
        async with control.database.write() as session:
            control.audit.record(
                session,
                access,
                Resource.SETTINGS,
                "export",
                object_id="agent-relay",
                object_name=given.name,
                after={"clientCertificate": made.has_client},
            )
        headers = {
            "content-disposition": f'attachment; filename="{FILE_NAME}"',
            "cache-control": "no-store",
        }
        return Response(made.content, media_type="application/zip", headers=headers)

    return api


async def _shown(control: ControlContext, language: str) -> RelayShown:
    relay, files = control.adoption.relay, control.adoption.relay_files
    found = await control.adoption.relay_look.problem(relay.addresses)
    ports = relay.ports
    held = None
    problem = relay.certificate_problem
    if problem:
        try:
            await asyncio.to_thread(files.check, now_utc())
        except CertificateError as error:
            problem = error.text(language)
        else:
            # They were mended without becoming others: nobody told.
            await relay.take_certificate()
            problem = relay.certificate_problem
    if "tls" in ports:
        held = await asyncio.to_thread(_certificate, files, control.clock.now_ms())
    return RelayShown(
        is_connected=found is None,
        problem="" if found is None else found.text(language),
        tcp_port=ports.get("tcp"),
        tls_port=ports.get("tls"),
        agents=relay.connected_count,
        verify_peer=files.verify_peer,
        fail_if_no_peer_cert=files.verify_peer and files.fail_if_no_peer_cert,
        certificate=held,
        certificate_problem=problem,
        has_client_certificate=files.client is not None or files.is_own,
    )


def _certificate(files: RelayFiles, now_ms: int) -> CertificateShown | None:
    path = files.certificate.path
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError):
        # It is gone or being replaced; what the relay goes on with is in its log.
        return None
    end = found.not_valid_after_utc
    left: Any = end - datetime.fromtimestamp(now_ms / 1000, UTC)
    return CertificateShown(
        file=str(path),
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        not_after=int(end.timestamp() * 1000),
        days_left=int(left.total_seconds() // _DAY_S),
    )
