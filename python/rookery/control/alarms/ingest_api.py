"""``POST …/alarms/webhook``: alarms of other programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header

from rookery.control.alarms import texts
from rookery.control.alarms.api import PATH
from rookery.control.alarms.catalogue import Severity
from rookery.control.alarms.ingest import CustomAlarm
from rookery.control.alarms.shown import CustomGiven, CustomTaken
from rookery.control.context import ControlContext
from rookery.control.errors import UnknownCallerError
from rookery.control.rest.guard import open_to_all
from rookery.web.rest import BODY_BYTES_MAX, errors

Anybody = Annotated[None, open_to_all()]
TokenHeader = Annotated[
    str, Header(alias="X-Rookery-Alarm-Token", max_length=256, description="The project's token.")
]
EcpHeader = Annotated[
    str,
    Header(
        alias="X-ECP-Alarm-Token",
        max_length=256,
        description="The same, by the name that programs for EMQX ECP know.",
    ),
]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Alarms"])

    @api.post(
        PATH + "/webhook",
        status_code=202,
        summary="Raise an alarm from another program",
        responses=errors("BAD_TOKEN", "FORBIDDEN", "NOT_FOUND", (409, "EXCEED_LIMIT")),
        openapi_extra={BODY_BYTES_MAX: 16384},
    )
    async def take(
        _anybody: Anybody,
        org: str,
        project: str,
        given: CustomGiven,
        token: TokenHeader = "",
        ecp_token: EcpHeader = "",
    ) -> CustomTaken:
        """With the token that an administrator of the project made. It allows nothing else."""
        sent = token or ecp_token
        if not sent:
            raise UnknownCallerError(texts.BAD_TOKEN, code="BAD_TOKEN")
        alarm = CustomAlarm(
            message=given.message,
            at_s=int(given.timestamp),
            severity=Severity.CRITICAL if given.severity else Severity.NORMAL,
            source=given.source,
            tag=given.tag,
            uuid=given.uuid,
            is_resolved=given.status == "resolved",
        )
        return CustomTaken(id=await control.alarms.ingest.take(org, project, sent, alarm))

    return api
