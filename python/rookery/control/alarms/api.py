"""``/orgs/{org}/projects/{project}/alarms``: the list, and what is done about an alarm."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from rookery.control.alarms.listing import AlarmQuery
from rookery.control.alarms.service import DELETED_AT_ONCE_MAX, MOVED_AT_ONCE_MAX, Deletion
from rookery.control.alarms.shown import (
    AlarmDetail,
    AlarmShown,
    AssigneeGiven,
    CommentGiven,
    CommentShown,
    CountShown,
    MovedGiven,
    PersonShown,
    SeverityName,
    SummaryShown,
    to_alarm,
    to_detail,
    to_summary,
)
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Id, Items
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

PATH = "/orgs/{org}/projects/{project}/alarms"
Sees = Annotated[Access, requires(Resource.ALARMS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.ALARMS, Level.EDIT)]
StateQuery = Annotated[
    Literal["current", "history"], Query(description="Those that go on, or those that are over.")
]
SortQuery = Annotated[
    Literal["startsAt", "endsAt", "severity", "kind", "resourceName"],
    Query(description="By which member."),
]
Search = Annotated[
    str, Query(max_length=200, description="What message or resource holds.", examples=[""])
]
SeverityQuery = Annotated[SeverityName | None, Query(description="Only of that.")]
KindQuery = Annotated[
    str | None, Query(max_length=32, description="Only of that.", examples=["agent.lost"])
]
IdQuery = Annotated[
    str | None, Query(max_length=16, pattern="^[0-9a-f]{16}$", description="Only that.")
]
SeenQuery = Annotated[bool | None, Query(description="Only those that somebody saw, or nobody.")]
TimeQuery = Annotated[
    AwareDatetime | None,
    Query(description="A bound on when it began.", examples=["2026-01-31T08:00:00Z"]),
]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Alarms"])
    _lists(api, control)
    _history(api, control)
    _one(api, control)
    _people(api, control)
    return api


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _lists(api: APIRouter, control: ControlContext) -> None:
    @api.get(PATH, summary="Alarms of a project", responses=errors("NOT_FOUND"))
    async def alarms(
        access: Sees,
        window: WindowQuery,
        language: LanguageQuery,
        state: StateQuery = "current",
        search: Search = "",
        severity: SeverityQuery = None,
        kind: KindQuery = None,
        resource: IdQuery = None,
        assignee: IdQuery = None,
        acknowledged: SeenQuery = None,
        since: TimeQuery = None,
        until: TimeQuery = None,
        sort: SortQuery = "startsAt",
    ) -> Items[AlarmShown]:
        """Filtered and sorted by the database."""
        query = AlarmQuery(
            is_current=state == "current",
            search=search,
            severity=severity,
            kind=kind,
            resource_id=resource,
            assignee_id=assignee,
            is_acknowledged=acknowledged,
            since_ms=_ms(since),
            until_ms=_ms(until),
        )
        rows, total = await control.alarms.alarms.list(access, query, window, sort)
        return Items(items=[to_alarm(row, language) for row in rows], total=total)

    @api.get(
        PATH + "/summary", summary="Alarms of a project at a glance", responses=errors("NOT_FOUND")
    )
    async def summary(access: Sees) -> SummaryShown:
        """How many there are, and whether there is a storm."""
        return to_summary(await control.alarms.alarms.summary(access))


def _history(api: APIRouter, control: ControlContext) -> None:
    @api.post(PATH + "/move", summary="Make alarms history by hand", responses=errors("NOT_FOUND"))
    async def move(access: Edits, given: MovedGiven) -> CountShown:
        """What is wrong may go on: it becomes an alarm again when it was well in between."""
        return CountShown(count=await control.alarms.alarms.move(access, given.ids))

    @api.delete(
        PATH + "/history", summary="Delete alarms that are over", responses=errors("NOT_FOUND")
    )
    async def delete(
        access: Edits,
        id: Annotated[
            list[Id] | None, Query(max_length=MOVED_AT_ONCE_MAX, description="Only these.")
        ] = None,
        before: Annotated[
            AwareDatetime | None,
            Query(description="Only those that ended before.", examples=["2026-01-31T08:00:00Z"]),
        ] = None,
        oldest: Annotated[
            int, Query(ge=1, le=DELETED_AT_ONCE_MAX, description="So many at most, oldest first.")
        ] = DELETED_AT_ONCE_MAX,
    ) -> CountShown:
        """At most 50,000 at a time."""
        deletion = Deletion(id or (), _ms(before), oldest)
        return CountShown(count=await control.alarms.alarms.delete_history(access, deletion))

    @api.post(
        PATH + "/clear-storm",
        status_code=204,
        summary="Clear an alarm storm",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def clear_storm(access: Edits) -> None:
        """Alarms are taken and pushed again."""
        await control.alarms.alarms.clear_storm(access)


def _one(api: APIRouter, control: ControlContext) -> None:
    @api.get(PATH + "/{alarm}", summary="An alarm", responses=errors("NOT_FOUND"))
    async def one(access: Sees, alarm: str, language: LanguageQuery) -> AlarmDetail:
        """With what was said about it."""
        row, comments = await control.alarms.alarms.get(access, alarm)
        return to_detail(row, list(comments), language)

    @api.post(
        PATH + "/{alarm}/acknowledge", summary="Acknowledge an alarm", responses=errors("NOT_FOUND")
    )
    async def acknowledge(access: Edits, alarm: str, language: LanguageQuery) -> AlarmShown:
        """Others see who saw it."""
        row = await control.alarms.alarms.acknowledge(access, alarm, is_seen=True)
        return to_alarm(row, language)

    @api.delete(
        PATH + "/{alarm}/acknowledge",
        summary="Take an acknowledgement back",
        responses=errors("NOT_FOUND"),
    )
    async def unacknowledge(access: Edits, alarm: str, language: LanguageQuery) -> AlarmShown:
        """Nobody saw it."""
        row = await control.alarms.alarms.acknowledge(access, alarm, is_seen=False)
        return to_alarm(row, language)


def _people(api: APIRouter, control: ControlContext) -> None:
    @api.put(
        PATH + "/{alarm}/assignee",
        summary="Give an alarm to somebody",
        responses=errors("NOT_FOUND"),
    )
    async def assign(
        access: Edits, alarm: str, given: AssigneeGiven, language: LanguageQuery
    ) -> AlarmShown:
        """To somebody of the project, or to nobody."""
        return to_alarm(await control.alarms.alarms.assign(access, alarm, given.user_id), language)

    @api.get(
        PATH + "/{alarm}/assignees",
        summary="To whom an alarm can be given",
        responses=errors("NOT_FOUND"),
    )
    async def people(access: Edits, alarm: str) -> Items[PersonShown]:
        """Members of the project and administrators of its organization."""
        await control.alarms.alarms.get(access, alarm)
        found = await control.alarms.alarms.people(access)
        shown = [PersonShown(id=user.id, email=user.email, name=user.name) for user in found]
        return Items(items=shown, total=len(shown))

    @api.post(
        PATH + "/{alarm}/comments",
        status_code=201,
        summary="Say something about an alarm",
        responses=errors("NOT_FOUND", (409, "EXCEED_LIMIT")),
    )
    async def comment(access: Edits, alarm: str, given: CommentGiven) -> CommentShown:
        """At most 100 times."""
        row = await control.alarms.alarms.comment(access, alarm, given.text)
        return CommentShown.model_validate(row)
