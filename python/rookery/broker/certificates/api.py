"""``/certificates``: what listeners show, until when, and reading the files again."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.web.models import Row


class CertificateRow(Row):
    """A certificate in use."""

    listener: str = Field(description="The listener.", examples=["ssl:default"])
    field: str = Field(description="The setting that names its file.", examples=["certfile"])
    file: str = Field(description="The file.", examples=["/etc/rookery/server.pem"])
    subject: str = Field(description="Whose it is, as in RFC 4514.", examples=["CN=broker"])
    not_after: str = Field(description="When it ends.", examples=["2027-01-01T00:00:00Z"])
    days_left: int = Field(description="Days until then; negative afterwards.", examples=[90])


class ReloadRow(Row):
    """What became of the certificates of a listener."""

    listener: str = Field(description="The listener.", examples=["ssl:default"])
    ok: bool = Field(description="Whether the files are in use.", examples=[True])
    result: str = Field(description="`ok`, or why what was in use stays.", examples=["ok"])


def router(node: NodeContext) -> APIRouter:
    service = node.services.certificates
    api = APIRouter(tags=["Certificates"])

    @api.get("/certificates", summary="List certificates", response_model=list[CertificateRow])
    async def list_certificates() -> Any:
        """Every certificate that a listener uses. Not in EMQX."""
        return await service.all()

    @api.post(
        "/certificates/reload", summary="Read certificates again", response_model=list[ReloadRow]
    )
    async def reload() -> Any:
        """Read every certificate and key again, which also happens by itself when a file changes.
        What cannot be used does not replace what is in use. Connections go on. Not in EMQX.
        """
        return await service.reload()

    return api
