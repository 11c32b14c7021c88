"""What is published over the REST interface passes a plugin like what clients publish."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import RawClient
from harness.ctl import Ctl
from harness.node import HOST, fresh_name
from harness.operator import Operator, eventually, operated
from harness.packets import Connect, Publish, Will
from harness.plugins import Plugins, archive_of
from harness.rest import RestSocket
from harness.rest_node import Rest

CODE = """
import asyncio
from rookery.plugins import Deny, Plugin

class Probe(Plugin):
    def on_publish(self, message):
        match message.topic.partition("/")[0]:
            case "take":
                return None
            case "refuse":
                return Deny(0x99)
            case "later":
                return self.later(message)
            case "grow":
                return message.replace(payload=bytes(2 << 20))
            case "own":
                self.context.publish("by/plugin", bytes(2 << 20))
                self.context.publish("by/plugin", b"small")
                return message
            case "wrong":
                return message.replace(topic="a/#")
            case "fail":
                raise ValueError(message.topic)
        text = f"{message.client_id} {message.qos} {message.properties.content_type} "
        return message.replace(payload=text.encode() + message.payload)

    async def later(self, message):
        await asyncio.sleep(0)
        return message.replace(topic="changed/topic")
"""


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    settings = {
        "management.listener.http.enable": "true",
        "management.listener.http.bind": f"{HOST}:0",
    }
    with operated(tmp_path_factory.mktemp("node"), settings=settings) as running:
        Plugins(running).run(archive_of(CODE))
        yield running


def body(topic: str, **more: Any) -> dict[str, Any]:
    return {"topic": topic, "payload": "x", **more}


def test_a_hook_changes_takes_and_refuses(operator: Operator) -> None:
    rest = RestSocket(operator.node.data_dir)
    with operator.login() as client:
        client.subscribe("#", qos=1)
        properties = {"content_type": "text/plain"}
        sent = rest.ask("POST", "/publish", body("t", qos=1, properties=properties))
        assert sent.status == 200
        client.receive("t", b"http_api 1 text/plain x")

        said = Ctl(operator.node.data_dir)("publish", "refuse/it", "x")
        assert (said.code, said.out) == (1, "")
        assert "probe-1.0.0" in said.err
        assert "153" in said.err

        taken = rest.ask("POST", "/publish", body("take/it"))
        assert (taken.status, taken.json["reason_code"]) == (202, 16)
        refused = rest.ask("POST", "/publish", body("refuse/it"))
        assert refused.status == 202
        assert refused.json == {
            "reason_code": 0x99,
            "message": "refused_by_plugin",
            "plugin": "probe-1.0.0",
        }

        assert rest.ask("POST", "/publish", body("later")).status == 200
        client.receive("changed/topic", b"x")
        # A hook that raises is ignored, as for messages of clients.
        assert rest.ask("POST", "/publish", body("fail")).status == 200
        client.receive("fail", b"x")


def test_one_answer_for_each_message_in_their_order(operator: Operator) -> None:
    rest = RestSocket(operator.node.data_dir)
    with operator.login() as client:
        client.subscribe("b/#", qos=1)
        topics = ["b/1", "take/it", "b/2", "refuse/it", "b/3"]
        answer = rest.ask("POST", "/publish/bulk", [body(topic) for topic in topics])
        assert answer.status == 202
        assert [item.get("reason_code", 0) for item in answer.json] == [0, 16, 0, 0x99, 0]
        for number in (1, 2, 3):
            client.receive(f"b/{number}", b"http_api 0 None x")
        # What cannot be published in a message's place is no answer, and to that message alone.
        answer = rest.ask("POST", "/publish/bulk", [body("refuse/it"), body("wrong")])
        assert [item.get("reason_code", 0) for item in answer.json] == [0x99, 16]
        invalid = rest.ask("POST", "/publish/bulk", [body("b/1"), body("b/+")])
        assert (invalid.status, invalid.json["reason_code"]) == (400, 144)


def test_a_client_and_the_interface_meet_the_same_hook(operator: Operator) -> None:
    with operator.login() as client:
        client.subscribe("s", qos=1)
        client.publish("s", b"y", qos=1)
        message = client.receive()
        assert message.payload.endswith(b" 1 None y")


def test_an_answer_larger_than_a_packet_may_be_is_a_failure(operator: Operator) -> None:
    rest = RestSocket(operator.node.data_dir)
    with operator.login() as client:
        client.subscribe("grow/#", qos=1)
        client.publish("grow/1", b"y", qos=1)
        client.receive("grow/1", b"y")
        assert rest.ask("POST", "/publish", body("grow/2")).status == 200
        client.receive("grow/2", b"x")
    said = f"a message of {(2 << 20) + 6} bytes"
    eventually(lambda: sum(said in line for line in operator.node.log) == 2)


def test_a_will_meets_the_same_hook(operator: Operator) -> None:
    with operator.login() as watcher:
        watcher.subscribe("#", qos=1)
        for topic in ("refuse/will", "take/will", "will"):
            leaving = RawClient(HOST, operator.node.port, 5)
            leaving.connect(Connect(fresh_name("w"), will=Will(topic, b"gone", qos=1)))
            leaving.drop()
        # Wills are asked about one by one, in any order; that none of the others comes a message
        # after them shows.
        assert watcher.receive("will").payload.endswith(b" 1 None gone")
        watcher.publish("last", b"m", qos=1)
        assert watcher.receive().topic_name == "last"


def test_questions_of_the_node_are_counted(operator: Operator) -> None:
    rest = RestSocket(operator.node.data_dir)
    at = "/plugins/probe-1.0.0/workers"

    def figures() -> tuple[int, int, int]:
        (row,) = rest.ask("GET", at).json
        return row["asked"], row["answered"], row["failed"]

    asked, answered, failed = figures()
    rest.ask("POST", "/publish/bulk", [body("count/1"), body("refuse/it"), body("count/2")])
    assert figures() == (asked + 3, answered + 3, failed)


def test_the_interface_of_emqx_3_says_that_a_plugin_refused(operator: Operator) -> None:
    rest = RestSocket(operator.node.data_dir)
    key = rest.ask("POST", "/api_key", {"name": "old-tool", "role": "publisher"}).json
    address = {row["listener"]: row["address"] for row in operator.api.get("/ports")}
    port = int(address["http:management"].rpartition(":")[2])
    asked = Rest(port).with_key(key["api_key"], key["api_secret"])

    def said(topics: str) -> dict[str, Any]:
        sent = {"topics": topics, "payload": "x"}
        answer: dict[str, Any] = asked.ask("POST", "/api/v3/mqtt/publish", sent).json
        return answer

    assert said("fine,take/it")["code"] == 0
    refused = said("fine,refuse/it")
    assert refused["code"] == 102
    assert refused["message"] == "refused by a plugin: refuse/it (reason code 0x99)"


def test_a_stopped_plugin_is_not_asked(tmp_path: Path) -> None:
    with operated(tmp_path) as running:
        plugins = Plugins(running)
        plugins.run(archive_of(CODE))
        rest = RestSocket(running.node.data_dir)
        plugins.act("probe-1.0.0", "restart")
        assert rest.ask("POST", "/publish", body("refuse/it")).json["reason_code"] == 0x99
        plugins.act("probe-1.0.0", "stop")
        assert rest.ask("POST", "/publish", body("refuse/it")).json["reason_code"] == 16


def test_a_plugin_publishes_nothing_that_no_client_could_send(operator: Operator) -> None:
    with operator.login() as client:
        client.subscribe("by/plugin")
        sent = RestSocket(operator.node.data_dir).ask("POST", "/publish", body("own/1"))
        assert sent.status in (200, 202), sent
        assert client.expect(Publish).payload == b"small"
    said = f"a message of {(2 << 20) + len('by/plugin')} bytes is more than mqtt.max_packet_size"
    eventually(lambda: said in "\n".join(operator.node.log))
