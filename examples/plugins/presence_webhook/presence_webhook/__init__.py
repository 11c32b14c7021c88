"""Tells a web service when clients come and go, after their CONNACK, in order and in batches.

Each event carries ``generation``, the number of the client's connects: whoever gets events from
several places can put them in order. Nobody waits for the service; when it is away, events wait for it.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.request
from collections import deque
from typing import Any

from rookery.plugins import Client, Plugin, PluginContext

BATCH_MAX = 500
TIMEOUT_S = 10.0
PAUSE_MAX_S = 30.0
# A URL that is none, and answers that are not HTTP, are no OSError.
FAILURES = (OSError, ValueError, http.client.HTTPException)


class PresenceWebhook(Plugin):
    """``client.connected`` and ``client.disconnected``."""

    def __init__(self, context: PluginContext | None = None) -> None:
        super().__init__(context)
        self._waiting: deque[dict[str, Any]] = deque()
        self._is_there = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self.dropped = 0

    async def start(self) -> None:
        """Begin to send."""
        self._sending = asyncio.ensure_future(self._send_all())

    async def stop(self) -> None:
        """Send what waits, once, and end."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        if self._waiting:
            await asyncio.to_thread(self._post, list(self._waiting)[:BATCH_MAX])

    def on_connected(self, client: Client) -> None:
        self._put("client.connected", client)

    def on_disconnected(self, client: Client, reason: str) -> None:
        self._put("client.disconnected", client, reason=reason)

    def _put(self, event: str, client: Client, **more: Any) -> None:
        if len(self._waiting) >= int(self.settings["waiting_max"]):
            self.dropped += 1
            self.context.log.warning("the service is too slow: %d events dropped", self.dropped)
            return
        self._waiting.append(
            {
                "event": event,
                "clientid": client.client_id,
                "username": client.username,
                "peer": client.peer,
                "generation": client.generation,
                **more,
            }
        )
        self._is_there.set()

    async def _send_all(self) -> None:
        pause_s = 0.5
        while True:
            await self._is_there.wait()
            batch = [self._waiting[at] for at in range(min(BATCH_MAX, len(self._waiting)))]
            try:
                await asyncio.to_thread(self._post, batch)
            except FAILURES as error:
                self.context.log.warning("the service cannot be reached: %r", error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
                continue
            pause_s = 0.5
            for _ in batch:
                self._waiting.popleft()
            if not self._waiting:
                self._is_there.clear()

    def _post(self, events: list[dict[str, Any]]) -> None:
        headers = {"Content-Type": "application/json"}
        if self.settings["token"]:
            headers["Authorization"] = f"Bearer {self.settings['token']}"
        request = urllib.request.Request(
            str(self.settings["url"]), json.dumps(events).encode(), headers, method="POST"
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):
            pass
