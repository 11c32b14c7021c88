"""``/authentication`` and ``/authorization``: providers, sources, and asking why."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rookery.broker.access import AccessService
from rookery.broker.access.chains import ChainService
from rookery.broker.management.body import read_object, text_of
from rookery.broker.settings import NodeSettings
from rookery.config.runtime import KeyPath
from rookery.errors import BadRequestError

SETTINGS = ("no_match", "deny_action", "cache")


class ChainApi:
    """A list of entries whose order matters: providers or sources, in EMQX's shapes."""

    def __init__(self, prefix: str, chain: ChainService) -> None:
        self._prefix = prefix
        self._chain = chain

    def routes(self) -> list[Route]:
        one = f"{self._prefix}/{{id}}"
        return [
            Route(self._prefix, self.list_all, methods=["GET"]),
            Route(self._prefix, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/status", self.status, methods=["GET"]),
            Route(f"{one}/position/{{position}}", self.move_to, methods=["PUT"]),
            Route(f"{one}/move", self.move, methods=["POST"]),
        ]

    async def list_all(self, _request: Request) -> Response:
        return JSONResponse(self._chain.all())

    async def create(self, request: Request) -> Response:
        return JSONResponse(await self._chain.create(await read_object(request)))

    async def get(self, request: Request) -> Response:
        return JSONResponse(self._chain.get(request.path_params["id"]))

    async def update(self, request: Request) -> Response:
        body = await read_object(request)
        return JSONResponse(await self._chain.update(request.path_params["id"], body))

    async def delete(self, request: Request) -> Response:
        await self._chain.delete(request.path_params["id"])
        return Response(status_code=204)

    async def status(self, request: Request) -> Response:
        return JSONResponse(self._chain.status(request.path_params["id"]))

    async def move_to(self, request: Request) -> Response:
        await self._chain.move(request.path_params["id"], request.path_params["position"])
        return Response(status_code=204)

    async def move(self, request: Request) -> Response:
        """``{"position": "front" | "rear" | "before:ID" | "after:ID"}``."""
        position = text_of(await read_object(request), "position")
        await self._chain.move(request.path_params["id"], position)
        return Response(status_code=204)


class AuthorizationApi:
    """Settings, cache, reload and explanation."""

    def __init__(self, access: AccessService, settings: NodeSettings) -> None:
        self._access = access
        self._settings = settings

    def routes(self) -> list[Route]:
        base = "/authorization"
        return [
            Route(f"{base}/settings", self.settings, methods=["GET"]),
            Route(f"{base}/settings", self.change_settings, methods=["PUT"]),
            Route(f"{base}/cache", self.purge, methods=["DELETE"]),
            Route(f"{base}/cache/{{client_id:path}}", self.purge, methods=["DELETE"]),
            Route(f"{base}/reload", self.reload, methods=["POST"]),
            Route(f"{base}/explain", self.explain, methods=["POST"]),
        ]

    async def settings(self, _request: Request) -> Response:
        shown = self._settings.config.effective()["authorization"]
        return JSONResponse({name: shown[name] for name in SETTINGS})

    async def change_settings(self, request: Request) -> Response:
        body = await read_object(request)
        if unknown := [name for name in body if name not in SETTINGS]:
            raise BadRequestError(f"{unknown[0]}: unknown; there are {', '.join(SETTINGS)}")
        changes: dict[KeyPath, Any] = {
            ("authorization", name): value for name, value in body.items()
        }
        await self._settings.change("update", "authorization/settings", changes)
        return await self.settings(request)

    async def purge(self, request: Request) -> Response:
        """Forget answers about one client, or about all."""
        await self._access.purge_cache(request.path_params.get("client_id"))
        return Response(status_code=204)

    async def reload(self, _request: Request) -> Response:
        """Read files of rules again; a file that cannot be used changes nothing."""
        return JSONResponse({"rules": await self._access.reload_rules()})

    async def explain(self, request: Request) -> Response:
        """Which source and line decides about an action, and what each source said."""
        return JSONResponse(await self._access.explain(await read_object(request)))
