"""What a source of authorization is, and what its failures mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple, Protocol

from rookery.access.authz import reasons
from rookery.access.authz.request import AuthzRequest
from rookery.access.chain import OnError
from rookery.access.errors import BackendError
from rookery.access.guard import BusyError, OpenError
from rookery.access.http_service import UnaskableError
from rookery.access.seldom import SeldomLog
from rookery.access.service import S, ServiceUser
from rookery.access.templates import MissingValueError
from rookery.clock import Clock
from rookery.words import Words


class Finding(NamedTuple):
    """What one source says; ``none`` leaves it to the next."""

    verdict: Literal["allow", "deny", "none"]
    reason: Words


class Source(Protocol):
    """Somebody to ask about a topic.

    Attributes:
        name: As in the core's list of sources.
    """

    @property
    def name(self) -> str: ...

    async def start(self) -> None:
        """Open what is needed. A service that is away is no reason to fail."""
        ...

    async def stop(self) -> None:
        """Close it. May be called twice, and without :meth:`start`."""
        ...

    async def find(self, request: AuthzRequest) -> Finding:
        """Say what is known. Raises nothing that is not a defect."""
        ...


async def ask(
    source: str,
    on_error: OnError,
    log: SeldomLog,
    question: Callable[[], Awaitable[Finding]],
) -> Finding:
    """Put the question; whatever becomes of it is a finding."""
    try:
        return await question()
    except MissingValueError as error:
        return Finding("none", reasons.LACKS.format(name=error.name))
    except UnaskableError as error:
        return Finding("none", reasons.UNASKABLE.format(error=error))
    except BusyError:
        reason = reasons.BUSY
    except OpenError:
        reason = reasons.LEFT_ALONE
    except TimeoutError:
        reason = reasons.NO_ANSWER
        log.warning("authorization by %s: %s", source, reason.en)
    except BackendError as error:
        reason = reasons.FAILED.format(error=error.words)
        log.warning("authorization by %s: %s", source, error)
    return Finding("deny" if on_error == "deny" else "none", reason)


class ServiceSource(ServiceUser[S]):
    """A source that asks a service."""

    def __init__(self, name: str, service: S, clock: Clock, on_error: OnError) -> None:
        super().__init__(service, clock, on_error)
        self.name = name

    async def find(self, request: AuthzRequest) -> Finding:
        return await ask(self.name, self.on_error, self.log, lambda: self._question(request))

    async def _question(self, request: AuthzRequest) -> Finding:
        """Ask the service; what it raises is a failure of it."""
        raise NotImplementedError
