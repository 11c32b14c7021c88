"""Tells a web service when clients come and go, after their CONNACK, in order and in batches.

Each event carries ``generation``, the number of the client's connects: whoever gets events from
several places can put them in order. Nobody waits for the service; when it is away, events wait for it,
in the plugin's directory while the plugin is loaded anew or stopped.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.request
from collections import deque
from itertools import islice
from typing import Any

from rookery.plugins import Client, Plugin, PluginContext

KEPT = "waiting-"
BATCH_MAX = 500
TIMEOUT_S = 5.0  # shorter than what the node gives it to stop
PAUSE_MAX_S = 30.0
# A URL that is none, and answers that are not HTTP, are no OSError.
FAILURES = (OSError, ValueError, http.client.HTTPException)


class PresenceWebhook(Plugin):
    """``client.connected`` and ``client.disconnected``."""

    def __init__(self, context: PluginContext | None = None) -> None:
        super().__init__(context)
        self._waiting: deque[dict[str, Any]] = deque()
        self._is_there = asyncio.Event()
        self._posting = asyncio.Lock()
        self._is_away = False
        self._sending: asyncio.Task[None] | None = None
        self.dropped = 0

    async def start(self) -> None:
        """Begin to send, with what waited when it was stopped."""
        self._waiting.extend(await asyncio.to_thread(self._take_kept))
        if self._waiting:
            self._is_there.set()
        self._sending = asyncio.ensure_future(self._send_all())

    async def stop(self) -> None:
        """Send what waits, once; keep what the service did not take."""
        # First of all: whoever takes too long to stop is ended, and better told twice than never.
        await asyncio.to_thread(self._keep, list(self._waiting))
        if self._sending is not None:
            async with self._posting:  # what is being sent is not sent again
                self._sending.cancel()
                await asyncio.gather(self._sending, return_exceptions=True)
        try:
            if self._waiting and not self._is_away:
                await self._send_some()
        except FAILURES as error:
            self.context.log.warning("%d events wait: %r", len(self._waiting), error)
        finally:
            await asyncio.to_thread(self._keep, list(self._waiting))

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
            try:
                await self._send_some()
            except FAILURES as error:
                self._is_away = True
                self.context.log.warning("the service cannot be reached: %r", error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
                continue
            pause_s, self._is_away = 0.5, False

    async def _send_some(self) -> None:
        async with self._posting:
            batch = list(islice(self._waiting, BATCH_MAX))
            await asyncio.to_thread(self._post, batch)
            for _ in batch:
                self._waiting.popleft()
            if not self._waiting:
                self._is_there.clear()

    def _keep(self, events: list[dict[str, Any]]) -> None:
        file = self.context.data_dir / f"{KEPT}{self.context.worker}.json"
        if not events:
            file.unlink(missing_ok=True)
            return
        new = file.with_suffix(".new")
        new.write_text(json.dumps(events), encoding="utf-8")
        new.replace(file)

    def _take_kept(self) -> list[dict[str, Any]]:
        """What any worker kept; there may be fewer of them now, and one alone takes a file."""
        events: list[dict[str, Any]] = []
        for file in sorted(self.context.data_dir.glob(f"{KEPT}*.json")):
            mine = file.with_suffix(f".of-{self.context.worker}")
            try:
                file.rename(mine)
            except FileNotFoundError:  # another one was first
                continue
            try:
                events += json.loads(mine.read_text(encoding="utf-8"))
            except ValueError as error:
                self.context.log.warning("%s cannot be read: %s", mine, error)
                continue
            mine.unlink()
        kept = events[: int(self.settings["waiting_max"])]
        self.dropped += len(events) - len(kept)
        return kept

    def _post(self, events: list[dict[str, Any]]) -> None:
        headers = {"Content-Type": "application/json"}
        if self.settings["token"]:
            headers["Authorization"] = f"Bearer {self.settings['token']}"
        request = urllib.request.Request(
            str(self.settings["url"]), json.dumps(events).encode(), headers, method="POST"
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):
            pass
