"""``type = http``: a service says what a client may do.

204 allows; 200 with ``{"result": "allow" | "deny" | "ignore"}`` decides; everything else is no
answer.
"""

from __future__ import annotations

import logging

from rookery.access.authz.request import VARIABLES, AuthzRequest
from rookery.access.authz.source import Finding, ask
from rookery.access.chain import OnError
from rookery.access.http_service import HttpService, HttpSettings
from rookery.access.seldom import SeldomLog
from rookery.clock import Clock

_logger = logging.getLogger(__name__)


class HttpSource:
    """Asks an HTTP service."""

    def __init__(
        self,
        settings: HttpSettings,
        clock: Clock,
        *,
        on_error: OnError = "ignore",
        name: str = "http",
    ) -> None:
        self.name = name
        self._on_error: OnError = on_error
        self._log = SeldomLog(_logger, clock)
        self.service = HttpService(settings, clock, known=VARIABLES)

    async def start(self) -> None:
        await self.service.start()

    async def stop(self) -> None:
        await self.service.stop()

    async def find(self, request: AuthzRequest) -> Finding:
        async def question() -> Finding:
            answer = await self.service.ask(request.variable)
            if answer.status == 204:
                return Finding("allow", "the service answered 204")
            if answer.status != 200:
                return Finding("none", f"the service answered {answer.status}")
            record = answer.record()
            match (record or {}).get("result"):
                case "allow":
                    return Finding("allow", "the service said allow")
                case "deny":
                    return Finding("deny", "the service said deny")
            return Finding("none", "the service said neither allow nor deny")

        return await ask(self.name, self._on_error, self._log, question)
