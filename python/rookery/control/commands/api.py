"""``…/clusters/{cluster}/commands``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from rookery.control.clusters.api import PATH, Edits, Sees
from rookery.control.commands.kinds import Kind
from rookery.control.commands.service import Order
from rookery.control.commands.shown import ClusterCommand, CommandGiven, StateName, to_shown
from rookery.control.context import ControlContext
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

COMMANDS = PATH + "/{cluster}/commands"
States = Annotated[
    list[StateName] | None, Query(max_length=8, description="Only those in one of these states.")
]
KindQuery = Annotated[Kind | None, Query(description="Only those of this kind.")]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Commands"])

    @api.get(COMMANDS, summary="Commands of a cluster", responses=errors("NOT_FOUND"))
    async def commands(
        access: Sees,
        cluster: str,
        window: WindowQuery,
        language: LanguageQuery,
        state: States = None,
        kind: KindQuery = None,
    ) -> Items[ClusterCommand]:
        """What was to be changed at it, in the order it was asked for."""
        rows, total = await control.commands.list(
            access, cluster, window, states=state or (), kind=kind or ""
        )
        return Items(items=[to_shown(row, language) for row in rows], total=total)

    @api.post(
        COMMANDS,
        status_code=202,
        summary="Have something started or stopped at a cluster",
        responses=errors("NOT_FOUND", "CONFLICT", "EXCEED_LIMIT"),
    )
    async def ask(
        access: Edits, cluster: str, given: CommandGiven, language: LanguageQuery
    ) -> ClusterCommand:
        """A rule, a connector, an action or a source. It is kept until it is known how it went: an
        agent that is away does it when it is back, and does it once.
        """
        order = Order(given.kind, given.object_id, ttl_s=given.ttl_s)
        return to_shown(await control.commands.ask(access, cluster, order), language)

    @api.get(COMMANDS + "/{command}", summary="A command", responses=errors("NOT_FOUND"))
    async def one(
        access: Sees, cluster: str, command: str, language: LanguageQuery
    ) -> ClusterCommand:
        """Where it is, and why."""
        return to_shown(await control.commands.get(access, cluster, command), language)

    @api.post(
        COMMANDS + "/{command}/cancel",
        status_code=204,
        summary="Take a command back",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def cancel(access: Edits, cluster: str, command: str) -> None:
        """As long as the agent does not have it in hand."""
        await control.commands.cancel(access, cluster, command)

    return api
