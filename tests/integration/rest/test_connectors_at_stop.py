"""A node is stopped while the service of a rule is away."""

from __future__ import annotations

from typing import Any

from harness.operator import Operator
from harness.rest import RestSocket

CONNECTOR = {"type": "http", "name": "away", "url": "http://127.0.0.1:1"}
ACTION = {
    "type": "http",
    "name": "tell",
    "connector": "away",
    "resource_opts": {"request_ttl": "infinity"},
}
RULE = {"id": "all", "sql": 'SELECT payload FROM "t/#"', "actions": ["http:tell"]}
ALARM = "connector:http:away"


def alarm(rest: RestSocket) -> dict[str, Any]:
    """The alarm of the connector."""
    found = rest.ask("GET", "/alarms").json["data"]
    return next(item for item in found if item["name"] == ALARM)


def test_a_node_stops_well_and_says_what_it_leaves(operator: Operator, rest: RestSocket) -> None:
    for path, body in (("/connectors", CONNECTOR), ("/actions", ACTION), ("/rules", RULE)):
        assert rest.ask("POST", path, body).status == 201
    for _ in range(3):
        assert rest.ask("POST", "/publish", {"topic": "t/1", "payload": "x"}).status == 202
    before = alarm(rest)
    operator.node.stop()
    log = "\n".join(operator.node.log)
    assert log.count("action http:tell: 3 messages that waited are dropped") == 1
    assert log.count("are dropped") == 1
    assert operator.node.log[-1].split()[1] == "stopped"
    assert "error" not in log
    operator.node.start()
    # Nobody mended it: it is the same alarm.
    assert alarm(rest)["activate_at"] == before["activate_at"]
    ended = rest.ask("GET", "/alarms?activated=false").json["data"]
    assert ALARM not in [item["name"] for item in ended]
