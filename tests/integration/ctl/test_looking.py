"""What `rookery ctl` shows of a node that runs."""

from __future__ import annotations

import pytest

from harness.ctl import Ctl
from harness.operator import eventually
from harness.ports import free_port
from harness.rest import RestSocket
from harness.rest_node import RestNode


def test_the_node_and_its_cluster(ctl: Ctl, rest: RestNode) -> None:
    status = ctl.json("status")
    assert status["app_status"] == "running"
    assert (
        ctl.good("status").out == f"node {status['node_name']} runs, version {status['version']}\n"
    )
    assert ctl.good("broker").members["node_status"] == "running"
    cluster = ctl.json("cluster", "status")
    assert (cluster["running_nodes"], cluster["stopped_nodes"]) == ([status["node_name"]], [])


def test_figures_by_the_beginning_of_their_names(ctl: Ctl, rest: RestNode) -> None:
    with rest.node.connect(client_id="figures-1") as client:
        client.subscribe("figures/a")
        client.publish("figures/a", b"x")
        stats = ctl.json("stats", "live_connections")
        metrics = ctl.json("metrics", "messages.", "--nonzero")

    assert set(stats) == {"live_connections.count", "live_connections.max"}
    assert stats["live_connections.count"] >= 1
    assert metrics["messages.qos0.received"] >= 1
    assert all(name.startswith("messages.") and value for name, value in metrics.items())
    assert ctl.good("metrics", "nothing.has.this.name").out == "(none)\n"
    assert int(ctl.good("broker", "stats").members["connections.max"]) >= 1
    assert "received_msg_rate" in ctl.json("broker", "rates")


def test_load_memory_and_files_of_the_process(ctl: Ctl) -> None:
    everything = ctl.json("vm")
    assert set(ctl.json("vm", "io")) == {"process_max_fds", "process_open_fds"}
    assert everything["process_resident_memory_bytes"] > 0
    assert {"load1", "memory_total", "uptime"} <= set(everything)
    shown = ctl.good("vm").members
    assert shown["memory/process"].endswith("MiB")
    assert "cpu/load1" in shown
    assert "emqx_vm_cpu_use" not in shown


def test_how_many_messages_are_kept_is_said_first(ctl: Ctl) -> None:
    assert ctl.good("retainer", "info").out.startswith("number of retained messages: ")
    assert ctl.good("delayed", "info").out.startswith("number of delayed messages: ")
    assert {"retained.count", "retained.max"} <= set(ctl.json("retainer", "info"))


def test_why_a_backend_cannot_be_asked_stands_beside_it(ctl: Ctl, rest: RestNode) -> None:
    provider = {
        "mechanism": "password_based", "backend": "http", "method": "post",
        "url": f"http://127.0.0.1:{free_port()}/", "body": {"username": "${username}"},
    }  # fmt: skip
    asks = RestSocket(rest.node.data_dir)
    assert asks.ask("POST", "/authentication", provider).status == 200
    try:
        eventually(lambda: "refused" in ctl.good("authn", "list").out)
        chinese = Ctl(rest.node.data_dir, environ={"ROOKERY_LANG": "zh"})
        assert "已断开" in chinese.good("authn", "list").out
        (row,) = ctl.json("authn", "list")
        assert (row["status"], "connect to 127.0.0.1" in row["reason"]) == ("disconnected", True)
    finally:
        asks.ask("DELETE", "/authentication/password_based%3Ahttp")
        asks.ask("DELETE", "/alarms")


def test_clients_are_found_and_shown(ctl: Ctl, rest: RestNode) -> None:
    node = rest.node
    with node.connect(client_id="look-a") as first, node.connect(client_id="look-b"):
        first.subscribe("look/+", qos=1)
        listed = ctl.good("clients", "list", "--like", "look-")
        found = ctl.json("clients", "list", "--like", "look-")
        shown = ctl.good("clients", "show", "look-a").members
        subscriptions = ctl.good("clients", "subscriptions", "look-a").table
        few = ctl.json("clients", "list", "--like", "look-", "--limit", "1")

    assert listed.out.splitlines()[0].split()[0] == "CLIENT"
    assert sorted(row[0] for row in listed.table) == ["look-a", "look-b"]
    assert sorted(row["clientid"] for row in found) == ["look-a", "look-b"]
    assert (shown["connected"], shown["subscriptions_cnt"]) == ("yes", "1")
    assert subscriptions == [["look/+", "1", "0", "0", "0"]]
    assert len(few) == 1


def test_what_waits_for_a_client_that_is_away(ctl: Ctl, rest: RestNode) -> None:
    node = rest.node
    with node.connect(client_id="away-1", clean_start=False, level=4) as client:
        client.subscribe("away/#", qos=1)
        client.disconnect()
    with node.connect() as publisher:
        for number in range(3):
            publisher.publish(f"away/{number}", b"x", qos=1)

    sessions = ctl.json("sessions", "list", "--like", "away-", "--state", "disconnected")
    waiting = ctl.json("clients", "mqueue", "away-1")
    assert [row["mqueue_len"] for row in sessions] == [3]
    assert [row["topic"] for row in waiting] == ["away/0", "away/1", "away/2"]
    assert [row[1] for row in ctl.good("clients", "mqueue", "away-1").table] == [
        "away/0", "away/1", "away/2",
    ]  # fmt: skip
    assert ctl.good("clients", "inflight", "away-1").out == "(none)\n"
    assert ctl("sessions", "clean-persistent", "away-1").code == 0
    assert ctl("sessions", "show", "away-1").code == 1


