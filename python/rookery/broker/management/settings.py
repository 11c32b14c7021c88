"""``/config`` and ``/quota``: what holds, and changes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rookery.broker.management.body import read_object
from rookery.broker.settings import NodeSettings
from rookery.config.runtime import REMOVED, KeyPath
from rookery.config.tree import split_path
from rookery.errors import BadRequestError

QUOTA: KeyPath = ("access", "max_connections")


class SettingsApi:
    """Shows settings and changes them."""

    def __init__(self, settings: NodeSettings, connections: Callable[[], int]) -> None:
        self._settings = settings
        self._connections = connections

    def routes(self) -> list[Route]:
        return [
            Route("/config", self.show, methods=["GET"]),
            Route("/config", self.change, methods=["PUT"]),
            Route("/config/reload", self.reload, methods=["POST"]),
            Route("/quota", self.quota, methods=["GET"]),
            Route("/quota", self.set_quota, methods=["PUT"]),
        ]

    async def show(self, request: Request) -> Response:
        """The settings that hold; with ``?origin`` where each value comes from."""
        config = self._settings.config
        if "origin" not in request.query_params:
            return JSONResponse(config.effective())
        return JSONResponse(
            [
                {"path": path, "value": value, "origin": str(origin)}
                for path, value, origin in config.settings()
            ]
        )

    async def change(self, request: Request) -> Response:
        """``{"mqtt.max_inflight": 64}``; null gives a value back to what stands below it."""
        body = await read_object(request)
        changes: dict[KeyPath, Any] = {}
        for path, value in body.items():
            try:
                keys = tuple(split_path(path))
            except ValueError as error:
                raise BadRequestError(f"{path}: {error}") from None
            changes[keys] = REMOVED if value is None else value
        if not changes:
            raise BadRequestError("nothing to change")
        applied = await self._settings.change("update", "configuration", changes)
        return JSONResponse(applied._asdict())

    async def reload(self, _request: Request) -> Response:
        """Read every source again; what changed, and what of it needs a restart."""
        return JSONResponse((await self._settings.reload())._asdict())

    async def quota(self, _request: Request) -> Response:
        """Most connected clients, and how many there are."""
        most = self._settings.config["access.max_connections"]
        return JSONResponse(
            {
                "max_connections": "infinity" if most is None else most,
                "connections": self._connections(),
            }
        )

    async def set_quota(self, request: Request) -> Response:
        body = await read_object(request)
        if "max_connections" not in body:
            raise BadRequestError("max_connections is missing")
        changes = {QUOTA: body["max_connections"]}
        await self._settings.change("update", "quota", changes)
        return await self.quota(request)
