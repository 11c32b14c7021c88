"""``/authentication``: the chain of providers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import Response

from rookery.broker.access.chains import ChainService
from rookery.broker.authn import users_api
from rookery.broker.authn.models import (
    HTTP_EXAMPLE,
    ID,
    Provider,
    ProviderRef,
    ProviderStatus,
)
from rookery.broker.authn.users import ProviderUsers
from rookery.broker.management.context import NodeContext
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors, example, fast

SHOWN = {"id": "password_based:http", **HTTP_EXAMPLE, "enable": True}
_CHANGES = ("BAD_REQUEST", "BAD_CONFIG", "CONFLICT")


def router(node: NodeContext) -> APIRouter:
    services = node.services
    chain = ChainService(
        services.settings,
        ("authentication",),
        ("mechanism", "backend"),
        services.access.provider_status,
    )
    api = APIRouter(tags=["Authentication"])
    _list(api, chain)
    _entry(api, chain)
    users_api.add(api, ProviderUsers(services.access.access, services.settings, services.audit))
    return api


def _list(api: APIRouter, chain: ChainService) -> None:
    @api.get(
        "/authentication",
        summary="List authenticators",
        response_model=list[Provider],
        responses=example([SHOWN]),
    )
    async def list_providers() -> Any:
        """Every provider in the order in which they are asked. Secrets are hidden."""
        return chain.all()

    @api.post(
        "/authentication",
        summary="Create an authenticator",
        response_model=Provider,
        responses=errors(*_CHANGES, "ALREADY_EXISTS") | example(SHOWN),
    )
    async def create_provider(body: Annotated[Provider, Body(examples=[HTTP_EXAMPLE])]) -> Any:
        """Add a provider at the end of the chain; clients that connect from now on meet it."""
        return await chain.create(body.root)

    @api.put(
        "/authentication/order",
        status_code=204,
        summary="Reorder authenticators",
        responses=errors(*_CHANGES),
    )
    async def reorder(
        body: Annotated[list[ProviderRef], Body(examples=[[{"id": ID}]])],
    ) -> Response:
        """Put the named ones in front, in this order; the others follow as they were."""
        await chain.reorder([item.id for item in body])
        return Response(status_code=204)


def _entry(api: APIRouter, chain: ChainService) -> None:
    @api.get(
        "/authentication/{id}",
        summary="Get an authenticator",
        response_model=Provider,
        responses=errors("NOT_FOUND") | example(SHOWN),
    )
    async def get_provider(id: str) -> Any:
        """One provider. Secrets are hidden; they may be sent back as they are shown."""
        return chain.get(id)

    @api.put(
        "/authentication/{id}",
        status_code=204,
        summary="Update an authenticator",
        responses=errors(*_CHANGES, "NOT_FOUND"),
    )
    async def update_provider(
        id: str, body: Annotated[Provider, Body(examples=[HTTP_EXAMPLE])]
    ) -> Response:
        """Replace a provider; hidden secrets stay what they were."""
        await chain.update(id, body.root)
        return Response(status_code=204)

    @api.delete(
        "/authentication/{id}",
        status_code=204,
        summary="Delete an authenticator",
        responses=errors(*_CHANGES, "NOT_FOUND"),
    )
    async def delete_provider(id: str) -> Response:
        """Take a provider out of the chain. Its users stay, should it come again."""
        await chain.delete(id)
        return Response(status_code=204)

    @api.get(
        "/authentication/{id}/status",
        summary="Get the status of an authenticator",
        response_model=ProviderStatus,
        responses=errors("NOT_FOUND"),
    )
    async def provider_status(id: str, language: LanguageQuery) -> Any:
        """Whether it can be asked, if not why, and what it said since the start of the node. A
        service or database is looked at when it is configured and every 15 s.
        """
        return fast(chain.status(id, language))

    @api.put(
        "/authentication/{id}/position/{position}",
        status_code=204,
        summary="Move an authenticator",
        responses=errors(*_CHANGES, "NOT_FOUND"),
    )
    async def move_provider(id: str, position: str) -> Response:
        """Move it: `front`, `rear`, `before:ID`, `after:ID`, or its number from 1."""
        await chain.move(id, position)
        return Response(status_code=204)
