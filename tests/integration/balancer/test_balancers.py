"""What a fleet meets behind HAProxy and NGINX, with TLS at the balancer and at the nodes."""

from __future__ import annotations

import pytest

from harness.balanced import DEVICE, Site, StartSite
from harness.balancer import HaProxy, Nginx
from harness.client import ClosedError
from harness.node import fresh_name
from harness.secure import SecureClient
from harness.waiting import until

SOURCES = [f"127.0.0.{number}" for number in range(2, 26)]


def is_gone(client: SecureClient) -> bool:
    """Whether the broker's side of the connection is gone."""
    try:
        client.fence()
    except (ClosedError, OSError):
        return True
    return False


@pytest.mark.parametrize("is_websocket", [False, True], ids=["mqtts", "wss"])
def test_the_node_sees_the_clients_address(shared_site: Site, is_websocket: bool) -> None:
    me = fresh_name("me")
    with shared_site.client(me, "127.0.0.77", is_websocket=is_websocket) as client:
        row = shared_site.node_of(me).row(me)

        assert row is not None
        assert row["ip_address"] == "127.0.0.77"
        client.subscribe("t", qos=1)
        client.publish("t", b"over the balancer", qos=1)
        client.receive("t", b"over the balancer")


# Version 1 of the PROXY protocol, which Debian's NGINX speaks, carries no certificate.
@pytest.mark.parametrize(
    "kind", ["haproxy", "haproxy-passthrough", "nginx-passthrough"], indirect=True
)
def test_the_name_in_a_certificate_reaches_the_node(shared_site: Site) -> None:
    with shared_site.client("certified", with_certificate=True):
        row = shared_site.node_of("certified").row("certified")

        assert row is not None
        assert row["username"] == DEVICE


@pytest.mark.parametrize("is_websocket", [False, True], ids=["mqtts", "wss"])
def test_clients_of_a_killed_node_come_back_through_the_other(
    site: Site, is_websocket: bool
) -> None:
    clients = {
        f"c{source}": site.client(f"c{source}", source, is_websocket=is_websocket)
        for source in SOURCES
    }
    victim, other = site.nodes
    lost, kept = victim.connected(), other.connected()
    assert lost | kept == clients.keys()
    assert lost
    assert kept

    victim.kill9()
    for name in lost:
        until(lambda name=name: is_gone(clients[name]), f"{name} notices")  # type: ignore[misc]
        clients[name].drop()
        clients[name] = site.client(name, name.removeprefix("c"), is_websocket=is_websocket)

    assert other.connected() == clients.keys()
    for name in kept:
        clients[name].fence()


def test_a_further_node_joins_behind_the_running_balancer(site: Site) -> None:
    before = {source: site.client(f"old{source}", source) for source in SOURCES}
    third = site.start_node()
    mqtt_port, _, status_port = third.ports()
    balancer = site.balancer
    if isinstance(balancer, HaProxy):
        is_through = "passthrough" in balancer.conf.name
        options = "send-proxy-v2" if is_through else "send-proxy-v2-ssl-cn"
        added = balancer.command(
            f"add server mqtt_nodes/node3 127.0.0.1:{mqtt_port} check port {status_port} {options}"
            " inter 500ms fall 2 rise 2"
        )
        assert "registered" in added
        balancer.command("enable health mqtt_nodes/node3")
        balancer.command("enable server mqtt_nodes/node3")
        balancer.await_up("mqtt_nodes/node3")
    else:
        assert isinstance(balancer, Nginx)
        first = f"server 127.0.0.1:{site.nodes[0].ports()[0]} max_fails=2 fail_timeout=10s;"
        balancer.rewrite(first, f"{first} server 127.0.0.1:{mqtt_port} max_fails=2;")

    for source in SOURCES:
        site.client(f"new{source}", source)

    assert third.connected()
    for client in before.values():
        client.fence()
    # Who is not taken by the new node stays where he was.
    stayed = [source for source in SOURCES if f"new{source}" not in third.connected()]
    assert all(site.node_of(f"new{s}") is site.node_of(f"old{s}") for s in stayed)


def test_a_drained_node_keeps_its_clients_and_gets_no_more(site: Site) -> None:
    before = {source: site.client(f"old{source}", source) for source in SOURCES}
    leaving, staying = site.nodes
    balancer = site.balancer
    if isinstance(balancer, HaProxy):
        assert balancer.command("set server mqtt_nodes/node1 state drain").strip() == ""
    else:
        assert isinstance(balancer, Nginx)
        line = f"server 127.0.0.1:{leaving.ports()[0]} max_fails=2 fail_timeout=10s;"
        balancer.rewrite(line, line.replace(";", " down;"))

    for source in SOURCES:
        site.client(f"new{source}", source)

    assert {f"new{source}" for source in SOURCES} <= staying.connected()
    assert leaving.connected()
    for client in before.values():
        client.fence()


@pytest.mark.parametrize("kind", ["haproxy", "haproxy-passthrough"], indirect=True)
def test_clients_of_a_drained_node_can_be_sent_to_the_others(site: Site) -> None:
    clients = {f"c{source}": site.client(f"c{source}", source) for source in SOURCES}
    leaving, staying = site.nodes
    sent = leaving.connected()
    assert sent
    assert isinstance(site.balancer, HaProxy)

    site.balancer.command("set server mqtt_nodes/node1 state drain")
    site.balancer.command("shutdown sessions server mqtt_nodes/node1")
    for name in sent:
        until(lambda name=name: is_gone(clients[name]), f"{name} notices")  # type: ignore[misc]
        clients[name] = site.client(name, name.removeprefix("c"))

    assert staying.connected() == clients.keys()
    assert leaving.connected() == set()


LEAST_CONNECTIONS = {
    "haproxy": {"balance source": "balance leastconn", "    hash-type consistent\n": ""},
    "nginx": {"hash $remote_addr consistent;": "least_conn;"},
}


@pytest.mark.parametrize("kind", list(LEAST_CONNECTIONS), indirect=True)
def test_with_least_connections_clients_of_one_address_spread(
    start_site: StartSite, kind: str
) -> None:
    site = start_site(**LEAST_CONNECTIONS[kind])
    clients = [site.client(f"c{number}") for number in range(10)]

    first, second = (node.connected() for node in site.nodes)
    assert first
    assert second
    assert len(first | second) == len(clients)
