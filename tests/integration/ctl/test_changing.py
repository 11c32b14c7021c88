"""What `rookery ctl` does to a node that runs."""

from __future__ import annotations

import json

from harness.client import RawClient
from harness.ctl import Ctl
from harness.rest_node import RestNode


def test_a_client_is_subscribed_and_unsubscribed(ctl: Ctl, rest: RestNode) -> None:
    with rest.node.connect(client_id="made-1") as client:
        assert "is subscribed" in ctl.good("clients", "subscribe", "made-1", "made/a").out
        ctl.good("subscriptions", "add", "made-1", "made/b", "1")
        ctl.good("publish", "made/b", "from here", "--qos", "1")
        client.receive("made/b", b"from here", qos=1)
        ctl.good("subscriptions", "del", "made-1", "made/b")
        ctl.good("clients", "unsubscribe", "made-1", "made/a")
        assert ctl.json("clients", "subscriptions", "made-1") == []
        assert ctl.json("clients", "keepalive", "made-1", "90")["keepalive"] == 90


def test_clients_are_kicked(ctl: Ctl, rest: RestNode) -> None:
    node = rest.node
    clients: list[RawClient] = [node.connect(client_id=f"kick-{number}") for number in (1, 2)]
    assert ctl.good("clients", "kick", "kick-1", "kick-2").out == "kicked kick-1, kick-2\n"
    for client in clients:
        client.expect_closed()
    said = ctl("clients", "kick", "kick-1")
    assert (said.code, said.out) == (1, "")
    assert "kick-1" in said.err


def test_publishing_says_whether_somebody_listens(ctl: Ctl, rest: RestNode) -> None:
    assert "nobody" in ctl.good("publish", "lonely", "x").out
    with rest.node.connect() as client:
        client.subscribe("heard")
        assert ctl.good("publish", "heard", "--file", "-", text="two\nlines").out == "published\n"
        client.receive("heard", b"two\nlines")
    refused = ctl("publish", "a/#", "x")
    assert (refused.code, "a/# is no topic name" in refused.err) == (1, True)
    assert ctl("publish", "a").code == 2


def test_retained_messages(ctl: Ctl) -> None:
    for topic in ("kept/1", "kept/2", "kept/3/x"):
        ctl.good("publish", topic, f"value of {topic}", "--retain")
    shown = ctl.good("retainer", "topics", "kept/+").table
    assert sorted(row[0] for row in shown) == ["kept/1", "kept/2"]
    assert ctl.good("retainer", "show", "kept/1").out == "value of kept/1"
    ctl.good("retainer", "clean", "kept/+")
    assert [row["topic"] for row in ctl.json("retainer", "topics", "kept/#")] == ["kept/3/x"]
    assert ctl("retainer", "clean").code == 1
    assert ctl("retainer", "clean", "kept/none").code == 1
    ctl.good("retainer", "clean", "--all")
    assert ctl.json("retainer", "topics") == []


def test_delayed_messages(ctl: Ctl) -> None:
    for topic in ("later/1", "later/2"):
        ctl.good("publish", f"$delayed/3600/{topic}", "x")
    waiting = {row["topic"]: row["msgid"] for row in ctl.json("delayed", "list")}
    assert set(waiting) == {"later/1", "later/2"}
    assert ctl.json("delayed", "show", waiting["later/1"])["topic"] == "later/1"
    ctl.good("delayed", "del", "--id", waiting["later/1"])
    ctl.good("delayed", "del", "later/2")
    assert ctl.json("delayed", "list") == []
    assert ctl("delayed", "del").code == 2


def test_topics_are_counted(ctl: Ctl) -> None:
    ctl.good("topic_metrics", "add", "counted/1")
    ctl.good("publish", "counted/1", "x", "--qos", "1")
    ((topic, incoming, *_),) = ctl.good("topic_metrics", "list").table
    assert (topic, incoming) == ("counted/1", "1")
    assert ctl.good("topic_metrics", "show", "counted/1").members["message.qos1.in.count"] == "1"
    ctl.good("topic_metrics", "reset", "counted/1")
    assert ctl.good("topic_metrics", "show", "counted/1").members["message.in.count"] == "0"
    ctl.good("topic_metrics", "del", "counted/1")
    assert ctl.json("topic_metrics", "list") == []


def test_settings_are_loaded_and_taken_back(ctl: Ctl) -> None:
    def value() -> object:
        return ctl.json("conf", "show", "mqtt.max_inflight")[0]["value"]

    before = value()
    ctl.good("conf", "load", "-", text="mqtt.max_inflight = 17")
    assert value() == 17
    ctl.good("conf", "reset", "mqtt.max_inflight")
    assert value() == before
    assert ctl("conf", "load", "-", text="mqtt.max_inflight = none").code == 1
    assert "mqtt" in ctl.json("conf", "show_keys")


def test_a_listener_is_closed_for_good_and_opened_again(ctl: Ctl) -> None:
    ctl.good("listeners", "enable", "ws:default", "false")
    rows = {row["id"]: row for row in ctl.json("listeners", "list")}
    assert not rows["ws:default"]["running"]
    ctl.good("listeners", "enable", "ws:default", "true")
    rows = {row["id"]: row for row in ctl.json("listeners", "list")}
    assert rows["ws:default"]["running"]


def test_the_cache_of_authorization_is_cleaned_with_the_words_of_emqx(ctl: Ctl) -> None:
    own = ctl.json("status")["node_name"]
    for words in ([], ["all"], ["node", own]):
        ctl.good("authz", "cache-clean", *words)
        ctl.good("acl", "cache-clean", *words)
    assert "sensor-1" in ctl("authz", "cache-clean", "sensor-1").err
    assert "rookery@10.9.9.9" in ctl("authz", "cache-clean", "node", "rookery@10.9.9.9").err
    assert "name the node" in ctl("authz", "cache-clean", "node").err
    assert "one word too many" in ctl("authz", "cache-clean", "a", "b").err


def test_changes_are_in_the_audit_log(ctl: Ctl) -> None:
    ctl.good("slow_subs", "clear")
    ctl.good("authz", "cache-clean")
    ctl.good("alarms", "clear")

    rows = ctl.json("audit", "list", "--limit", "3")
    assert [row["http_method"] for row in rows] == ["delete"] * 3
    assert {row["from"] for row in rows} == {"cli"}
    assert "/alarms" in json.dumps(rows)
