"""``/api/v5`` is put together piece by piece, as requests need it.

The framework, the models of all features and their schemas take about a second of processor time and a
third of the process's memory: a node that nobody asks pays for none of it, and who asks for one thing
waits for that alone.

What fails is logged, tells an alarm, and is tried again, at most every :data:`RETRY_S`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from rookery.broker.alarms import message
from rookery.broker.audit import LOCAL
from rookery.broker.management.context import NodeContext
from rookery.broker.rest.audit import RestAudit
from rookery.broker.rest.features import FEATURES, Feature
from rookery.errors import UnavailableError
from rookery.lasting import lasting
from rookery.web.caller import CALLER, Caller
from rookery.web.segments import Segments

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

    from rookery.broker.rest.app import Api

_log = logging.getLogger("rookery.web")

PREFIX = "/api/v5"
WHERE = (
    f"operations are below {PREFIX}, such as GET {PREFIX}/status; "
    "/api-docs shows all, /api-docs/swagger.json is their OpenAPI document"
)
"""For whoever knocks where nothing is."""
RETRY_S = 10.0
ALARM = "rest_interface"


class DeferredApi:
    """Makes the application once, and each part of it once. Lives on the node's event loop."""

    def __init__(self, node: NodeContext, audit: RestAudit) -> None:
        self._node = node
        self._audit = audit
        self._api: Api | None = None
        self._made: set[Feature] = set()
        self._making = asyncio.Lock()
        self._failed_s: dict[str, float] = {}
        self.on_listener: ASGIApp = Segments(self._over_network)
        """For whoever comes over the network."""
        self.on_socket: ASGIApp = Segments(self._local)
        """For whoever can open the node's own socket."""

    async def _app_for(self, scope: Scope) -> ASGIApp:
        """The application, with all that begins as the path does.

        Raises:
            UnavailableError: that cannot be put together; the log says why.
        """
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        begin = path.lstrip("/").partition("/")[0]
        wanted = [feature for feature in FEATURES if begin in feature.begins]
        if self._api is None or not self._made.issuperset(wanted):
            async with self._making:
                await self._make(begin, wanted)
        assert self._api is not None
        return self._api.app

    async def _make(self, begin: str, wanted: Sequence[Feature]) -> None:
        lacking = [feature for feature in wanted if feature not in self._made]
        if self._api is not None and not lacking:
            return
        clock, alarms = self._node.clock, self._node.alarms
        if clock.monotonic_s() - self._failed_s.get(begin if wanted else "", -RETRY_S) < RETRY_S:
            raise UnavailableError("the REST interface cannot be put together, the log says why")
        try:
            # In a thread: the loop goes on while the framework is imported.
            api, routes = await asyncio.to_thread(self._made_of, lacking)
        except Exception as error:  # noqa: BLE001 — whatever it is, it is told and tried again
            # Of other names than those of features nothing is made that could fail.
            self._failed_s[begin if wanted else ""] = clock.monotonic_s()
            _log.exception("the REST interface cannot be put together")
            alarms.activate(ALARM, message("rest_interface", error=str(error)))
            raise UnavailableError(
                "the REST interface cannot be put together, the log says why"
            ) from None
        self._api = api
        api.add(routes)
        self._made.update(lacking)
        self._failed_s.pop(begin if wanted else "", None)
        if not self._failed_s:
            alarms.deactivate(ALARM)

    def _made_of(self, lacking: Sequence[Feature]) -> tuple[Api, list[APIRoute]]:
        with lasting():
            api = self._api or _make_api(self._node, self._audit)
            return api, api.routes_of(lacking)

    async def _over_network(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = await self._app_for(scope)
        await app(scope, receive, send)

    async def _local(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = Caller(name=name_of_local(scope), role="administrator", via="local")
        app = await self._app_for(scope)
        await app({**scope, CALLER: caller}, receive, send)


def name_of_local(scope: Scope) -> str:
    """``local:USER`` where the system says which user has the other end."""
    return str(scope["client"][0]) if scope.get("client") else LOCAL


def _make_api(node: NodeContext, audit: RestAudit) -> Api:
    from rookery.broker.rest.admission import RestAdmission  # noqa: PLC0415
    from rookery.broker.rest.app import Api  # noqa: PLC0415

    return Api(node, RestAdmission(node.services.admins), audit)
