"""Clients that others wrote, all behind one blocking interface.

The asyncio ones run on a loop in a thread of their own, MQTT.js clients in one Node.js process.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import dataclasses
import functools
import json
import os
import queue
import socket
import subprocess
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiomqtt
import gmqtt
import paho.mqtt.client as paho
import pytest
from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties

from harness.client import DEADLINE_S

T = TypeVar("T")
MQTTJS = Path(__file__).resolve().parents[1] / "integration/mqttjs"


@dataclasses.dataclass(frozen=True)
class Arrived:
    """A message as the client library reports it."""

    topic_name: str
    payload: bytes
    qos: int
    retain: bool


@dataclasses.dataclass(frozen=True)
class Options:
    """How to connect. ``level`` is 4 or 5."""

    port: int
    client_id: str
    level: int
    durable: bool = False
    will: tuple[str, bytes] | None = None


class Foreign(Protocol):
    """What a test does with a client. Everything blocks until it has happened."""

    def connect(self, options: Options) -> bool:
        """Connect; says whether there was a session."""

    def subscribe(self, topic_filter: str, qos: int) -> None: ...

    def publish(self, topic_name: str, payload: bytes, qos: int, retain: bool = False) -> None: ...

    def receive(self) -> Arrived: ...

    def disconnect(self) -> None: ...

    def drop(self) -> None:
        """Lose the connection without DISCONNECT."""


def _paho_properties(options: Options) -> PahoProperties | None:
    if options.level != 5:
        return None
    properties = PahoProperties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 60 if options.durable else 0
    return properties


def _shut_down(client: paho.Client) -> None:
    connection = client.socket()
    assert isinstance(connection, socket.socket)
    connection.shutdown(socket.SHUT_RDWR)


class Paho:
    """paho-mqtt with its network thread."""

    def __init__(self) -> None:
        self._arrived: queue.Queue[Arrived] = queue.Queue()
        self._answers: queue.Queue[Any] = queue.Queue()
        self._client: paho.Client | None = None

    @property
    def client(self) -> paho.Client:
        assert self._client is not None
        return self._client

    def connect(self, options: Options) -> bool:
        is_v5 = options.level == 5
        client = self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            options.client_id,
            clean_session=None if is_v5 else not options.durable,
            protocol=paho.MQTTv5 if is_v5 else paho.MQTTv311,
            reconnect_on_failure=False,
        )
        if options.will is not None:
            client.will_set(*options.will, qos=1)
        client.on_connect = lambda _c, _u, flags, code, _p: self._answers.put((flags, code))
        client.on_subscribe = lambda _c, _u, _mid, codes, _p: self._answers.put(codes)
        client.on_message = lambda _c, _u, message: self._arrived.put(
            Arrived(message.topic, bytes(message.payload), message.qos, message.retain)
        )
        client.connect(
            "127.0.0.1",
            options.port,
            clean_start=not options.durable if is_v5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            properties=_paho_properties(options),
        )
        client.loop_start()
        flags, code = self._answers.get(timeout=DEADLINE_S)
        assert not code.is_failure, code
        return bool(flags.session_present)

    def subscribe(self, topic_filter: str, qos: int) -> None:
        self.client.subscribe(topic_filter, qos)
        (code,) = self._answers.get(timeout=DEADLINE_S)
        assert code.value == qos

    def publish(self, topic_name: str, payload: bytes, qos: int, retain: bool = False) -> None:
        information = self.client.publish(topic_name, payload, qos, retain)
        information.wait_for_publish(DEADLINE_S)
        assert information.is_published()

    def receive(self) -> Arrived:
        return self._arrived.get(timeout=DEADLINE_S)

    def disconnect(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def drop(self) -> None:
        _shut_down(self.client)
        self.client.loop_stop()


class _OnLoop:
    """An asyncio loop in a thread, and calls into it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE_S)

    def _end(self) -> None:
        async def settle() -> None:
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

        self._call(settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()


class Aiomqtt(_OnLoop):
    """aiomqtt, which is asyncio over paho-mqtt."""

    _client: aiomqtt.Client

    def connect(self, options: Options) -> bool:
        is_v5 = options.level == 5

        async def enter() -> bool:
            self._client = aiomqtt.Client(
                "127.0.0.1",
                options.port,
                identifier=options.client_id,
                protocol=aiomqtt.ProtocolVersion.V5 if is_v5 else aiomqtt.ProtocolVersion.V311,
                clean_session=None if is_v5 else not options.durable,
                clean_start=not options.durable if is_v5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
                properties=_paho_properties(options),
                will=aiomqtt.Will(*options.will, qos=1) if options.will else None,
            )
            present: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            inner = self._client._client
            report = inner.on_connect
            assert report is not None

            def on_connect(client: Any, data: Any, flags: Any, *rest: Any) -> None:
                present.set_result(bool(flags.session_present))
                report(client, data, flags, *rest)

            inner.on_connect = on_connect
            await self._client.__aenter__()
            return await present

        return self._call(enter())

    def subscribe(self, topic_filter: str, qos: int) -> None:
        self._call(self._client.subscribe(topic_filter, qos))

    def publish(self, topic_name: str, payload: bytes, qos: int, retain: bool = False) -> None:
        self._call(self._client.publish(topic_name, payload, qos, retain))

    def receive(self) -> Arrived:
        async def first() -> Arrived:
            message = await anext(aiter(self._client.messages))
            assert isinstance(message.payload, bytes)
            return Arrived(str(message.topic), message.payload, message.qos, message.retain)

        return self._call(first())

    def disconnect(self) -> None:
        self._call(self._client.__aexit__(None, None, None))
        self._end()

    def drop(self) -> None:
        _shut_down(self._client._client)

        async def leave() -> None:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._client.__aexit__(None, None, None)

        self._call(leave())
        self._end()


class Gmqtt(_OnLoop):
    """gmqtt. Its publish() does not wait, so one with QoS is followed until it is forgotten."""

    _client: gmqtt.Client

    def __init__(self) -> None:
        super().__init__()
        self._arrived: queue.Queue[Arrived] = queue.Queue()
        self._subscribed: queue.Queue[int] = queue.Queue()
        self._present = False

    def connect(self, options: Options) -> bool:
        async def enter() -> None:
            will = gmqtt.Message(*options.will, qos=1) if options.will else None
            extra = (
                {"session_expiry_interval": 60} if options.level == 5 and options.durable else {}
            )
            client = self._client = gmqtt.Client(
                options.client_id, clean_session=not options.durable, will_message=will, **extra
            )
            client.set_config({"reconnect_retries": 0, "reconnect_delay": 0})
            client.on_connect = self._on_connect
            client.on_subscribe = lambda _c, mid, _q, _p: self._subscribed.put(mid)
            client.on_message = self._on_message
            version = MQTTv50 if options.level == 5 else MQTTv311
            await client.connect("127.0.0.1", options.port, version=version)

        self._call(enter())
        return self._present

    def _on_connect(self, _client: Any, flags: int, _code: int, _properties: Any) -> None:
        self._present = bool(flags & 1)

    async def _on_message(
        self, _client: Any, topic_name: str, payload: bytes, qos: int, properties: Any
    ) -> int:
        self._arrived.put(Arrived(topic_name, bytes(payload), qos, bool(properties["retain"])))
        return 0

    def subscribe(self, topic_filter: str, qos: int) -> None:
        async def send() -> None:
            self._client.subscribe(gmqtt.Subscription(topic_filter, qos=qos))

        self._call(send())
        self._subscribed.get(timeout=DEADLINE_S)

    def publish(self, topic_name: str, payload: bytes, qos: int, retain: bool = False) -> None:
        async def send() -> None:
            while True:
                try:
                    self._client.publish(topic_name, payload, qos=qos, retain=retain)
                except OverflowError:
                    # As many as the Receive Maximum are on their way; it tells nobody when one is done.
                    await asyncio.sleep(0.01)
                else:
                    return

        self._call(send())

    def receive(self) -> Arrived:
        return self._arrived.get(timeout=DEADLINE_S)

    def disconnect(self) -> None:
        self._call(self._client.disconnect())
        self._end()

    def drop(self) -> None:
        async def leave() -> None:
            self._client._is_active = False
            self._client._connection._transport.abort()

        self._call(leave())
        self._end()


class _NodeJs:
    """The Node.js process that runs every MQTT.js client, told what to do line by line."""

    def __init__(self) -> None:
        if not (MQTTJS / "node_modules/mqtt").is_dir():
            raise AssertionError(f"MQTT.js is not installed: run npm ci in {MQTTJS}")
        self._process = subprocess.Popen(
            ["node", "driver.mjs"],
            cwd=MQTTJS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_NO_WARNINGS": "1"},
        )
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._arrived: list[queue.Queue[Arrived]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        atexit.register(self._stop)

    def add_client(self) -> tuple[int, queue.Queue[Arrived]]:
        """The number of a new client and where its messages go."""
        self._arrived.append(queue.Queue())
        return len(self._arrived) - 1, self._arrived[-1]

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                event = json.loads(line)
                if event["event"] == "message":
                    payload = bytes.fromhex(event["payload"])
                    message = Arrived(event["topic"], payload, event["qos"], event["retain"])
                    self._arrived[event["client"]].put(message)
                else:
                    self._answers.put(event)

    def do(self, command: str, client: int, **arguments: Any) -> dict[str, Any]:
        """Run one command to its end."""
        assert self._process.stdin is not None
        line = json.dumps({"do": command, "client": client, **arguments})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._answers.get(timeout=DEADLINE_S)
        assert answer["event"] == "done", answer
        return answer

    def _stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)


_node_js = functools.cache(_NodeJs)


class MqttJs:
    """MQTT.js."""

    def __init__(self) -> None:
        self._number, self._arrived = _node_js().add_client()

    def _do(self, command: str, **arguments: Any) -> dict[str, Any]:
        return _node_js().do(command, self._number, **arguments)

    def connect(self, options: Options) -> bool:
        will = options.will and {"topic": options.will[0], "payload": options.will[1].decode()}
        answer = self._do(
            "connect",
            port=options.port,
            clientId=options.client_id,
            level=options.level,
            clean=not options.durable,
            will=will,
        )
        return bool(answer["sessionPresent"])

    def subscribe(self, topic_filter: str, qos: int) -> None:
        assert self._do("subscribe", filter=topic_filter, qos=qos)["granted"] == qos

    def publish(self, topic_name: str, payload: bytes, qos: int, retain: bool = False) -> None:
        self._do("publish", topic=topic_name, payload=payload.hex(), qos=qos, retain=retain)

    def receive(self) -> Arrived:
        return self._arrived.get(timeout=DEADLINE_S)

    def disconnect(self) -> None:
        self._do("disconnect")

    def drop(self) -> None:
        self._do("drop")


CLIENTS: dict[str, type[Foreign]] = {
    "paho": Paho,
    "aiomqtt": Aiomqtt,
    "gmqtt": Gmqtt,
    "mqttjs": MqttJs,
}


def every_client() -> list[Any]:
    """Each client with each protocol level it speaks, as pytest parameters."""
    return [
        pytest.param(kind, level, id=f"{name}-{'v5' if level == 5 else 'v311'}")
        for name, kind in CLIENTS.items()
        for level in (4, 5)
    ]
