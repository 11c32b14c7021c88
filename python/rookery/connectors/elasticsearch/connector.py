"""Connections to a cluster, for all actions on it."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiohttp

from rookery.access.databases.settings import host_and_port
from rookery.access.errors import SettingError, Words
from rookery.access.reasons import of_connecting, shown_address, why_unreachable
from rookery.connectors.base import Action, Connector, Context, Unhealthy
from rookery.connectors.elasticsearch.action import ElasticsearchAction
from rookery.connectors.elasticsearch.answers import parsed, status_words, strange
from rookery.connectors.elasticsearch.settings import (
    DEFAULT_PORT,
    BasicAuthentication,
    ElasticsearchActionSettings,
    ElasticsearchConnectorSettings,
)

ANSWER_S = 30.0
ANSWER_BYTES_MAX = 32 << 20
IDLE_S = 60.0
CLIENT_ERRORS = (aiohttp.ClientError, OSError, ValueError)
"""All that a request may raise; ValueError for a header or an address that is none."""

_STOPPED = Words("the connector is stopped", "连接器已停止")
_UNREACHABLE = Words(
    "Elasticsearch at {address} cannot be reached: {said}",
    "无法连接 Elasticsearch {address}：{said}",
)
_LATE = Words(
    "Elasticsearch at {address} does not answer in time: see what it is busy with, or whether the "
    "network is slow",
    "Elasticsearch {address} 未在时限内应答：请检查其负载和网络",
)


class ElasticsearchConnector(Connector[ElasticsearchActionSettings, Any]):
    """A pool of HTTP connections."""

    def __init__(self, settings: ElasticsearchConnectorSettings, context: Context) -> None:
        """Check the address.

        Raises:
            SettingError: it is none.
        """
        self._settings = settings
        host, port = host_and_port(settings.server, DEFAULT_PORT, context.id)
        self._address = shown_address(host, port)
        self._url = f"{'https' if settings.ssl.enable else 'http'}://{self._address}/"
        self._session: aiohttp.ClientSession | None = None
        self._places = asyncio.Semaphore(settings.pool_size)

    async def start(self) -> None:
        await self.stop()
        settings = self._settings
        try:
            context = settings.ssl.client_tls().context() if settings.ssl.enable else False
        except SettingError as error:  # a certificate file
            raise Unhealthy(error.words) from error
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                # One more for checks: they must not wait behind what is sent, or a cluster that is
                # only busy would count as gone.
                limit=settings.pool_size + 1,
                keepalive_timeout=IDLE_S,
                ssl=context,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_login(settings.authentication),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=settings.connect_timeout, sock_read=ANSWER_S
            ),
        )
        try:
            await self.check()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def check(self) -> None:
        status, body = await self._ask("GET", "")
        if status != 200:
            raise Unhealthy(status_words(status, body))
        if "version" not in (parsed(body) or {}):
            raise Unhealthy(strange(body))

    async def send(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to what is sent there.

        Raises:
            Unhealthy: there is none.
        """
        async with self._places:
            return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        if self._session is None:
            raise Unhealthy(_STOPPED)
        headers = {"content-type": "application/x-ndjson"} if body is not None else None
        try:
            async with self._session.request(
                method, self._url + path, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status, await _bounded(answer)
        except aiohttp.ConnectionTimeoutError as error:
            raise Unhealthy(why_unreachable(self._address, error)) from error
        except TimeoutError as error:
            raise Unhealthy(_LATE.format(address=self._address)) from error
        except CLIENT_ERRORS as error:
            raise Unhealthy(self._unreachable(error)) from error

    def _unreachable(self, error: Exception) -> Words:
        if isinstance(error, aiohttp.ClientConnectorError):
            return of_connecting(self._address, error)
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return why_unreachable(self._address, ConnectionResetError())
        said = str(error) or type(error).__name__
        return _UNREACHABLE.format(address=self._address, said=said)

    def open_action(self, settings: ElasticsearchActionSettings) -> Action:
        return ElasticsearchAction(settings, self)


def _login(authentication: BasicAuthentication | None) -> dict[str, str]:
    if authentication is None:
        return {}
    pair = f"{authentication.username}:{authentication.password.reveal()}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            raise ValueError(f"the answer has more than {ANSWER_BYTES_MAX} octets")
        parts.append(part)
    return b"".join(parts)
