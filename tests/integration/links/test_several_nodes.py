"""A cluster of three nodes, told of each other over NATS, linked with a cluster of one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness.client import RawClient
from harness.linked import LINK_PASSWORD, PASSWORD, USER, Side, side
from harness.members import Member, addresses, until_all_see
from harness.node import Where
from harness.operator import BUILT_IN, USERS, eventually
from harness.packets import Connect
from harness.rest import RestSocket
from rookery.client.management import API, ManagementClient

# Each node has an address of its own.
PORT = 1883


@dataclass
class World:
    """The two clusters."""

    many: list[Member]
    one: Side

    def on(self, member: Member, client_id: str = "") -> RawClient:
        client = RawClient(member.address, PORT, 5)
        name = client_id or f"c{member.address}"
        client.connect(Connect(name, True, 60, None, USER, PASSWORD.encode()))
        return client

    def states(self, of: int = 0) -> list[dict[str, Any]]:
        """How the link does on each node of the three, as one of them says."""
        found = RestSocket(self.many[of].node.data_dir).ask("GET", "/cluster/links/one").json
        rows: list[dict[str, Any]] = found["node_status"]
        return rows

    def wait_for_routes(self, routes: int, nodes: int = 3) -> None:
        """Until every node of the three knows that many filters of the other cluster."""
        eventually(lambda: [row["routes"] for row in self.states()] == [routes] * nodes)


def _is_in_step(member: Member) -> bool:
    state = member.ctl.json("cluster", "status").get("state") or {}
    return state.get("in_step") is True


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three nodes and one, linked in both directions; the tests are one story, in their order."""
    folder = tmp_path_factory.mktemp("world")
    settings = {"cluster.name": "many", "authentication": BUILT_IN}
    with (
        contextlib.ExitStack() as running,
        side(folder / "one", "one", ("many",)) as one,
    ):
        many = []
        for number, address in enumerate(addresses(3)):
            # A node has the same port after it has joined.
            own = {"listeners.tcp.default.bind": f"{address}:{PORT}", **settings}
            many.append(Member(folder / f"node{number}", address, Where(address), **own))
            running.callback(many[-1].node.stop)
            many[-1].start()
        for member in many[1:]:
            member.join(many[0])
        until_all_see(many, {member.name: "running" for member in many}, "they are one cluster")
        for member in many:
            eventually(lambda member=member: _is_in_step(member))  # type: ignore[misc]
        users = ManagementClient(many[0].node.data_dir, prefix=API)
        for name, password in ((USER, PASSWORD), ("link-one", LINK_PASSWORD)):
            users.post(USERS, {"user_id": name, "password": password})
        links = {
            "username": "link-many",
            "password": LINK_PASSWORD,
            "topics": ["t/#"],
            "pool_size": 3,
            "accept": {"username": "link-one"},
        }
        link = {"name": "one", "server": one.address, **links}
        made = RestSocket(many[0].node.data_dir).ask("POST", "/cluster/links", link)
        assert made.status == 201, made.text
        server = ",".join(f"{member.address}:{PORT}" for member in many)
        back = {"username": "link-one", "accept": {"username": "link-many"}}
        one.put({**links, "name": "many", "server": server, **back})
        yield World(many, one)


def test_every_node_links_by_itself(world: World) -> None:
    world.one.wait_for("many", None)
    eventually(lambda: [row["status"] for row in world.states(2)] == ["connected"] * 3)
    assert sorted(row["node"] for row in world.states()) == sorted(m.name for m in world.many)


def test_each_node_sends_what_the_other_cluster_wants_once(world: World) -> None:
    with world.one.client("reader") as reader:
        reader.subscribe("t/+", "t/#", qos=1)
        world.wait_for_routes(2)
        for member in world.many:
            with world.on(member) as writer:
                writer.publish("t/1", member.name.encode(), qos=1)
            reader.receive("t/1", member.name.encode(), qos=1)
        reader.expect_nothing()
    world.wait_for_routes(0)


def test_what_the_other_cluster_sends_finds_a_subscriber_on_any_node(world: World) -> None:
    with world.one.client("writer") as writer:
        for number, member in enumerate(world.many):
            with world.on(member, "reader") as reader:
                reader.subscribe("t/2", qos=1)
                world.one.wait_for_routes("many", 1)
                writer.publish("t/2", b"%d" % number, qos=1)
                reader.receive("t/2", b"%d" % number)
                reader.expect_nothing()
            world.one.wait_for_routes("many", 0)


def test_the_link_goes_on_when_a_node_dies(world: World) -> None:
    with world.one.client("reader") as reader:
        reader.subscribe("t/3", qos=1)
        world.wait_for_routes(1)
        [node] = world.one.link("many")["node_status"]
        dead = next(m for m in world.many if node["server"].startswith(f"{m.address}:"))
        dead.node.kill9()
        left = [member for member in world.many if member is not dead]

        def took_over() -> bool:
            [row] = world.one.link("many")["node_status"]
            return bool(row["status"] == "connected" and row["server"] != node["server"])

        eventually(took_over)
        for member in left:
            with world.on(member, "writer") as writer:
                writer.publish("t/3", member.name.encode(), qos=1)
            reader.receive("t/3", member.name.encode())
        with world.on(left[1], "reader") as there, world.one.client("writer") as writer:
            there.subscribe("t/4", qos=1)
            world.one.wait_for_routes("many", 1)
            writer.publish("t/4", b"back", qos=1)
            there.receive("t/4", b"back")
