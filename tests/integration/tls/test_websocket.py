"""MQTT over WebSocket over TLS, with paho-mqtt."""

from __future__ import annotations

import ssl
import threading

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from harness.authority import DEADLINE_S, Authority
from rookery.native.config import (
    BrokerConfig,
    ListenerConfig,
    NodeConfig,
    TlsConfig,
    WebSocketConfig,
)
from rookery.native.node import Node


@pytest.mark.parametrize("size", [0, 100, 70_000, 900_000])
def test_messages_pass(ca: Authority, size: int) -> None:
    pair = ca.issue("localhost")
    tls = TlsConfig(certfile=str(pair.cert), keyfile=str(pair.key))
    listener = ListenerConfig(id="wss:default", kind="wss", tls=tls, websocket=WebSocketConfig())
    # paho sends an Origin, which a client of this machine would not.
    broker = BrokerConfig(admission="everyone")
    node = Node(NodeConfig(broker=broker, workers=2, listeners=(listener,)))
    arrived = threading.Event()
    subscribed = threading.Event()
    payloads: list[bytes] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, "over-wss", transport="websockets")
    client.tls_set_context(ssl.create_default_context(cafile=str(ca.cert)))
    client.on_subscribe = lambda *_: subscribed.set()

    def subscribe(client: paho.Client, *_: object) -> None:
        client.subscribe("big", qos=1)

    def take(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        payloads.append(bytes(message.payload))
        arrived.set()

    client.on_connect = subscribe
    client.on_message = take
    try:
        client.connect("localhost", node.listeners()[0].port)
        client.loop_start()
        assert subscribed.wait(DEADLINE_S)
        payload = bytes(n % 251 for n in range(size))
        client.publish("big", payload, qos=1)
        assert arrived.wait(DEADLINE_S)
        assert payloads == [payload]
    finally:
        client.disconnect()
        client.loop_stop()
        node.stop(0.0)
