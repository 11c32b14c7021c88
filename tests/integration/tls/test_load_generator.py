"""The load generator over TLS and WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

from harness.authority import Authority
from rookery.errors import ConfigError, UnavailableError
from rookery.native.bench import run_bench
from rookery.native.config import (
    ListenerConfig,
    NodeConfig,
    TlsConfig,
    WebSocketConfig,
)
from rookery.native.node import Node

Kind: TypeAlias = Literal["ssl", "ws", "wss"]
Report: TypeAlias = dict[str, Any]
Load: TypeAlias = Callable[..., Report]

MESSAGES = 400
TRANSPORTS: dict[Kind, dict[str, Any]] = {
    "ssl": {"tls": True},
    "ws": {"websocket": True},
    "wss": {"tls": True, "websocket": True},
}


@pytest.fixture(scope="module")
def node(ca: Authority) -> Iterator[Node]:
    """A node with a listener of every kind; clients may show a certificate."""
    pair = ca.issue("localhost")
    tls = TlsConfig(
        certfile=str(pair.cert),
        keyfile=str(pair.key),
        cacertfile=str(ca.cert),
        verify="verify_peer",
    )
    listeners = tuple(
        ListenerConfig(
            id=f"{kind}:default",
            kind=kind,
            tls=tls if "tls" in keys else None,
            websocket=WebSocketConfig() if "websocket" in keys else None,
        )
        for kind, keys in TRANSPORTS.items()
    )
    node = Node(NodeConfig(workers=2, listeners=listeners))
    yield node
    node.stop(0.0)


@pytest.fixture
def load(node: Node, ca: Authority) -> Load:
    """Runs the generator against a listener; keywords are keys of its configuration."""
    addresses = {listener.id: f"127.0.0.1:{listener.port}" for listener in node.listeners()}

    def run(kind: Kind, **changed: Any) -> Report:
        keys = {**TRANSPORTS[kind], **changed}
        if keys.get("tls") and not keys.get("tls_insecure"):
            keys = {"tls_ca_file": str(ca.cert), "tls_server_name": "localhost", **keys}
        config = {
            "addresses": [addresses[f"{kind}:default"]],
            "publishers": 2,
            "messages": MESSAGES,
            "warm_up_s": 0.0,
            "duration_s": 60.0,
            "drain_s": 20.0,
            **keys,
        }
        return run_bench(config, lambda _: True)

    return run


@pytest.mark.parametrize("kind", list(TRANSPORTS))
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_every_message_arrives_once(load: Load, kind: Kind, qos: int) -> None:
    report = load(kind, qos=qos)

    assert report["sent"] == MESSAGES
    assert [report[fault] for fault in ("lost", "duplicates", "errors", "disconnects")] == [0] * 4


@pytest.mark.parametrize("kind", list(TRANSPORTS))
def test_payloads_larger_than_a_record_and_a_frame_head(load: Load, kind: Kind) -> None:
    report = load(kind, payload_bytes=300_000, messages=20, window=4, qos=1)

    assert (report["sent"], report["lost"], report["errors"]) == (20, 0, 0)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("tickets", [False, True])
def test_handshakes_are_full_unless_tickets_are_wanted(
    load: Load, version: str, *, tickets: bool
) -> None:
    keys = {"tls_version": version, "tls_session_tickets": tickets, "publishers": 1}
    report = load("ssl", mode="handshake", messages=20, **keys)

    assert report["errors"] == 0
    # The first has nothing to resume.
    assert report["resumed"] == (report["cycles"] - 1 if tickets else 0)


@pytest.mark.parametrize("kind", list(TRANSPORTS))
def test_whole_cycles_over_every_transport(load: Load, kind: Kind) -> None:
    report = load(kind, mode="churn", messages=20)

    assert report["cycles"] >= 20
    assert report["errors"] == 0


def test_a_client_certificate_is_shown(load: Load, ca: Authority, foreign_ca: Authority) -> None:
    right, wrong = ca.issue("right"), foreign_ca.issue("right")

    assert load("ssl", tls_cert_file=str(right.cert), tls_key_file=str(right.key))["lost"] == 0
    with pytest.raises(UnavailableError):
        load("ssl", tls_cert_file=str(wrong.cert), tls_key_file=str(wrong.key))


def test_the_brokers_certificate_must_check(load: Load, foreign_ca: Authority) -> None:
    with pytest.raises(UnavailableError, match="UnknownIssuer"):
        load("ssl", tls_ca_file=str(foreign_ca.cert))
    with pytest.raises(UnavailableError, match="certificate not valid for name"):
        load("ssl", tls_server_name="elsewhere.example")
    assert load("ssl", tls_insecure=True)["lost"] == 0


def test_a_wrong_path_is_told(load: Load) -> None:
    with pytest.raises(UnavailableError, match="404"):
        load("ws", websocket_path="/elsewhere")


def test_files_that_cannot_be_used_are_named(load: Load, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with pytest.raises(ConfigError, match=r"tls_ca_file.*empty\.pem"):
        load("ssl", tls_ca_file=str(empty))
    with pytest.raises(ConfigError, match=r"tls_cert_file.*missing\.pem"):
        load("ssl", tls_cert_file=str(tmp_path / "missing.pem"))
