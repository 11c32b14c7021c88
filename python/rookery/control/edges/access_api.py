"""``/edgeagents``: edge services that dialed in, and the account that they do it with."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from rookery.control.caller import Access
from rookery.control.clusters.models import Entry
from rookery.control.context import ControlContext
from rookery.control.edges.access import Outcome
from rookery.control.edges.models import Wanted
from rookery.control.edges.shown import (
    AccountGiven,
    AccountShown,
    AdoptionGiven,
    AdoptionsGiven,
    AgentStateName,
    DialedInShown,
    EdgeShown,
    EnrolmentShown,
    OutcomeShown,
    OutcomesShown,
    PresenceName,
    RejectionGiven,
    RelayShown,
    RulesGiven,
    RulesShown,
    rule_of,
    rule_shown,
    to_dialed_in,
    to_edge,
)
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.control.settings.names import EDGE_ENROLMENT, EDGE_RULES
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

SeesSome = Annotated[Access, requires(Resource.EDGE_SERVICES, Level.VIEW, anywhere=True)]
EditsSome = Annotated[Access, requires(Resource.EDGE_SERVICES, Level.EDIT, anywhere=True)]
SeesSettings = Annotated[Access, requires(Resource.SETTINGS, Level.VIEW)]
EditsSettings = Annotated[Access, requires(Resource.SETTINGS, Level.EDIT)]
Sort = Literal["shortId", "description", "state", "enrolledAt", "lastReportAt"]
ONE = "/edgeagents/{agent}"


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Agent access"])
    _enrolment(api, control)
    _rules(api, control)
    _lists(api, control)
    _adopting(api, control)
    _deciding(api, control)
    return api


def _enrolment(api: APIRouter, control: ControlContext) -> None:
    @api.get("/edgeagents/enrolment", summary="How edge services connect")
    async def enrolment(request: Request, access: EditsSome) -> EnrolmentShown:
        """What a page says while there is none, and what it warns of."""
        account = await control.edges.accounts.get()
        addresses = await control.adoption.relay_addresses(request.headers.get("host", ""))
        return EnrolmentShown(
            is_open=account.is_open,
            is_default_password=account.is_default,
            addresses=list(addresses),
        )

    @api.get(f"/configuration/{EDGE_ENROLMENT}", summary="The account of edge services")
    async def account(access: SeesSettings) -> AccountShown:
        """Its password is not told."""
        found = await control.edges.accounts.get()
        ports = control.adoption.relay.ports
        relay = RelayShown(
            tcp_port=ports.get("tcp"),
            tls_port=ports.get("tls"),
            connected=control.edges.connected_count,
            enrolling=control.edges.link.enrolling_count,
        )
        return AccountShown(
            is_open=found.is_open,
            username=found.username,
            is_default_password=found.is_default,
            relay=relay,
        )

    @api.put(
        f"/configuration/{EDGE_ENROLMENT}",
        status_code=204,
        summary="Change the account of edge services",
    )
    async def change(access: EditsSettings, given: AccountGiven) -> None:
        """For who comes from now on: edge services that have a name of their own keep it."""
        await control.edges.accounts.change(
            access, is_open=given.is_open, username=given.username, password=given.password
        )


def _rules(api: APIRouter, control: ControlContext) -> None:
    @api.get(f"/configuration/{EDGE_RULES}", summary="Rules that adopt edge services")
    async def rules(access: SeesSettings) -> RulesShown:
        """In their order: the first that fits counts."""
        found = await control.edges.access.rules()
        return RulesShown(rules=[rule_shown(rule) for rule in found])

    @api.put(f"/configuration/{EDGE_RULES}", status_code=204, summary="Set the rules that adopt")
    async def put_rules(access: EditsSettings, given: RulesGiven) -> None:
        """They are about who comes from now on."""
        await control.edges.access.put_rules(access, [rule_of(rule) for rule in given.rules])


def _lists(api: APIRouter, control: ControlContext) -> None:
    @api.get("/edgeagents", summary="Edge services that dialed in")
    async def agents(
        access: SeesSome,
        window: WindowQuery,
        search: Annotated[
            str,
            Query(
                max_length=200,
                description="What id, description, machine, service, project or organization holds.",
                examples=[""],
            ),
        ] = "",
        state: Annotated[
            list[AgentStateName] | None,
            Query(max_length=3, description="Only those of one of these."),
        ] = None,
        presence: Annotated[
            list[PresenceName] | None,
            Query(max_length=3, description="Only those that are so."),
        ] = None,
        sort: Annotated[Sort, Query(description="By which member.")] = "enrolledAt",
    ) -> Items[DialedInShown]:
        """Those that wait are shown to who may adopt somewhere, managed ones to who sees their project."""
        wanted = Wanted(search=search, states=state or (), presences=presence or (), sort=sort)
        rows, total = await control.edges.access.list(access, wanted, window)
        return Items(items=[to_dialed_in(row) for row in rows], total=total)

    @api.get(ONE, summary="An edge service that dialed in", responses=errors("NOT_FOUND"))
    async def one(access: SeesSome, agent: str) -> DialedInShown:
        """With what was decided about it."""
        return to_dialed_in(await control.edges.access.get(access, agent))


def _adopting(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        f"{ONE}/adopt",
        status_code=201,
        summary="Adopt an edge service",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS", "CONFLICT", (409, "EXCEED_LIMIT")),
    )
    async def adopt(access: EditsSome, agent: str, given: AdoptionGiven) -> EdgeShown:
        """Into a project whose edge services the caller may edit."""
        entry = Entry(given.name, labels=given.labels)
        row = await control.edges.access.adopt(access, agent, entry, given.org_id, given.project_id)
        return to_edge(await control.edges.services.one(row.id))

    @api.post(
        "/edgeagents/adopt",
        summary="Adopt many edge services",
        responses=errors("NOT_FOUND"),
    )
    async def adopt_all(
        access: EditsSome, given: AdoptionsGiven, language: LanguageQuery
    ) -> OutcomesShown:
        """Into one project. One that cannot be adopted keeps none of the others from it."""
        entries = [(item.agent_id, Entry(item.name, labels=given.labels)) for item in given.items]
        outcomes = await control.edges.access.adopt_all(
            access, entries, given.org_id, given.project_id
        )
        return OutcomesShown(results=[_outcome(item, language) for item in outcomes])


def _deciding(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        f"{ONE}/reject",
        status_code=204,
        summary="Turn an edge service away",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def reject(access: EditsSome, agent: str, given: RejectionGiven) -> None:
        """It is told why, disconnects, and asks again seldom."""
        await control.edges.access.reject(access, agent, given.reason)

    @api.post(
        f"{ONE}/readmit",
        status_code=204,
        summary="Admit a rejected edge service again",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def readmit(access: EditsSome, agent: str) -> None:
        """It waits to be adopted."""
        await control.edges.access.readmit(access, agent)

    @api.delete(
        ONE,
        status_code=204,
        summary="Delete an edge service that nobody adopted",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def delete(access: EditsSome, agent: str) -> None:
        """It learns it, and comes back when its settings are saved again."""
        await control.edges.access.delete(access, agent)


def _outcome(found: Outcome, language: str) -> OutcomeShown:
    error = found.error
    return OutcomeShown(
        agent_id=found.agent_id,
        service_id=found.service_id or None,
        code="" if error is None else error.code,
        message="" if error is None else error.text(language),
    )
