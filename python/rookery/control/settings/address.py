"""The address under which browsers and agents reach this control plane, and its test."""

from __future__ import annotations

import json
import secrets
import ssl
from typing import Any

import aiohttp
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.errors import InvalidError, Text
from rookery.control.settings import store
from rookery.control.settings.names import ACCESS_ADDRESS, INSTALLATION
from rookery.storage.database import Database

TEST_S = 5.0
ANSWER_BYTES_MAX = 4096
UNREACHABLE = Text("{url} cannot be reached: {reason}", "无法访问 {url}：{reason}")
SOMEBODY_ELSE = Text(
    "something else answers at {url}, not this control plane", "{url} 上的服务不是本控制面"
)


class AccessAddress:
    """The section ``server-access-name``, and what identifies this installation."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._installation = ""

    async def get(self) -> str:
        """As it is set; empty before that."""
        async with self._database.read() as session:
            return await read(session)

    async def installation(self) -> str:
        """What all processes of this database say that they are, to whoever asks ``/status``."""
        if self._installation:
            return self._installation
        async with self._database.write() as session:
            await self._database.alone(session, INSTALLATION)
            kept = await store.value_of(session, INSTALLATION)
            if kept is None:
                kept = {"id": secrets.token_hex(8)}
                await store.put(session, INSTALLATION, kept, self._clock.now_ms())
        self._installation = str(kept["id"])
        return self._installation

    async def test(self, url: str) -> None:
        """Ask ourselves there.

        Raises:
            InvalidError: nobody answers, or somebody else.
        """
        expected = await self.installation()
        try:
            found = await _ask(f"{url.rstrip('/')}/status")
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            reason = _reason(error)
            raise InvalidError(UNREACHABLE, code="TEST_FAILED", url=url, reason=reason) from None
        if not isinstance(found, dict) or found.get("installation") != expected:
            raise InvalidError(SOMEBODY_ELSE, code="TEST_FAILED", url=url)


async def read(session: AsyncSession) -> str:
    """As it is set; empty before that."""
    return str((await store.value_of(session, ACCESS_ADDRESS) or {}).get("url", ""))


async def _ask(url: str) -> Any:
    # Who answers is told by what is said, not by the certificate: it may be one of our own.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    timeout = aiohttp.ClientTimeout(TEST_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as client,
        client.get(url, ssl=context, allow_redirects=False) as answer,
    ):
        text = await answer.content.read(ANSWER_BYTES_MAX)
    try:
        return json.loads(text)
    except ValueError:
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    # What the library says around it repeats the address.
    inner = getattr(error, "os_error", None)
    return str(getattr(inner, "strerror", None) or inner or error) or type(error).__name__
