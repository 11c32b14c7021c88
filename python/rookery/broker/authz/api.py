"""``/authorization``: sources, settings, the cache, and asking why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from rookery.access.acl_file import AclSyntaxError, parse
from rookery.broker.access.chains import ChainService
from rookery.broker.authz import rules_api
from rookery.broker.authz.models import (
    HTTP_EXAMPLE,
    AuthorizationSettings,
    ExplainQuestion,
    Explanation,
    Reloaded,
    Source,
    SourcePosition,
    SourceRef,
    Sources,
    SourceStatus,
)
from rookery.broker.management.context import NodeContext, Services
from rookery.broker.rest.parameters import ClientIdNotFoundError
from rookery.broker.settings import NodeSettings
from rookery.config.runtime import KeyPath
from rookery.errors import BadRequestError
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors, example, fast

SETTINGS = ("no_match", "deny_action", "cache")
SHOWN = {**HTTP_EXAMPLE, "enable": True}
SETTINGS_EXAMPLE = {
    "no_match": "deny",
    "deny_action": "ignore",
    "cache": {"enable": True, "max_size": 32, "ttl": "1m", "excludes": []},
}
_CHANGES = ("BAD_REQUEST", "BAD_CONFIG", "CONFLICT")


def router(node: NodeContext) -> APIRouter:
    services = node.services
    sources = SourceService(
        services.settings,
        ("authorization", "sources"),
        ("type",),
        services.access.source_status,
    )
    api = APIRouter(tags=["Authorization"])
    _settings(api, services.settings)
    _deciding(api, services)
    _list(api, sources)
    rules_api.add(api, services.access)
    _entry(api, sources)
    return api


class SourceService(ChainService):
    """Sources as EMQX shows them: a file with the text of its rules."""

    async def shown(self) -> list[dict[str, Any]]:
        return [await self._with_rules(entry) for entry in self.all()]

    async def shown_one(self, entry_id: str) -> dict[str, Any]:
        return await self._with_rules(self.get(entry_id))

    async def update(self, entry_id: str, entry: dict[str, Any]) -> dict[str, Any]:
        if entry.get("type") == "file" and entry.get("path") and "rules" in entry:
            # Shown with both: whoever changed the text means the text, else the file.
            known = await self.shown_one(entry_id)
            entry = {**entry}
            if entry["rules"] in (known.get("rules"), "", None):
                del entry["rules"]
            elif entry["path"] == known.get("path"):
                del entry["path"]
        return await super().update(entry_id, entry)

    async def _with_rules(self, entry: dict[str, Any]) -> dict[str, Any]:
        shown = {key: value for key, value in entry.items() if key != "id"}
        if entry["type"] != "file" or not entry.get("path"):
            return shown
        # Shown as it was written; what is read is where that leads.
        read = next(item["path"] for item in self.entries() if item["type"] == "file")
        return {**shown, "rules": await asyncio.to_thread(_text_of, read)}


def _text_of(path: str) -> str:
    """The text of a file of rules; nothing of a file that is none, which may be anybody's."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        parse(text, file=path)
    except (OSError, UnicodeDecodeError, AclSyntaxError):
        return ""
    return text


def _settings(api: APIRouter, settings: NodeSettings) -> None:
    @api.get(
        "/authorization/settings",
        summary="Get authorization settings",
        response_model=AuthorizationSettings,
        responses=example(SETTINGS_EXAMPLE),
    )
    async def get_settings() -> Any:
        """What happens when no source decides, what a denial means, and the cache."""
        shown = settings.config.effective()["authorization"]
        return {name: shown[name] for name in SETTINGS}

    @api.put(
        "/authorization/settings",
        summary="Update authorization settings",
        response_model=AuthorizationSettings,
        responses=errors(*_CHANGES) | example(SETTINGS_EXAMPLE),
    )
    async def update_settings(
        body: Annotated[AuthorizationSettings, Body(examples=[SETTINGS_EXAMPLE])],
    ) -> Any:
        """Change what is named; the rest stays."""
        if unknown := [name for name in body.root if name not in SETTINGS]:
            raise BadRequestError(f"{unknown[0]}: unknown; there are {', '.join(SETTINGS)}")
        changes: dict[KeyPath, Any] = {
            ("authorization", name): value for name, value in body.root.items()
        }
        target = "authorization/settings"
        await settings.change("update", target, changes, written_at=("authorization",))
        return await get_settings()


