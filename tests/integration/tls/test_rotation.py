"""Certificates are replaced while clients of paho-mqtt stay connected."""

from __future__ import annotations

import shutil
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from harness.authority import DEADLINE_S, Authority, Pair
from harness.events import await_events
from harness.s_client import port_of, s_client
from harness.tls_listener import StartTls, tls_listener
from rookery.errors import StartError
from rookery.native.config import ListenerConfig
from rookery.native.node import Node


class Client:
    """A paho client over TLS that notes when it was disconnected."""

    def __init__(self, node: Node, ca: Path, name: str, pair: Pair | None = None) -> None:
        self.is_gone = threading.Event()
        self.reason: int | None = None
        self._is_connected = threading.Event()
        self._echo = threading.Event()
        self._topic = f"echo/{name}"
        client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
        context = ssl.create_default_context(cafile=str(ca))
        if pair is not None:
            context.load_cert_chain(pair.cert, pair.key)
        client.tls_set_context(context)
        client.on_connect = lambda *_: self._is_connected.set()
        client.on_message = lambda *_: self._echo.set()
        client.on_disconnect = self._left
        client.connect("localhost", port_of(node))
        client.loop_start()
        assert self._is_connected.wait(DEADLINE_S)
        client.subscribe(self._topic, qos=1)
        self._client = client

    def _left(
        self, _client: object, _data: object, _flags: object, code: object, *_: object
    ) -> None:
        self.reason = getattr(code, "value", None)
        self.is_gone.set()

    def echo(self) -> None:
        """A message to itself arrives."""
        self._echo.clear()
        self._client.publish(self._topic, b"x" * 5000, qos=1)
        assert self._echo.wait(DEADLINE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def closing() -> Iterator[list[Client]]:
    clients: list[Client] = []
    yield clients
    for client in clients:
        client.close()


def install(pair: Pair, directory: Path) -> Pair:
    """Put a pair where a node reads it, as tools do: beside it, then renamed."""
    place = Pair(directory / "server.pem", directory / "server.key")
    for source, target in ((pair.key, place.key), (pair.cert, place.cert)):
        shutil.copy(source, target.with_suffix(".new"))
        target.with_suffix(".new").rename(target)
    return place


def test_new_certificates_are_noticed_and_nobody_leaves(
    start_tls: StartTls, ca: Authority, tmp_path: Path, closing: list[Client]
) -> None:
    place = install(ca.issue("first"), tmp_path)
    node = start_tls(certfile=place.cert, keyfile=place.key)
    clients = [Client(node, ca.cert, f"stays-{n}") for n in range(5)]
    closing += clients

    install(ca.issue("second"), tmp_path)

    [(_, listener, error, _)] = await_events(node, "certificate")
    assert (listener, error) == ("ssl:default", None)
    assert s_client(node, ca.cert).subject.endswith("second")
    assert [row.subject for row in node.certificates()] == ["CN=second,O=Example"]
    for client in clients:
        client.echo()
        assert not client.is_gone.is_set()


def test_a_bad_file_keeps_the_old_one_and_says_so(
    start_tls: StartTls, ca: Authority, tmp_path: Path, closing: list[Client]
) -> None:
    place = install(ca.issue("first"), tmp_path)
    node = start_tls(certfile=place.cert, keyfile=place.key)
    client = Client(node, ca.cert, "stays")
    closing.append(client)

    shutil.copy(ca.issue("other").key, place.key)

    [(_, listener, error, _)] = await_events(node, "certificate")
    assert listener == "ssl:default"
    assert f"keyfile {place.key}: does not belong to the certificate in {place.cert}" in str(error)
    [outcome] = node.reload_certificates()
    assert outcome.error
    assert s_client(node, ca.cert).subject.endswith("first")
    client.echo()


def test_a_revoked_client_is_disconnected_and_the_others_are_not(
    start_tls: StartTls, ca: Authority, tmp_path: Path, closing: list[Client]
) -> None:
    crl = tmp_path / "crl.pem"
    shutil.copy(ca.crl(), crl)
    node = start_tls(
        verify="verify_peer", fail_if_no_peer_cert=True, cacertfile=ca.cert, crlfile=crl
    )
    pair = ca.issue("stolen")
    stolen = Client(node, ca.cert, "stolen", pair)
    honest = Client(node, ca.cert, "honest", ca.issue("honest"))
    closing += [stolen, honest]

    ca.revoke(pair)
    shutil.copy(ca.crl(), crl)

    assert stolen.is_gone.wait(DEADLINE_S)
    assert stolen.reason == 0x98
    honest.echo()
    assert not honest.is_gone.is_set()


def test_an_expired_list_is_refused_and_the_old_one_stays(
    start_tls: StartTls, ca: Authority, tmp_path: Path, closing: list[Client]
) -> None:
    crl = tmp_path / "crl.pem"
    shutil.copy(ca.crl(), crl)
    settings = {"verify": "verify_peer", "cacertfile": ca.cert, "crlfile": crl}
    node = start_tls(**settings)
    client = Client(node, ca.cert, "stays", ca.issue("device"))
    closing.append(client)
    (ends_s,) = [row.not_after_s for row in node.certificates() if row.field == "crlfile"]
    assert ends_s > time.time()

    shutil.copy(ca.crl(ends="20210101"), crl)

    [(_, listener, error, _)] = await_events(node, "certificate")
    expected = f"crlfile {crl}: the revocation list of CN={ca.name} has expired on 2021-01-01"
    assert listener == "ssl:default"
    assert expected in str(error)
    client.echo()
    with pytest.raises(StartError, match="has expired on 2021-01-01"):
        start_tls(**settings)


def test_listeners_come_and_go_beside_connected_clients(
    start_tls: StartTls, ca: Authority, closing: list[Client]
) -> None:
    pair = ca.issue("localhost")
    node = start_tls(certfile=pair.cert, keyfile=pair.key)
    client = Client(node, ca.cert, "stays")
    closing.append(client)
    tls = tls_listener(certfile=pair.cert, keyfile=pair.key)

    made = node.apply_listeners([tls, ListenerConfig(id="tcp:second")])
    assert [(item.id, item.what) for item in made] == [
        ("ssl:default", "unchanged"),
        ("tcp:second", "started"),
    ]
    gone = node.apply_listeners([tls])
    assert ("tcp:second", "stopped") in [(item.id, item.what) for item in gone]

    client.echo()
    node.restart_listener("ssl:default")
    assert client.is_gone.wait(DEADLINE_S)
    assert client.reason == 0x98


def test_what_is_wrong_at_the_start_is_one_line(
    start_tls: StartTls, ca: Authority, tmp_path: Path
) -> None:
    pair, other = ca.issue("localhost"), ca.issue("other")
    expired = ca.issue("expired", dates=("20200101", "20210101"))
    missing = tmp_path / "missing.pem"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"certfile": missing, "keyfile": pair.key}, f"certfile: {missing}: there is no such file"),
        ({"certfile": pair.cert, "keyfile": other.key}, f"keyfile: {other.key}: does not belong"),
        (
            {"certfile": expired.cert, "keyfile": expired.key},
            f"certfile: {expired.cert}: CN=expired,O=Example has expired on 2021-01-01",
        ),
        ({"certfile": pair.key, "keyfile": pair.cert}, "are certfile and keyfile swapped?"),
        (
            {
                "certfile": pair.cert,
                "keyfile": pair.key,
                "sni": (("a.example.com", str(missing), str(other.key)),),
            },
            f"sni.a.example.com.certfile: {missing}: there is no such file",
        ),
    ]
    for settings, expected in cases:
        with pytest.raises(StartError) as caught:
            start_tls(**settings)
        text = str(caught.value)
        assert "ssl:default" in text
        assert expected in text
        assert "\n" not in text
