"""``password_based:http``: a service says who a client is.

200 with ``{"result": "allow" | "deny" | "ignore"}`` decides, 204 admits, everything else is no
answer. With ``allow`` may come ``is_superuser``, ``client_attrs``, ``expire_at`` (seconds since
1970), ``acl`` and ``clientid_override``.
"""

from __future__ import annotations

from dataclasses import dataclass

from rookery.access.authn.asking import ServiceProvider
from rookery.access.chain import OnError
from rookery.access.errors import AccessError
from rookery.access.http_service import HttpAnswer, HttpService, HttpSettings
from rookery.access.profile import admit_from
from rookery.access.request import VARIABLES, AuthRequest
from rookery.access.verdict import NOT_AUTHORIZED, Admit, Ignore, Opinion, Refuse
from rookery.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAuthnSettings:
    """``mechanism = password_based, backend = http``.

    Attributes:
        http: The service.
        on_error: What it means that the service does not answer.
    """

    http: HttpSettings
    on_error: OnError = "ignore"


class HttpProvider(ServiceProvider[HttpService]):
    """Asks an HTTP service."""

    id = "password_based:http"

    def __init__(self, settings: HttpAuthnSettings, clock: Clock) -> None:
        service = HttpService(settings.http, clock, known=VARIABLES)
        super().__init__(service, clock, settings.on_error)
        self._clock = clock

    async def _question(self, request: AuthRequest) -> Opinion:
        return self._opinion(await self.service.ask(request.variable))

    def _opinion(self, answer: HttpAnswer) -> Opinion:
        if answer.status == 204:
            return Admit(reason="the service answered 204")
        if answer.status != 200:
            return Ignore(f"the service answered {answer.status}")
        record = answer.record()
        if record is None:
            self.log.warning("%s: an answer that is no JSON object", self.id)
            return Ignore("the service's answer is no JSON object")
        match record.get("result"):
            case "allow":
                pass
            case "deny":
                return Refuse(NOT_AUTHORIZED, "the service said deny")
            case _:
                return Ignore("the service said ignore")
        try:
            return admit_from(record, now_ms=self._clock.now_ms(), reason="the service said allow")
        except AccessError as error:
            # An answer that admits with rules that mean nothing must not admit without them.
            self.log.warning("%s: %s", self.id, error)
            return Refuse(reason=f"the service's answer cannot be used: {error}")
