"""Publishing, subscribing and unsubscribing by ``/api/v3``, with real clients at the other end."""

from __future__ import annotations

from typing import Any

import pytest

from harness.node import fresh_name
from integration.rest_v3.conftest import V3, V3Node


def test_a_message_reaches_its_subscribers(v3: V3Node, app: V3) -> None:
    topic = fresh_name("t/")
    with v3.node.connect() as client:
        client.subscribe(topic, qos=1)
        body = {"topic": topic, "payload": "aGk=", "encoding": "base64", "qos": 1}
        assert app.whole("POST", "/mqtt/publish", body) == {"code": 0}
        assert client.receive().payload == b"hi"
        body = {"topics": f"x/{topic},{topic}", "payload": "both", "client_id": "billing"}
        assert app.whole("POST", "/mqtt/publish", body) == {"code": 0}
        assert client.receive().payload == b"both"


def test_a_retained_message_stays(v3: V3Node, app: V3) -> None:
    topic = fresh_name("t/")
    app.whole("POST", "/mqtt/publish", {"topic": topic, "payload": "stays", "retain": True})
    with v3.node.connect() as client:
        client.subscribe(topic)
        assert client.receive().payload == b"stays"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"payload": "x"}, 115),
        ({"topic": "a/+", "payload": "x"}, 115),
        ({"topic": "a", "payload": "x", "qos": 3}, 116),
        ({"topic": "a", "payload": "x", "qos": True}, 116),
        ({"topic": "a", "payload": 1}, 108),
        ({"topic": "a", "payload": "?", "encoding": "base64"}, 108),
        ({"topic": "a", "payload": "x", "retain": "perhaps"}, 108),
        ([], 108),
        (b"{", 109),
    ],
)
def test_what_cannot_be_published_has_its_number(app: V3, body: Any, code: int) -> None:
    assert app.code("POST", "/mqtt/publish", body) == code


def test_each_message_of_many_has_its_answer(v3: V3Node, app: V3) -> None:
    topic = fresh_name("t/")
    with v3.node.connect() as client:
        client.subscribe(topic)
        body = [{"topic": topic, "payload": "1"}, {"topic": "#"}, {"topic": topic, "payload": "2"}]
        answers = app.whole("POST", "/mqtt/publish_batch", body)["data"]
        assert [item["code"] for item in answers] == [0, 115, 0]
        assert [client.receive().payload, client.receive().payload] == [b"1", b"2"]


def test_a_client_is_subscribed_and_unsubscribed(v3: V3Node, app: V3) -> None:
    name, topic = fresh_name("c"), fresh_name("t/")
    with v3.node.connect(name) as client, v3.node.connect() as publisher:
        body = {"client_id": name, "topic": topic, "qos": 1}
        assert app.whole("POST", "/mqtt/subscribe", body) == {"code": 0}
        publisher.publish(topic, b"in", qos=1)
        assert client.receive().payload == b"in"
        assert app.whole("POST", "/mqtt/unsubscribe", {"clientid": name, "topic": topic})
        client.expect_nothing_from(publisher)
        assert app.data(f"/subscriptions/{name}") == []
        batch = app.whole("POST", "/mqtt/subscribe_batch", [body, body | {"topic": "a/#/b"}])
        assert [item["code"] for item in batch["data"]] == [0, 115]
        gone = app.whole("POST", "/mqtt/unsubscribe_batch", [{"clientid": name, "topic": topic}])
        assert [item["code"] for item in gone["data"]] == [0]
        assert app.data(f"/subscriptions/{name}") == []


@pytest.mark.parametrize("verb", ["subscribe", "unsubscribe"])
def test_a_client_that_is_not_there_cannot_be_subscribed(app: V3, verb: str) -> None:
    body = {"client_id": fresh_name("nobody"), "topic": "a"}
    assert app.code("POST", f"/mqtt/{verb}", body) == 112
    assert app.code("POST", f"/mqtt/{verb}", {"topic": "a"}) == 107
