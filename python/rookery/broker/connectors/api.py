"""``/connectors``, ``/actions``, ``/sources`` and what belongs to them.

Annotations are made where they stand, not looked up by name: which model an operation takes depends
on the kind.
"""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from rookery.broker.connectors.definitions import KINDS, ONE, Kind, with_article
from rookery.broker.connectors.models import (
    SHOWN,
    ActionRow,
    ActionUpdate,
    ChannelRow,
    ConnectorRow,
    ConnectorUpdate,
    EntryMetrics,
    EntryRow,
    NewAction,
    NewConnector,
    NewSource,
    Refusal,
    SourceUpdate,
    TypeRow,
)
from rookery.broker.connectors.service import ConnectorService, InUseError, Operation
from rookery.broker.management.context import NodeContext
from rookery.config.schema.integration import ACTION_TYPES, SOURCE_TYPES
from rookery.errors import NotFoundError
from rookery.web.accept_language import language_asked
from rookery.web.caller import FAILURE
from rookery.web.lists import ListQuery
from rookery.web.models import Page, Settings
from rookery.web.rest import errors, example, fast
from rookery.web.sorting import OrderQuery

_NEW: dict[Kind, type[Settings]] = {
    "connectors": NewConnector,
    "actions": NewAction,
    "sources": NewSource,
}
_UPDATE: dict[Kind, type[Settings]] = {
    "connectors": ConnectorUpdate,
    "actions": ActionUpdate,
    "sources": SourceUpdate,
}
_ROWS: dict[Kind, type[EntryRow]] = {
    "connectors": ConnectorRow,
    "actions": ActionRow,
    "sources": ChannelRow,
}
_TAGS: dict[Kind, str] = {"connectors": "Connectors", "actions": "Actions", "sources": "Sources"}
_DONE: dict[int | str, dict[str, Any]] = {204: {"description": "Done."}}
_SEARCHED = ("type", "name", "description", "status", "status_reason", "status_reason_zh")
_CHANGES = ("BAD_REQUEST", "BAD_CONFIG", "CONFLICT")


def router(node: NodeContext) -> APIRouter:
    api = APIRouter()
    _types(api)
    for kind in KINDS:
        _list(api, node.services.connectors, kind)
        _one(api, node.services.connectors, kind)
        _acting(api, node, kind)
        if kind != "connectors":
            _measuring(api, node.services.connectors, kind)
    return api


def _row(kind: Kind) -> Any:
    return _ROWS[kind]


def _rows(kind: Kind) -> Any:
    row: Any = _ROWS[kind]
    return list[row] | Page[row]


def _sorts(kind: Kind) -> Any:
    """By which members a list can be sorted."""
    if kind == "connectors":
        return Literal["name", "type", "status", "enable"]
    return Literal["name", "type", "connector", "status", "enable"]


def _types(api: APIRouter) -> None:
    @api.get(
        "/action_types",
        tags=["Actions"],
        summary="List types of actions",
        response_model=list[str],
        responses=example(list(ACTION_TYPES)),
    )
    async def action_types() -> Any:
        """What actions there can be, by their type."""
        return list(ACTION_TYPES)

    @api.get(
        "/source_types",
        tags=["Sources"],
        summary="List types of sources",
        response_model=list[str],
        responses=example(list(SOURCE_TYPES)),
    )
    async def source_types() -> Any:
        """What sources there can be, by their type."""
        return list(SOURCE_TYPES)

    @api.get(
        "/connector_types",
        tags=["Connectors"],
        summary="List types of connectors with their forms",
        response_model=list[TypeRow],
    )
    async def connector_types() -> Response:
        """Every type with the JSON schemas of its connectors, actions and sources. `x-zh` holds title
        and description in Chinese. The dashboard draws its forms from them.
        """
        from rookery.broker.connectors.forms import type_rows  # noqa: PLC0415

        # The packages of all types are loaded with the first answer.
        return fast(await asyncio.to_thread(type_rows))


def _list(api: APIRouter, service: ConnectorService, kind: Kind) -> None:
    one = ONE[kind]
    sort_by: Any = _sorts(kind)
    searched = _SEARCHED if kind == "connectors" else (*_SEARCHED, "connector")

    @api.get(
        f"/{kind}",
        tags=[_TAGS[kind]],
        summary=f"List {kind}",
        description=f"Every {one} with its settings, how it does, and who needs it. Secrets are hidden. "
        "With `page` or `limit` the answer is a page, otherwise the whole list.",
        operation_id=f"list_{kind}",
        response_model=_rows(kind),
        responses=example([SHOWN[kind]]),
    )
    async def list_all(
        wanted: ListQuery,
        sort: Annotated[sort_by | None, Query(description="By which member.")] = None,
        order: OrderQuery = "asc",
    ) -> Response:
        return fast(wanted.answer(service.all(kind), searched, sort, order))

    new: Any = _NEW[kind]

    @api.post(
        f"/{kind}",
        tags=[_TAGS[kind]],
        summary=f"Create {with_article(one)}",
        description=f"Define {with_article(one)} and start it. It is kept whether it works at the moment or "
        "not; `status` says.",
        operation_id=f"create_{one}",
        status_code=201,
        response_model=_row(kind),
        responses=errors(*_CHANGES, (400, "ALREADY_EXISTS")) | example(SHOWN[kind], status=201),
    )
    async def create(body: new) -> Response:
        return fast(await service.create(kind, body.root), 201)

    @api.post(
        f"/{kind}_probe",
        tags=[_TAGS[kind]],
        summary=f"Test settings of {with_article(one)}",
        description="Try settings without keeping them: 204, or 400 with the reason. A hidden secret "
        f"means the one that the {one} of that name has.",
        operation_id=f"probe_{one}",
        status_code=204,
        responses=errors("BAD_REQUEST", "TEST_FAILED") | _DONE,
    )
    async def probe(body: new) -> Response:
        await service.probe(kind, body.root)
        return Response(status_code=204)


