"""The MQTT application while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paho.mqtt.client import MQTTMessage

from rookery.connectors.base import Unhealthy
from rookery.connectors.mqtt.connection import Connection
from rookery.edge.apps.base import Application, Place
from rookery.edge.apps.cache import Cache, Message
from rookery.edge.apps.link import Broker, Link
from rookery.edge.apps.mqtt import requests
from rookery.edge.apps.mqtt.settings import tls_context
from rookery.edge.apps.payload import dump, encoder
from rookery.edge.model import NodeState, NodeStatus, Report, Subscription
from rookery.ending import ended

CLIENT_ID_FILE = "client_id"
MIB = 1 << 20


class MqttApplication(Application):
    """Reports become messages the moment they come; the link sends them when it can."""

    def __init__(self, setting: Mapping[str, Any], place: Place) -> None:
        self._setting = setting
        self._place = place
        is_kept = setting["offline-cache"]
        disk = setting["cache-disk-size"] * MIB if is_kept else 0
        self._cache = Cache(place.folder, setting["cache-mem-size"] * MIB, disk)
        self._encode = encoder(
            setting["format"],
            setting["schema"] or "",
            with_errors=setting["upload_err"],
            with_seq=setting["sequence"],
        )
        self._link: Link | None = None
        self._states: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def start(self, subscriptions: Sequence[Subscription]) -> None:
        await self._cache.open()
        client_id = await asyncio.to_thread(client_id_of, self._setting, self._place.folder)
        setting = self._setting
        filters = [topic for kind in ("write", "read") if (topic := setting[f"{kind}-req-topic"])]
        self._link = Link(
            broker_of(setting, client_id),
            self._place,
            self._cache,
            qos=setting["qos"],
            pause_s=setting["cache-sync-interval"] / 1000,
            filters=filters,
            handler=self._asked,
            greeted=self._greet,
        )
        self._link.start()
        if setting["upload_drv_state"]:
            self._states = asyncio.create_task(self._tell_states())

    async def stop(self) -> None:
        states, self._states = self._states, None
        if states is not None:
            await ended("states of drivers", states)
        if self._link is not None:
            await self._link.stop()
        await self._cache.close()

    def take(self, report: Report, subscription: Subscription) -> None:
        if not report.values and not (report.errors and self._setting["upload_err"]):
            return
        params = subscription.params
        seq = self._cache.number()
        payload = self._encode(report, params.get("static_tags", {}), seq)
        self._cache.put(Message(seq, params["topic"], payload))

    def subscribed(self, subscriptions: Sequence[Subscription]) -> None:
        """Every report comes with its subscription."""

    def linked(self, status: NodeStatus) -> None:
        self._changed.set()

    def figures(self) -> Mapping[str, int | float]:
        link, cache = self._link, self._cache
        return {
            "send_msgs_total": link.sent if link is not None else 0,
            "send_msg_errors_total": (link.failed if link is not None else 0) + cache.dropped,
            "recv_msgs_total": link.received if link is not None else 0,
            "send_bytes": link.sent_bytes if link is not None else 0,
            "cached_msgs": cache.waiting,
            "cached_bytes": cache.disk_bytes,
            "dropped_msgs_total": cache.dropped,
        }

    # -- requests ------------------------------------------------------------------------

    async def _asked(self, connection: Connection, message: MQTTMessage) -> None:
        setting, drivers = self._setting, self._place.drivers
        if message.retain:
            # What was asked some time ago is not asked now.
            return
        if message.topic == setting["write-req-topic"]:
            answer = await requests.write(drivers, bytes(message.payload))
            topic = setting["write-resp-topic"]
        else:
            answer = requests.read(drivers, bytes(message.payload))
            topic = setting["read-resp-topic"]
        await connection.publish(topic, dump(answer), min(1, connection.limits.qos), False, None)

    async def _greet(self, _connection: Connection) -> None:
        # States are told to every broker that is new.
        self._changed.set()

    # -- states of drivers -----------------------------------------------------------------

    async def _tell_states(self) -> None:
        setting = self._setting
        while True:
            self._changed.clear()
            connection = self._link.connection if self._link is not None else None
            if connection is not None:
                with contextlib.suppress(Unhealthy):
                    await connection.publish(
                        setting["upload_drv_state_topic"], self._state(), 0, False, None
                    )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(setting["upload_drv_state_interval"]):
                    await self._changed.wait()

    def _state(self) -> bytes:
        states = [
            {
                "node": one.node,
                "link": int(one.link),
                "running": int(one.state is NodeState.RUNNING),
            }
            for one in self._place.drivers.statuses()
        ]
        return dump({"timestamp": self._place.clock.now_ms(), "states": states})


def client_id_of(setting: Mapping[str, Any], folder: Path) -> str:
    """As it is set; else one that is made up once and kept."""
    if setting["client-id"]:
        return str(setting["client-id"])
    file = folder / CLIENT_ID_FILE
    with contextlib.suppress(FileNotFoundError):
        if found := file.read_text().strip():
            return found
    made = f"rookery-edge-{secrets.token_hex(6)}"
    fresh = file.with_suffix(".new")
    fresh.write_text(made)
    fresh.replace(file)
    return made


def broker_of(setting: Mapping[str, Any], client_id: str) -> Broker:
    """Where to connect."""
    return Broker(
        host=setting["host"],
        port=setting["port"],
        version=setting["version"],
        client_id=client_id,
        username=setting["username"] or None,
        password=setting["password"] or None,
        keepalive_s=setting["keepalive"],
        tls=tls_context(setting) if setting["ssl"] else None,
    )
