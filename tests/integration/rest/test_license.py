"""``/license`` (the connection quota) and ``/load_rebalance`` of a real node."""

from __future__ import annotations

from harness.operator import Operator, eventually
from harness.rest import RestSocket

QUOTA_EXCEEDED = 0x97
UNBOUNDED = 1_000_000_000


def test_the_quota_is_set_as_a_manager_of_emqx_does(shared: Operator, asks: RestSocket) -> None:
    told = asks.ask("GET", "/license").json
    assert (told["type"], told["expiry"], told["max_connections"]) == (
        "community",
        False,
        UNBOUNDED,
    )
    setting = asks.ask("GET", "/license/setting").json
    assert setting == {
        "connection_low_watermark": "75%",
        "connection_high_watermark": "80%",
        "dynamic_max_connections": "infinity",
        "managed_by": None,
    }
    changed = asks.ask("PUT", "/license/setting", {"dynamic_max_connections": 2})
    assert (changed.status, changed.json) == (200, {**setting, "dynamic_max_connections": 2})
    with shared.login(), shared.login():
        assert shared.refusal() == QUOTA_EXCEEDED
        told = asks.ask("GET", "/license").json
        assert (told["max_connections"], told["connections"]) == (2, 2)
        eventually(lambda: "connection_quota" in shared.alarms())
    asks.ask("PUT", "/license/setting", {"dynamic_max_connections": "infinity"})
    shared.login().disconnect()
    assert asks.ask("GET", "/license/setting").json == setting


def test_a_bad_quota_is_refused_by_the_name_it_was_sent_under(asks: RestSocket) -> None:
    bad = {"dynamic_max_connections": 0}
    english = asks.ask("PUT", "/license/setting", bad)
    chinese = asks.ask("PUT", "/license/setting", bad, {"accept-language": "zh"})
    assert english.json["message"].startswith("dynamic_max_connections: ")
    assert chinese.json["message"].startswith("dynamic_max_connections：")
    low = asks.ask("PUT", "/license/setting", {"connection_low_watermark": "much", **bad})
    assert "\nconnection_low_watermark: " in "\n" + low.json["message"]


def test_the_node_says_who_manages_its_quota(asks: RestSocket) -> None:
    manager = {"name": "Plant IT", "url": "https://control.example:8082", "former_limit": 500}
    wanted = {"dynamic_max_connections": 7, "managed_by": manager}
    shown = asks.ask("PUT", "/license/setting", wanted).json
    assert (shown["dynamic_max_connections"], shown["managed_by"]) == (7, manager)
    # What somebody else changes leaves it as it is.
    asks.ask("PUT", "/license/setting", {"dynamic_max_connections": 8})
    assert asks.ask("GET", "/license/setting").json["managed_by"] == manager
    for bad in ({"name": ""}, {"name": "x", "url": "javascript:1"}, {"name": "x\n"}, {}):
        assert asks.ask("PUT", "/license/setting", {"managed_by": bad}).status == 400
    released = {"dynamic_max_connections": "infinity", "managed_by": None}
    assert asks.ask("PUT", "/license/setting", released).json["managed_by"] is None


def test_watermarks_have_an_order(asks: RestSocket) -> None:
    low = {"connection_low_watermark": "50%", "connection_high_watermark": "60%"}
    assert asks.ask("PUT", "/license/setting", low).status == 200
    for bad in (
        {"connection_low_watermark": "60%"},
        {"connection_low_watermark": "much"},
        {"dynamic_max_connections": 0},
        {"key": "x"},
        {},
    ):
        assert asks.ask("PUT", "/license/setting", bad).status == 400
    shown = asks.ask("GET", "/license/setting").json
    assert shown["connection_low_watermark"] == "50%"


def test_a_balancer_may_send_clients(asks: RestSocket) -> None:
    assert asks.ask("GET", "/load_rebalance/availability_check").status == 200
    assert asks.ask("GET", "/load_rebalance/status").json == {"status": "disabled"}
    empty: dict[str, list[object]] = {"evacuations": [], "purges": [], "rebalances": []}
    assert asks.ask("GET", "/load_rebalance/global_status").json == empty
