"""``/rule_test``, ``/rule_preview``, ``/rule_events``, ``/rule_functions``: what people write rules with.

Nothing here touches a counter or an action.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.broker.rules.models import (
    CONTEXT,
    EVENT_EXAMPLE,
    FUNCTION_EXAMPLE,
    SQL,
    EventRow,
    FunctionRow,
    RuleApplyTest,
    RulePreview,
    RuleTest,
)
from rookery.errors import BadRuleError, NoMatchError
from rookery.native.rules import RuleEvent, functions, rule_events, test_rule
from rookery.web.errors import told
from rookery.web.rest import Caller, CurrentCaller, errors, example, fast

_ROWS = [{"temp": 91, "clientid": "plc-3"}]
_PREVIEW = {
    "rows": [],
    "problem": {
        "message": "line 1, column 8: an expression is missing",
        "line": 1,
        "column": 8,
    },
}
_REFUSALS = ("BAD_REQUEST", "NOT_MATCH")


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Rules"])
    _testing(api, node)
    _looking(api, node.node_name)
    return api


def _testing(api: APIRouter, node: NodeContext) -> None:
    @api.post(
        "/rule_test",
        summary="Try SQL",
        response_model=list[dict[str, Any]],
        responses=errors(*_REFUSALS) | example(_ROWS),
    )
    async def try_sql(
        body: Annotated[RuleTest, Body(examples=[{"sql": SQL, "context": CONTEXT}])],
        caller: CurrentCaller,
    ) -> Response:
        """200: the rows that come out. 412: the conditions do not match. 400: the SQL is wrong, with
        line and column, or a function failed.
        """
        return _json(await _tried(body.sql, body.context, caller))

    @api.post(
        "/rule_preview",
        summary="Try SQL while it is written",
        response_model=RulePreview,
        responses=example(_PREVIEW),
    )
    async def preview_sql(
        body: Annotated[RuleTest, Body(examples=[{"sql": SQL, "context": CONTEXT}])],
        caller: CurrentCaller,
        request: Request,
    ) -> Response:
        """As `POST /rule_test`, for an editor that asks while somebody types: what is wrong with half
        a rule is no error here but a part of the answer, and nothing of it is in the audit log.
        """
        rows, problem = b"[]", None
        try:
            rows = await _tried(body.sql, body.context, caller)
        except NoMatchError:
            pass
        except BadRuleError as error:
            message = told(request.scope, error)
            problem = {"message": message, "line": error.line, "column": error.column}
        return _json(b'{"rows":%b,"problem":%b}' % (rows, to_json(problem)))

    @api.post(
        "/rules/{id}/test",
        summary="Try a rule",
        response_model=list[dict[str, Any]],
        responses=errors(*_REFUSALS, "NOT_FOUND") | example(_ROWS),
    )
    async def try_rule(
        id: str,
        body: Annotated[RuleApplyTest, Body(examples=[{"context": CONTEXT}])],
        caller: CurrentCaller,
    ) -> Response:
        """As `POST /rule_test` with the SQL of a rule. Its actions do not run."""
        rule = await node.services.rules.get(id)
        return _json(await _tried(rule["sql"], body.context, caller))


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


async def _tried(sql: str, context: dict[str, Any], caller: Caller) -> bytes:
    columns = json.dumps(context, ensure_ascii=False)
    # What stands in the environment of the node may be a secret, which viewers do not see.
    sees_all = caller.role == "administrator"
    # A rule has a bound on what it may do, but not on the loop.
    return await asyncio.to_thread(_rows_of, sql, columns, has_variables=sees_all)


def _rows_of(sql: str, columns: str, *, has_variables: bool) -> bytes:
    """The rows as one JSON array; each is JSON already, and all of them are bounded."""
    return f"[{','.join(test_rule(sql, columns, has_variables=has_variables))}]".encode()


def _looking(api: APIRouter, node_name: str) -> None:
    @api.get(
        "/rule_events",
        summary="List what rules select from",
        response_model=list[EventRow],
        responses=example([EVENT_EXAMPLE]),
    )
    async def events() -> Response:
        """Messages and events with their columns, each with an example."""
        return fast([shown_event(item, node_name) for item in rule_events()])

    @api.get(
        "/rule_functions",
        summary="List functions of rules",
        response_model=list[FunctionRow],
        responses=example([FUNCTION_EXAMPLE]),
    )
    async def list_functions() -> Response:
        """Every function that this node has, with examples."""
        return fast(
            [
                {
                    **item._asdict(),
                    "examples": [
                        {"expression": expression, "result": result}
                        for expression, result in item.examples
                    ],
                }
                for item in functions()
                if item.status != "absent"
            ]
        )


def shown_event(item: RuleEvent, node_name: str) -> dict[str, Any]:
    """An event as it is answered; in its examples the node is the one that answers."""
    columns = {name: json.loads(value) for name, value in item.columns.items()}
    title = {"en": item.title_en, "zh": item.title_zh}
    return {
        "event": item.topic,
        "title": title,
        "description": title,
        "columns": {**columns, "node": node_name} if "node" in columns else columns,
        "test_columns": {
            name: [json.loads(value), {"en": english, "zh": chinese}]
            for name, (value, english, chinese) in item.test_columns.items()
        },
        "sql_example": item.sql_example,
    }