def test_subscriptions_and_topics(ctl: Ctl, rest: RestNode) -> None:
    with rest.node.connect(client_id="subs-1") as client:
        client.subscribe("subs/+/a", "$share/group-1/subs/b", qos=1)
        by_topic = ctl.json("subscriptions", "list", "--match", "subs/1/a")
        by_group = ctl.json("subscriptions", "list", "--group", "group-1")
        shown = ctl.good("subscriptions", "show", "subs-1").table
        topics = [row["topic"] for row in ctl.json("topics", "list")]
        route = ctl.good("routes", "show", "subs/+/a").table

    assert [row["topic"] for row in by_topic] == ["subs/+/a"]
    assert [row["topic"] for row in by_group] == ["$share/group-1/subs/b"]
    assert sorted(row[1] for row in shown) == ["$share/group-1/subs/b", "subs/+/a"]
    assert {"subs/+/a", "subs/b"} <= set(topics)
    assert route[0][0] == "subs/+/a"
    assert ctl("topics", "show", "subs/none").code == 1


def test_a_long_list_comes_whole(ctl: Ctl, rest: RestNode) -> None:
    filters = [f"long/{number}" for number in range(1500)]
    with rest.node.connect(client_id="long-1") as client:
        for start in range(0, len(filters), 500):
            client.subscribe(*filters[start : start + 500])
        table = ctl.good("subscriptions", "list", "--match", "long/7").table
        everything = ctl.json("topics", "list")
        some = ctl.json("topics", "list", "--limit", "1200")
        lines = ctl.good("topics", "list").table

    assert [row[1] for row in table] == ["long/7"]
    assert set(filters) <= {row["topic"] for row in everything}
    assert len({row["topic"] for row in some}) == len(some) == 1200
    assert set(filters) <= {row[0] for row in lines}


@pytest.mark.parametrize(
    "words",
    [
        ("alarms", "list"),
        ("alarms", "list", "--history"),
        ("slow_subs", "list"),
        ("rewrite", "list"),
        ("auto_subscribe", "list"),
        ("authn", "list"),
        ("authz", "list"),
        ("delayed", "list"),
        ("topic_metrics", "list"),
    ],
)
def test_an_empty_list_is_said_to_be_empty(ctl: Ctl, words: tuple[str, ...]) -> None:
    assert ctl.good(*words).out == "(none)\n"
    assert ctl.json(*words) == []


@pytest.mark.parametrize(
    ("words", "member"),
    [
        (("retainer", "info"), "max_payload_size"),
        (("delayed", "info"), "max_delayed_messages"),
        (("slow_subs", "info"), "threshold"),
        (("license", "info"), "max_connections"),
    ],
)
def test_settings_of_a_feature(ctl: Ctl, words: tuple[str, ...], member: str) -> None:
    assert member in ctl.json(*words)
    assert member in ctl.good(*words).members


def test_names_that_would_write_on_the_terminal_are_shown_harmless(
    ctl: Ctl, rest: RestNode
) -> None:
    with rest.node.connect(client_id="esc-\u202ex"):
        out = ctl.good("clients", "list", "--like", "esc-").out

    assert "\u202e" not in out
    assert "esc-\\u202ex" in out


def test_texts_are_chinese_for_those_who_want_it(rest: RestNode) -> None:
    chinese = Ctl(rest.node.data_dir, environ={"ROOKERY_LANG": "zh"})

    assert "运行中" in chinese.good("status").out
    assert chinese.good("topic_metrics", "list").out == "（无）\n"


def test_listeners_alone_are_listed(ctl: Ctl) -> None:
    assert ctl.good("listeners").out == ctl.good("listeners", "list").out
    assert ctl("listeners", "bogus").code == 2


def test_a_setting_that_nobody_knows_is_an_error(ctl: Ctl) -> None:
    assert ctl.good("conf", "show", "log.console").out.startswith("log.console.")
    said = ctl("conf", "show", "log.consoles")
    assert (said.code, said.err) == (1, "error: there is no setting log.consoles\n")


def test_exclusive_subscriptions_are_listed_and_ended(ctl: Ctl, rest: RestNode) -> None:
    rest.set("mqtt.exclusive_subscription = true")
    with rest.node.connect(client_id="only-1") as first:
        first.subscribe("$exclusive/plant/7", qos=1)
        first.subscribe("plant/7", qos=1)
        listed = ctl.good("exclusive", "list").table
        ended = ctl.good("exclusive", "delete", "plant/7")
        left = ctl.json("subscriptions", "show", "only-1")
        again = ctl("exclusive", "delete", "$exclusive/plant/7")

    assert listed == [["plant/7", "only-1"]]
    assert "only-1" in ended.out
    assert [row["topic"] for row in left] == ["plant/7"]
    assert (again.code, again.err) == (1, "error: nobody has plant/7 for itself\n")
