"""Keys from a JWKS endpoint, fetched in the background and anew when a token names an unknown one.

While the endpoint is away the keys that are known stay in use.
"""

from __future__ import annotations

import asyncio
import logging

from rookery.access.errors import BackendError
from rookery.access.guard import BusyError, OpenError
from rookery.access.health import Health
from rookery.access.http_service import HttpService, HttpSettings
from rookery.access.jwt.keys import KEYS_MAX, Header, WebKey
from rookery.clock import Clock
from rookery.ending import ended
from rookery.words import Words

_logger = logging.getLogger(__name__)

HURRY_S = 5.0
"""Unknown keys make the endpoint be asked no more often than this, whatever clients send."""


AGAIN_S = 15.0
"""How soon an endpoint that was away is asked again while there are keys."""
_NO_KEYS = Words(
    "{address} answered {status} without keys: check endpoint",
    "{address} 返回 {status}，其中没有密钥：请检查 endpoint",
)
_NONE_USABLE = Words(
    "{address} answered without a key that can be used for signatures",
    "{address} 返回的密钥均不能用于验证签名",
)


class KeySet:
    """The keys of an endpoint. Belongs to one event loop from :meth:`start` on.

    Attributes:
        health: Whether the keys were fetched when that was tried last.
    """

    def __init__(self, http: HttpSettings, refresh_s: float, clock: Clock) -> None:
        self.service = HttpService(http, clock, known=())
        self.health = Health()
        self._refresh_s = refresh_s
        self._clock = clock
        self._keys: list[WebKey] = []
        self._task: asyncio.Task[None] | None = None
        self._fetching: asyncio.Task[bool] | None = None
        self._fetched_s: float | None = None
        self.has_keys = False

    async def start(self) -> None:
        """Begin to fetch the keys, and go on. An endpoint that is away is no failure.

        Nobody waits for the first ones but those who bring a token meanwhile.
        """
        await self.service.start()
        self._task = asyncio.create_task(self._keep_fresh(), name="jwks")

    async def stop(self) -> None:
        """May be called twice, and without :meth:`start`."""
        await ended("fetching keys of tokens", self._task, self._fetching)
        self._task = self._fetching = None
        await self.service.stop()

    async def _keep_fresh(self) -> None:
        while True:
            await self._fetch_shared()
            await asyncio.sleep(min(self._refresh_s, self._pause_s()))

    def _pause_s(self) -> float:
        """An endpoint that is away is tried more often, most of all while there are no keys."""
        if not self.has_keys:
            return HURRY_S
        return self._refresh_s if self.health.state == "connected" else AGAIN_S

    async def candidates(self, header: Header) -> list[WebKey]:
        """The keys that a token may have been signed with."""
        found = self._named(header)
        if not found and self._may_hurry():
            await self._fetch_shared()
            found = self._named(header)
        return found

    def _named(self, header: Header) -> list[WebKey]:
        if header.key_id is None:
            return self._keys
        return [key for key in self._keys if key.key_id in {header.key_id, None}]

    def _may_hurry(self) -> bool:
        if self._fetching is not None and not self._fetching.done():
            return True  # somebody else waits for the same
        return self._fetched_s is None or self._clock.monotonic_s() - self._fetched_s >= HURRY_S

    async def _fetch_shared(self) -> bool:
        """Fetch once for all who want it at the same time."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(), name="jwks fetch")
        # One that gives up must not take it from the others.
        return await asyncio.shield(self._fetching)

    async def _fetch(self) -> bool:
        self._fetched_s = self._clock.monotonic_s()
        try:
            answer = await self.service.ask(lambda _name: None)
        except (BusyError, OpenError):
            return False  # it was said why before
        except TimeoutError:
            return self._failed(self.service.guard.late)
        except BackendError as error:
            return self._failed(error.words)
        record = answer._replace(content_type="application/json").record()
        if answer.status != 200 or record is None or not isinstance(record.get("keys"), list):
            address, status = self.service.address, answer.status
            return self._failed(_NO_KEYS.format(address=address, status=status))
        keys = []
        for item in record["keys"][:KEYS_MAX]:
            try:
                keys.append(WebKey(item if isinstance(item, dict) else {}))
            except ValueError as error:
                _logger.debug("jwks: a key is left out: %s", error)
        self._keys = keys
        self.has_keys = True
        if not keys:
            self._failed(_NONE_USABLE.format(address=self.service.address))
            return True
        self.health.is_well()
        return True

    def _failed(self, reason: Words) -> bool:
        _logger.warning("jwks: the keys cannot be fetched: %s", reason.en)
        self.health.is_ill(reason)
        return False
