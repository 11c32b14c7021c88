"""What providers have in common that ask somebody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rookery.access.chain import OnError
from rookery.access.errors import BackendError
from rookery.access.guard import BusyError, OpenError
from rookery.access.http_service import UnaskableError
from rookery.access.request import AuthRequest
from rookery.access.seldom import SeldomLog
from rookery.access.service import S, ServiceUser
from rookery.access.templates import MissingValueError
from rookery.access.verdict import (
    SERVER_BUSY,
    SERVER_UNAVAILABLE,
    Ignore,
    Opinion,
    Refuse,
)


async def ask(
    provider: str,
    on_error: OnError,
    log: SeldomLog,
    question: Callable[[], Awaitable[Opinion]],
) -> Opinion:
    """Put the question; whatever becomes of it is an opinion.

    A provider that is full refuses with 0x89 (Server busy): the client may come again, and to ask
    somebody else instead would depend on the load who gets in.
    """
    try:
        return await question()
    except BusyError:
        return Refuse(SERVER_BUSY, "too many questions are under way")
    except MissingValueError as error:
        return Ignore(f"the client has no {error.name}")
    except UnaskableError as error:
        return Ignore(str(error))
    except OpenError:
        # Said once when it opened, not for every client.
        return _failed(on_error, "the service failed too often and is left alone for a while")
    except TimeoutError:
        log.warning("%s: no answer in time", provider)
        return _failed(on_error, "no answer in time")
    except BackendError as error:
        log.warning("%s: %s", provider, error)
        return _failed(on_error, str(error))


def _failed(on_error: OnError, reason: str) -> Opinion:
    return Refuse(SERVER_UNAVAILABLE, reason) if on_error == "deny" else Ignore(reason)


class ServiceProvider(ServiceUser[S]):
    """A provider that asks a service."""

    id: str
    methods: tuple[str, ...] = ()

    async def authenticate(self, request: AuthRequest) -> Opinion:
        return await ask(self.id, self.on_error, self.log, lambda: self._question(request))

    async def _question(self, request: AuthRequest) -> Opinion:
        """Ask the service; what it raises is a failure of it."""
        raise NotImplementedError
