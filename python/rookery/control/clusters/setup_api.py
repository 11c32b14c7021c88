"""Registration tokens, set-up instructions, and how far it got."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from rookery.control.agents import instructions
from rookery.control.clusters.api import PATH, Edits, Sees
from rookery.control.clusters.shown import (
    ChecklistShown,
    TokenGiven,
    TokenShown,
    to_steps,
)
from rookery.control.context import ControlContext
from rookery.control.rest.models import Shown
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

Platform = Literal["linux", "python"]


class PlatformShown(Shown):
    """Where an agent can run."""

    id: Platform = Field(description="For `?platform=`.", examples=["linux"])
    name: str = Field(description="For people.", examples=["Linux with systemd"])


class ParameterShown(Shown):
    """Something that is typed in."""

    name: str = Field(description="Commands hold it as `${name}`.", examples=["username"])
    label: str = Field(description="For people.", examples=["User name"])
    default: str = Field(description="What usually stands there.", examples=["admin"])
    is_secret: bool = Field(description="Whether it is not shown as it is typed.", examples=[False])
    is_optional: bool = Field(description="Whether the default usually does.", examples=[False])


class CommandShown(Shown):
    """A line for a shell."""

    id: str = Field(description="Which.", examples=["register"])
    text: str = Field(
        description="The line; each `${name}` is to be replaced by its value, quoted.",
        examples=["python3 rookery-agent.pyz start"],
    )
    is_insecure: bool = Field(
        description="Whether it does not make sure of whom it talks to.", examples=[False]
    )


class StepShown(Shown):
    """Something to do."""

    id: str = Field(description="Which.", examples=["start"])
    title: str = Field(description="For people.", examples=["Start the agent"])
    text: str = Field(description="More of it.", examples=["The cluster runs as soon as …"])
    commands: list[CommandShown] = Field(description="One of these lines.")


class InstructionsShown(Shown):
    """How a cluster is adopted."""

    platforms: list[PlatformShown] = Field(description="What can be chosen.")
    platform: Platform = Field(description="What was.", examples=["linux"])
    parameters: list[ParameterShown] = Field(description="What is typed in.")
    steps: list[StepShown] = Field(description="What to do, in order.")


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Clusters"])
    _tokens(api, control)
    _ways(api, control)
    return api


def _tokens(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        PATH + "/{cluster}/registration-token",
        status_code=201,
        summary="Issue a registration token",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def issue(access: Edits, cluster: str, given: TokenGiven) -> TokenShown:
        """In the place of the one before. It registers one agent, once."""
        token, known = await control.adoption.clusters.issue_token(
            access, cluster, ttl_s=given.ttl_s, replaces=given.replace
        )
        return TokenShown(token=token, expires_at=known.expires_at_ms)

    @api.delete(
        PATH + "/{cluster}/registration-token",
        status_code=204,
        summary="Revoke the registration token",
        responses=errors("NOT_FOUND"),
    )
    async def revoke(access: Edits, cluster: str) -> None:
        """An agent that registered with it stays."""
        await control.adoption.clusters.revoke_token(access, cluster)


def _ways(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        PATH + "/{cluster}/setup-instructions",
        summary="How a cluster is adopted",
        responses=errors("NOT_FOUND"),
    )
    async def how(
        request: Request,
        access: Sees,
        cluster: str,
        language: LanguageQuery,
        platform: Annotated[Platform, Query(description="Where the agent is to run.")] = "linux",
    ) -> InstructionsShown:
        """The very commands, with places for what is typed in."""
        found = await control.adoption.clusters.get(access, cluster)
        source = await control.adoption.source(found.row.id, request.headers.get("host", ""))
        return InstructionsShown.model_validate(
            {
                "platforms": [
                    {"id": name, "name": text} for name, text in instructions.platforms(language)
                ],
                "platform": platform,
                "parameters": list(instructions.parameters(language)),
                "steps": list(instructions.steps(platform, source, language)),
            }
        )

    @api.get(
        PATH + "/{cluster}/checklist",
        summary="How far a cluster got",
        responses=errors("NOT_FOUND"),
    )
    async def checklist(access: Sees, cluster: str, language: LanguageQuery) -> ChecklistShown:
        """What has happened so far; changes are told by `GET …/clusters/events`."""
        found = await control.adoption.clusters.get(access, cluster)
        return ChecklistShown(steps=to_steps(found, language))
