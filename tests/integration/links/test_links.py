"""Two clusters that share topics: what crosses, what does not, and what either side says about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client import RawClient
from harness.ctl import Ctl
from harness.linked import Side, two_sides
from harness.operator import eventually, operated
from harness.packets import Publish
from harness.plugins import Plugins, archive_of

Sides = tuple[Side, Side]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """Two clusters for all tests of this file."""
    with two_sides(tmp_path_factory.mktemp("sides")) as both:
        yield both


@pytest.fixture
def linked(sides: Sides) -> Sides:
    """The same, linked in both directions; where they are, that stays so."""
    east, west = sides
    east.put(east.link_to(west))
    west.put(west.link_to(east))
    east.wait_for("west", None)
    west.wait_for("east", None)
    return sides


@pytest.fixture
def fresh(sides: Sides) -> Sides:
    """The same, without links."""
    for side in sides:
        side.put()
    return sides


def take(client: RawClient, *payloads: bytes) -> list[Publish]:
    found = [client.expect(Publish) for _ in payloads]
    for message in found:
        client.acknowledge(message)
    assert tuple(message.payload for message in found) == payloads
    return found


def test_what_one_side_wants_comes_from_the_other(linked: Sides) -> None:
    east, west = linked
    with east.client() as reader, west.client("writer") as writer:
        reader.subscribe("t/+", qos=2)
        west.wait_for_routes("east", 1)
        for qos in (0, 1, 2):
            writer.publish("t/1", b"%d" % qos, qos=qos)
        writer.publish("t/1/2", b"another filter", qos=1)
        writer.publish("t/2", b"end", qos=1)
        found = take(reader, b"0", b"1", b"2", b"end")
        assert [message.qos for message in found] == [0, 1, 1, 1]
        assert {message.topic_name for message in found} == {"t/1", "t/2"}
    forwarded = west.metrics("east")["forwarding"]
    assert forwarded["matched"] >= 4
    assert east.metrics("west")["receiving"]["received"] >= 4


def test_nothing_but_the_topics_of_a_link_crosses(linked: Sides) -> None:
    east, west = linked
    with east.client() as reader, west.client() as writer:
        reader.subscribe("#", qos=1)
        west.wait_for_routes("east", 1)
        writer.publish("other/1", b"not wanted", qos=1)
        writer.publish("t/1", b"wanted", qos=1)
        take(reader, b"wanted")


def test_one_copy_comes_however_many_filters_match(linked: Sides) -> None:
    east, west = linked
    with east.client() as one, east.client() as other, west.client() as writer:
        one.subscribe("t/#", qos=1)
        other.subscribe("t/1", qos=1)
        west.wait_for_routes("east", 2)
        writer.publish("t/1", b"a", qos=1)
        writer.publish("t/1", b"b", qos=1)
        take(one, b"a", b"b")
        take(other, b"a", b"b")


def test_each_link_has_its_series(linked: Sides) -> None:
    east, _ = linked
    text = east.rest.ask("GET", "/prometheus/stats").text
    assert 'rookery_cluster_link_connected{link="west"} 1' in text


def test_changes_are_audited_and_secrets_are_shown_to_nobody(linked: Sides) -> None:
    east, _ = linked
    assert east.operator.audited("/cluster/links", '"cluster.links": [{"name": "west"')
    log = (east.operator.node.data_dir / "log" / "audit.jsonl").read_text(encoding="utf-8")
    assert "a secret of links" not in log + east.rest.ask("GET", "/cluster/links").text


def test_a_link_that_is_disabled_on_one_side_is_explained_on_both(linked: Sides) -> None:
    east, west = linked
    west.put(west.link_to(east, enable=False))
    row = east.wait_for("west", "cluster_link_disabled")
    assert "enable the link east on west" in row["hint"]
    own = west.wait_for("east", "disabled", "disconnected")
    assert "disable it there as well" in own["hint"]
    assert any(name.startswith("cluster_link:west:") for name in east.operator.alarms())
    assert not any(name.startswith("cluster_link:") for name in west.operator.alarms())
    west.put(west.link_to(east))
    east.wait_for("west", None)


def test_what_comes_over_a_link_is_shown_to_rules_where_the_link_says_so(linked: Sides) -> None:
    east, west = linked
    made = east.rest.ask(
        "POST",
        "/rules",
        {
            "sql": 'SELECT payload, origin_link FROM "t/#"',
            "actions": [
                {
                    "function": "republish",
                    "args": {"topic": "seen/${origin_link}", "payload": "${payload}", "qos": 1},
                }
            ],
        },
    )
    assert made.status == 201, made.text
    with east.client() as reader, west.client("writer") as writer:
        reader.subscribe("t/#", "seen/#", qos=1)
        west.wait_for_routes("east", 1)
        writer.publish("t/1", b"hidden", qos=1)
        take(reader, b"hidden")
        east.put(east.link_to(west, extensions={"rules": True}))
        east.wait_for("west", None)
        west.wait_for_routes("east", 1)
        writer.publish("t/1", b"shown", qos=1)
        found = {message.topic_name for message in take(reader, b"shown", b"shown")}
    assert found == {"t/1", "seen/west"}
    assert east.rest.ask("DELETE", f"/rules/{made.json['id']}").status == 204


def test_what_a_link_keeps_on_disk_is_said(linked: Sides) -> None:
    east, west = linked
    [node] = east.link("west")["node_status"]
    assert (node["store"], node["stored"]) == ("agreed", 0)
    west.put()
    east.wait_for("west", "unknown_cluster")
    west.put(west.link_to(east, extensions={"store": {"enable": False}}))
    eventually(lambda: east.link("west")["node_status"][0]["store"] == "not_agreed")
    assert "store" not in west.link("east")["node_status"][0]


ASKED = """
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_publish(self, message):
        origin = message.origin_link or "here"
        return message.replace(payload=message.payload + b" of " + origin.encode())
