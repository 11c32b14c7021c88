"""Pushes the metrics to a Pushgateway, where Prometheus cannot reach the node."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

from rookery.broker.prometheus.service import Exporter
from rookery.config import Config
from rookery.config.secrets import url_without_secrets
from rookery.config.snapshot import PushGatewayConfig
from rookery.ending import ended
from rookery.observability.exposition import CONTENT_TYPE, to_text

_log = logging.getLogger("rookery.prometheus")

TIMEOUT_S = 10.0


class Pusher:
    """Pushes from :meth:`open` to :meth:`close`. Is a part of the node: its settings are hot."""

    def __init__(self, exporter: Exporter, node_name: str) -> None:
        self._exporter = exporter
        self._node_name = node_name
        self._task: asyncio.Task[None] | None = None
        self._was_failing = False
        self._counters = {"prometheus.push.ok": 0, "prometheus.push.failed": 0}

    def open(self, settings: PushGatewayConfig | None) -> None:
        """Begin on the running loop, if anything is to be pushed."""
        if settings is not None:
            self._task = asyncio.get_running_loop().create_task(self._push_always(settings))

    async def close(self) -> None:
        """Push no more. May be called twice."""
        if self._task is not None:
            await ended("pushing metrics", self._task)
            self._task = None

    async def apply(self, old: Config, new: Config) -> None:
        """Make new settings hold."""
        before, after = old.management.prometheus, new.management.prometheus
        if before.push_gateway != after.push_gateway:
            await self.close()
            self.open(after.push_gateway)

    def metrics(self) -> Mapping[str, int]:
        return self._counters

    async def _push_always(self, settings: PushGatewayConfig) -> None:
        url = push_url(settings, self._node_name)
        while True:
            body = to_text(await self._exporter.families()).encode()
            try:
                await asyncio.to_thread(_push, url, settings, body)
            except OSError as error:
                self._counters["prometheus.push.failed"] += 1
                if not self._was_failing:  # once, not every few seconds
                    shown = url_without_secrets(settings.url)
                    _log.warning("metrics cannot be pushed to %s: %s", shown, error)
                self._was_failing = True
            else:
                self._counters["prometheus.push.ok"] += 1
                self._was_failing = False
            await asyncio.sleep(settings.interval_s)


def push_url(settings: PushGatewayConfig, node_name: str) -> str:
    """Where the metrics of this node go."""
    name, _, host = node_name.partition("@")
    job = settings.job_name.replace("${name}", name).replace("${host}", host)
    return f"{settings.url.rstrip('/')}/metrics/job/{quote(job, safe='/~@')}"


def without_login(url: str) -> tuple[str, dict[str, str]]:
    """A URL without name and password, and the header that says them: the client takes none."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    pair = b64encode(unquote_to_bytes(login)).decode("ascii")
    return urlunsplit(parts._replace(netloc=host)), {"Authorization": f"Basic {pair}"}


def _push(url: str, settings: PushGatewayConfig, body: bytes) -> None:
    # Only a node that pushes pays for loading the client.
    import http.client  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    # The schema takes http and https alone.
    url, headers = without_login(url)
    headers |= {name: secret.reveal() for name, secret in settings.headers.items()}
    try:
        request = urllib.request.Request(  # noqa: S310
            url, body, {**headers, "Content-Type": CONTENT_TYPE}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            answer.read(1024)
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"{type(error).__name__}: {error}") from None
