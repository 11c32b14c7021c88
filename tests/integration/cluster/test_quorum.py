"""What a cluster does when too few of its nodes run: it serves, says so, and changes nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.members import COOKIE, Member, addresses, members
from harness.node import ROOT, fresh_name
from harness.rest import RestSocket
from harness.waiting import until
from rookery.client.management import API, ManagementClient
from rookery.errors import RookeryError

ALARM = "cluster_no_quorum"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Member]]:
    """Two nodes of one cluster; the tests are one story, in their order."""
    with members(tmp_path_factory.mktemp("quorum"), 2) as found:
        one, other = found
        other.join(one)
        for member in found:
            until(lambda member=member: (_cluster(member)["state"] or {}).get("in_step"), "in step")  # type: ignore[misc]
        yield found


def _cluster(member: Member) -> Any:
    return _rest(member).get("/cluster")


def _rest(member: Member) -> ManagementClient:
    return ManagementClient(member.node.data_dir, timeout_s=20.0, prefix=API)


def _alarms(member: Member) -> set[str]:
    return {row["name"] for row in _rest(member).get("/alarms")["data"]}


def _standing(member: Member) -> Any:
    return RestSocket(member.node.data_dir).ask("GET", "/status?format=json").json


def _ban(member: Member) -> None:
    _rest(member).post("/banned", {"as": "clientid", "who": fresh_name("banned")})


def test_while_both_run_there_is_a_quorum(two: list[Member]) -> None:
    for member in two:
        assert _cluster(member)["quorum"] == {"members": 2, "running": 2, "needed": 2, "has": True}
        assert _standing(member)["cluster_status"] == "quorum"
        assert ALARM not in _alarms(member)
    _ban(two[0])
    for member in two:
        until(lambda member=member: _is_alike(member), "no lag")  # type: ignore[misc]


def _is_alike(member: Member) -> bool:
    """As that node has heard: of others it knows what they said last."""
    rows = _cluster(member)["members"]
    return len({row["revision"] for row in rows}) == 1 and all(row["in_step"] for row in rows)


def test_one_of_two_serves_on_and_says_what_it_cannot_do(two: list[Member]) -> None:
    one, other = two
    with one.node.connect(level=5) as client:
        client.publish("kept", b"before", qos=1, retain=True)
        other.node.kill9()
        until(lambda: ALARM in _alarms(one), "the alarm")
        assert _cluster(one)["quorum"] == {"members": 2, "running": 1, "needed": 2, "has": False}
        assert _standing(one)["cluster_status"] == "no_quorum"
        text = RestSocket(one.node.data_dir).ask("GET", "/status")
        assert text.status == 200
        assert "no quorum: 1 of 2" in text.text
        assert "1 of 2 nodes are heard" in one.ctl.good("cluster", "status").out
        client.publish("kept", b"now", qos=1, retain=True)
    with pytest.raises(RookeryError, match="two: both"):
        _ban(one)
    with one.node.connect(level=5) as fresh:
        fresh.subscribe("kept", qos=1)
        fresh.receive("kept", b"now")
        fresh.publish("kept", b"then", qos=1)
        fresh.receive("kept", b"then")


def test_when_the_other_is_back_everything_is_as_before(two: list[Member]) -> None:
    one, other = two
    other.start()
    for member in two:
        until(lambda member=member: ALARM not in _alarms(member), "the alarm ends")  # type: ignore[misc]
        until(lambda member=member: (_cluster(member)["state"] or {}).get("in_step"), "in step")  # type: ignore[misc]
        assert _cluster(member)["quorum"]["has"]
    until(lambda: _is_made(one), "a change")


def _is_made(member: Member) -> bool:
    try:
        _ban(member)
    except RookeryError as error:
        if error.code != "SERVICE_UNAVAILABLE":
            raise
        return False
    return True


def test_a_node_that_slept_says_so_until_it_hears_the_other(two: list[Member]) -> None:
    one, other = two
    pids = (other.nats_pid(), other.node.pid)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: ALARM in _alarms(one), "the alarm")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    for member in two:
        until(lambda member=member: _cluster(member)["quorum"]["has"], "a quorum")  # type: ignore[misc]
        until(lambda member=member: ALARM not in _alarms(member), "the alarm ends")  # type: ignore[misc]


def test_a_witness_makes_two_nodes_whole(two: list[Member], tmp_path: Path) -> None:
    one, other = two
    (address,) = addresses(1)
    with witness(tmp_path / "witness", address, join=one) as name:
        until(
            lambda: [_cluster(member)["quorum"]["running"] for member in two] == [3, 3],
            "it is a member",
            shows=lambda: _cluster(one),
        )
        rows = {row["node"]: row for row in _cluster(one)["members"]}
        assert rows[name]["role"] == "witness"
        assert {row["node"] for row in _rest(one).get("/nodes")} == {one.name, other.name}
        until(lambda: _is_made(one), "a change with all of them")
        until(
            lambda: all(row.get("in_step") for row in _cluster(one)["members"]),
            "the witness has what they have",
            shows=lambda: _cluster(one)["members"],
        )

        other.node.kill9()
        until(lambda: _cluster(one)["quorum"]["running"] == 2, "one is seen to be gone")
        assert _cluster(one)["quorum"] == {"members": 3, "running": 2, "needed": 2, "has": True}
        until(lambda: _is_made(one), "a change of a node and the witness")
        assert ALARM not in _alarms(one)
        other.start()
        until(lambda: (_cluster(other)["state"] or {}).get("in_step"), "in step")
        until(lambda: _banned(other) == _banned(one), "what was changed meanwhile")
        until(lambda: _is_left(one, name), "it is taken out")


def _banned(member: Member) -> set[str]:
    return {row["who"] for row in _rest(member).get("/banned")["data"]}


def _is_left(member: Member, name: str) -> bool:
    member.ctl("cluster", "force-leave", name, "--yes")
    return name not in _cluster(member)["nodes"]


@contextlib.contextmanager
def witness(folder: Path, address: str, join: Member) -> Iterator[str]:
    """``rookery cluster witness`` at that address, which joins the cluster of a node."""
    name = f"witness@{address}"
    command = [str(ROOT / ".venv/bin/rookery"), "cluster", "witness", "--data-dir", str(folder)]
    command += ["--set", f"node.name={name}", "--set", f"node.cookie={COOKIE}"]
    with subprocess.Popen([*command, "--join", join.name]) as process:
        try:
            yield name
        finally:
            process.terminate()
