"""``GET /status``: whether the node is there, for people and load balancers, without a login."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from rookery.broker.management.context import NodeContext


class Status:
    """Answers in EMQX's words."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node

    async def get(self, request: Request) -> Response:
        """For a route of its own."""
        return self.answer(request.query_params.get("format", "text"))

    def answer(self, format_: str) -> Response:
        """200 while clients are served, else 503 with Retry-After."""
        is_running, node_name = self._node.state.is_running, self._node.node_name
        state = "running" if is_running else "not_running"
        status = 200 if is_running else 503
        headers = {"cache-control": "no-store"}
        quorum = self._node.services.cluster.quorum()
        if not is_running:
            headers["retry-after"] = "15"
        if format_ == "json":
            body = {
                "node_name": node_name,
                "broker_status": "started" if is_running else "stopped",
                "app_status": state,
            }
            if quorum is not None:
                body["cluster_status"] = "quorum" if quorum.has else "no_quorum"
            return JSONResponse(body, status, headers)
        is_started = "is started" if is_running else "is stopping"
        text = f"Node {node_name} {is_started}\nrookery is {state.replace('_', ' ')}"
        if quorum is not None and not quorum.has:
            text += (
                f"\ncluster has no quorum: {quorum.running} of {quorum.members} nodes run, "
                f"{quorum.needed} are needed"
            )
        return PlainTextResponse(text, status, headers)
