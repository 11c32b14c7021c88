"""Nodes on a NATS that is there already: one server with TLS and a password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.members import Member, members, until_all_see
from harness.nats import NatsServer, nats_server
from harness.node import Node
from harness.waiting import until
from rookery.client.management import API, ManagementClient
from rookery.errors import RookeryError


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with nats_server(tmp_path_factory.mktemp("nats") / "server") as server:
        yield server


@pytest.fixture(scope="module")
def two(nats: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Member]]:
    """Two nodes of one cluster; the tests are one story, in their order."""
    with members(tmp_path_factory.mktemp("external"), 2, **nats.settings) as found:
        one, other = found
        other.join(one)
        until_all_see(found, {member.name: "running" for member in found}, "both see both")
        yield found


def _rest(member: Member) -> ManagementClient:
    return ManagementClient(member.node.data_dir, timeout_s=20.0, prefix=API)


def _cluster(member: Member) -> Any:
    return _rest(member).get("/cluster")


def _banned(member: Member) -> set[str]:
    return {row["who"] for row in _rest(member).get("/banned")["data"]}


def _ban(member: Member, who: str) -> None:
    _rest(member).post("/banned", {"as": "clientid", "who": who})


def test_the_nodes_run_no_nats_of_their_own(two: list[Member]) -> None:
    found = _cluster(two[0])["nats"]
    assert found == {"mode": "external", "running": True, "connected": True}
    assert "nats:routes" not in {row["listener"] for row in _ports(two[0])}


def _ports(member: Member) -> Any:
    return ManagementClient(member.node.data_dir).get("/ports")


def test_what_one_is_told_both_have(two: list[Member]) -> None:
    for member in two:
        until(lambda member=member: (_cluster(member)["state"] or {}).get("in_step"), "in step")  # type: ignore[misc]
    _ban(two[0], "from-one")
    _ban(two[1], "from-two")
    for member in two:
        until(lambda member=member: _banned(member) == {"from-one", "from-two"}, "both bans")  # type: ignore[misc]


def test_messages_go_between_them(two: list[Member]) -> None:
    one, other = two
    with one.node.connect(level=5) as reader, other.node.connect(level=5) as writer:
        reader.subscribe("over/#", qos=1)

        def flows() -> bool:
            writer.publish("over/it", b"x", qos=1)
            return reader.await_within(0.2) is not None

        until(flows, "a message")


def test_one_node_alone_can_still_be_changed(two: list[Member]) -> None:
    """The quorum is that of NATS, not of the nodes."""
    one, other = two
    other.node.kill9()
    until(lambda: other.name in one.ctl.json("cluster", "status")["stopped_nodes"], "it is seen")
    assert _cluster(one)["quorum"]["has"]
    _ban(one, "while-away")
    other.start()
    until(lambda: "while-away" in _banned(other), "it catches up")


@pytest.mark.parametrize(
    "wrong",
    [{"cluster.nats.password": "another"}, {"cluster.nats.ssl_options.cacertfile": ""}],
    ids=["password", "authority"],
)
def test_a_nats_that_is_not_reached_is_told_and_clients_are_served(
    tmp_path: Path, nats: NatsServer, wrong: dict[str, str]
) -> None:
    settings = {key: value for key, value in (nats.settings | wrong).items() if value}
    with members(tmp_path, 1, **settings) as (member,):
        node: Node = member.node
        node.assert_served()
        found = _cluster(member)["nats"]
        assert found["connected"] is False
        with pytest.raises(RookeryError):
            _rest(member).post("/cluster/join", {"node": "rookery@127.9.9.9"})
