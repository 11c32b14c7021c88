"""``/api/v5`` is put together when the first request needs it.

The framework, the models of all features and their schemas take about a second of processor time and a
third of the process's memory: a node that nobody asks pays for none of it. The first request waits.

What fails is logged, tells an alarm, and is tried again, at most every :data:`RETRY_S`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from rookery.broker.alarms import message
from rookery.broker.audit import LOCAL
from rookery.broker.management.context import NodeContext
from rookery.broker.rest.audit import RestAudit
from rookery.broker.rest.segments import Segments
from rookery.errors import UnavailableError
from rookery.web.caller import CALLER, Caller

if TYPE_CHECKING:
    from fastapi import FastAPI

_log = logging.getLogger("rookery.web")

PREFIX = "/api/v5"
RETRY_S = 10.0
ALARM = "rest_interface"


class DeferredApi:
    """Makes the application once. Lives on the node's event loop."""

    def __init__(self, node: NodeContext, audit: RestAudit) -> None:
        self._node = node
        self._audit = audit
        self._app: FastAPI | None = None
        self._making = asyncio.Lock()
        self._failed_s = -RETRY_S
        self.on_listener: ASGIApp = Segments(self._over_network)
        """For whoever comes over the network."""
        self.on_socket: ASGIApp = Segments(self._local)
        """For whoever can open the node's own socket."""

    async def get(self) -> FastAPI:
        """The application.

        Raises:
            UnavailableError: it cannot be put together; the log says why.
        """
        if self._app is None:
            async with self._making:
                if self._app is None:
                    self._app = await self._made()
        return self._app

    async def _made(self) -> FastAPI:
        clock, alarms = self._node.clock, self._node.alarms
        if clock.monotonic_s() - self._failed_s < RETRY_S:
            raise UnavailableError("the REST interface cannot be put together, the log says why")
        try:
            # In a thread: the loop goes on while the framework is imported.
            app = await asyncio.to_thread(_make, self._node, self._audit)
        except Exception as error:  # noqa: BLE001 — whatever it is, it is told and tried again
            self._failed_s = clock.monotonic_s()
            _log.exception("the REST interface cannot be put together")
            alarms.activate(ALARM, message("rest_interface", error=str(error)))
            raise UnavailableError(
                "the REST interface cannot be put together, the log says why"
            ) from None
        alarms.deactivate(ALARM)
        return app

    async def _over_network(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = await self.get()
        await app(scope, receive, send)

    async def _local(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = Caller(name=name_of_local(scope), role="administrator", via="local")
        app = await self.get()
        await app({**scope, CALLER: caller}, receive, send)


def name_of_local(scope: Scope) -> str:
    """``local:USER`` where the system says which user has the other end."""
    return str(scope["client"][0]) if scope.get("client") else LOCAL


def _make(node: NodeContext, audit: RestAudit) -> FastAPI:
    from rookery.broker.rest.admission import RestAdmission  # noqa: PLC0415
    from rookery.broker.rest.app import make_app  # noqa: PLC0415

    return make_app(node, RestAdmission(node.services.admins), audit)
