"""``/orgs/{org}/projects/{project}/edgetemplates``."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from rookery.control.context import ControlContext
from rookery.control.distribution.models import (
    AimGiven,
    ContentShown,
    DriftList,
    DriftShown,
    EdgeDeliveryGiven,
    EdgeTemplateShown,
    Made,
    MadeVersion,
    TemplateDetail,
    TemplateGiven,
    TemplateNamed,
    TriedList,
    TriedShown,
    VersionGiven,
    VersionShown,
)
from rookery.control.distribution.templates import CONTENT_LENGTH_MAX
from rookery.control.edges.api import Edits, Sees
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.web.language import LanguageQuery
from rookery.web.rest import BODY_BYTES_MAX, errors

TEMPLATES = "/orgs/{org}/projects/{project}/edgetemplates"
TEMPLATE = TEMPLATES + "/{template}"
TAG = "Edge configuration"
# As text in JSON, with what JSON writes in front of quotes.
_BIG = {BODY_BYTES_MAX: 4 * CONTENT_LENGTH_MAX}
Number = Annotated[int, Path(ge=0, le=1 << 31, description="Its number.", examples=[3])]
Sort = Literal["name", "createdAt", "changedAt"]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=[TAG])
    _looking(api, control)
    _changing(api, control)
    _delivering(api, control)
    return api


def _looking(api: APIRouter, control: ControlContext) -> None:
    @api.get(TEMPLATES, summary="Templates of a project", responses=errors("NOT_FOUND"))
    async def templates(
        access: Sees,
        window: WindowQuery,
        search: Annotated[
            str, Query(max_length=200, description="Part of the name.", examples=[""])
        ] = "",
        sort: Annotated[Sort, Query(description="By which member.")] = "name",
    ) -> Items[EdgeTemplateShown]:
        """Configuration for edge services, in versions."""
        rows, total = await control.distribution.templates.list(access, search, sort, window)
        return Items(items=[EdgeTemplateShown.of(row) for row in rows], total=total)

    @api.get(TEMPLATE, summary="A template", responses=errors("NOT_FOUND"))
    async def template(access: Sees, template: str) -> TemplateDetail:
        """With its versions."""
        row, versions = await control.distribution.templates.get(access, template)
        shown = EdgeTemplateShown.of(row)
        members = {name: getattr(shown, name) for name in EdgeTemplateShown.model_fields}
        return TemplateDetail(**members, versions=[VersionShown.of(one) for one in versions])

    @api.get(
        TEMPLATE + "/versions/{number}",
        summary="The content of a version",
        responses=errors("NOT_FOUND"),
    )
    async def content(access: Edits, template: str, number: Number) -> ContentShown:
        """It may hold passwords of devices, so it is for those who may change it. Number 0: the newest."""
        found = await control.distribution.templates.content(access, template, number)
        return ContentShown(content=found)

    @api.get(TEMPLATE + "/drift", summary="Desired against reported", responses=errors("NOT_FOUND"))
    async def drift(access: Sees, template: str) -> DriftList:
        """Every edge service that was given the template, and what it says that it has of it."""
        found = await control.distribution.looking.drift(access, template)
        return DriftList(items=[DriftShown.of(one) for one in found])


def _changing(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        TEMPLATES,
        status_code=201,
        summary="Make a template",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS", "EXCEED_LIMIT"),
        openapi_extra=_BIG,
    )
    async def create(access: Edits, given: TemplateGiven) -> Made:
        """With its first version."""
        found = await control.distribution.templates.create(
            access, given.name, given.description, given.draft(), given.note
        )
        return Made(id=found)

    @api.post(
        TEMPLATE + "/versions",
        status_code=201,
        summary="Add a version",
        responses=errors("NOT_FOUND", "EXCEED_LIMIT"),
        openapi_extra=_BIG,
    )
    async def add(access: Edits, template: str, given: VersionGiven) -> MadeVersion:
        """A version is never changed."""
        number = await control.distribution.templates.add_version(
            access, template, given.draft(), given.note
        )
        return MadeVersion(number=number)

    @api.put(
        TEMPLATE,
        status_code=204,
        summary="Rename a template",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS"),
    )
    async def rename(access: Edits, template: str, given: TemplateNamed) -> None:
        """Its versions stay."""
        await control.distribution.templates.rename(access, template, given.name, given.description)

    @api.delete(
        TEMPLATE,
        status_code=204,
        summary="Delete a template",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def delete(access: Edits, template: str) -> None:
        """With its deliveries. What edge services have of it stays there."""
        await control.distribution.templates.delete(access, template)


def _delivering(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        TEMPLATE + "/preview",
        summary="Try a delivery on paper",
        responses=errors("NOT_FOUND"),
        openapi_extra=_BIG,
    )
    async def preview(
        access: Edits, template: str, given: AimGiven, language: LanguageQuery
    ) -> TriedList:
        """Every edge service is asked whether it would take it, and what would change there."""
        found = await control.distribution.looking.preview(
            access, template, given.version, given.aim(), language
        )
        return TriedList(items=[TriedShown.of(one) for one in found])

    @api.post(
        TEMPLATE + "/deliver",
        status_code=202,
        summary="Deliver a template",
        responses=errors("NOT_FOUND", "CONFLICT", "EXCEED_LIMIT"),
        openapi_extra=_BIG,
    )
    async def deliver(access: Edits, template: str, given: EdgeDeliveryGiven) -> Made:
        """Wave by wave. Each edge service checks it and takes it whole or not at all; one that is away gets it
        when it is back, while its wave lasts.
        """
        found = await control.distribution.deliveries.deliver(
            access, template, given.version, given.aim(), given.pace()
        )
        return Made(id=found)
