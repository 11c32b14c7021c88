"""``/deliveries``: configuration that comes from the control plane."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse

from rookery.edge.api.configuration import (
    ROWS_MAX,
    GroupRow,
    NodeRow,
    SettingRow,
    SubscriptionRow,
    TagsRow,
)
from rookery.edge.context import EdgeContext
from rookery.edge.deliveries import Applied, Delivered, Order
from rookery.edge.differences import Counts, Difference
from rookery.edge.errors import EdgeError
from rookery.edge.rest.models import Done
from rookery.web.models import Model, Row

PATH = "/deliveries"
Token = Annotated[
    str, Field(pattern="^[0-9A-Za-z_-]{1,64}$", description="Made by who delivers.",
               examples=["4f0c9a1b2d3e5f60"]),
]  # fmt: skip


class DeliveryDocument(Model):
    """Nodes as they shall be; others stay. A secret that is `******` stays what it is here."""

    nodes: list[NodeRow] = Field(
        min_length=1, max_length=ROWS_MAX, description="Drivers and applications."
    )
    settings: list[SettingRow] = Field(
        default_factory=list, max_length=ROWS_MAX, description="Their settings."
    )
    groups: list[GroupRow] = Field(
        default_factory=list, max_length=ROWS_MAX, description="Groups of the drivers."
    )
    tags: list[TagsRow] = Field(
        default_factory=list, max_length=ROWS_MAX, description="Tags of the groups."
    )
    subscriptions: list[SubscriptionRow] = Field(
        default_factory=list,
        max_length=ROWS_MAX,
        description="All of the applications above; those of other applications are added.",
    )


class CheckGiven(Model):
    """What would be delivered."""

    template: Token
    document: DeliveryDocument


class DeliveryGiven(CheckGiven):
    """A delivery."""

    name: str = Field(max_length=256, description="What the template is called.")
    version: int = Field(ge=1, le=1 << 31, description="Of the template.", examples=[3])
    delivery: Token


class RollbackGiven(Model):
    """What is taken back."""

    template: Token
    delivery: Token
    of: Token


class DeliveredRow(Row):
    """What was delivered of one template last."""

    template: str = Field(description="The template.", examples=["4f0c9a1b2d3e5f60"])
    name: str = Field(description="What it is called.", examples=["press line"])
    version: int = Field(description="Its version; 0: taken back.", examples=[3])
    delivery: str = Field(description="The delivery.", examples=["5e1d8b2c3f4a6071"])
    applied_at: int = Field(description="When, in milliseconds.", examples=[1767225600000])
    nodes: list[str] = Field(description="That it brought.", examples=[["press"]])
    has_before: bool = Field(description="Whether it can be taken back.", examples=[True])

    @classmethod
    def of(cls, one: Delivered) -> dict[str, Any]:
        return {
            "template": one.template,
            "name": one.name,
            "version": one.version,
            "delivery": one.delivery,
            "applied_at": one.applied_at_ms,
            "nodes": list(one.nodes),
            "has_before": one.has_before,
        }


class DeliveredShown(DeliveredRow):
    """The same in the list."""

    is_changed: bool = Field(description="Whether somebody changed it since.", examples=[False])


class DeliveriesShown(Row):
    """What was delivered."""

    deliveries: list[DeliveredShown] = Field(description="By template.")


class DeliveryDone(Done):
    """It is here."""

    is_new: bool = Field(description="Whether this changed it; else it was so.", examples=[True])
    delivered: DeliveredRow = Field(description="What is here of the template.")

    @classmethod
    def of(cls, applied: Applied) -> DeliveryDone:
        row = DeliveredRow(**DeliveredRow.of(applied.delivered))
        return cls(is_new=applied.is_new, delivered=row)


class CountsRow(Row):
    """How many come, go or change."""

    added: int = Field(description="Come.", examples=[2])
    removed: int = Field(description="Go.", examples=[0])
    changed: int = Field(description="Change.", examples=[1])

    @classmethod
    def of(cls, counts: Counts) -> CountsRow:
        return cls(added=counts.added, removed=counts.removed, changed=counts.changed)


class DifferenceRow(Row):
    """What would become of one node."""

    name: str = Field(description="The node.", examples=["press"])
    plugin: str = Field(description="What it is.", examples=["Modbus TCP"])
    type: int = Field(description="Driver 1, application 2.", examples=[1])
    change: str = Field(description="`new`, `changed`, `same` or `removed`.", examples=["changed"])
    settings: list[str] = Field(description="Settings that change.", examples=[["host"]])
    groups: CountsRow = Field(description="Its groups.")
    tags: CountsRow = Field(description="Its tags.")
    subscriptions: CountsRow = Field(description="Its subscriptions.")

    @classmethod
    def of(cls, one: Difference) -> DifferenceRow:
        return cls(
            name=one.name,
            plugin=one.plugin,
            type=int(one.kind),
            change=one.change,
            settings=list(one.settings),
            groups=CountsRow.of(one.groups),
            tags=CountsRow.of(one.tags),
            subscriptions=CountsRow.of(one.subscriptions),
        )


class Checked(Done):
    """It can be so."""

    nodes: list[DifferenceRow] = Field(description="By name.")


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(tags=["Deliveries"])

    @api.get(PATH, summary="What the control plane delivered")
    async def deliveries() -> DeliveriesShown:
        """The last delivery of each template."""
        rows = [
            DeliveredShown(**DeliveredRow.of(one), is_changed=is_changed)
            for one, is_changed in edge.service.deliveries.list()
        ]
        return DeliveriesShown(deliveries=rows)

    _changing(api, edge)
    return api


def _changing(api: APIRouter, edge: EdgeContext) -> None:
    @api.post(f"{PATH}/check", summary="Try a delivery on paper", response_model=Checked)
    async def check(given: CheckGiven) -> Any:
        """What it would change here; nothing does."""
        try:
            found = edge.service.deliveries.check(given.template, given.document.model_dump())
        except EdgeError as error:
            return _refused(error)
        return Checked(nodes=[DifferenceRow.of(one) for one in found])

    @api.put(PATH, summary="Take a delivery", response_model=DeliveryDone)
    async def apply(given: DeliveryGiven) -> Any:
        """Whole or not at all; one that came already changes nothing. Nodes that an earlier version brought and
        this one does not have go.
        """
        order = Order(
            template=given.template,
            name=given.name,
            version=given.version,
            delivery=given.delivery,
            document=given.document.model_dump(),
        )
        try:
            return DeliveryDone.of(await edge.service.deliveries.apply(order))
        except EdgeError as error:
            return _refused(error)

    @api.post(f"{PATH}/rollback", summary="Take a delivery back", response_model=DeliveryDone)
    async def rollback(given: RollbackGiven) -> Any:
        """What was there before it comes back; nodes that were new go."""
        try:
            done = await edge.service.deliveries.roll_back(given.template, given.delivery, given.of)
        except EdgeError as error:
            return _refused(error)
        return DeliveryDone.of(done)


def _refused(error: EdgeError) -> JSONResponse:
    """In both languages, for who delivers shows it to many; 404 says that there is no such operation."""
    body = {"error": error.number, "message": error.text("en"), "message_zh": error.text("zh")}
    return JSONResponse(body, status_code=409 if error.code == "CONFLICT" else 400)