def _one(api: APIRouter, service: ConnectorService, kind: Kind) -> None:
    one = ONE[kind]

    @api.get(
        f"/{kind}/{{id}}",
        tags=[_TAGS[kind]],
        summary=f"Get {with_article(one)}",
        description="Its settings and how it does. Secrets are hidden.",
        operation_id=f"get_{one}",
        response_model=_row(kind),
        responses=errors("NOT_FOUND") | example(SHOWN[kind]),
    )
    async def get(id: str) -> Response:
        return fast(service.get(kind, id))

    changed: Any = _UPDATE[kind]

    @api.put(
        f"/{kind}/{{id}}",
        tags=[_TAGS[kind]],
        summary=f"Change {with_article(one)}",
        description="Replace its settings; what is not named gets its default. A secret that is sent "
        "back hidden stays.",
        operation_id=f"update_{one}",
        response_model=_row(kind),
        responses=errors(*_CHANGES, "NOT_FOUND") | example(SHOWN[kind]),
    )
    async def update(id: str, body: changed) -> Response:
        return fast(await service.update(kind, id, body.root))

    _deleting(api, service, kind)


def _deleting(api: APIRouter, service: ConnectorService, kind: Kind) -> None:
    one = ONE[kind]
    told = "Take it away for good; refused while something needs it, which the answer names."
    refusals = errors("BAD_REQUEST", "CONFLICT", "NOT_FOUND") | _DONE

    async def remove(request: Request, id: str, *, with_uses: bool) -> Response:
        try:
            await service.delete(kind, id, with_uses=with_uses)
        except InUseError as error:
            request.scope[FAILURE] = f"{error.code}: {error.message}"
            language = language_asked(request.headers.get("accept-language"))
            refusal = Refusal(code=error.code, message=error.text(language), **error.more)
            return fast(refusal.model_dump(exclude_defaults=True), 400)
        return Response(status_code=204)

    async def delete(request: Request, id: str) -> Response:
        return await remove(request, id, with_uses=False)

    async def delete_with_uses(
        request: Request,
        id: str,
        also_delete_dep_actions: Annotated[
            bool, Query(description="Take it out of the rules that name it as well.")
        ] = False,
    ) -> Response:
        return await remove(request, id, with_uses=also_delete_dep_actions)

    api.delete(
        f"/{kind}/{{id}}",
        tags=[_TAGS[kind]],
        summary=f"Delete {with_article(one)}",
        description=told,
        operation_id=f"delete_{one}",
        status_code=204,
        responses=refusals,
    )(delete if kind == "connectors" else delete_with_uses)


def _acting(api: APIRouter, node: NodeContext, kind: Kind) -> None:
    one, service = ONE[kind], node.services.connectors

    @api.put(
        f"/{kind}/{{id}}/enable/{{enable}}",
        tags=[_TAGS[kind]],
        summary=f"Enable or disable {with_article(one)}",
        description="For good; what is disabled takes and sends nothing.",
        operation_id=f"enable_{one}",
        status_code=204,
        responses=errors("NOT_FOUND", "CONFLICT") | _DONE,
    )
    async def enable(id: str, enable: bool) -> Response:
        await service.enable(kind, id, is_enabled=enable)
        return Response(status_code=204)

    told = (
        "`start` tries at once instead of after the usual pause, `stop` holds until the node ends."
    )

    @api.post(
        f"/{kind}/{{id}}/{{operation}}",
        tags=[_TAGS[kind]],
        summary=f"Start, stop or restart {with_article(one)}",
        description=told,
        operation_id=f"operate_{one}",
        status_code=204,
        responses=errors("BAD_REQUEST", "NOT_FOUND") | _DONE,
    )
    async def operate(id: str, operation: Operation) -> Response:
        await service.operate(kind, id, operation)
        return Response(status_code=204)

    @api.post(
        f"/nodes/{{node}}/{kind}/{{id}}/{{operation}}",
        tags=[_TAGS[kind]],
        summary=f"Start, stop or restart {with_article(one)} on a node",
        description=told,
        operation_id=f"operate_{one}_on_node",
        status_code=204,
        responses=errors("BAD_REQUEST", "NOT_FOUND") | _DONE,
    )
    async def operate_on(
        node_name: Annotated[str, Path(alias="node")], id: str, operation: Operation
    ) -> Response:
        if node_name != node.node_name:
            raise NotFoundError(
                f"there is no node {node_name}", message_zh=f"不存在节点 {node_name}"
            )
        await service.operate(kind, id, operation)
        return Response(status_code=204)


def _measuring(api: APIRouter, service: ConnectorService, kind: Kind) -> None:
    one = ONE[kind]

    @api.get(
        f"/{kind}/{{id}}/metrics",
        tags=[_TAGS[kind]],
        summary=f"Get the metrics of {with_article(one)}",
        description="Since the start or the last reset; matched = success + failed + dropped + "
        "queuing + inflight at any time.",
        operation_id=f"{one}_metrics",
        response_model=EntryMetrics,
        responses=errors("NOT_FOUND"),
    )
    async def metrics(id: str) -> Response:
        return fast(service.metrics(kind, id))

    @api.put(
        f"/{kind}/{{id}}/metrics/reset",
        tags=[_TAGS[kind]],
        summary=f"Reset the metrics of {with_article(one)}",
        description="They begin at zero again.",
        operation_id=f"reset_{one}_metrics",
        status_code=204,
        responses=errors("NOT_FOUND") | _DONE,
    )
    async def reset(id: str) -> Response:
        service.reset_metrics(kind, id)
        return Response(status_code=204)
