"""``/neuron/group``: which tags of a driver are read together, and how often."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from rookery.edge.api.names import GroupName, Interval, NodeName
from rookery.edge.context import EdgeContext
from rookery.edge.rest.models import DONE, Done
from rookery.web.models import Model, Row


class GroupShown(Row):
    """A group."""

    driver: str = Field(description="Of which driver.", examples=["plc"])
    name: str = Field(description="Its name.", examples=["line-1"])
    group: str = Field(description="The same, as the list of all drivers has it.")
    interval: int = Field(description="Milliseconds between two readings.", examples=[1000])
    tag_count: int = Field(description="Tags in it.", examples=[60])


class GroupsShown(Row):
    """Groups."""

    groups: list[GroupShown] = Field(description="By driver, as they were made.")


class NewGroup(Model):
    """A new group."""

    node: NodeName
    group: GroupName
    interval: Interval


class ChangedGroup(Model):
    """Another name, another interval, or both."""

    node: NodeName
    group: GroupName
    new_name: GroupName | None = Field(default=None, description="Another name.")
    interval: Interval | None = Field(default=None, description="Another interval.")


class GroupNamed(Model):
    """Which one."""

    node: NodeName
    group: GroupName


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/neuron", tags=["Groups and tags"])

    @api.get("/group", summary="Groups")
    async def groups(
        node: Annotated[
            str, Query(description="Of which driver; none: of all.", examples=["plc"])
        ] = "",
    ) -> GroupsShown:
        """Of a driver, or of all."""
        if node:
            found = [(node, group) for group in edge.service.groups.list(node)]
        else:
            found = list(edge.service.groups.all())
        return GroupsShown(
            groups=[
                GroupShown(
                    driver=driver,
                    name=group.name,
                    group=group.name,
                    interval=group.interval_ms,
                    tag_count=len(group.tags),
                )
                for driver, group in found
            ]
        )

    @api.post("/group", summary="Add a group")
    async def add(given: NewGroup) -> Done:
        """To a driver."""
        await edge.service.groups.add(given.node, given.group, given.interval)
        return DONE

    @api.put("/group", summary="Change a group")
    async def change(given: ChangedGroup) -> Done:
        """Its tags and subscriptions stay."""
        await edge.service.groups.update(
            given.node, given.group, new_name=given.new_name, interval_ms=given.interval
        )
        return DONE

    @api.delete("/group", summary="Remove a group")
    async def remove(given: GroupNamed) -> Done:
        """With its tags and subscriptions."""
        await edge.service.groups.delete(given.node, given.group)
        return DONE

    return api
