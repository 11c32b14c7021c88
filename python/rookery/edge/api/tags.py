"""``/neuron/tags`` and ``/neuron/gtags``: what is read of a device."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from rookery.edge.api.names import (
    GroupGiven,
    GroupName,
    GroupQuery,
    NodeName,
    NodeQuery,
    TagName,
    TagsGiven,
)
from rookery.edge.context import EdgeContext
from rookery.edge.errors import EdgeError
from rookery.edge.model import Tag
from rookery.edge.rest.models import DONE, Done, Refused
from rookery.edge.wire import tag_of, tag_row
from rookery.web.models import Model, Row

GROUPS_MAX = 512
PARTLY: dict[int | str, dict[str, Any]] = {
    206: {"model": Refused, "description": "The element `index` is wrong; those before it are kept"}
}


class TagsShown(Row):
    """Tags."""

    tags: list[dict[str, Any]] = Field(
        description="As they were sent.",
        examples=[[{"name": "temperature", "address": "1!40001", "type": 3, "attribute": 1}]],
    )


class GroupTags(Model):
    """Tags of a group."""

    node: NodeName
    group: GroupName
    tags: TagsGiven


class TagNames(Model):
    """Which tags."""

    node: NodeName
    group: GroupName
    tags: list[TagName] = Field(max_length=100_000, description="Names of tags.")


class GroupsOfNode(Model):
    """Groups with tags."""

    node: NodeName
    groups: list[GroupGiven] = Field(max_length=GROUPS_MAX, description="Groups, made if missing.")


class Kept(Done):
    """How many went in."""

    index: int = Field(description="How many went in.", examples=[1])


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/neuron", tags=["Groups and tags"])

    @api.get("/tags", summary="Tags of a group")
    async def tags(
        node: NodeQuery,
        group: GroupQuery,
        name: Annotated[str, Query(description="What the name holds.", examples=["temp"])] = "",
    ) -> TagsShown:
        """As they were sent."""
        found = edge.service.tags.list(node, group, name)
        return TagsShown(tags=[tag_row(tag) for tag in found])

    @api.post("/tags", summary="Add tags", responses=PARTLY)
    async def add(given: GroupTags) -> Kept:
        """Up to the first wrong one, which is told with its index and status 206."""
        return await _put(given, edge.service.tags.add)

    @api.put("/tags", summary="Change tags", responses=PARTLY)
    async def change(given: GroupTags) -> Kept:
        """Found by name. Up to the first wrong one, which is told with its index and status 206."""
        return await _put(given, edge.service.tags.update)

    @api.delete("/tags", summary="Remove tags")
    async def remove(given: TagNames) -> Done:
        """By name."""
        await edge.service.tags.delete(given.node, given.group, given.tags)
        return DONE

    @api.post("/gtags", summary="Add groups with tags", responses=PARTLY)
    async def add_groups(given: GroupsOfNode) -> Kept:
        """All or none. The index that is answered is that of the group."""
        groups = [
            (one.group, one.interval, _tags_of(one, at)) for at, one in enumerate(given.groups)
        ]
        await edge.service.tags.add_groups(given.node, groups)
        return Kept(index=len(groups))

    return api


async def _put(given: GroupTags, put: Callable[[str, str, Sequence[Tag]], Awaitable[int]]) -> Kept:
    made: list[Tag] = []
    wrong: EdgeError | None = None
    for index, raw in enumerate(given.tags):
        try:
            made.append(tag_of(raw))
        except EdgeError as error:
            wrong = error.at(index)
            break
    count = await put(given.node, given.group, made)
    if wrong is not None:
        raise wrong
    return Kept(index=count)


def _tags_of(group: GroupGiven, at: int) -> list[Tag]:
    try:
        return [tag_of(raw) for raw in group.tags]
    except EdgeError as error:
        raise error.at(at) from None
