"""A client that goes at once after its last packet, while a plugin is asked about one of them."""

from __future__ import annotations

import socket
from pathlib import Path

from harness.node import HOST
from harness.operator import operated
from harness.plugins import Plugins, archive_of

CODE = """
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_publish(self, message):
        return message
"""
# MQTT 3.1.1, Clean Session, will "died" to "will", client "c1".
CONNECT = bytes.fromhex("101a 0004 4d515454 04 06 003c 0002 6331 0004 77696c6c 0004 64696564")
PUBLISH = bytes.fromhex("3006 0003 6d7367 78")
DISCONNECT = bytes.fromhex("e000")


def go_with(port: int, *packets: bytes) -> None:
    """Connect with a will, send these and close."""
    with socket.create_connection((HOST, port)) as client:
        client.sendall(CONNECT)
        assert client.recv(4)[3] == 0
        client.sendall(b"".join(packets))


def test_its_message_is_delivered_and_its_will_is_not(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        Plugins(operator).run(archive_of(CODE), "probe-1.0.0")
        with operator.login() as watcher:
            watcher.subscribe("#", qos=1)
            go_with(operator.node.port, PUBLISH, DISCONNECT)
            watcher.receive("msg", b"x")
            # Without DISCONNECT the will comes, after the message.
            go_with(operator.node.port, PUBLISH)
            watcher.receive("msg", b"x")
            watcher.receive("will", b"died")
