"""Keys from a JWKS endpoint, fetched in the background and anew when a token names an unknown one.

While the endpoint is away the keys that are known stay in use.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from rookery.access.errors import BackendError
from rookery.access.guard import BusyError, OpenError
from rookery.access.http_service import HttpService, HttpSettings
from rookery.access.jwt.keys import KEYS_MAX, Header, WebKey
from rookery.clock import Clock

_logger = logging.getLogger(__name__)

HURRY_S = 5.0
"""Unknown keys make the endpoint be asked no more often than this, whatever clients send."""


class KeySet:
    """The keys of an endpoint. Belongs to one event loop from :meth:`start` on."""

    def __init__(self, http: HttpSettings, refresh_s: float, clock: Clock) -> None:
        self.service = HttpService(http, clock, known=())
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
        for task in (self._task, self._fetching):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._task = self._fetching = None
        await self.service.stop()

    async def _keep_fresh(self) -> None:
        while True:
            await self._fetch_shared()
            # While there are none the endpoint is tried more often.
            await asyncio.sleep(self._refresh_s if self.has_keys else min(HURRY_S, self._refresh_s))

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
        except (BackendError, TimeoutError, BusyError, OpenError) as error:
            _logger.warning("jwks: the keys cannot be fetched: %r", error)
            return False
        record = answer._replace(content_type="application/json").record()
        if answer.status != 200 or record is None or not isinstance(record.get("keys"), list):
            _logger.warning("jwks: the endpoint answered %d without keys", answer.status)
            return False
        keys = []
        for item in record["keys"][:KEYS_MAX]:
            try:
                keys.append(WebKey(item if isinstance(item, dict) else {}))
            except ValueError as error:
                _logger.debug("jwks: a key is left out: %s", error)
        self._keys = keys
        self.has_keys = True
        return True
