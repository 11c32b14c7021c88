"""Subscribes at another broker and hands over what comes.

A message of QoS 1 or 2 is acknowledged after rules have got it. Whoever dies before that gets it
again, if the broker keeps the session (``clean_start = false``); within one process a message of
QoS 2 is handed over once, over reconnects, too.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import paho.mqtt.client as paho

from rookery.clock import Clock
from rookery.connectors.base import Columns, ConnectorError, Receive, Source
from rookery.connectors.mqtt.connection import Connection, Endpoint
from rookery.connectors.mqtt.properties import columns_of
from rookery.connectors.mqtt.settings import MqttSourceParameters


@dataclass(slots=True)
class _Attempt:
    """To subscribe; ``ended`` when it has worked, or has not."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    connection: Connection | None = None
    failure: ConnectorError | None = None


class MqttSource(Source):
    """One subscription over a connection of its own."""

    def __init__(
        self,
        parameters: MqttSourceParameters,
        endpoint: Endpoint,
        receive: Receive,
        clock: Clock,
        identified: Callable[[str], AbstractContextManager[str]],
    ) -> None:
        self._identified = identified
        self._parameters = parameters
        self._endpoint = endpoint
        self._receive = receive
        self._clock = clock
        # What becomes of the present run; none before the first, as where settings are only tried.
        self._attempt: _Attempt | None = None
        # Packet identifiers of QoS 2 that rules have got and the broker has not released.
        self._taken: set[int] = set()

    async def check(self) -> None:
        attempt = self._attempt
        if attempt is None:
            return
        await attempt.ended.wait()
        if attempt.failure is not None:
            raise attempt.failure
        if attempt.connection is not None and attempt.connection.failure is not None:
            raise attempt.connection.failure

    def run(self) -> Coroutine[Any, Any, None]:
        # Now, not when it begins: a check that comes before is about this run, not the last one.
        self._attempt = attempt = _Attempt()
        return self._run(attempt)

    async def _run(self, attempt: _Attempt) -> None:
        try:
            with self._identified(self._parameters.topic) as client_id:
                await self._serve(Connection(replace(self._endpoint, client_id=client_id)), attempt)
        except ConnectorError as error:
            attempt.failure = error
            raise
        finally:
            attempt.ended.set()

    async def _serve(self, connection: Connection, attempt: _Attempt) -> None:
        connection.released = self._taken.discard
        try:
            await connection.open()
            attempt.connection = connection
            if not connection.session_present:
                self._taken.clear()
            await connection.subscribe(self._parameters.topic, self._parameters.qos)
            attempt.ended.set()
            while True:
                await self._take(connection, await connection.receive())
        finally:
            connection.close()

    async def _take(self, connection: Connection, message: paho.MQTTMessage) -> None:
        if connection.failure is not None and message.qos > 0:
            return  # it cannot be acknowledged any more and comes again
        if message.qos < 2 or message.mid not in self._taken:
            await self._receive(self._columns(message))
        if message.qos == 2:
            self._taken.add(message.mid)
        connection.acknowledge(message)

    def _columns(self, message: paho.MQTTMessage) -> Columns:
        return {
            "id": secrets.token_hex(16).upper(),
            "server": self._endpoint.address,
            "topic": message.topic,
            "qos": message.qos,
            "payload": bytes(message.payload),
            "retain": bool(message.retain),
            "dup": bool(message.dup),
            "pub_props": columns_of(getattr(message, "properties", None)),
            "message_received_at": self._clock.now_ms(),
        }
