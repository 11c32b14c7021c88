"""The agent as an operator runs it: registered, running, reporting, removed."""

from __future__ import annotations

import json

from harness.agent_command import AgentCommand, api_url
from harness.rest_node import PASSWORD, RestNode
from harness.stand_in_control import AGENT_ID, TOKEN, StandInControl
from rookery.contracts.agent_v1 import Channel, Desired, Reply, Report, Reported, Request


def is_good(report: Report) -> bool:
    return report.facts is not None and not any(errors_of(report).values())


def errors_of(report: Report) -> dict[str, str]:
    return {
        "cluster": report.cluster_fetch_error,
        "metrics": report.metrics_fetch_error,
        "logs": report.logs_fetch_error,
        "node": report.node_connect_error,
        "mqtt": report.mqtt_connect_error,
    }


def keys_of(node: RestNode) -> list[str]:
    rows = node.admin.get("/api_key").json
    rows = rows["data"] if isinstance(rows, dict) else rows
    return [row["name"] for row in rows if row["name"].startswith("rookery-agent-")]


def test_the_life_of_an_agent(node: RestNode, control: StandInControl, agent: AgentCommand) -> None:
    done = agent.register(control, api_url(node))
    assert (done.code, AGENT_ID in done.out) == (0, True), done
    assert keys_of(node) == [f"rookery-agent-{control.registrations[0].node_id[:12]}"]

    started = agent("start")
    assert started.code == 0, started
    assert "the agent runs" in started.out
    online = control.presence("online")
    assert online.kind == "cluster"
    report = control.report(is_good)
    facts = report.facts
    assert facts is not None
    (row,) = node.admin.get("/nodes").json
    assert [(one.node, one.status, one.version) for one in report.cluster_nodes] == [
        (row["node"], "running", row["version"])
    ]
    assert (facts.version, facts.connections) == (row["version"], row["live_connections"])
    assert facts.limit_is_settable is True
    assert report.metrics["connections.count"] == 0
    assert report.boot_id == online.boot_id

    status = agent("status")
    assert status.code == 0, status
    assert AGENT_ID in status.out
    told = json.loads(agent("status", "--json").out)
    assert (told["running"], told["registered"]) == (True, True)
    checked = agent("doctor")
    assert (checked.code, "every hop works" in checked.out) == (0, True), checked

    control.tell(Channel.REQUEST, Request("r1", "GET", "/api/v5/nodes", 10_000, credential="key"))
    reply = control.heard(Channel.REPLY)
    assert isinstance(reply, Reply)
    assert (reply.id, reply.status, reply.error) == ("r1", 200, "")
    assert json.loads(reply.body)[0]["node"] == row["node"]

    control.tell(Channel.DESIRED, Desired(3, report_interval_s=2, hash="h"), retain=True)
    assert control.heard(Channel.REPORTED) == Reported(3, hash="h")

    stopped = agent("stop")
    assert "stopped" in stopped.out
    control.presence("offline")
    left = agent("unregister")
    assert (left.code, left.err) == (0, ""), left
    assert keys_of(node) == []
    assert agent("status").out.count("not registered") == 1


def test_the_tombstone_ends_it(
    node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    agent.register(control, api_url(node))
    agent("start")
    control.report(is_good)

    control.tell(Channel.DESIRED, Desired(2, unregister="the cluster was deleted"), retain=True)

    assert control.heard(Channel.REPORTED) == Reported(2)
    control.presence("offline")
    assert "waiting for" in _log_until(agent, "waiting for")
    assert keys_of(node) == []
    assert json.loads(agent("status", "--json").out)["registered"] is False


def test_a_relay_that_goes_away(
    node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    agent.register(control, api_url(node))
    agent("start")
    control.report(is_good)

    control.close_relay()
    posted = control.posted_report(lambda one: bool(one.mqtt_connect_error))
    assert posted.mqtt_connect_error.startswith("UNREACHABLE: ")
    assert posted.facts is not None
    control.open_relay()

    assert control.report(is_good).sequence > posted.sequence


def test_a_wrong_password_costs_no_registration(
    node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    done = agent.register(control, api_url(node), password="another-password-1")

    assert done.code == 1
    assert "Nothing was registered" in done.err
    assert control.registrations == []
    again = agent.register(control, api_url(node), password="another-password-1")
    assert "tried again in 10 min" in again.err
    assert agent.register(control, api_url(node)).code == 0


def test_no_secret_in_files_or_output(
    node: RestNode, control: StandInControl, agent: AgentCommand
) -> None:
    done = agent.register(control, api_url(node))
    agent("start")
    control.report(is_good)
    agent("doctor")

    secrets = [PASSWORD.encode(), TOKEN.encode()]
    for path in agent.home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(secret in data for secret in secrets), path
            if path.parent.name == "state":
                assert path.stat().st_mode & 0o077 == 0, path
    assert PASSWORD not in done.out + done.err


def _log_until(agent: AgentCommand, words: str) -> str:
    from harness.operator import eventually

    file = agent.home / "log" / "agent.log"
    eventually(lambda: words in file.read_text())
    return file.read_text()
