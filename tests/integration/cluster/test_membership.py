"""Nodes become one cluster, notice who stops, and find each other again."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.client import RawClient
from harness.members import Member, members, runs, until_all_see
from harness.packets import PubAck, Publish, Will
from harness.waiting import until
from harness.web_service import WebService, web_service
from rookery.client.management import ManagementClient
from rookery.errors import RookeryError

RUNNING, STOPPED = "running", "stopped"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Member]]:
    """Three nodes; the tests of this file are one story, in their order."""
    telling = {"sys_topics.sys_heartbeat_interval": "1s"}
    with members(tmp_path_factory.mktemp("cluster"), 3, **telling) as found:
        yield found


def test_a_node_with_a_cookie_is_ready_to_be_joined(three: list[Member]) -> None:
    one = three[0]
    until(lambda: bool(one.nats()["connected"]), "NATS is there")

    found = one.ctl.json("cluster", "status")
    assert found["running_nodes"] == [one.name]
    ports = {port["listener"]: port for port in _ports(one)}
    assert ports["nats:routes"]["address"] == f"{one.address}:6369"
    assert ports["nats:client"]["address"].startswith("127.0.0.1:")


def _ports(member: Member) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = ManagementClient(member.node.data_dir).get("/ports")
    return rows


def test_joining_asks_first(three: list[Member]) -> None:
    one, two, _ = three
    said = two.ctl("cluster", "join", one.name)

    assert said.code != 0
    assert "is replaced" in said.err
    assert "--yes" in said.err
    assert two.status() == {two.name: RUNNING}


def test_nodes_that_joined_see_each_other(three: list[Member]) -> None:
    one, two, three_ = three
    two.join(one)
    three_.join(two)

    everybody = {member.name: RUNNING for member in three}
    until_all_see(three, everybody, "all see all")
    rows = three_.ctl.json("cluster", "status")
    assert rows["self"] == three_.name


def test_who_keeps_the_sessions_of_each_is_shown_by_all(three: list[Member]) -> None:
    names = {member.name for member in three}

    def partners(member: Member) -> dict[str, str]:
        rows = member.ctl.json("cluster", "status")["members"]
        found = {row["node"]: row.get("partner", {}) for row in rows}
        assert all(
            one.get("lag", 0) >= 0 and one.get("lag_bytes", 0) >= 0 for one in found.values()
        )
        return {name: one.get("node", "") for name, one in found.items() if one.get("is_whole")}

    def are_alike() -> bool:
        seen = [partners(member) for member in three]
        return seen[0].keys() == names and seen[0] == seen[1] == seen[2]

    until(are_alike, "all show the same", shows=lambda: [partners(member) for member in three])
    found = partners(three[0])
    assert all(name != partner and partner in names for name, partner in found.items())
    said = three[1].ctl.good("cluster", "status").out
    for name, partner in found.items():
        assert re.search(rf"partners\.{re.escape(name)} +{re.escape(partner)} has all of its", said)


def test_every_node_is_listed_by_each_with_its_figures(three: list[Member]) -> None:
    client = ManagementClient(three[0].node.data_dir)
    rows = client.get("/api/v5/nodes")

    assert [row["node"] for row in rows] == sorted(member.name for member in three)
    assert {row["node_status"] for row in rows} == {RUNNING}
    assert len({row["sys_path"] for row in rows}) == 3
    other = client.get(f"/api/v5/nodes/{three[1].name}")
    assert other["sys_path"] == str(three[1].node.data_dir)


def test_figures_are_those_of_all_nodes(three: list[Member]) -> None:
    one, two, _ = three
    client = ManagementClient(one.node.data_dir)
    with two.node.connect(), two.node.connect(), one.node.connect():
        rows = {row["node"]: row for row in client.get("/api/v5/stats")}
        whole = client.get("/api/v5/stats?aggregate=true")
        other = client.get(f"/api/v5/nodes/{two.name}/stats")

    counts = {name: row["live_connections.count"] for name, row in rows.items()}
    assert counts == {one.name: 1, two.name: 2, three[2].name: 0}
    assert whole["live_connections.count"] == 3
    assert other["live_connections.count"] == 2
    assert len(client.get("/api/v5/metrics")) == 3


@pytest.fixture
def service() -> Iterator[WebService]:
    """It allows whatever it is asked."""
    with web_service() as made:
        yield made


def test_answers_of_authorization_are_shown_and_forgotten_wherever_a_client_is(
    three: list[Member], service: WebService
) -> None:
    one, two, _ = three
    rest = ManagementClient(one.node.data_dir, prefix="/api/v5")
    at_two = ManagementClient(two.node.data_dir, prefix="/api/v5")
    path = "/clients/judged/authorization/cache"
    service.status = 204
    source = {"type": "http", "method": "post", "url": service.url, "body": {"t": "${topic}"}}
    rest.post("/authorization/sources", source)
    until(lambda: at_two.get("/authorization/sources")["sources"], "both ask the service")
    with two.node.connect("judged") as client:
        for forget in (
            lambda: rest.delete(path),
            lambda: rest.delete("/authorization/cache"),
            lambda: rest.delete("/authorization/cache?clientid=judged"),
            lambda: rest.delete(f"/authorization/cache?node={two.name}"),
            lambda: one.ctl.good("authz", "cache-clean", "node", two.name),
        ):
            client.subscribe("judged/1")
            assert [row["topic"] for row in rest.get(path)] == ["judged/1"]
            forget()
            assert rest.get(path) == []
        client.subscribe("judged/1")
        rest.delete(f"/authorization/cache?node={one.name}")
        assert rest.get(path) != []
        for unknown in ("clientid=nobody", "node=nobody@1.2.3.4"):
            with pytest.raises(RookeryError, match=r"no .*nobody"):
                rest.delete(f"/authorization/cache?{unknown}")
    rest.delete("/authorization/sources/http")


def test_clients_and_subscriptions_of_all_nodes_are_one_list(three: list[Member]) -> None:
    one, two, three_ = three
    rest = ManagementClient(one.node.data_dir, prefix="/api/v5")
    with contextlib.ExitStack() as connections:
        for number, member in enumerate([three_, one, two, three_, two]):
            client = connections.enter_context(member.node.connect(f"list-{number}"))
            client.subscribe(f"list/{number % 2}", qos=number % 3)

        def names(path: str) -> list[str]:
            return [row["clientid"] for row in rest.get(path)["data"]]

        whole = rest.get("/clients?like_clientid=list-")
        assert whole["meta"]["count"] == 5
        assert sorted(row["clientid"] for row in whole["data"]) == [f"list-{n}" for n in range(5)]
        pages = [names(f"/clients?like_clientid=list-&limit=2&page={page}") for page in (1, 2, 3)]
        assert [len(page) for page in pages] == [2, 2, 1]
        assert sorted(itertools.chain(*pages)) == [f"list-{n}" for n in range(5)]
        ordered = names("/clients?like_clientid=list-&sort=clientid&order=desc&limit=3&page=1")
        assert ordered == ["list-4", "list-3", "list-2"]
        assert names(f"/clients?like_clientid=list-&node={two.name}&sort=clientid") == [
            "list-2", "list-4",
        ]  # fmt: skip
        with pytest.raises(RookeryError, match="no node"):
            rest.get("/clients?node=nobody@1.2.3.4")

        found, cursor = [], ""
        while True:
            page = rest.get(f"/clients_v2?like_clientid=list-&limit=2{cursor}")
            found += [row["clientid"] for row in page["data"]]
            if not page["meta"]["hasnext"]:
                break
            cursor = f"&cursor={quote(page['meta']['cursor'])}"
        assert sorted(found) == [f"list-{n}" for n in range(5)]
        # Nothing follows where no other node has somebody.
        first = min(three, key=lambda member: member.name)
        own = f"list-{[three_, one, two].index(first)}"
        whole = rest.get(f"/clients_v2?clientid={own}&limit=1")
        assert ([row["clientid"] for row in whole["data"]], whole["meta"]["hasnext"]) == (
            [own], False,
        )  # fmt: skip

        rows = rest.get("/subscriptions?match_topic=list/%23&sort=clientid")["data"]
        assert [(row["clientid"], row["node"]) for row in rows][:2] == [
            ("list-0", three_.name), ("list-1", one.name),
        ]  # fmt: skip
        topics = rest.get("/topics?like_topic=list/&sort=topic")["data"]
        assert {(row["topic"], row["node"]) for row in topics} == {
            ("list/0", three_.name), ("list/0", two.name), ("list/0", two.name),
            ("list/1", one.name), ("list/1", three_.name),
        }  # fmt: skip
        assert {row["node"] for row in rest.get("/topics/list%2F0")} == {two.name, three_.name}


def test_a_client_is_shown_and_kicked_wherever_it_is(three: list[Member]) -> None:
    one, two, _ = three
    rest = ManagementClient(one.node.data_dir, prefix="/api/v5")
    with two.node.connect("far") as far:
        assert rest.get("/clients/far")["node"] == two.name
        rest.delete("/clients/far")
        far.expect_closed()
        with pytest.raises(RookeryError, match="no client"):
            rest.get("/clients/far")
        with pytest.raises(RookeryError, match="no client"):
            rest.delete("/clients/far")


def test_of_two_connections_of_one_client_the_elder_ends(three: list[Member]) -> None:
    one, two, three_ = three
    rest = ManagementClient(three_.node.data_dir, prefix="/api/v5")
    with one.node.connect("wanderer") as elder, two.node.connect("wanderer"):
        elder.expect_closed()
        rows = rest.get("/clients?clientid=wanderer")["data"]
        assert [(row["node"], row["connected"]) for row in rows] == [(two.name, True)]


def connect_unless_refused(member: Member, client_id: str) -> RawClient | None:
    """Of clients that connect at the same moment some are told that another one goes first."""
    with contextlib.suppress(AssertionError):
        return member.node.connect(client_id)
    return None


def test_of_connections_at_once_one_stays(three: list[Member]) -> None:
    names = [f"race-{number}" for number in range(20)]
    rest = ManagementClient(three[0].node.data_dir, prefix="/api/v5")
    jobs = [(member, name) for name in names for member in three]

    def rows() -> list[str]:
        found = rest.get("/clients?like_clientid=race-&conn_state=connected&limit=100")["data"]
        return sorted(row["clientid"] for row in found)

    with ThreadPoolExecutor(len(three)) as pool, contextlib.ExitStack() as connections:
        for client in pool.map(lambda job: connect_unless_refused(*job), jobs):
            if client is not None:
                connections.callback(client.drop)
        until(lambda: rows() == sorted(names), "each is connected once")


def test_a_message_reaches_a_subscriber_of_another_node(three: list[Member]) -> None:
    one, two, _ = three

    def is_routed() -> bool:
        rows = one.ctl.json("cluster", "status")["members"]
        lanes = {row["node"]: row.get("lanes") for row in rows}
        return bool(lanes[two.name] and lanes[two.name]["routes"])

    with two.node.connect() as subscriber, one.node.connect() as publisher:
        subscriber.subscribe("plant/+/state", qos=1)
        until(is_routed, "one knows of the subscription")
        publisher.publish("plant/1/state", b"on", qos=1)
        subscriber.receive("plant/1/state", b"on")


def test_what_happens_on_a_node_is_told_on_all_under_sys(three: list[Member]) -> None:
    one, two, _ = three
    with two.node.connect(level=5) as watcher:
        watcher.subscribe("$SYS/brokers/+/clients/+/connected")

        def is_told() -> bool:
            with one.node.connect("seen-from-afar", level=5):
                told = watcher.await_within(0.5)
            wanted = f"$SYS/brokers/{one.name}/clients/seen-from-afar/connected"
            return isinstance(told, Publish) and told.topic_name == wanted

        until(is_told, "two tells of a client of one")


def test_what_each_node_tells_of_itself_is_told_on_all(three: list[Member]) -> None:
    missing = {f"$SYS/brokers/{member.name}/uptime" for member in three}
    with three[1].node.connect() as watcher:
        watcher.subscribe("$SYS/brokers/+/uptime")

        def are_all_told() -> bool:
            missing.discard(watcher.receive().topic_name)
            return not missing

        until(are_all_told, "all three have told", shows=lambda: missing)


def retained(member: Member) -> set[str]:
    rows = ManagementClient(member.node.data_dir).get("/api/v5/mqtt/retainer/messages")["data"]
    return {row["topic"] for row in rows if row["topic"].startswith("kept/")}


def test_retained_messages_are_those_of_the_cluster(three: list[Member]) -> None:
    with three[0].node.connect() as publisher:
        for topic in ("kept/1", "kept/2"):
            publisher.publish(topic, b"x", qos=1, retain=True)
    assert [retained(member) for member in three] == [{"kept/1", "kept/2"}] * 3
    ManagementClient(three[1].node.data_dir).delete("/api/v5/mqtt/retainer/message/kept%2F1")
    for member in three:
        until(lambda member=member: retained(member) == {"kept/2"}, "deleted")  # type: ignore[misc]


def test_a_member_cannot_join_another_cluster(three: list[Member]) -> None:
    one, two, _ = three
    said = one.ctl("cluster", "join", two.name, "--yes")

    assert said.code != 0
    assert "leave" in said.err


def test_who_is_killed_is_shown_as_stopped_and_leaves_nothing_behind(three: list[Member]) -> None:
    one, two, three_ = three
    nats = two.nats_pid()
    watch = one.node.connect()
    watch.subscribe("wills/#", qos=1)
    lost = two.node.connect(will=Will("wills/two", b"lost", 1))
    # The others know of the will before they confirm this.
    lost.publish("kept/2", b"", qos=1, retain=True)
    two.node.kill9()
    until(lambda: not runs(nats), "its NATS has ended")

    wanted = {one.name: RUNNING, two.name: STOPPED, three_.name: RUNNING}
    until_all_see((one, three_), wanted, "two has stopped")
    rows = {row["node"]: row for row in ManagementClient(one.node.data_dir).get("/api/v5/nodes")}
    assert rows[two.name] == {"node": two.name, "node_status": STOPPED}
    alarms = json.dumps(one.ctl.json("alarms", "list"))
    assert f"node_down/{two.name}" in alarms
    watch.receive("wills/two", b"lost")
    watch.disconnect()


def test_who_comes_back_is_a_member_without_joining(three: list[Member]) -> None:
    two = three[1]
    two.start()

    everybody = {member.name: RUNNING for member in three}
    until_all_see(three, everybody, "all see all")


def test_a_nats_that_is_killed_is_started_again(three: list[Member]) -> None:
    two = three[1]
    first = two.nats_pid()
    os.kill(first, signal.SIGKILL)

    def is_back() -> bool:
        nats = two.nats()
        return bool(nats["connected"]) and nats["pid"] != first

    until(is_back, "NATS is back")
    everybody = {member.name: RUNNING for member in three}
    until_all_see(three, everybody, "all see all")


def test_a_node_that_stood_still_is_heard_again(three: list[Member]) -> None:
    """As one whose machine slept: NATS has ended its connection by then."""
    one, two, three_ = three
    everybody = {member.name: RUNNING for member in three}
    os.kill(two.node.pid, signal.SIGSTOP)
    try:
        until_all_see((one, three_), everybody | {two.name: STOPPED}, "two is silent")
    finally:
        os.kill(two.node.pid, signal.SIGCONT)

    until_all_see(three, everybody, "all see all")


def test_a_nats_that_stood_still_is_connected_again(three: list[Member]) -> None:
    two = three[1]
    nats = two.nats_pid()
    os.kill(nats, signal.SIGSTOP)
    try:
        until(lambda: not two.nats()["connected"], "two gives the connection up", shows=two.nats)
    finally:
        os.kill(nats, signal.SIGCONT)

    until(lambda: two.nats()["connected"], "two is connected again", shows=two.nats)
    assert two.nats_pid() == nats
    until_all_see(three, {member.name: RUNNING for member in three}, "all see all")


def test_while_nats_stands_still_everywhere_everybody_is_answered(three: list[Member]) -> None:
    """Publishers as they chose, changes with a refusal; afterwards all is as before."""
    one, two, three_ = three
    three_.node.settings["durability.unconfirmed"] = "refuse"
    three_.node.restart()
    until_all_see(three, {member.name: RUNNING for member in three}, "all see all")
    for member in (one, three_):
        with member.node.durable(f"keeper-{member.address}", 5) as keeper:
            keeper.subscribe(f"kept/{member.address}", qos=1)
    stopped = [member.nats_pid() for member in three]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        until(
            lambda: all(two.status()[name] == STOPPED for name in (one.name, three_.name)),
            "two hears nobody",
            shows=two.status,
        )
        with one.node.connect(level=5) as publisher:
            publisher.publish(f"kept/{one.address}", b"1", qos=1)
        with three_.node.connect(level=5) as publisher:
            publisher.send(Publish(f"kept/{three_.address}", b"2", 1, 7))
            publisher.expect(PubAck, packet_id=7, reason_code=0x97)
        banned = {"as": "clientid", "who": "nobody"}
        with pytest.raises(RookeryError) as refused:
            ManagementClient(one.node.data_dir, timeout_s=30.0).post("/api/v5/banned", banned)
        assert refused.value.code == "SERVICE_UNAVAILABLE"
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    until_all_see(three, {member.name: RUNNING for member in three}, "all see all")
    assert [member.nats_pid() for member in three] == stopped
    del three_.node.settings["durability.unconfirmed"]
    three_.node.restart()
    until_all_see(three, {member.name: RUNNING for member in three}, "all see all")


def test_who_leaves_stands_alone_and_the_others_know(three: list[Member]) -> None:
    one, two, three_ = three
    two.ctl.good("cluster", "leave", "--yes")

    assert two.status() == {two.name: RUNNING}
    rest = {one.name: RUNNING, three_.name: RUNNING}
    until_all_see((one, three_), rest, "two is gone")


def test_who_is_invited_joins(three: list[Member]) -> None:
    one, two, three_ = three
    one.ctl.good("cluster", "invite", two.name, "--yes")

    everybody = {member.name: RUNNING for member in three}
    until_all_see(three, everybody, "all see all")
    assert three_.status() == everybody


def test_who_was_taken_out_while_it_was_down_learns_it_at_its_return(three: list[Member]) -> None:
    one, two, three_ = three
    two.node.stop()
    until(lambda: one.status().get(two.name) == STOPPED, "two has stopped")
    one.ctl.good("cluster", "force-leave", two.name, "--yes")
    rest = {one.name: RUNNING, three_.name: RUNNING}
    assert one.status() == rest
    two.start()

    until_all_see([two], {two.name: RUNNING}, "two knows that it is out")
    assert one.status() == rest
    assert "taken out of the cluster" in "\n".join(two.node.log)


def test_who_came_and_who_went_is_in_the_audit_log(three: list[Member]) -> None:
    one, two, _ = three
    told = {}
    for member in (one, two):
        rest = ManagementClient(member.node.data_dir, prefix="/api/v5")
        rows = rest.get("/audit?operation_type=cluster&operation_result=success")["data"]
        for row in rows:
            nodes = [set(row[name]["nodes"]) for name in ("before", "after")]
            told[member.name, row["operation_id"]] = nodes[1] - nodes[0], nodes[0] - nodes[1]

    assert two.name not in told[two.name, "/cluster/join"][0]
    assert one.name in told[two.name, "/cluster/join"][0]
    assert one.name in told[two.name, "/cluster/leave"][1]
    assert told[one.name, "/cluster/:node/invite"] == ({two.name}, set())
    assert told[one.name, "/cluster/:node/force_leave"] == (set(), {two.name})


def test_the_name_of_a_member_is_not_given_to_another(three: list[Member], tmp_path: Path) -> None:
    one, _, three_ = three
    three_.node.stop()
    fresh = Member(tmp_path / "copy", three_.address)
    fresh.start()
    try:
        said = fresh.ctl("cluster", "join", one.name, "--yes")
        assert said.code != 0
        assert f"force-leave {three_.name}" in said.err
    finally:
        fresh.node.stop()


def test_another_cookie_is_refused(three: list[Member], tmp_path: Path) -> None:
    one, _, three_ = three
    three_.node.stop()
    stranger = Member(tmp_path / "stranger", three_.address, **{"node.cookie": "x" * 32})
    stranger.start()
    try:
        said = stranger.ctl("cluster", "join", one.name, "--yes")
        assert said.code != 0
        assert "refused the cookie" in said.err
        assert stranger.name not in one.status() or one.status()[stranger.name] == STOPPED
    finally:
        stranger.node.stop()
