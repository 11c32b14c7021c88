"""A node without a cluster pays nothing for clusters, and says what one would need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.node import ROOT, Node

_MODULES = """\
import sys
sys.path.insert(0, {python!r})
import rookery.broker.assembly
import rookery.broker.serving
import rookery.broker.rest.features as rest
for name in ("cluster.api", "nodes.api"):
    __import__("rookery.broker." + name)
print([name for name in sys.modules if name.split(".")[0] == "nats" or "cluster.bus" in name])
"""


def test_what_serves_a_lone_node_imports_no_nats() -> None:
    found = subprocess.run(
        [sys.executable, "-c", _MODULES.format(python=str(ROOT / "python"))],
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.strip() == "[]"


def test_a_lone_node_starts_no_nats_and_says_what_joining_needs(tmp_path: Path) -> None:
    from harness.ctl import Ctl

    node = Node(tmp_path, {})
    node.start()
    try:
        ctl = Ctl(tmp_path)
        status = ctl.json("cluster", "status")
        said = ctl("cluster", "join", "rookery@10.255.255.1", "--yes")
    finally:
        node.stop()

    assert status["running_nodes"] == ["rookery@127.0.0.1"]
    assert "nats" not in status
    assert said.code != 0
    assert "node.cookie" in said.err
    assert not (tmp_path / "cluster").exists()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"cluster.discovery_strategy": "static"}, "node.cookie"),
        (
            {"cluster.discovery_strategy": "static", "node.cookie": "x" * 20},
            "cluster.static.seeds",
        ),
        (
            {
                "cluster.discovery_strategy": "static",
                "cluster.static.seeds": "rookery@127.9.9.9",
                "node.cookie": "emqxsecretcookie",
            },
            "openssl rand -hex 32",
        ),
        ({"cluster.nats.mode": "external"}, "cluster.nats.servers"),
        ({"cluster.discovery_strategy": "etcd"}, "static or dns"),
    ],
    ids=["no cookie", "no seeds", "a published cookie", "no servers", "etcd"],
)
def test_a_cluster_that_cannot_be_is_refused_at_the_start(
    tmp_path: Path, settings: dict[str, str], says: str
) -> None:
    with pytest.raises(AssertionError) as refused:
        Node(tmp_path, settings).start()

    assert says in str(refused.value)
