"""`rookery pub` against TLS that does not come about: what happened, and what to do about it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.authority import Authority, Pair
from harness.operator import Operator, operated

TIMEOUT_S = 60.0
LISTENER = """
listeners.{kind}.{name} {{
  bind = "127.0.0.1:0"
  ssl_options {{
    versions = [{version}], certfile = "{pair.cert}", keyfile = "{pair.key}", cacertfile = "{ca}"
    crlfile = "{crl}", verify = verify_peer, fail_if_no_peer_cert = true
  }}
}}
"""
LISTENERS = {"ssl:default": "tlsv1.3", "ssl:old": "tlsv1.2", "wss:default": "tlsv1.3"}


@dataclass
class Fleet:
    """A node that wants certificates, and those that clients show."""

    operator: Operator
    ca: Authority
    pairs: dict[str, Pair] = field(default_factory=dict)

    def pub(self, listener: str, *words: str) -> subprocess.CompletedProcess[str]:
        place = ["-h", "localhost", "-p", str(self.operator.port(listener))]
        if listener.startswith("ws"):
            place.append("--ws")
        return subprocess.run(
            [sys.executable, "-m", "rookery", "pub", *place, "-t", "a", "-m", "b", *words],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env={**os.environ, "ROOKERY_LANG": "en"},
            check=False,
        )

    def trusting(self, listener: str, show: str = "") -> subprocess.CompletedProcess[str]:
        """Publish, trusting the node's authority and showing a certificate."""
        words = ["--cafile", str(self.ca.cert)]
        if show:
            words += ["--cert", str(self.pairs[show].cert), "--key", str(self.pairs[show].key)]
        return self.pub(listener, *words)


@pytest.fixture(scope="module")
def fleet(
    ca: Authority, foreign_ca: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    pairs = {
        "right": ca.issue("right"),
        "foreign": foreign_ca.issue("foreign"),
        "expired": ca.issue("expired", dates=("20200101", "20210101")),
        "revoked": ca.issue("revoked"),
    }
    ca.revoke(pairs["revoked"])
    server, crl = ca.issue("localhost"), ca.crl()
    text = 'access.anonymous = everyone\nlisteners.ws.default.bind = "127.0.0.1:0"\n'
    for listener, version in LISTENERS.items():
        kind, _, name = listener.partition(":")
        where = {"kind": kind, "name": name, "version": version, "pair": server}
        text += LISTENER.format(**where, ca=ca.cert, crl=crl)
    with operated(tmp_path_factory.mktemp("node"), text) as operator:
        yield Fleet(operator, ca, pairs)


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("", ("wants a client certificate", "certificate required", "--cert FILE --key FILE")),
        ("foreign", ("does not accept the client certificate", "unknown ca", "cacertfile")),
        ("expired", ("expired", "certificate expired", "openssl x509")),
        ("revoked", ("revocation list", "certificate revoked")),
    ],
)
def test_the_alert_is_named_and_what_to_do(
    fleet: Fleet, listener: str, shown: str, words: tuple[str, ...]
) -> None:
    done = fleet.trusting(listener, shown)
    assert done.returncode != 0
    assert [word for word in words if word not in done.stderr] == [], done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("listener", LISTENERS)
def test_the_right_certificate_needs_no_word(fleet: Fleet, listener: str) -> None:
    done = fleet.trusting(listener, "right")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("listener", "words", "told"),
    [
        ("ssl:default", ["--tls"], "--cafile"),
        ("ssl:default", [], "add --tls or --ws"),
        ("tcp:default", ["--insecure"], "is not TLS"),
        ("tcp:default", ["--ws"], "no WebSocket for MQTT is there"),
        ("ws:default", ["--path", "/other"], "check the port (-p), --path"),
    ],
)
def test_a_port_of_another_kind_is_told(
    fleet: Fleet, listener: str, words: list[str], told: str
) -> None:
    done = fleet.pub(listener, *words)
    assert done.returncode != 0
    assert told in done.stderr


def test_files_of_ones_own_are_named(fleet: Fleet, tmp_path: Path) -> None:
    right, foreign = fleet.pairs["right"], fleet.pairs["foreign"]
    missing = str(tmp_path / "ca.pem")
    assert missing in fleet.pub("ssl:default", "--cafile", missing).stderr
    alone = fleet.pub("ssl:default", "--cert", str(right.cert))
    assert "--key its private key" in alone.stderr
    other = fleet.pub("ssl:default", "--cert", str(right.cert), "--key", str(foreign.key))
    assert "does not belong to the certificate" in other.stderr
