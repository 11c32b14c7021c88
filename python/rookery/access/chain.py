"""The authentication chain: providers in their order, with the semantics of EMQX 5.

A provider that knows the client decides, for better or worse; one that does not, or cannot tell,
leaves it to the next. At the end of a chain with at least one provider the answer is no.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from rookery.access.idle import UnderWay
from rookery.access.request import AuthRequest
from rookery.access.seldom import SeldomLog
from rookery.access.verdict import (
    BAD_AUTHENTICATION_METHOD,
    BAD_USER_NAME_OR_PASSWORD,
    NOT_AUTHORIZED,
    SERVER_BUSY,
    SERVER_UNAVAILABLE,
    Admit,
    Continue,
    Ignore,
    Opinion,
    Refuse,
    Verdict,
)
from rookery.clock import Clock, SystemClock

_logger = logging.getLogger(__name__)

OnError: TypeAlias = Literal["ignore", "deny"]
"""What it means that a provider could not tell: ask the next, or refuse."""


class Provider(Protocol):
    """One way to tell who somebody is.

    Attributes:
        id: ``mechanism:backend`` as EMQX has it, such as ``password_based:http``.
        methods: Methods of enhanced authentication that it answers; empty for providers that look
            at CONNECT alone.
    """

    @property
    def id(self) -> str: ...

    @property
    def methods(self) -> tuple[str, ...]: ...

    async def start(self) -> None:
        """Open what is needed. A service that is away is no reason to fail."""
        ...

    async def stop(self) -> None:
        """Close it. May be called twice, and without :meth:`start`."""
        ...

    async def authenticate(self, request: AuthRequest) -> Opinion:
        """Say what is known about a client. Raises nothing that is not a defect."""
        ...


@dataclass(slots=True)
class ProviderCounters:
    """What one provider said since the start, and how often it could not tell."""

    allowed: int = 0
    refused: int = 0
    ignored: int = 0
    busy: int = 0
    failed: int = 0


@dataclass(slots=True)
class Step:
    """What one provider said about one client; the trail of an answer."""

    provider: str
    said: Literal["allow", "deny", "ignore", "continue", "busy", "failed"]
    reason: str = ""


@dataclass(slots=True)
class Answer:
    """A verdict and how it came about."""

    verdict: Verdict
    steps: list[Step] = field(default_factory=list)

    @property
    def decided_by(self) -> str:
        """The provider that decided; empty when the chain came to its end."""
        if self.steps and self.steps[-1].said not in {"ignore", "failed"}:
            return self.steps[-1].provider
        return ""


class AuthenticationChain:
    """Asks its providers in their order. Belongs to one event loop.

    Args:
        providers: In the order of the configuration, without the disabled ones.
        clock: What the time is; it spaces log lines.
        deadline_s: Seconds for all of them together; less than the core waits for an answer.
    """

    def __init__(
        self,
        providers: Sequence[Provider] = (),
        clock: Clock | None = None,
        *,
        deadline_s: float = 4.5,
    ) -> None:
        self.providers = tuple(providers)
        self.counters = {provider.id: ProviderCounters() for provider in self.providers}
        self._deadline_s = deadline_s
        self._under_way = UnderWay()
        self._log = SeldomLog(_logger, clock or SystemClock())

    def __bool__(self) -> bool:
        """Whether anybody is there to ask; without, only who is on this machine gets in."""
        return bool(self.providers)

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods of enhanced authentication that some provider answers."""
        return tuple(sorted({m for provider in self.providers for m in provider.methods}))

    async def start(self) -> None:
        """Start every provider; on failure those started are stopped again."""
        started: list[Provider] = []
        try:
            for provider in self.providers:
                started.append(provider)
                await provider.start()
        except BaseException:
            for provider in reversed(started):
                await provider.stop()
            raise

    async def drain(self) -> bool:
        """Wait until nobody is asked any more, no longer than a question can take.

        For a chain that was replaced: who was asked by it is still answered by it.
        """
        return await self._under_way.drained(self._deadline_s)

    async def stop(self) -> None:
        """Close every provider; questions under way fail. May be called twice."""
        for provider in self.providers:
            await provider.stop()

    async def authenticate(self, request: AuthRequest) -> Verdict:
        """Decide about a client."""
        return (await self.answer(request)).verdict

    async def answer(self, request: AuthRequest) -> Answer:
        """Decide about a client and say how the decision came about."""
        # One code for an unknown name and for a wrong password: the answer is not to say which
        # names there are. EMQX tells them apart.
        has_name = request.username is not None or request.password is not None
        code = BAD_USER_NAME_OR_PASSWORD if has_name else NOT_AUTHORIZED
        answer = Answer(Refuse(code, "no provider knows this client"))
        if request.method is not None and request.method not in self.methods:
            answer.verdict = Refuse(BAD_AUTHENTICATION_METHOD, "no provider has this method")
            return answer
        try:
            with self._under_way:
                async with asyncio.timeout(self._deadline_s):
                    await self._ask_all(request, answer)
        except TimeoutError:
            answer.verdict = Refuse(SERVER_UNAVAILABLE, "no provider answered in time")
            self._log.warning(
                "authentication of %r not answered in %s s", request.client_id, self._deadline_s
            )
        return answer

    async def _ask_all(self, request: AuthRequest, answer: Answer) -> None:
        for provider in self.providers:
            if request.method is not None and request.method not in provider.methods:
                continue
            if request.method is None and provider.methods:
                continue
            opinion = await self._ask(provider, request)
            answer.steps.append(self._step(provider.id, opinion))
            if not isinstance(opinion, Ignore):
                answer.verdict = opinion
                return

    async def _ask(self, provider: Provider, request: AuthRequest) -> Opinion:
        try:
            return await provider.authenticate(request)
        except Exception:
            # A defect of one provider ends neither the chain nor the node; it admits nobody.
            _logger.exception("authentication provider %s failed", provider.id)
            self.counters[provider.id].failed += 1
            return Ignore("failed")

    def _step(self, id_: str, opinion: Opinion) -> Step:
        counters = self.counters[id_]
        match opinion:
            case Admit():
                counters.allowed += 1
                return Step(id_, "allow", opinion.reason)
            case Refuse(reason_code=code) if code == SERVER_BUSY:
                counters.busy += 1
                return Step(id_, "busy", opinion.reason)
            case Refuse():
                counters.refused += 1
                return Step(id_, "deny", opinion.reason)
            case Continue():
                return Step(id_, "continue")
        counters.ignored += 1
        return Step(id_, "ignore", opinion.reason)
