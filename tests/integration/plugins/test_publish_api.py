"""What is published over the REST interface passes a plugin like what clients publish."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.ctl import Ctl
from harness.operator import Operator, operated
from harness.plugins import Plugins, archive_of
from harness.rest import RestSocket

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
    with operated(tmp_path_factory.mktemp("node")) as running:
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
        assert "153" in said.err

        taken = rest.ask("POST", "/publish", body("take/it"))
        assert (taken.status, taken.json["reason_code"]) == (202, 16)
        refused = rest.ask("POST", "/publish", body("refuse/it"))
        assert (refused.status, refused.json["reason_code"]) == (202, 0x99)

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


def test_a_stopped_plugin_is_not_asked(tmp_path: Path) -> None:
    with operated(tmp_path) as running:
        plugins = Plugins(running)
        plugins.run(archive_of(CODE))
        rest = RestSocket(running.node.data_dir)
        plugins.act("probe-1.0.0", "restart")
        assert rest.ask("POST", "/publish", body("refuse/it")).json["reason_code"] == 0x99
        plugins.act("probe-1.0.0", "stop")
        assert rest.ask("POST", "/publish", body("refuse/it")).json["reason_code"] == 16
