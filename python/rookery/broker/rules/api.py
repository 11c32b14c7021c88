"""``/rules``: defining rules, and what they did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query
from starlette.responses import Response

from rookery.access.topic_filters import matches
from rookery.broker.connectors.definitions import actions_of_rule
from rookery.broker.management.context import NodeContext
from rookery.broker.rules.models import (
    FIGURES_EXAMPLE,
    NODE_FIGURES,
    POSTED,
    SHOWN,
    EngineSettings,
    NewRule,
    RuleMetrics,
    RuleRow,
    RuleUpdate,
)
from rookery.broker.rules.selection import sources_of
from rookery.broker.rules.service import RuleService
from rookery.config.runtime import KeyPath
from rookery.web.models import Page
from rookery.web.rest import PageQuery, errors, example, fast
from rookery.web.sorting import OrderQuery, in_order

SortBy = Literal["id", "name", "enable", "created_at", "matched", "passed", "failed"]
_FIGURES = ("matched", "passed", "failed")
_CHANGES = ("BAD_REQUEST", "BAD_CONFIG", "CONFLICT")
_DONE: dict[int | str, dict[str, Any]] = {204: {"description": "Done."}}
_SENT = {key: value for key, value in POSTED.items() if key != "id"}
_ENGINE = {"ignore_sys_message": True, "jq_function_default_timeout": "10s"}
_PAGE = {"data": [SHOWN], "meta": {"page": 1, "limit": 100, "count": 1, "hasnext": False}}


class RuleFilters:
    """Which rules are asked for: all of the conditions hold."""

    def __init__(
        self,
        enable: Annotated[bool | None, Query(description="Whether they run.")] = None,
        from_: Annotated[
            str | None, Query(alias="from", description="Selects from exactly this.")
        ] = None,
        like_id: Annotated[str | None, Query(description="The id contains this.")] = None,
        like_from: Annotated[str | None, Query(description="FROM contains this.")] = None,
        like_description: Annotated[
            str | None, Query(description="The description contains this.")
        ] = None,
        match_from: Annotated[
            str | None, Query(description="A topic filter that takes one of FROM.")
        ] = None,
        action: Annotated[list[str] | None, Query(description="Uses one of these actions.")] = None,
        source: Annotated[
            list[str] | None, Query(description="Selects from one of these sources.")
        ] = None,
    ) -> None:
        self._checks: list[Callable[[dict[str, Any]], bool]] = []
        if enable is not None:
            self._checks.append(lambda row: row["enable"] is enable)
        if from_ is not None:
            self._checks.append(lambda row: from_ in row["from"])
        if like_id is not None:
            self._checks.append(lambda row: like_id in row["id"])
        if like_from is not None:
            self._checks.append(lambda row: any(like_from in item for item in row["from"]))
        if like_description is not None:
            self._checks.append(lambda row: like_description in row["description"])
        if match_from is not None:
            self._checks.append(lambda row: any(matches(item, match_from) for item in row["from"]))
        if action:
            self._checks.append(lambda row: not set(action).isdisjoint(actions_of_rule(row)))
        if source:
            self._checks.append(lambda row: not set(source).isdisjoint(sources_of(row["sql"])))

    def __call__(self, row: dict[str, Any]) -> bool:
        return all(check(row) for check in self._checks)


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Rules"])
    rules = node.services.rules
    _list(api, rules)
    _one(api, rules)
    _measuring(api, rules)
    _engine(api, node)
    return api


def _list(api: APIRouter, rules: RuleService) -> None:
    @api.get(
        "/rules",
        summary="List rules",
        response_model=Page[RuleRow],
        responses=errors("BAD_REQUEST") | example(_PAGE),
    )
    async def list_rules(
        page: PageQuery,
        wanted: Annotated[RuleFilters, Depends()],
        sort: Annotated[SortBy | None, Query(description="By which member.")] = None,
        order: OrderQuery = "asc",
    ) -> Response:
        """Rules with what they did; conditions come together."""
        rows = [row for row in await rules.all() if wanted(row)]
        if sort in _FIGURES:
            rows = sorted(rows, key=lambda row: row["metrics"][sort], reverse=order == "desc")
        elif sort == "created_at":
            rows = sorted(rows, key=lambda row: row[sort] or "", reverse=order == "desc")
        else:
            rows = list(in_order(rows, sort, order))
        return fast(page.cut(rows))

    @api.post(
        "/rules",
        summary="Create a rule",
        status_code=201,
        response_model=RuleRow,
        responses=errors(*_CHANGES, (400, "ALREADY_EXISTS"), (409, "EXCEED_LIMIT"))
        | example(SHOWN, status=201),
    )
    async def create_rule(body: Annotated[NewRule, Body(examples=[POSTED])]) -> Response:
        """Define a rule; it runs at once. SQL that is wrong is refused with line and column."""
        return fast(await rules.create(body.model_dump(exclude_unset=True, by_alias=True)), 201)


def _one(api: APIRouter, rules: RuleService) -> None:
    @api.get(
        "/rules/{id}",
        summary="Get a rule",
        response_model=RuleRow,
        responses=errors("NOT_FOUND") | example(SHOWN),
    )
    async def get_rule(id: str) -> Response:
        """A rule, what it does and what it did."""
        return fast(await rules.get(id))

    @api.put(
        "/rules/{id}",
        summary="Change a rule",
        response_model=RuleRow,
        responses=errors(*_CHANGES, "NOT_FOUND") | example(SHOWN),
    )
    async def update_rule(id: str, body: Annotated[RuleUpdate, Body(examples=[_SENT])]) -> Response:
        """Replace a rule; what is not named gets its default. Holds for the next message."""
        return fast(await rules.update(id, body.model_dump(exclude_unset=True, by_alias=True)))

    @api.delete(
        "/rules/{id}",
        summary="Delete a rule",
        status_code=204,
        responses=errors("NOT_FOUND", "CONFLICT") | _DONE,
    )
    async def delete_rule(id: str) -> Response:
        """Take it away for good; its actions stay."""
        await rules.delete(id)
        return Response(status_code=204)

    @api.put(
        "/rules/{id}/enable/{enable}",
        summary="Enable or disable a rule",
        status_code=204,
        responses=errors("NOT_FOUND", "CONFLICT") | _DONE,
    )
    async def enable_rule(id: str, enable: bool) -> Response:
        """For good."""
        await rules.enable(id, is_enabled=enable)
        return Response(status_code=204)


def _measuring(api: APIRouter, rules: RuleService) -> None:
    shown = {"id": "hot_line", "metrics": FIGURES_EXAMPLE, "node_metrics": NODE_FIGURES}

    @api.get(
        "/rules/{id}/metrics",
        summary="Get the metrics of a rule",
        response_model=RuleMetrics,
        responses=errors("NOT_FOUND") | example(shown),
    )
    async def rule_metrics(id: str) -> Response:
        """Since the start or the last reset."""
        return fast(await rules.metrics(id))

    @api.put(
        "/rules/{id}/metrics/reset",
        summary="Reset the metrics of a rule",
        status_code=204,
        responses=errors("NOT_FOUND") | _DONE,
    )
    async def reset_rule_metrics(id: str) -> Response:
        """They begin at zero again."""
        await rules.reset_metrics(id)
        return Response(status_code=204)


def _engine(api: APIRouter, node: NodeContext) -> None:
    settings = node.services.settings

    def shown() -> Response:
        found = settings.config.effective()["rule_engine"]
        return fast({**_ENGINE, "ignore_sys_message": found["ignore_sys_message"]})

    @api.get(
        "/rule_engine",
        summary="Get the settings of rules",
        response_model=EngineSettings,
        responses=example(_ENGINE),
    )
    async def get_engine() -> Response:
        """Settings of all rules."""
        return shown()

    @api.put(
        "/rule_engine",
        summary="Change the settings of rules",
        response_model=EngineSettings,
        responses=errors("BAD_REQUEST", "CONFLICT") | example(_ENGINE),
    )
    async def put_engine(body: Annotated[EngineSettings, Body(examples=[_ENGINE])]) -> Response:
        """Holds at once."""
        changes: dict[KeyPath, Any] = {
            ("rule_engine", "ignore_sys_message"): body.ignore_sys_message
        }
        await settings.change("update", "rule_engine", changes)
        return shown()
