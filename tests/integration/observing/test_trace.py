"""Traces of a real node: what is written, for whom, and what is left over restarts."""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S
from harness.node import fresh_name
from harness.operator import Operator, eventually, operated
from rookery.client.management import _UnixConnection
from rookery.config.local_socket import socket_path
from rookery.errors import ConflictError, NotFoundError, RookeryError

PATH = "/api/v5/trace"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with operated(tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_trace_is_left(operator: Operator) -> Iterator[None]:
    yield
    operator.api.delete(PATH)


def start(operator: Operator, name: str, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = operator.api.post(PATH, {"name": name, **more})
    return row


def log(operator: Operator, name: str) -> str:
    text: str = operator.api.get(f"{PATH}/{name}/log?bytes=1000000")["items"]
    return text


def test_a_client_is_traced_from_connect_to_disconnect(operator: Operator) -> None:
    client_id, topic = fresh_name("device-"), fresh_name("t/")
    row = start(operator, "one", type="clientid", clientid=client_id)
    assert (row["status"], row["clientid"]) == ("running", client_id)

    with operator.node.connect(client_id, 5) as client:
        client.subscribe(topic, qos=1)
        client.publish(topic, b"hello\nworld", qos=1)
        client.receive(topic)
        client.disconnect()

    eventually(lambda: "client_disconnected" in log(operator, "one"))
    lines = log(operator, "one").splitlines()
    assert all(f" {client_id}@127.0.0.1:" in line for line in lines)
    for words in (
        f"msg: mqtt_packet_received, packet: CONNECT(ClientId={client_id}",
        "msg: mqtt_packet_sent, packet: CONNACK(AckFlags=0, ReasonCode=0)",
        "[CONNECTION] ",
        f"packet: SUBSCRIBE(PacketId=1, TopicFilters=[{topic}(Q1, NL0, RAP0, RH0)])",
        f"packet: PUBLISH(Q1, R0, D0, Topic={topic}, PacketId=",
        "payload: hello\\nworld",
        "msg: client_disconnected, reason: normal",
    ):
        assert any(words in line for line in lines), words


def test_a_topic_is_traced_in_json(operator: Operator) -> None:
    topic = fresh_name("plant/")
    start(operator, "heat", type="topic", topic="plant/+", formatter="json", payload_encode="hex")
    reader, writer = operator.node.connect(level=5), operator.node.connect(level=5)
    reader.subscribe(topic)
    writer.publish(topic, b"\x00\xff")
    writer.publish("other", b"x")
    reader.receive(topic)

    eventually(lambda: "mqtt_packet_sent" in log(operator, "heat"))
    entries = [json.loads(line) for line in log(operator, "heat").splitlines()]
    told = [(entry["msg"], entry["topic"]) for entry in entries if entry["tag"] != "SUBSCRIBE"]
    assert ("publish_to", topic) in told
    assert {topic_ for _, topic_ in told} == {topic}
    assert {e["payload"] for e in entries if e["msg"] == "publish_to"} == {"00ff"}
    assert all(entry["payload_encode"] == "hex" for entry in entries if "payload" in entry)


def test_payloads_can_be_hidden(operator: Operator) -> None:
    client_id = fresh_name("device-")
    start(operator, "quiet", type="clientid", clientid=client_id, payload_encode="hidden")
    with operator.node.connect(client_id) as client:
        client.publish("t", b"very-secret", qos=1)
    eventually(lambda: "client_disconnected" in log(operator, "quiet"))
    assert "payload: ******" in log(operator, "quiet")
    assert "very-secret" not in log(operator, "quiet")


def test_an_address_is_traced(operator: Operator) -> None:
    start(operator, "here", type="ip_address", ip_address="127.0.0.1")
    start(operator, "elsewhere", type="ip_address", ip_address="192.0.2.1")
    with operator.node.connect():
        pass
    eventually(lambda: "client_connected" in log(operator, "here"))
    assert log(operator, "elsewhere") == ""


def test_a_stopped_trace_keeps_its_log_and_adds_nothing(operator: Operator) -> None:
    client_id = fresh_name("device-")
    start(operator, "old", type="clientid", clientid=client_id)
    start(operator, "new", type="topic", topic=f"{client_id}/#")
    with operator.node.connect(client_id) as client:
        client.publish(f"{client_id}/1", b"", qos=1)
    eventually(lambda: "client_disconnected" in log(operator, "old"))

    assert operator.api.put(f"{PATH}/old/stop")["status"] == "stopped"
    before = log(operator, "old")
    with operator.node.connect(client_id) as client:
        client.publish(f"{client_id}/2", b"", qos=1)
    eventually(lambda: f"{client_id}/2" in log(operator, "new"))
    assert log(operator, "old") == before


def test_the_log_is_read_in_parts_and_downloaded(operator: Operator) -> None:
    client_id = fresh_name("gerät-")
    start(operator, "parts", type="clientid", clientid=client_id)
    with operator.node.connect(client_id) as client:
        client.publish("t", "größe".encode(), qos=1)
    eventually(lambda: "client_disconnected" in log(operator, "parts"))
    whole, text, at = log(operator, "parts"), "", 0
    while True:
        part = operator.api.get(f"{PATH}/parts/log?position={at}&bytes=7")
        if not part["items"]:
            break
        text, at = text + part["items"], part["meta"]["position"]
    assert text == whole

    [detail] = operator.api.get(f"{PATH}/parts/log_detail")
    assert detail["size"] == len(whole.encode())
    assert detail["mtime"] > 1_700_000_000_000
    [row] = operator.api.get(PATH)
    assert row["log_size"] == [{"node": "rookery@127.0.0.1", "size": detail["size"]}]

    archive = zipfile.ZipFile(io.BytesIO(download(operator, "parts")))
    assert archive.namelist() == ["rookery@127.0.0.1_trace_parts.log"]
    assert archive.read(archive.namelist()[0]).decode() == whole


def download(operator: Operator, name: str) -> bytes:
    connection = _UnixConnection(str(socket_path(operator.node.data_dir)), DEADLINE_S)
    connection.request("GET", f"{PATH}/{name}/download")
    answer: http.client.HTTPResponse = connection.getresponse()
    data = answer.read()
    assert answer.headers["content-disposition"] == f'attachment; filename="trace_{name}.zip"'
    connection.close()
    return data


@pytest.mark.parametrize(
    "body",
    [
        {"name": "1x", "type": "clientid", "clientid": "a"},
        {"name": "x/../y", "type": "clientid", "clientid": "a"},
        {"name": "x", "type": "clientid"},
        {"name": "x", "type": "clientid", "clientid": "a", "topic": "t"},
        {"name": "x", "type": "topic", "topic": "a/#/b"},
        {"name": "x", "type": "ip_address", "ip_address": "300.0.0.1"},
        {"name": "x", "type": "clientid", "clientid": "a", "end_at": 1},
        {"name": "x", "type": "clientid", "clientid": "a", "start_at": "yesterday"},
        {"name": "x", "type": "clientid", "clientid": "a", "unknown": 1},
    ],
)
def test_what_makes_no_sense_is_refused(operator: Operator, body: dict[str, Any]) -> None:
    with pytest.raises(RookeryError):
        operator.api.post(PATH, body)
    assert operator.api.get(PATH) == []


def test_names_and_conditions_are_unique_and_traces_bounded(operator: Operator) -> None:
    now = int(time.time()) + 3600
    same = {"type": "clientid", "clientid": "a", "start_at": now}
    assert start(operator, "first", **same)["status"] == "waiting"
    with pytest.raises(ConflictError):
        start(operator, "first", type="clientid", clientid="b")
    with pytest.raises(RookeryError, match="same"):
        start(operator, "second", **same)
    for number in range(29):
        start(operator, f"t{number}", type="clientid", clientid=f"c{number}")
    with pytest.raises(RookeryError, match="30"):
        start(operator, "more", type="clientid", clientid="more")
    with pytest.raises(NotFoundError):
        operator.api.delete(f"{PATH}/nothing")


def test_a_trace_starts_and_ends_by_the_clock(operator: Operator) -> None:
    now = int(time.time())
    start(operator, "short", type="clientid", clientid="c", start_at=now + 1, end_at=now + 2)
    eventually(lambda: operator.api.get(PATH)[0]["status"] == "running")
    with operator.node.connect("c"):
        pass
    eventually(lambda: operator.api.get(PATH)[0]["status"] == "stopped")


def test_a_trace_goes_on_after_a_restart(tmp_path: Path) -> None:
    with operated(tmp_path) as other:
        start(other, "kept", type="clientid", clientid="device")
        with other.node.connect("device"):
            pass
        eventually(lambda: "client_disconnected" in log(other, "kept"))
        other.node.restart()
        assert other.api.get(PATH)[0]["status"] == "running"
        with other.node.connect("device"):
            pass
        eventually(lambda: log(other, "kept").count("client_disconnected") == 2)

        other.api.delete(f"{PATH}/kept")
        assert [path.name for path in (tmp_path / "trace").iterdir()] == ["traces.json"]


def test_verdicts_about_topics_are_told(tmp_path: Path) -> None:
    (tmp_path / "acl.conf").write_text('{deny, all, publish, ["no/#"]}.\n{allow, all}.\n')
    text = 'authorization.sources = [{type = file, path = "acl.conf"}]'
    with operated(tmp_path, text) as other:
        start(other, "acl", type="clientid", clientid="device")
        with other.node.connect("device", 5) as client:
            client.publish("yes/1", b"", qos=1)
            client.publish("no/1", b"")
            client.fence()
        eventually(lambda: "client_disconnected" in log(other, "acl"))
        lines = log(other, "acl")
        assert "[AUTHN] device@" in lines
        assert "msg: authorization_permission_allowed, topic: yes/1" in lines
        assert "msg: authorization_permission_denied, topic: no/1" in lines
        assert "msg: cannot_publish_to_topic, topic: no/1" in lines


def test_the_command_line_starts_lists_shows_and_stops(operator: Operator) -> None:
    def ctl(*words: str) -> str:
        command = [sys.executable, "-m", "rookery", "ctl", "trace", *words]
        command += ["--data-dir", str(operator.node.data_dir)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "cli runs until" in ctl("start", "cli", "clientid", "device", "--for", "5m")
    with operator.node.connect("device"):
        pass
    eventually(lambda: "client_disconnected" in log(operator, "cli"))
    assert "cli" in ctl("list")
    assert ctl("show", "cli") == log(operator, "cli")
    assert "stopped" in ctl("stop", "cli")
    ctl("delete", "cli")
    assert json.loads(ctl("list", "--json")) == []
