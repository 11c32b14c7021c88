"""``/configs``: the configuration as a whole and root by root."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import WithJsonSchema
from starlette.responses import PlainTextResponse, Response

from rookery.broker.configs.models import (
    ZONE,
    AppliedRow,
    ConfigSource,
    ConfigValue,
    honoured_roots,
    roots_with_keys,
    shape_of,
    zone_shape,
)
from rookery.broker.configs.service import Configs
from rookery.broker.management.context import NodeContext
from rookery.config.schema import ROOT
from rookery.errors import BadRequestError, NotFoundError
from rookery.web.models import Page, Settings
from rookery.web.rest import PageQuery, errors, fast
from rookery.web.sorting import OrderQuery, in_order

TEXT, JSON = "text/plain", "application/json"
_CHANGES = ("BAD_REQUEST", "BAD_CONFIG", "UPDATE_FAILED", "CONFLICT")
_EXAMPLE = "mqtt.max_inflight = 64\n"
_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What holds.",
        "content": {
            TEXT: {"schema": {"type": "string"}, "example": _EXAMPLE},
            JSON: {"schema": {"type": "object"}, "example": {"mqtt": {"max_inflight": 64}}},
        },
    }
}
_HOCON_BODY = {
    "requestBody": {
        "required": True,
        "content": {TEXT: {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}
_SEARCHED = ("path", "description", "description_zh")
ConfigSort = Literal["path", "source", "hot"]
_WHOLE = (*roots_with_keys(), *ZONE)
"""Roots that are reset with all that is in them; of the others one key at a time."""
_Roots = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "enum": [*_WHOLE, *(name for name in honoured_roots() if name not in _WHOLE)],
        }
    ),
]


def router(node: NodeContext) -> APIRouter:
    configs = Configs(node.services.settings)
    api = APIRouter(tags=["Configs"])
    _whole(api, configs, node)
    _more(api, configs)
    for name in roots_with_keys():
        field = ROOT.get(name)
        assert field is not None
        _root(api, configs, name, field.en)
    _zone(api, configs)
    return api


def _whole(api: APIRouter, configs: Configs, node: NodeContext) -> None:
    @api.get(
        "/configs",
        summary="Get the configuration",
        response_class=PlainTextResponse,
        responses=errors("BAD_REQUEST", "INVALID_ACCEPT", "NOT_FOUND") | _SHOWN,
    )
    async def get_configs(
        request: Request,
        key: Annotated[str, Query(description="Only this root or key.")] = "",
        node_name: Annotated[str, Query(alias="node", description="Of this node.")] = "",
    ) -> Response:
        """What holds, with every default; secrets are hidden. HOCON, or JSON where `Accept` says
        so.
        """
        if node_name and node_name != node.node_name:
            raise NotFoundError(f"there is no node {node_name}")
        if _wanted(request.headers.get("accept", "*/*")) == JSON:
            return fast(configs.shown(key))
        return PlainTextResponse(configs.text(key))

    @api.put(
        "/configs",
        summary="Update the configuration",
        response_class=Response,
        responses=errors(*_CHANGES),
        openapi_extra=_HOCON_BODY,
    )
    async def put_configs(
        request: Request,
        mode: Annotated[
            Literal["merge", "replace"],
            Query(description="Into what was changed before, or whole roots instead of theirs."),
        ] = "merge",
        ignore_readonly: Annotated[
            bool, Query(description="Leave out roots that cannot be changed.")
        ] = False,
    ) -> Response:
        """Change any part of the configuration, in HOCON; all of it or nothing. It holds at once
        where it can, and after the next start.
        """
        text = _text(await request.body())
        await configs.put_text(text, is_merge=mode == "merge", ignore_read_only=ignore_readonly)
        return Response(status_code=200)

    @api.post(
        "/configs_reset/{rootname}",
        summary="Reset a root",
        response_class=Response,
        responses=errors("BAD_REQUEST", "NO_DEFAULT_VALUE", "BAD_CONFIG", "CONFLICT"),
    )
    async def reset(
        rootname: _Roots,
        conf_path: Annotated[
            str,
            Query(
                description="Only this key of it; roots that have no page of their own "
                "are reset key by key."
            ),
        ] = "",
    ) -> Response:
        """Take back what was changed while a node ran; defaults hold again, or what the
        configuration file says.
        """
        if not conf_path and rootname not in _WHOLE:
            raise BadRequestError(f"{rootname} is not reset as a whole: name a key of it")
        await configs.reset(rootname, conf_path)
        return Response(status_code=200)


def _more(api: APIRouter, configs: Configs) -> None:
    @api.get(
        "/configs_origins",
        summary="List values with their origin",
        response_model=Page[ConfigValue],
        responses=errors("BAD_REQUEST"),
    )
    async def origins(
        page: PageQuery,
        key: Annotated[str, Query(description="Only this root or key.")] = "",
        like: Annotated[
            str, Query(description="What the key, or what it is about in a language, holds.")
        ] = "",
        source: Annotated[ConfigSource | None, Query(description="Only what this set.")] = None,
        sort: Annotated[
            ConfigSort | None, Query(description="Sort by this field; as in the schema without it.")
        ] = None,
        order: OrderQuery = "asc",
    ) -> Any:
        """Every value that holds, what set it (default, a change at run time, file, environment,
        command line), and whether it can be changed here. Not in EMQX.
        """
        rows = [row for row in configs.origins(key) if source in (None, row["source"])]
        wanted = like.casefold()
        found = [row for row in rows if any(wanted in row[name].casefold() for name in _SEARCHED)]
        return fast(page.cut(in_order(found, sort, order)))

    @api.post(
        "/configs_reload",
        summary="Read the configuration again",
        responses=errors("BAD_CONFIG"),
    )
    async def reload() -> AppliedRow:
        """Read the configuration file and every other source again; what can holds at once. Not in
        EMQX's REST interface (`ctl conf reload`).
        """
        applied = await configs.reload()
        return AppliedRow(changed=list(applied.changed), needs_restart=list(applied.needs_restart))


def _root(api: APIRouter, configs: Configs, name: str, about: str) -> None:
    async def get_root() -> Any:
        return configs.root(name)

    async def put_root(body: Settings) -> Any:
        await configs.put_root(name, body.root)
        return configs.root(name)

    _add(api, f"/configs/{name}", about, shape_of(name), get_root, put_root)


def _zone(api: APIRouter, configs: Configs) -> None:
    async def get_root() -> Any:
        return {name: configs.root(name) for name in ZONE}

    async def put_root(body: Settings) -> Any:
        if unknown := [name for name in body.root if name not in ZONE]:
            raise BadRequestError(f"{unknown[0]}: unknown; there are {', '.join(ZONE)}")
        await configs.put(body.root)
        return {name: configs.root(name) for name in ZONE}

    _add(api, "/configs/global_zone", "What holds for clients.", zone_shape(), get_root, put_root)


def _add(api: APIRouter, path: str, about: str, shape: type[Settings], get: Any, put: Any) -> None:
    name = path.rpartition("/")[2]
    # The shape is known here alone, so it is put where the framework looks for it.
    put.__annotations__ = {"body": shape, "return": Any}
    api.get(
        path,
        summary=f"Get {name}",
        description=f"{about} Every key with what holds.",
        response_model=shape,
    )(get)
    api.put(
        path,
        summary=f"Update {name}",
        description=f"{about} Keys that are left out get their default.",
        response_model=shape,
        responses=errors(*_CHANGES),
    )(put)


def _wanted(accept: str) -> str:
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    for kind in kinds:
        if kind in (TEXT, "text/*", "*/*"):
            return TEXT
        if kind in (JSON, "application/*"):
            return JSON
    raise BadRequestError(f"{TEXT} and {JSON} are possible", code="INVALID_ACCEPT")


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadRequestError(
            "the body is no UTF-8", code="UPDATE_FAILED", message_zh="请求体不是 UTF-8"
        ) from None
