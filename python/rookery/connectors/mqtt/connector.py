"""A connector to an MQTT broker: connections that its actions share."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from rookery.access.errors import Words
from rookery.connectors.base import Action, Connector, Context, Receive, Source, Unhealthy
from rookery.connectors.mqtt.action import MqttAction
from rookery.connectors.mqtt.connection import Connection, Endpoint
from rookery.connectors.mqtt.settings import (
    MqttActionSettings,
    MqttConnectorSettings,
    MqttSourceSettings,
)
from rookery.connectors.mqtt.source import MqttSource

_STOPPED = Words("not connected", "未连接")


class MqttConnector(Connector[MqttActionSettings, MqttSourceSettings]):
    """Connections to one broker. Each is its own client there; identifiers stay over a restart."""

    def __init__(self, settings: MqttConnectorSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._pool: list[Connection] = []
        self._client_ids: set[str] = set()  # of sources that run
        host, port = settings.address
        self._base = f"{settings.clientid_prefix or ''}{_name(context)}"
        self._endpoint = Endpoint(
            host=host,
            port=port,
            client_id=self._base,
            proto_ver=settings.proto_ver,
            bridge_mode=settings.bridge_mode,
            username=settings.username,
            password=settings.password.reveal() if settings.password is not None else None,
            clean_start=True,
            keepalive_s=int(settings.keepalive),
            max_inflight=settings.max_inflight,
            connect_timeout_s=settings.connect_timeout,
            acknowledge_s=settings.retry_interval,
            tls=settings.ssl.client_tls().context() if settings.ssl.enable else None,
        )

    async def start(self) -> None:
        await self.stop()
        # What is sent again is in the buffers of the actions: no session has to keep it.
        pool = [
            Connection(replace(self._endpoint, client_id=f"{self._base}:{number}"))
            for number in range(self._settings.pool_size)
        ]
        opening: list[asyncio.Future[None]] = []
        try:
            # Alone: who waits for a host that does not answer takes one thread, not all.
            await pool[0].open()
            opening = [asyncio.ensure_future(connection.open()) for connection in pool[1:]]
            await asyncio.gather(*opening)
        except BaseException:
            for task in opening:
                task.cancel()
            await asyncio.gather(*opening, return_exceptions=True)
            for connection in pool:
                connection.close()
            raise
        self._pool = pool

    async def stop(self) -> None:
        pool, self._pool = self._pool, []
        for connection in pool:
            connection.close()

    async def check(self) -> None:
        if not self._pool:
            raise Unhealthy(_STOPPED)
        for connection in self._pool:
            if connection.failure is not None:
                raise connection.failure

    def open_action(self, settings: MqttActionSettings) -> Action:
        return MqttAction(settings.parameters, self._connection_of)

    def open_source(self, settings: MqttSourceSettings, receive: Receive) -> Source:
        endpoint = replace(self._endpoint, clean_start=self._settings.clean_start)
        parameters = settings.parameters
        return MqttSource(parameters, endpoint, receive, self._context.clock, self._identified)

    @contextmanager
    def _identified(self, topic_filter: str) -> Iterator[str]:
        """A client identifier for a source that runs: the same one whenever it runs again."""
        names = (f"{topic_filter}\0{number}".encode() for number in itertools.count())
        client_ids = (f"{self._base}:in:{hashlib.sha256(name).hexdigest()[:8]}" for name in names)
        client_id = next(found for found in client_ids if found not in self._client_ids)
        self._client_ids.add(client_id)
        try:
            yield client_id
        finally:
            self._client_ids.discard(client_id)

    def _connection_of(self, key: int) -> Connection | None:
        """All messages of one client take the same: that keeps their order."""
        return self._pool[key % len(self._pool)] if self._pool else None


def _name(context: Context) -> str:
    """What the connector is called at the broker: two nodes of a cluster are two clients."""
    node = hashlib.sha256(context.node.encode()).hexdigest()[:8]
    return f"{context.id.partition(':')[2] or context.id}:{node}"
