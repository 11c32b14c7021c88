"""``/orgs/{org}/projects/{project}/edgedeliveries``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from rookery.control.context import ControlContext
from rookery.control.distribution.api import TAG
from rookery.control.distribution.models import (
    EdgeDeliveryDetail,
    EdgeDeliveryShown,
    Made,
    to_delivery,
    to_detail,
)
from rookery.control.edges.api import Edits, Sees
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

DELIVERIES = "/orgs/{org}/projects/{project}/edgedeliveries"
DELIVERY = DELIVERIES + "/{delivery}"


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=[TAG])

    @api.get(DELIVERIES, summary="Deliveries of a project", responses=errors("NOT_FOUND"))
    async def deliveries(
        access: Sees,
        window: WindowQuery,
        template: Annotated[
            str, Query(max_length=16, description="Only those of this template.", examples=[""])
        ] = "",
    ) -> Items[EdgeDeliveryShown]:
        """In the order in which they began."""
        rows, total = await control.distribution.deliveries.list(access, template, window)
        return Items(items=[to_delivery(*row) for row in rows], total=total)

    @api.get(DELIVERY, summary="A delivery", responses=errors("NOT_FOUND"))
    async def delivery(access: Sees, delivery: str, language: LanguageQuery) -> EdgeDeliveryDetail:
        """With the result of each edge service."""
        row, name, targets = await control.distribution.deliveries.get(access, delivery)
        return to_detail(row, name, list(targets), language)

    @api.post(
        DELIVERY + "/stop",
        status_code=204,
        summary="Stop a delivery",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def stop(access: Edits, delivery: str) -> None:
        """No further edge service is asked, and none that is away is waited for."""
        await control.distribution.deliveries.stop(access, delivery)

    @api.post(
        DELIVERY + "/rollback",
        status_code=202,
        summary="Take a delivery back",
        responses=errors("NOT_FOUND", "CONFLICT", "EXCEED_LIMIT"),
    )
    async def rollback(access: Edits, delivery: str) -> Made:
        """Edge services where it succeeded put back what they had before; nodes that were new there go."""
        return Made(id=await control.distribution.deliveries.roll_back(access, delivery))

    return api
