"""``/listeners`` and ``/certificates``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rookery.broker.certificates import CertificateService
from rookery.broker.listeners import ListenerService
from rookery.broker.management.body import read_object, text_of
from rookery.errors import BadRequestError


class ListenersApi:
    """In EMQX's shapes, ``/api/v5/listeners``."""

    def __init__(self, listeners: ListenerService, certificates: CertificateService) -> None:
        self._listeners = listeners
        self._certificates = certificates

    def routes(self) -> list[Route]:
        one = "/listeners/{id}"
        return [
            Route("/listeners", self.list_all, methods=["GET"]),
            Route("/listeners", self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.create, methods=["POST"]),
            Route(one, self.update, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/{{action}}", self.act, methods=["POST"]),
            Route("/certificates", self.certificates, methods=["GET"]),
            Route("/certificates/reload", self.reload, methods=["POST"]),
        ]

    async def list_all(self, _request: Request) -> Response:
        return JSONResponse(await self._listeners.all())

    async def get(self, request: Request) -> Response:
        return JSONResponse(await self._listeners.get(request.path_params["id"]))

    async def create(self, request: Request) -> Response:
        """The id stands in the path, or as ``id``, or as ``type`` and ``name`` in the body."""
        body = await read_object(request)
        listener_id = request.path_params.get("id") or text_of(
            body, "id", f"{body.get('type')}:{body.get('name')}"
        )
        return JSONResponse(await self._listeners.create(listener_id, body), 201)

    async def update(self, request: Request) -> Response:
        body = await read_object(request)
        return JSONResponse(await self._listeners.update(request.path_params["id"], body))

    async def delete(self, request: Request) -> Response:
        await self._listeners.delete(request.path_params["id"])
        return Response(status_code=204)

    async def act(self, request: Request) -> Response:
        """``start``, ``stop`` or ``restart``; the listener as it is then."""
        listener_id, action = request.path_params["id"], request.path_params["action"]
        match action:
            case "start":
                await self._listeners.start(listener_id)
            case "stop":
                await self._listeners.stop(listener_id)
            case "restart":
                await self._listeners.restart(listener_id)
            case _:
                raise BadRequestError("a listener can start, stop and restart")
        return JSONResponse(await self._listeners.get(listener_id))

    async def certificates(self, _request: Request) -> Response:
        return JSONResponse(await self._certificates.all())

    async def reload(self, _request: Request) -> Response:
        """Read every certificate and key again; what cannot be used is not replaced."""
        return JSONResponse(await self._certificates.reload())
