"""``…/alarms/{channels,deliveries}``: who is told, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from rookery.control.alarms.api import PATH, Edits, IdQuery, Sees
from rookery.control.alarms.push.service import DeliveryQuery
from rookery.control.alarms.push.shown import (
    ChannelGiven,
    ChannelShown,
    DeliveryShown,
    PushTestGiven,
    PushTestShown,
    StateName,
    TemplateShown,
    to_channel,
    to_delivery,
    wanted_of,
)
from rookery.control.alarms.push.store import Medium
from rookery.control.alarms.push.template import DEFAULT, REQUIRED, VARIABLES
from rookery.control.context import ControlContext
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

CHANNELS = PATH + "/channels"
DELIVERIES = PATH + "/deliveries"


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Alarm pushes"])
    _lists(api, control)
    _changes(api, control)
    _deliveries(api, control)
    return api


def _lists(api: APIRouter, control: ControlContext) -> None:
    @api.get(CHANNELS, summary="Push configurations of a project", responses=errors("NOT_FOUND"))
    async def channels(access: Sees) -> Items[ChannelShown]:
        """By name; what is secret in them is not shown."""
        rows = await control.alarms.channels.list(access)
        return Items(items=[to_channel(row) for row in rows], total=len(rows))

    @api.get(
        PATH + "/template", summary="The usual body of a webhook", responses=errors("NOT_FOUND")
    )
    async def template(access: Sees) -> TemplateShown:
        """And the variables that another may hold."""
        return TemplateShown(template=DEFAULT, variables=list(VARIABLES), required=list(REQUIRED))

    @api.get(CHANNELS + "/{channel}", summary="A push configuration", responses=errors("NOT_FOUND"))
    async def one(access: Sees, channel: str) -> ChannelShown:
        """Without what is secret in it."""
        return to_channel(await control.alarms.channels.get(access, channel))


def _changes(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        CHANNELS,
        status_code=201,
        summary="Add a push configuration",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS", (409, "EXCEED_LIMIT")),
    )
    async def create(access: Edits, given: ChannelGiven) -> ChannelShown:
        """Test it afterwards."""
        return to_channel(await control.alarms.channels.create(access, wanted_of(given)))

    @api.put(
        CHANNELS + "/{channel}",
        summary="Change a push configuration",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS"),
    )
    async def change(access: Edits, channel: str, given: ChannelGiven) -> ChannelShown:
        """What is secret and not given stays, as long as the webhook's host does."""
        return to_channel(await control.alarms.channels.put(access, channel, wanted_of(given)))

    @api.delete(
        CHANNELS + "/{channel}",
        status_code=204,
        summary="Delete a push configuration",
        responses=errors("NOT_FOUND"),
    )
    async def delete(access: Edits, channel: str) -> None:
        """What waits for it is not sent; the log stays."""
        await control.alarms.channels.delete(access, channel)

    @api.post(
        CHANNELS + "/{channel}/test",
        summary="Test a push configuration",
        responses=errors("NOT_FOUND"),
    )
    async def test(
        access: Edits, channel: str, given: PushTestGiven, language: LanguageQuery
    ) -> PushTestShown:
        """A message is sent now, once."""
        found = await control.alarms.channels.test(access, channel, Medium(given.medium))
        return PushTestShown(
            is_sent=found.is_sent,
            status=found.status,
            reason=found.reason_zh if language == "zh" else found.reason,
            duration_ms=found.duration_ms,
        )


def _deliveries(api: APIRouter, control: ControlContext) -> None:
    @api.get(DELIVERIES, summary="What was pushed", responses=errors("NOT_FOUND"))
    async def deliveries(
        access: Sees,
        window: WindowQuery,
        language: LanguageQuery,
        state: Annotated[StateName | None, Query(description="Only of that.")] = None,
        channel: IdQuery = None,
        alarm: IdQuery = None,
    ) -> Items[DeliveryShown]:
        """Messages that wait, and what became of the others; kept for 30 days."""
        query = DeliveryQuery(state, channel, alarm)
        rows, total = await control.alarms.channels.deliveries(access, query, window)
        return Items(items=[to_delivery(row, language) for row in rows], total=total)

    @api.post(
        DELIVERIES + "/{delivery}/retry",
        status_code=204,
        summary="Send a message again",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def retry(access: Edits, delivery: str) -> None:
        """One that was given up, or any other that is over."""
        await control.alarms.channels.retry(access, delivery)
