"""What goes between nodes is encrypted, and only with a certificate of the cluster's CA."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.authority import Authority
from harness.members import COOKIE, Member, addresses, until_all_see
from harness.waiting import until


class Encrypted(Member):
    """A member with a certificate for its address."""

    def __init__(self, folder: Path, address: str, authority: Authority) -> None:
        pair = authority.issue(f"rookery@{address}", hosts=(address,))
        options = "cluster.nats.ssl_options"
        super().__init__(
            folder,
            address,
            **{
                "node.cookie": COOKIE,
                f"{options}.enable": "true",
                f"{options}.certfile": str(pair.cert),
                f"{options}.keyfile": str(pair.key),
                f"{options}.cacertfile": str(authority.cert),
            },
        )


def _authority(folder: Path, name: str) -> Authority:
    folder.mkdir()
    return Authority(folder, name)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Member]]:
    """Two nodes with certificates of one CA, a third of another."""
    folder = tmp_path_factory.mktemp("encrypted")
    own, foreign = _authority(folder / "ca", "CA"), _authority(folder / "other", "Another CA")
    of = (own, own, foreign)
    found = [
        Encrypted(folder / f"node{number}", address, authority)
        for number, (address, authority) in enumerate(zip(addresses(3), of, strict=True))
    ]
    with contextlib.ExitStack() as stack:
        for member in found:
            member.start()
            stack.callback(member.node.stop)
        yield list(found)


def test_nodes_with_certificates_of_the_ca_are_a_cluster(three: list[Member]) -> None:
    one, other, _ = three
    other.join(one)
    both = {one.name: "running", other.name: "running"}
    until_all_see([one, other], both, "both see both")
    until(lambda: _lanes(one, other)["is_connected"], "lanes", shows=lambda: _lanes(one, other))
    with one.node.connect(level=5) as reader, other.node.connect(level=5) as writer:
        reader.subscribe("sealed/#", qos=1)
        until(lambda: _lanes(other, one)["routes"] > 0, "the route")
        large = b"x" * 300_000
        for number in range(20):
            writer.publish(f"sealed/{number}", large, qos=1)
        for number in range(20):
            reader.receive(f"sealed/{number}", large)


def _lanes(member: Member, other: Member) -> dict[str, Any]:
    rows = member.ctl.json("cluster", "status")["members"]
    (row,) = [row for row in rows if row["node"] == other.name]
    found: dict[str, Any] = row["lanes"] or {"is_connected": False, "routes": 0}
    return found


def test_who_shows_no_certificate_gets_nowhere(three: list[Member]) -> None:
    one = three[0]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection((one.address, 6370))
    with plain, context.wrap_socket(plain) as sealed:
        assert sealed.version() == "TLSv1.3"
        # The refusal comes with the first thing that is read.
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            sealed.recv(1)
    with socket.create_connection((one.address, 6370)) as plain:
        plain.settimeout(60.0)
        plain.sendall(b"\x00" * 64)
        assert plain.recv(1) in (b"", b"\x15"), "an alert, or the end"


def test_a_node_of_another_ca_is_refused(three: list[Member]) -> None:
    one, _, foreign = three
    said = foreign.ctl("cluster", "join", one.name, "--yes")
    assert said.code != 0
    assert one.name in said.err
    assert foreign.status() == {foreign.name: "running"}
