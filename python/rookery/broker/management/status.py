"""``GET /status``: whether the node is there, for people and load balancers, without a login."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from rookery.web.errors import HANDLERS


class Status:
    """Answers in EMQX's words. ``is_running`` turns false when the node begins to stop."""

    def __init__(self, node_name: str) -> None:
        self._node_name = node_name
        self.is_running = True

    async def get(self, request: Request) -> Response:
        """200 while clients are served, else 503 with Retry-After."""
        state = "running" if self.is_running else "not_running"
        status = 200 if self.is_running else 503
        headers = {"cache-control": "no-store"}
        if not self.is_running:
            headers["retry-after"] = "15"
        if request.query_params.get("format") == "json":
            body = {
                "node_name": self._node_name,
                "broker_status": "started" if self.is_running else "stopped",
                "app_status": state,
            }
            return JSONResponse(body, status, headers)
        is_started = "is started" if self.is_running else "is stopping"
        text = f"Node {self._node_name} {is_started}\nrookery is {state.replace('_', ' ')}"
        return PlainTextResponse(text, status, headers)


def public_app(status: Status) -> Starlette:
    """What everybody may ask on ``dashboard.listeners.http.bind``."""
    routes = [Route("/status", status.get, methods=["GET"])]
    return Starlette(routes=routes, exception_handlers=HANDLERS)