def _deciding(api: APIRouter, services: Services) -> None:
    access = services.access

    @api.delete(
        "/authorization/cache",
        status_code=204,
        summary="Clear the authorization cache",
        responses=errors("CLIENTID_NOT_FOUND", "NOT_FOUND", "SERVICE_UNAVAILABLE"),
    )
    async def clear_cache(
        clientid: Annotated[str | None, Query(description="Of this client alone.")] = None,
        on_node: Annotated[
            str | None, Query(alias="node", description="On this node alone.")
        ] = None,
    ) -> Response:
        """Forget what was decided on every node, of one client or of all; it is decided anew."""
        is_known = await services.kept_answers.forget(clientid, on_node)
        if clientid is not None and not is_known:
            raise ClientIdNotFoundError(clientid)
        services.audit.record("purge", f"authorization/cache/{clientid or ''}")
        return Response(status_code=204)

    @api.post(
        "/authorization/reload",
        summary="Read rules again",
        responses=errors("BAD_REQUEST"),
    )
    async def reload() -> Reloaded:
        """Read files of rules again, which also happens by itself when one changes. A file that
        cannot be used changes nothing.
        """
        return Reloaded(rules=await access.reload_rules())

    @api.post(
        "/authorization/explain",
        summary="Explain a decision",
        response_model=Explanation,
        responses=errors("BAD_REQUEST"),
    )
    async def explain(body: ExplainQuestion, language: LanguageQuery) -> Any:
        """Which source and which line of it decides about an action, and what every source said.
        Nothing is remembered, no client notices.
        """
        return await access.explain(body.model_dump(exclude_none=True), language)


def _list(api: APIRouter, sources: SourceService) -> None:
    @api.get(
        "/authorization/sources",
        summary="List authorization sources",
        response_model=Sources,
        responses=example({"sources": [SHOWN]}),
    )
    async def list_sources() -> Any:
        """Every source in the order in which they are asked. Secrets are hidden."""
        return {"sources": await sources.shown()}

    @api.post(
        "/authorization/sources",
        status_code=204,
        summary="Add an authorization source",
        responses=errors(*_CHANGES, "ALREADY_EXISTS"),
    )
    async def create_source(body: Annotated[Source, Body(examples=[HTTP_EXAMPLE])]) -> Response:
        """Add a source at the end; it holds at once, also for clients that are connected."""
        await sources.create(body.root)
        return Response(status_code=204)

    @api.put(
        "/authorization/sources/order",
        status_code=204,
        summary="Reorder authorization sources",
        responses=errors(*_CHANGES),
    )
    async def reorder(
        body: Annotated[list[SourceRef], Body(examples=[[{"type": "file"}]])],
    ) -> Response:
        """Put the named ones in front, in this order; the others follow as they were."""
        await sources.reorder([item.type for item in body])
        return Response(status_code=204)


def _entry(api: APIRouter, sources: SourceService) -> None:
    @api.get(
        "/authorization/sources/{type}",
        summary="Get an authorization source",
        response_model=Source,
        responses=errors("NOT_FOUND") | example(SHOWN),
    )
    async def get_source(type: str) -> Any:
        """One source; a file with its rules. Secrets may be sent back as they are shown."""
        return await sources.shown_one(type)

    @api.put(
        "/authorization/sources/{type}",
        status_code=204,
        summary="Update an authorization source",
        responses=errors(*_CHANGES, "NOT_FOUND"),
    )
    async def update_source(
        type: str, body: Annotated[Source, Body(examples=[HTTP_EXAMPLE])]
    ) -> Response:
        """Replace a source; hidden secrets stay what they were. Of a file either its `path` or its
        `rules` are kept: rules that are not those of the file take its place.
        """
        await sources.update(type, body.root)
        return Response(status_code=204)

    @api.delete(
        "/authorization/sources/{type}",
        status_code=204,
        summary="Delete an authorization source",
        responses=errors(*_CHANGES, "NOT_FOUND"),
    )
    async def delete_source(type: str) -> Response:
        """Remove a source. Rules of the built-in database stay, should it come again."""
        await sources.delete(type)
        return Response(status_code=204)

    @api.get(
        "/authorization/sources/{type}/status",
        summary="Get the status of an authorization source",
        response_model=SourceStatus,
        responses=errors("NOT_FOUND"),
    )
    async def source_status(type: str, language: LanguageQuery) -> Any:
        """Whether it can be asked, if not why, and what it said since the start of the node. A
        service or database is looked at when it is configured and every 15 s.
        """
        return fast(sources.status(type, language))

    @api.post(
        "/authorization/sources/{type}/move",
        status_code=204,
        summary="Move an authorization source",
        responses=errors(*_CHANGES, "NOT_FOUND"),
    )
    async def move_source(type: str, body: SourcePosition) -> Response:
        """Change its place in the order."""
        await sources.move(type, body.position)
        return Response(status_code=204)
