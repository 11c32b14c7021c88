"""Rows become values with names."""

from __future__ import annotations

import dataclasses

import pytest

from rookery.native.models import Client, Listener, Message
from rookery.native.properties import Properties

CLIENT_ROW = (
    "c1", None, True, "127.0.0.1:5000", "tcp:default", 5, 60, True,
    3600, 10, 20, 0, 7,
    1, 2, 3, 4, 5, False,
    "device-1", "CN=device-1", [("dept", "7")], True, "plant", "tenant/",
)  # fmt: skip


def test_a_connected_client_was_not_disconnected() -> None:
    client = Client.from_row(CLIENT_ROW)

    assert client.disconnected_at_ms is None
    assert (client.client_id, client.protocol_version, client.generation) == ("c1", 5, 7)
    assert (client.subscriptions, client.inflight, client.queued, client.dropped) == (1, 2, 3, 4)
    assert (client.cert_common_name, client.cert_subject) == ("device-1", "CN=device-1")
    assert (client.client_attrs, client.is_superuser) == ((("dept", "7"),), True)
    assert (client.zone, client.mountpoint) == ("plant", "tenant/")


def test_a_message_that_was_not_changed_goes_back_as_it_came() -> None:
    row = (1 << 100, 5, 0, 2, True, False, "t", b"p", b"\x03\x00\x01a", "c", "u", "n@h", "link")

    message = Message.from_row(row)

    assert message.expires_at_ms is None
    assert message.properties == Properties(content_type="a")
    assert message.to_row() == row


def test_a_changed_message_keeps_its_identity() -> None:
    message = dataclasses.replace(Message("t", b"old", id=9), payload=b"new")

    assert message.to_row()[:1] == (9,)
    assert message.to_row()[7] == b"new"


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("127.0.0.1:1883", "127.0.0.1", 1883), ("[::1]:8083", "::1", 8083)],
)
def test_a_listener_knows_host_and_port(address: str, host: str, port: int) -> None:
    listener = Listener("tcp:default", address, 0, 0)

    assert (listener.host, listener.port) == (host, port)
