"""``type = http``: a service says what a client may do.

204 allows; 200 with ``{"result": "allow" | "deny" | "ignore"}`` decides; everything else is no
answer.
"""

from __future__ import annotations

from rookery.access.authz import reasons
from rookery.access.authz.request import VARIABLES, AuthzRequest
from rookery.access.authz.source import Finding, ServiceSource
from rookery.access.chain import OnError
from rookery.access.http_service import HttpService, HttpSettings
from rookery.clock import Clock


class HttpSource(ServiceSource[HttpService]):
    """Asks an HTTP service."""

    def __init__(
        self,
        settings: HttpSettings,
        clock: Clock,
        *,
        on_error: OnError = "ignore",
        name: str = "http",
    ) -> None:
        service = HttpService(settings, clock, known=VARIABLES)
        super().__init__(name, service, clock, on_error)

    async def _question(self, request: AuthzRequest) -> Finding:
        answer = await self.service.ask(request.variable)
        if answer.status == 204:
            return Finding("allow", reasons.HTTP_204)
        if answer.status != 200:
            return Finding("none", reasons.HTTP_OTHER.format(status=answer.status))
        record = answer.record()
        match (record or {}).get("result"):
            case "allow":
                return Finding("allow", reasons.HTTP_ALLOW)
            case "deny":
                return Finding("deny", reasons.HTTP_DENY)
        return Finding("none", reasons.HTTP_NEITHER)
