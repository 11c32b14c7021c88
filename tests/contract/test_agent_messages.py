"""Messages as releases have sent them: later ones read them, and write no field away.

A file of `agent_v1/` is never changed. What a release adds gets new files, written by
`python tests/contract/test_agent_messages.py FOLDER`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rookery.contracts.agent_edge import (
    EdgeLeaving,
    EdgeNode,
    EdgeReport,
    EdgeStanding,
    Enrol,
    Enrolled,
    NodeCounts,
)
from rookery.contracts.agent_v1 import (
    TYPES,
    Cancel,
    Chunk,
    ClusterFacts,
    ClusterNode,
    Command,
    CommandState,
    Credit,
    Desired,
    Event,
    Integration,
    LogAck,
    LogBatch,
    Message,
    Presence,
    Reply,
    Report,
    Reported,
    Request,
    parse,
)

STORED = Path(__file__).parent / "agent_v1"
AT_MS = 1_700_000_000_000
EXAMPLES: dict[str, Message] = {
    "presence": Presence(
        "online", agent_version="0.1.0", boot_id="b1", clock_ms=AT_MS, capabilities=("http",)
    ),
    "presence-will": Presence("offline", agent_version="0.1.0", boot_id="b1"),
    "report": Report(
        "0.1.0",
        AT_MS,
        sequence=7,
        node_id="0123456789abcdef",
        boot_id="b1",
        cluster_nodes=(
            ClusterNode("emqx@10.0.0.1", "running", 86_400_000, "5.8.1", 120, "core"),
            ClusterNode("emqx@10.0.0.2", "stopped"),
        ),
        facts=ClusterFacts(
            AT_MS - 86_400_000, "5.8.1", "Enterprise", 120, 1000, True, "", {"received": 1.5}
        ),
        metrics={"connections.count": 120, "received_msg_rate": 1.5},
        dashboard_enabled=True,
        round_trip_ms=31,
    ),
    "report-integrations": Report(
        "0.2.0",
        AT_MS,
        cluster_nodes=(ClusterNode("emqx@10.0.0.1", figures={"load1": 0.5, "memory_used": 1e9}),),
        integration_counts={"rule": {"running": 2, "stopped": 1}, "connector": {"connected": 1}},
        integrations=(
            Integration("rule", "r1", "stopped", "规则"),
            Integration("connector", "http:a", "disconnected", "a", "http", "Connection refused"),
        ),
        integrations_left_out=3,
        integration_errors={"action": "TIMEOUT: no answer in time"},
    ),
    "report-errors": Report(
        "0.1.0",
        AT_MS,
        cluster_fetch_error="UNREACHABLE: http://127.0.0.1:18083: Connection refused",
        metrics_fetch_error="a",
        logs_fetch_error="b",
        node_connect_error="c",
        mqtt_connect_error="d",
    ),
    "event": Event("e1", AT_MS, "link.lost", "warning", "连接断开", {"server": "mqtts://h:38883"}),
    "request": Request(
        "r1",
        "POST",
        "/api/v5/rules?x=1",
        5000,
        target="dashboard",
        credential="key",
        headers=(("content-type", "application/json"),),
        credit=4,
        more=True,
        body=b'{"a":\n1}',
    ),
    "reply": Reply("r1", 201, (("content-type", "text/plain"),), body=b"\x00\xff\n"),
    "reply-error": Reply("r1", 504, error="TIMEOUT: no answer in time"),
    "chunk": Chunk("r1", 2, last=True, body=b"end"),
    "chunk-frame": Chunk("w1", 1, frame="text", final=False, body=b"{"),
    "credit": Credit("r1", 4),
    "log": LogBatch(
        "b1-7",
        "0123456789abcdef",
        "emqx.log.1",
        "emqx@10.0.0.1",
        12,
        b"what pack() of agent_logs makes",
    ),
    "log-ack": LogAck("b1-7", window=2),
    "log-ack-refused": LogAck("b1-7", is_kept=False, window=1, retry_ms=5000, error="disk full"),
    "cancel": Cancel("r1", "the caller has gone"),
    "report-limit": Report(
        "0.7.0",
        AT_MS,
        facts=ClusterFacts(connection_limit=25, limit_is_settable=True, limit_setting=50),
    ),
    "command": Command("c1", "quota.set", 60_000, 2, {"limit": "50"}),
    "command-state": CommandState(
        "c1", "failed", AT_MS, "NOT_PERMITTED", "not permitted", {"limit": "50"}
    ),
    "desired": Desired(3, report_interval_s=30, hash="abc"),
    "desired-tombstone": Desired(4, unregister="the cluster was deleted"),
    "reported": Reported(3, hash="abc"),
    "request-edge": Request(
        "r2", "GET", "/api/me", 5000, credential="viewer", caller="ada@example.com"
    ),
    "enrol": Enrol(
        "0" * 64,
        "9a1b2c3d-4f0c9a1b2d3e5f60",
        description="3 号车间",
        agent_version="0.10.0",
        host_name="gw-7",
    ),
    "enrolled": Enrolled("edge-4f0c9a1b2d3e5f60"),
    "enrolled-refused": Enrolled(code="TOO_MANY", text="too many", text_zh="过多"),
    "edge-report": EdgeReport(
        "0.10.0",
        AT_MS,
        sequence=7,
        boot_id="b1",
        started_at_ms=AT_MS - 60_000,
        host_name="gw-7",
        description="3 号车间",
        drivers=NodeCounts(2, 2, 1),
        apps=NodeCounts(1, 1, 0),
        tags=420,
        nodes=(
            EdgeNode("plc", "Modbus TCP", "driver", 3, 0, "refused", "连接被拒绝"),
            EdgeNode("mqtt", "MQTT", "app", 3, 1),
        ),
        nodes_left_out=1,
        figures={"load1": 0.5},
    ),
    "edge-standing": EdgeStanding(
        3,
        "managed",
        service="hall-3",
        project="Plant 1",
        organization="Factory East",
        report_interval_s=30,
    ),
    "edge-standing-rejected": EdgeStanding(4, "rejected", reason="not one of ours"),
    "edge-leaving": EdgeLeaving(forgets=True),
}


def test_every_type_is_stored() -> None:
    assert {type(message) for message in EXAMPLES.values()} == set(TYPES.values())
    assert {path.stem for path in STORED.glob("*.bin")} >= set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_stored_message_means_what_it_meant(name: str) -> None:
    assert parse((STORED / f"{name}.bin").read_bytes()) == EXAMPLES[name]


@pytest.mark.parametrize("path", sorted(STORED.glob("*.bin")), ids=lambda path: path.stem)
def test_no_field_is_lost(path: Path) -> None:
    stored, _, body = path.read_bytes().partition(b"\n")

    written, _, written_body = parse(path.read_bytes()).to_bytes().partition(b"\n")

    assert json.loads(stored).items() <= json.loads(written).items()
    assert written_body == body


if __name__ == "__main__":
    for stem, message in EXAMPLES.items():
        (Path(sys.argv[1]) / f"{stem}.bin").write_bytes(message.to_bytes())
