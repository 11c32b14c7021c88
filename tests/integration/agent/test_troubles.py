"""What is said, and where, when a hop is broken."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.agent_command import AgentCommand, api_url
from harness.operator import eventually
from harness.rest_node import PASSWORD, RestNode, rest_node
from harness.stand_in_control import StandInControl
from rookery.agent.doctor import Doctor
from rookery.agent.places import Place
from rookery.agent.secret_file import SecretFile
from rookery.agent.service import Agent
from rookery.agent.settings import load
from rookery.clock import ManualClock, SystemClock
from rookery.contracts.agent_v1 import Report


@pytest.fixture
def own_node(tmp_path: Path) -> Iterator[RestNode]:
    """A node that the test may stop."""
    (tmp_path / "node").mkdir()
    with rest_node(tmp_path / "node") as running:
        yield running


def hops(agent: AgentCommand) -> dict[str, tuple[str, str]]:
    """What the doctor found, by hop."""
    found = Doctor(Place(agent.home), SystemClock()).findings()
    return {one.hop: (one.state, one.text + one.advice) for one in found}


def test_a_cluster_that_stops_and_comes_back(
    own_node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    # On the port that it has, for it to come back there.
    own_node.node.settings["dashboard.listeners.http.bind"] = f"127.0.0.1:{own_node.port()}"
    agent.register(control, api_url(own_node))
    agent("start")
    control.report(lambda one: one.facts is not None)

    own_node.node.stop()
    report = control.report(lambda one: bool(one.cluster_fetch_error))
    assert report.cluster_fetch_error.startswith("UNREACHABLE: http://127.0.0.1:")
    assert report.node_connect_error == report.cluster_fetch_error
    assert (report.facts, report.mqtt_connect_error) == (None, "")
    found = hops(agent)
    assert found["cluster.address"][0] == "broken"
    assert "api_url" in found["cluster.address"][1]
    assert found["cluster.credentials"][0] == "skipped"
    assert found["relay.credentials"][0] == "ok"

    own_node.node.start()
    again = control.report(lambda one: one.facts is not None)
    assert again.cluster_fetch_error == ""


def test_a_password_that_was_changed_is_tried_once_in_ten_minutes(
    own_node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    """The agent itself, on a clock that the test moves."""
    assert agent.register(control, api_url(own_node)).code == 0
    admin = own_node.admin
    changed = admin.post("/users/admin/change_pwd", {"old_pwd": PASSWORD, "new_pwd": "new-pa55-1!"})
    assert changed.status in (200, 204), changed
    admin = own_node.nobody.login(password="new-pa55-1!")
    rows = admin.get("/api_key").json
    for row in rows["data"] if isinstance(rows, dict) else rows:
        assert admin.delete(f"/api_key/{row['name']}").status == 204

    clock = ManualClock()
    place = Place(agent.home)
    one = Agent(place, load(place.config_file), clock, "1")
    running = threading.Thread(target=one.run)
    running.start()
    try:
        refused = control.report(lambda report: bool(report.cluster_fetch_error))
        assert refused.cluster_fetch_error.startswith("REFUSED: ")
        for _ in range(3):
            again = control.report()
            assert "tried again in 10 min" in again.cluster_fetch_error
        assert logins(own_node) == 1
        clock.advance(601)
        # For its link that is a silence of ten minutes as well: perhaps over HTTPS.
        control.any_report(
            lambda report: (
                report.sequence > again.sequence
                and "BAD_USERNAME_OR_PWD" in report.cluster_fetch_error
            )
        )
        assert logins(own_node) == 2
    finally:
        one.stop()
        running.join()
    given = agent("credentials", "--emqx-dashboard-username", "admin", password="new-pa55-1!")
    assert (given.code, given.err) == (0, ""), given


def logins(node: RestNode) -> int:
    """How often somebody came with a password that was refused."""
    file = node.node.data_dir / "log" / "audit.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return sum("/login" in json.dumps(row) and "401" in json.dumps(row) for row in rows)


def is_reporting(report: Report) -> bool:
    return report.facts is not None


def test_the_doctor_names_the_broken_hop(
    node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    unregistered = agent("doctor", language="zh")
    assert unregistered.code == 1
    assert "未注册" in unregistered.out
    agent.register(control, api_url(node))
    assert hops(agent)["process"][0] == "broken"

    control.password = "another"
    found = hops(agent)
    assert found["relay.credentials"][0] == "broken"
    assert "REFUSED: " in found["relay.credentials"][1]
    control.close_relay()
    assert hops(agent)["relay.address"][0] == "broken"
    control.status = 401
    found = hops(agent)
    assert found["registration"][0] == "broken"
    assert found["relay.address"][0] == "skipped"
    assert found["cluster.credentials"][0] == "ok"


def test_a_relay_that_refuses_the_agent(
    node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    agent.register(control, api_url(node))
    control.password = "another"
    agent("start")

    refused = control.posted_report(lambda one: one.mqtt_connect_error.startswith("REFUSED: "))

    assert refused.facts is not None
    assert "REFUSED: " in agent("status").out


def test_an_agent_that_was_removed_while_away_learns_it_over_https(
    node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    agent.register(control, api_url(node))
    control.status = 410
    agent("start")

    place = Place(agent.home)
    eventually(lambda: SecretFile(place.secrets_file, place.key_file).read() == {})
    assert json.loads(agent("status", "--json").out)["registered"] is False


def test_a_registration_token_that_is_used_up(
    node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    agent.register(control, api_url(node))
    again = agent.register(control, api_url(node))

    assert (again.code, "the token is used up" in again.err) == (1, True), again
    # What was registered stays so.
    agent("start")
    control.report(is_reporting)
