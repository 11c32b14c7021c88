"""Two clusters whose links show certificates to each other, and what is said when one does not check."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.authority import Authority
from harness.linked import Side
from harness.node import HOST
from harness.operator import operated
from harness.packets import Publish

LISTENER = """\
listeners.ssl.default {{
  bind = "127.0.0.1:0"
  ssl_options {{
    certfile = "{pair.cert}"
    keyfile = "{pair.key}"
    cacertfile = "{ca.cert}"
    verify = verify_peer
    fail_if_no_peer_cert = true
  }}
}}
"""


@contextlib.contextmanager
def secured(folder: Path, name: str, ca: Authority) -> Iterator[Side]:
    """A cluster that links reach with a certificate alone."""
    folder.mkdir()
    text = LISTENER.format(pair=ca.issue("localhost"), ca=ca)
    with operated(folder, text, {"cluster.name": name}) as running:
        yield Side(name, running)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "Test CA")


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory, ca: Authority) -> Iterator[tuple[Side, Side]]:
    folder = tmp_path_factory.mktemp("sides")
    with secured(folder / "east", "east", ca) as east, secured(folder / "west", "west", ca) as west:
        yield east, west


def link(own: Side, other: Side, ca: Authority, **tls: Any) -> dict[str, Any]:
    """With a certificate of its own, as text, and the authority's as a file."""
    pair = ca.issue(own.name)
    return {
        "name": other.name,
        "server": f"mqtts://localhost:{other.operator.port('ssl:default')}",
        "topics": ["t/#"],
        "pool_size": 2,
        "accept": {"cert_cn": other.name},
        "ssl": {
            "cacertfile": str(ca.cert),
            "certfile": pair.cert.read_text(),
            "keyfile": pair.key.read_text(),
            **tls,
        },
    }


def test_certificates_alone_let_two_clusters_in(sides: tuple[Side, Side], ca: Authority) -> None:
    east, west = sides
    east.put(link(east, west, ca))
    west.put(link(west, east, ca))
    east.wait_for("west", None)
    west.wait_for("east", None)
    assert "PRIVATE" not in east.rest.ask("GET", "/cluster/links").text
    with east.operator.login() as reader, west.operator.login() as writer:
        reader.subscribe("t/1", qos=1)
        west.wait_for_routes("east", 1)
        writer.publish("t/1", b"over TLS", qos=1)
        reader.acknowledge(reader.expect(Publish, payload=b"over TLS"))


def test_a_certificate_that_does_not_check_is_told(
    sides: tuple[Side, Side], ca: Authority, tmp_path: Path
) -> None:
    east, west = sides
    foreign = Authority(tmp_path, "Foreign CA")
    west.put(link(west, east, ca))
    east.put(link(east, west, ca, cacertfile=str(foreign.cert)))
    row = east.wait_for("west", "tls")
    assert "check here cacertfile" in row["hint"]
    wrong = {
        **link(east, west, ca),
        "server": f"mqtts://{HOST}:{west.operator.port('ssl:default')}",
    }
    wrong["ssl"]["server_name_indication"] = "other.example.com"
    refused = east.rest.ask("POST", "/cluster/links_probe", wrong)
    assert refused.problem == (400, "TEST_FAILED")


def test_another_common_name_is_not_accepted(sides: tuple[Side, Side], ca: Authority) -> None:
    east, west = sides
    west.put({**link(west, east, ca), "accept": {"cert_cn": "somebody"}})
    east.put(link(east, west, ca))
    east.wait_for("west", "not_authorized")
