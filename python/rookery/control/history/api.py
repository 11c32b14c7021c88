"""``GET …/clusters/{cluster}/events``: what happened to a cluster."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from rookery.control.clusters.api import PATH, Sees
from rookery.control.context import ControlContext
from rookery.control.history.events import Kind
from rookery.control.history.texts import text_of
from rookery.control.rest.lists import OFFSET_MAX, SIZE_DEFAULT, SIZE_MAX
from rookery.control.rest.models import Items, Shown, Time
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors


class EventShown(Shown):
    """Something that happened to a cluster."""

    id: int = Field(description="A later event has a higher one.", examples=[17])
    at: Time = Field(description="When.")
    kind: Kind = Field(description="What, for programs.", examples=["stateChanged"])
    subject: str = Field(
        description="To what of it: a condition or a node; empty: to itself.",
        examples=["ClusterUnreachable"],
    )
    text: str = Field(
        description="The same for people, in the language of the caller.",
        examples=["running → abnormal"],
    )


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Clusters"])

    @api.get(
        PATH + "/{cluster}/events",
        summary="What happened to a cluster",
        responses=errors("NOT_FOUND"),
    )
    async def events(
        access: Sees,
        cluster: str,
        language: LanguageQuery,
        kind: Annotated[
            list[Kind] | None, Query(max_length=20, description="Only of these kinds.")
        ] = None,
        offset: Annotated[
            int, Query(ge=0, le=OFFSET_MAX, description="Rows to leave out at the beginning.")
        ] = 0,
        size: Annotated[
            int, Query(ge=1, le=SIZE_MAX, description="Most rows of the part.")
        ] = SIZE_DEFAULT,
    ) -> Items[EventShown]:
        """The newest first. The last thousand are kept, for ninety days at most."""
        rows, total = await control.monitoring.history.page(
            access, cluster, [str(item) for item in kind or ()], offset, size
        )
        return Items(
            items=[
                EventShown(
                    id=row.id,
                    at=row.at,
                    kind=Kind(row.kind),
                    subject=row.subject,
                    text=text_of(row.kind, row.subject, row.details, language),
                )
                for row in rows
            ],
            total=total,
        )

    return api
