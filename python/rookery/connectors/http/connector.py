"""A pool of connections to one service. Redirects are not followed, cookies not kept, proxies of
the environment not used: what is sent goes where the settings say and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rookery.access.reasons import why_unreachable
from rookery.connectors.base import Action, Connector, Context, Unhealthy
from rookery.connectors.http.action import HttpAction
from rookery.connectors.http.request import RequestTemplate
from rookery.connectors.http.settings import HttpActionSettings, HttpConnectorSettings
from rookery.connectors.settings import SourceSettings

if TYPE_CHECKING:
    import ssl

    import aiohttp

READ_BYTES = 1 << 14


class HttpConnector(Connector[HttpActionSettings, SourceSettings]):
    """One service. Its actions share the connections.

    Attributes:
        address: ``host:port``.
        places: One per connection: a deadline counts from when a request has one.
    """

    def __init__(self, settings: HttpConnectorSettings, _context: Context) -> None:
        self._settings = settings
        parts = urlsplit(settings.url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.address = f"{host}:{self._port}"
        self.places = asyncio.Semaphore(settings.pool_size)
        self._tls: ssl.SSLContext | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool.

        Raises:
            Unhealthy: it is closed.
        """
        if self._session is None or self._session.closed:
            raise Unhealthy(why_unreachable(self.address, ConnectionResetError()))
        return self._session

    async def start(self) -> None:
        import aiohttp  # noqa: PLC0415 - only those who have such a connector pay for loading it

        settings = self._settings
        self._tls = settings.ssl.client_tls().context() if settings.ssl.enable else None
        await self.check()
        pool = aiohttp.TCPConnector(
            limit=settings.pool_size,
            keepalive_timeout=settings.max_inactive,
            ssl=self._tls or False,
        )
        self._session = aiohttp.ClientSession(
            connector=pool,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout),
            auto_decompress=False,
            skip_auto_headers=("User-Agent",),
            read_bufsize=READ_BYTES,
            trust_env=False,
        )

    async def stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def check(self) -> None:
        """Connect, with TLS where it is spoken. Asking for a page could mean something there."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                _, writer = await asyncio.open_connection(
                    self._host, self._port, ssl=self._tls, limit=READ_BYTES
                )
        except OSError as error:
            raise Unhealthy(why_unreachable(self.address, error)) from None
        finally:
            if writer is not None:
                writer.close()
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(1):
                        await writer.wait_closed()

    def open_action(self, settings: HttpActionSettings) -> Action:
        return HttpAction(self, RequestTemplate(self._settings, settings.parameters), settings)


def open_connector(settings: HttpConnectorSettings, context: Context) -> HttpConnector:
    """Make one."""
    return HttpConnector(settings, context)
