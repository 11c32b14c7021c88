"""Time-outs of the balancer against MQTT's keep alive, as the guide says it.

Only here the times of the files are replaced as well: nobody waits a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.balanced import KINDS, Site, StartSite, sites
from harness.packets import PingReq, PingResp
from harness.waiting import until

SHORT = {
    "haproxy": {
        "timeout client 16m": "timeout client 2s",
        "timeout server 16m": "timeout server 2s",
    },
    "nginx": {"proxy_timeout 16m": "proxy_timeout 2s"},
}


@pytest.fixture(scope="module", params=["haproxy", "nginx"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    assert name in KINDS
    return name


@pytest.fixture(scope="module")
def shared_site(kind: str, certs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sites(kind, certs, tmp_path_factory) as start:
        yield start(**SHORT[kind])


def test_a_client_more_silent_than_the_balancer_allows_is_cut_and_comes_back(
    shared_site: Site,
) -> None:
    client = shared_site.client("silent", keep_alive=3600)
    node = shared_site.node_of("silent")

    client.expect_closed()
    until(lambda: "silent" not in node.connected(), "the node notices")

    shared_site.client("silent", keep_alive=3600).fence()


def test_a_keep_alive_below_the_time_out_keeps_the_connection(
    shared_site: Site,
) -> None:
    client = shared_site.client("lively", keep_alive=1)
    generation = (shared_site.node_of("lively").row("lively") or {})["generation"]

    # Longer than the time-out in all, never as long in silence.
    for _ in range(4):
        shared_site.nodes[0].let_pass(1)
        client.send(PingReq())
        client.expect(PingResp)

    assert (shared_site.node_of("lively").row("lively") or {})["generation"] == generation


def test_the_node_can_shorten_the_keep_alive_of_mqtt_5_clients(
    start_site: StartSite, kind: str
) -> None:
    site: Site = start_site({"mqtt.server_keepalive": "1"}, **SHORT[kind])
    client = site.client("told", keep_alive=3600, level=5)

    assert client.connack.properties["server_keep_alive"] == 1
