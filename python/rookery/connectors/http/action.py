"""One request per item."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from rookery.access.errors import Words
from rookery.access.reasons import no_answer, of_connecting, why_unreachable
from rookery.connectors.base import Action, Recoverable, Unhealthy, Unrecoverable
from rookery.connectors.http.request import Request, RequestTemplate
from rookery.connectors.http.settings import HttpActionSettings
from rookery.native.action_fields import ActionItem

if TYPE_CHECKING:
    import aiohttp

DRAIN_BYTES = 1 << 16
"""What an answer may have so that its connection is used again."""

_STATUS = Words("{address} answered {status}", "{address} 返回 {status}")
_REDIRECT = Words(
    "{address} answered {status}: redirects are not followed",
    "{address} 返回 {status}：不跟随重定向",
)
_NO_REQUEST = Words("no request can be made of it: {why}", "无法构成请求：{why}")


class Pool(Protocol):
    """What the action uses of its connector."""

    address: str
    places: asyncio.Semaphore

    @property
    def session(self) -> aiohttp.ClientSession: ...


class _Broken(Recoverable):
    """The connection ended before the answer, such as one that was idle for long."""


class HttpAction(Action):
    """Sends requests over the connections of its connector."""

    def __init__(self, pool: Pool, template: RequestTemplate, settings: HttpActionSettings) -> None:
        self.fields = template.fields
        self._pool = pool
        self._template = template
        self._parameters = settings.parameters

    async def send(self, items: Sequence[ActionItem]) -> None:
        for item in items:
            request = self._template.request(item)
            async with self._pool.places:
                await self._send(request)

    async def _send(self, request: Request) -> None:
        left = self._parameters.max_retries
        while True:
            try:
                status = await self._ask(request)
            except _Broken as error:
                if left == 0:
                    raise Recoverable(error.words) from None
                left -= 1
            else:
                self._judge(status)
                return

    async def _ask(self, request: Request) -> int:
        import aiohttp  # noqa: PLC0415
        from yarl import URL  # noqa: PLC0415

        address = self._pool.address
        try:
            session = self._pool.session
        except Unhealthy as error:
            raise Recoverable(error.words) from None
        try:
            async with (
                asyncio.timeout(self._parameters.request_timeout),
                session.request(
                    self._template.method,
                    URL(request.url, encoded=True),
                    headers=request.headers,
                    data=request.body,
                    allow_redirects=False,
                ) as response,
            ):
                await _drain(response)
                return response.status
        except aiohttp.ClientConnectorError as error:
            raise Recoverable(of_connecting(address, error)) from None
        except aiohttp.ConnectionTimeoutError as error:
            raise Recoverable(why_unreachable(address, error)) from None
        except TimeoutError:
            raise Recoverable(no_answer(address, self._parameters.request_timeout)) from None
        except aiohttp.ClientConnectionError:
            raise _Broken(why_unreachable(address, ConnectionResetError())) from None
        except OSError as error:
            raise Recoverable(why_unreachable(address, error)) from None
        except (aiohttp.InvalidURL, ValueError) as error:
            raise Unrecoverable(_NO_REQUEST.format(why=type(error).__name__)) from None
        except (aiohttp.ClientError, RuntimeError) as error:
            # An answer that is none, or a pool that was closed meanwhile.
            raise Recoverable(why_unreachable(address, error)) from None

    def _judge(self, status: int) -> None:
        """Whether the service has taken it, by EMQX's rules."""
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise Unrecoverable(_REDIRECT.format(address=self._pool.address, status=status))
        words = _STATUS.format(address=self._pool.address, status=status)
        if status == 429 or status >= 500:
            raise Recoverable(words, is_connection=False)
        raise Unrecoverable(words)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the answer, which nobody wants; a long one ends the connection instead."""
    count = 0
    async for chunk in response.content.iter_any():
        count += len(chunk)
        if count > DRAIN_BYTES:
            response.close()
            return
