"""Clients are sent from one node to the others: a node is emptied, nodes are evened out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import ClosedError, RawClient
from harness.ctl import Said
from harness.members import Member, members, until_all_see
from harness.node import fresh_name
from harness.packets import ConnAck, Connect, Disconnect
from harness.rest import RestAnswer, RestSocket
from harness.waiting import until
from rookery.cli.main import run

USE_ANOTHER, MOVED, UNAVAILABLE_V3 = 0x9C, 0x9D, 3
ELSEWHERE = "10.9.8.7:1883 10.9.8.6:1883"
AT_ONCE = {"wait_health_check": "0s", "wait_takeover": 0}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Member]]:
    """Two nodes of one cluster."""
    with members(tmp_path_factory.mktemp("rebalance"), 2) as found:
        one, other = found
        other.join(one)
        until_all_see(found, {member.name: "running" for member in found}, "both see both")
        yield found


@pytest.fixture(autouse=True)
def _nothing_goes_on(two: list[Member]) -> Iterator[None]:
    yield
    for member in two:
        if member.node.is_running:
            for what in ("evacuation/stop", "stop"):
                _ask(member, "POST", f"/load_rebalance/{member.name}/{what}")


def _ask(member: Member, method: str, path: str, body: Any = None) -> RestAnswer:
    return RestSocket(member.node.data_dir).ask(method, path, body)


def _evacuate(member: Member, by: Member | None = None, **body: Any) -> None:
    path = f"/load_rebalance/{member.name}/evacuation/start"
    answer = _ask(by or member, "POST", path, AT_ONCE | body)
    assert answer.status == 200, answer


def _status(member: Member) -> Any:
    return _ask(member, "GET", "/load_rebalance/status").json


def _until(member: Member, state: str | None) -> None:
    until(lambda: _status(member).get("state") == state, f"{state}", shows=lambda: _status(member))


def _is_available(member: Member) -> bool:
    answer = _ask(member, "GET", "/load_rebalance/availability_check")
    assert answer.status == 200 or answer.problem == (503, "NODE_EVACUATING")
    return answer.status == 200


def _connect(member: Member, level: int) -> ConnAck:
    with member.node.open(level) as client:
        client.send(Connect(fresh_name("late")))
        return client.expect(ConnAck)


def test_load_balancers_are_told_before_anybody_is_refused(two: list[Member]) -> None:
    one, other = two
    with one.node.connect(level=5) as client:
        _evacuate(one, wait_health_check="1h")

        assert _status(one)["state"] == "waiting_health_check"
        assert [_is_available(member) for member in two] == [False, True]
        one.node.connect(level=5).disconnect()
        client.fence()
        shown = _ask(other, "GET", "/load_rebalance/global_status").json["evacuations"]
        assert [row["node"] for row in shown] == [one.name]
        _ask(other, "POST", f"/load_rebalance/{one.name}/evacuation/stop")
        assert _is_available(one)
        assert _status(one) == {"status": "disabled"}


def test_who_is_connected_is_sent_elsewhere_and_who_comes_is_refused(two: list[Member]) -> None:
    one, other = two
    old, new = one.node.connect(level=4), one.node.connect(level=5)

    _evacuate(one, by=other, redirect_to=ELSEWHERE)

    told = new.expect(Disconnect, reason_code=USE_ANOTHER)
    assert told.properties["server_reference"] == ELSEWHERE
    old.expect_closed()
    _until(one, "prohibiting")
    refused = _connect(one, 5)
    assert refused.reason_code == USE_ANOTHER
    assert refused.properties["server_reference"] == ELSEWHERE
    assert _connect(one, 4).reason_code == UNAVAILABLE_V3
    assert _connect(other, 5).reason_code == 0
    stats = _status(one)["stats"]
    assert (stats["initial_connected"], stats["current_connected"]) == (2, 0)
    eviction = _ask(one, "GET", "/node_eviction/status").json
    left = {"connections": 0, "sessions": stats["current_sessions"]}
    assert eviction == {"status": "enabled", "stats": left}


def test_a_session_waits_for_its_client(two: list[Member]) -> None:
    one, _ = two
    name = fresh_name("kept")
    client = one.node.durable(name, 5)
    client.subscribe("kept/#", qos=1)
    _evacuate(one, wait_takeover="1h")
    client.expect(Disconnect, reason_code=USE_ANOTHER)
    _until(one, "waiting_takeover")
    assert _status(one)["stats"]["current_disconnected_sessions"] == 1

    _ask(one, "POST", f"/load_rebalance/{one.name}/evacuation/stop")
    again = one.node.durable(name, 5)
    assert again.connack.session_present
    again.disconnect(properties={"session_expiry_interval": 0})


def test_sessions_of_clients_that_stay_away_go_to_other_nodes(two: list[Member]) -> None:
    one, other = two
    names = [fresh_name("goes") for _ in range(5)]
    for name in names:
        client = one.node.durable(name, 5)
        client.subscribe(f"{name}/#", qos=1)
        client.disconnect()
    with other.node.connect(level=5) as publisher:
        publisher.publish(f"{names[0]}/t", b"before", qos=1)
        _evacuate(one, migrate_to=[other.name], sess_evict_rate=2)
        seen = set()
        while (found := _status(one))["state"] != "prohibiting":
            seen.add((found["state"], found["stats"]["current_sessions"]))
        assert {("evicting_sessions", 3), ("evicting_sessions", 1)} & seen
        assert found["stats"]["current_sessions"] == 0
        assert found["session_eviction_rate"] == 2
        publisher.publish(f"{names[0]}/t", b"after", qos=1)
    client = other.node.durable(names[0], 5)
    assert client.connack.session_present
    client.receive(f"{names[0]}/t", b"before")
    client.receive(f"{names[0]}/t", b"after")
    client.disconnect(properties={"session_expiry_interval": 0})
    for name in names[1:]:
        other.node.durable(name, 5).disconnect(properties={"session_expiry_interval": 0})


def test_a_node_that_does_not_come_back_says_so(two: list[Member]) -> None:
    one, _ = two
    client = one.node.connect(level=5)
    _evacuate(one, permanent=True)
    assert "server_reference" not in client.expect(Disconnect, reason_code=MOVED).properties
    assert _connect(one, 5).reason_code == MOVED


def test_clients_leave_no_faster_than_the_rate(two: list[Member]) -> None:
    one, _ = two
    clients = [one.node.connect(level=5) for _ in range(3)]
    _evacuate(one, conn_evict_rate=1)
    seen = set()
    while (found := _status(one))["state"] != "prohibiting":
        seen.add(found["stats"]["current_connected"])
    assert {1, 2} <= seen
    for client in clients:
        client.expect(Disconnect, reason_code=USE_ANOTHER)


@pytest.mark.parametrize(
    "body",
    [
        {"conn_evict_rate": 0},
        {"wait_health_check": "soon"},
        {"wait_takeover": "40h"},
        {"redirect_to": "a\nb"},
        {"sess_evict_rate": 0},
        {"wait": 1},
    ],
)
def test_what_makes_no_sense_is_refused(two: list[Member], body: dict[str, Any]) -> None:
    one, _ = two
    answer = _ask(one, "POST", f"/load_rebalance/{one.name}/evacuation/start", body)
    assert answer.problem == (400, "BAD_REQUEST")
    assert _is_available(one)


def test_a_node_is_emptied_once_at_a_time(two: list[Member]) -> None:
    one, other = two
    _evacuate(one)
    start = f"/load_rebalance/{one.name}/evacuation/start"
    assert _ask(one, "POST", start).problem == (400, "BAD_REQUEST")
    assert _ask(other, "POST", start).problem == (400, "BAD_REQUEST")
    assert _ask(one, "POST", "/load_rebalance/x@y/evacuation/start").status == 404
    idle = f"/load_rebalance/{other.name}/evacuation/stop"
    assert _ask(one, "POST", idle).problem == (400, "BAD_REQUEST")


def test_nodes_are_evened_out(two: list[Member]) -> None:
    one, other = two
    clients = [one.node.connect(level=5) for _ in range(6)]
    start = f"/load_rebalance/{other.name}/start"
    assert _ask(one, "POST", start).problem == (400, "BAD_REQUEST"), "the default lets 6 be"

    body = AT_ONCE | {"abs_conn_threshold": 2, "wait_takeover": 2}
    assert _ask(one, "POST", start, body).status == 200
    (row,) = _ask(one, "GET", "/load_rebalance/global_status").json["rebalances"]
    assert (row["node"], row["donors"], row["recipients"]) == (other.name, [one.name], [other.name])
    assert row["connection_goal"] == 3
    _until(one, "waiting_takeover")
    left = [client for client in clients if not _was_moved(client)]
    assert len(left) == 3
    _until(one, None)
    until(lambda: not _ask(one, "GET", "/load_rebalance/global_status").json["rebalances"], "over")
    assert _is_available(one)
    for client in left:
        client.fence()
        client.drop()


def _was_moved(client: RawClient) -> bool:
    try:
        client.fence()
    except (ClosedError, AssertionError, OSError):
        return True
    return False


def test_the_command_line_does_the_same(two: list[Member]) -> None:
    one, other = two
    client = one.node.connect(level=5)
    said = one.ctl.good("rebalance", "start", "--evacuation", "--wait-health-check", "0")
    assert one.name in said.out
    client.expect(Disconnect, reason_code=USE_ANOTHER)
    found = other.ctl.json("rebalance", "node-status", one.name)
    assert (found["status"], found["process"]) == ("enabled", "evacuation")
    assert f"{one.name} is being emptied" in other.ctl.good("rebalance", "status").out
    assert one.ctl.json("eviction", "status")["status"] == "enabled"
    one.ctl.good("rebalance", "stop")
    assert other.ctl.good("rebalance", "status").out.strip() == "nothing is under way"
    refused = one.ctl("rebalance", "start", "--redirect-to", "x:1")
    assert refused.code != 0
    assert "--evacuation" in refused.err


def test_it_is_in_the_audit_log(two: list[Member]) -> None:
    one, _ = two
    _evacuate(one, redirect_to=ELSEWHERE)
    rows = _ask(one, "GET", "/audit?limit=5").json["data"]
    (row, *_) = [row for row in rows if "evacuation" in str(row)]
    assert ELSEWHERE in str(row)


def test_it_goes_on_when_the_node_starts_again(two: list[Member]) -> None:
    one, _ = two
    _evacuate(one)
    _until(one, "prohibiting")
    one.node.kill9()
    one.start()
    _until(one, "prohibiting")
    assert not _is_available(one)


def test_a_drained_node_stops_when_its_clients_have_gone(
    two: list[Member], capfd: pytest.CaptureFixture[str]
) -> None:
    one, _ = two
    client = one.node.connect(level=5)
    folder = str(one.node.data_dir)
    options = ("--drain", "--wait-health-check", "0", "--redirect-to", ELSEWHERE)

    assert run(["node", "stop", "--data-dir", folder, *options]) == 0

    client.expect(Disconnect, reason_code=USE_ANOTHER)
    said = Said(0, *capfd.readouterr())
    assert re.search(r"prohibiting: 0 of 1 clients are left", said.err)
    one.node.stop()
    one.start()
    assert _is_available(one), "only a drain that is asked for goes on"


def test_options_of_a_drain_need_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = run(["node", "stop", "--data-dir", str(tmp_path), "--redirect-to", "x:1"])
    assert code != 0
    assert "--drain" in capfd.readouterr().err