"""


def test_hooks_see_what_comes_over_a_link_where_the_link_says_so(linked: Sides) -> None:
    east, west = linked
    plugins = Plugins(east.operator)
    plugins.run(archive_of(ASKED))
    with east.client() as reader, west.client("writer") as writer:
        reader.subscribe("t/#", qos=1)
        west.wait_for_routes("east", 1)
        writer.publish("t/1", b"hidden", qos=1)
        take(reader, b"hidden")
        east.put(east.link_to(west, extensions={"rules": True}))
        east.wait_for("west", None)
        west.wait_for_routes("east", 1)
        for qos in (1, 2):
            writer.publish("t/1", b"%d" % qos, qos=qos)
        take(reader, b"1 of west", b"2 of west")
        with east.client() as own:
            own.publish("t/1", b"own", qos=1)
        take(reader, b"own of here")
    plugins.act("probe-1.0.0", "stop")


def test_the_columns_of_rules_have_where_a_message_came_from(linked: Sides) -> None:
    events = linked[0].rest.ask("GET", "/rule_events").json
    having = {event["event"] for event in events if "origin_link" in event["columns"]}
    assert "$events/message_publish" in having


def test_a_side_that_wants_nothing_receives_nothing(fresh: Sides) -> None:
    east, west = fresh
    east.put(east.link_to(west, topics=[]))
    west.put(west.link_to(east))
    east.wait_for("west", None)
    west.wait_for("east", None)
    with east.client() as reader, west.client() as far_reader:
        reader.subscribe("t/#", qos=1)
        far_reader.subscribe("t/#", qos=1)
        east.wait_for_routes("west", 1)
        with west.client() as writer, east.client() as far_writer:
            writer.publish("t/1", b"stays here", qos=1)
            far_writer.publish("t/1", b"goes over", qos=1)
            take(reader, b"goes over")
            take(far_reader, b"stays here", b"goes over")
    assert west.metrics("east")["router"]["routes"] == 0


def test_a_side_without_its_link_is_named(fresh: Sides) -> None:
    east, west = fresh
    east.put(east.link_to(west))
    row = east.wait_for("west", "unknown_cluster")
    assert row["status_reason"].startswith("west has no link to east")
    assert "create a link on west with name = east" in row["hint"]
    west.put(west.link_to(east))
    east.wait_for("west", None)


def test_a_wrong_password_is_told(fresh: Sides) -> None:
    east, west = fresh
    west.put(west.link_to(east))
    east.put(east.link_to(west, password="wrong"))
    row = east.wait_for("west", "bad_credentials")
    assert "on west a user has to be there" in row["hint"]


def test_a_side_that_is_not_accepted_is_told(fresh: Sides) -> None:
    east, west = fresh
    west.put(west.link_to(east, accept={"username": "somebody"}))
    east.put(east.link_to(west))
    row = east.wait_for("west", "not_authorized")
    assert "west needs a link east that names this side in accept" in row["hint"]


def test_a_name_that_the_other_side_does_not_have_is_told(fresh: Sides) -> None:
    east, west = fresh
    west.put(west.link_to(east))
    east.put(east.link_to(west, name="south"))
    row = east.wait_for("south", "bad_remote_cluster_link_name")
    assert "has to be cluster.name of the other side" in row["hint"]


def test_settings_are_tried_without_keeping_them(fresh: Sides) -> None:
    east, west = fresh
    west.put(west.link_to(east))
    good = east.rest.ask("POST", "/cluster/links_probe", east.link_to(west))
    assert good.status == 204, good.text
    bad = east.rest.ask("POST", "/cluster/links_probe", east.link_to(west, password="wrong"))
    assert bad.problem == (400, "TEST_FAILED")
    nobody = east.rest.ask("POST", "/cluster/links_probe", east.link_to(west, server="127.0.0.1:1"))
    assert "nobody takes connections there" in nobody.json["message"]
    assert east.rest.ask("GET", "/cluster/links").json == []


def test_commands_do_what_the_rest_interface_does(fresh: Sides) -> None:
    east, west = fresh
    west.put(west.link_to(east))
    ctl = Ctl(east.operator.node.data_dir)
    file = east.operator.node.data_dir / "west.json"
    file.write_text(json.dumps(east.link_to(west)), encoding="utf-8")
    assert ctl.good("links", "test", "--file", str(file)).out.endswith("works\n")
    assert ctl.good("links", "create", "--file", str(file)).out.startswith("made the link to west")
    east.wait_for("west", None)
    assert "west" in ctl.good("links", "list").out
    assert ctl.good("links", "show", "west").members["password"] == "******"
    assert "forwarding.matched" in ctl.good("links", "metrics", "west").out
    assert ctl.good("links", "disable", "west").out.startswith("disabled the link to west\n")
    assert ctl.json("links", "show", "west")["enable"] is False
    ctl.good("links", "enable", "west")
    east.wait_for("west", None)
    ctl.good("links", "reset", "west")
    assert "delete the one there as well" in ctl.good("links", "delete", "west").out
    assert ctl("links", "show", "west").code == 1


def test_links_of_the_file_run_from_the_start_and_a_missing_file_keeps_one_down(
    tmp_path: Path,
) -> None:
    text = """\
cluster {
  name = "emqx-us-east"
  links = [
    {
      name = "emqx-eu-west"
      server = "emqx.us-east.myinfra.net"
      username = "clink-user:us-east"
      password = "clink-password-no-one-knows"
      clientid = "clink-us-east"
      topics = ["global/#", "fwd/#", "cluster/+/status"]
      ssl { enable = true, verify = verify_peer, certfile = "etc/certs/client/emqx-us-east.pem" }
    }
    { name = "other", server = "127.0.0.1:1", topics = [] }
  ]
}
"""
    with operated(tmp_path, text) as running:
        side = Side("emqx-us-east", running)
        row = side.wait_for("emqx-eu-west", "file", "disconnected")
        assert "emqx-us-east.pem: No such file" in row["status_reason"]
        side.wait_for("other", "refused")
        refused = side.rest.ask("DELETE", "/cluster/links/other")
        assert refused.problem == (409, "CONFLICT")
        eventually(lambda: any("emqx-eu-west" in name for name in running.alarms()))
