"""``/neuron/subscribe``: which groups an application gets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from rookery.edge.api.names import AppName, DriverName, GroupName
from rookery.edge.context import EdgeContext
from rookery.edge.model import Subscription
from rookery.edge.rest.models import DONE, Done
from rookery.web.models import Model, Row

GROUPS_MAX = 10_000

Params = Annotated[
    dict[str, Any],
    Field(
        description="What the application takes, such as `topic`.",
        examples=[{"topic": "plant/line-1"}],
    ),
]


class SubscriptionShown(Row):
    """An application gets a group."""

    app: str = Field(description="Which application.", examples=["mqtt"])
    driver: str = Field(description="Of which driver.", examples=["plc"])
    group: str = Field(description="Which group.", examples=["line-1"])
    params: Params = Field(default_factory=dict)


class SubscriptionsShown(Row):
    """What an application gets."""

    groups: list[SubscriptionShown] = Field(description="Group by group.")


class GroupOf(Model):
    """A group for an application."""

    driver: DriverName
    group: GroupName
    params: Params = Field(default_factory=dict)


class SubscriptionGiven(GroupOf):
    """An application gets a group."""

    app: AppName


class SubscriptionNamed(Model):
    """Which one."""

    app: AppName
    driver: DriverName
    group: GroupName


class SubscriptionsGiven(Model):
    """An application gets several groups."""

    app: AppName
    groups: list[GroupOf] = Field(max_length=GROUPS_MAX, description="Which ones.")


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/neuron", tags=["Subscriptions"])

    @api.get("/subscribe", summary="What an application gets")
    async def shown(
        app: Annotated[
            str, Query(description="An application; none: all.", examples=["mqtt"])
        ] = "",
        driver: Annotated[str, Query(description="Only of this driver.")] = "",
    ) -> SubscriptionsShown:
        """Of one application, or of all."""
        made = edge.service.subscriptions
        found = made.of_app(app) if app else made.all()
        rows = [_shown(one) for one in found if not driver or one.driver == driver]
        return SubscriptionsShown(groups=rows)

    @api.post("/subscribe", summary="Give an application a group")
    async def add(given: SubscriptionGiven) -> Done:
        """It gets what is read from now on."""
        await edge.service.subscriptions.add(given.app, given.driver, given.group, given.params)
        return DONE

    @api.put("/subscribe", summary="Change what an application does with a group")
    async def change(given: SubscriptionGiven) -> Done:
        """Such as the topic."""
        await edge.service.subscriptions.update(given.app, given.driver, given.group, given.params)
        return DONE

    @api.delete("/subscribe", summary="Take a group from an application")
    async def remove(given: SubscriptionNamed) -> Done:
        """It gets nothing of it any more."""
        await edge.service.subscriptions.delete(given.app, given.driver, given.group)
        return DONE

    @api.post("/subscribes", summary="Give an application several groups")
    async def add_all(given: SubscriptionsGiven) -> Done:
        """One after the other, up to the first that cannot be."""
        for one in given.groups:
            await edge.service.subscriptions.add(given.app, one.driver, one.group, one.params)
        return DONE

    return api


def _shown(made: Subscription) -> SubscriptionShown:
    return SubscriptionShown(
        app=made.app, driver=made.driver, group=made.group, params=dict(made.params)
    )
