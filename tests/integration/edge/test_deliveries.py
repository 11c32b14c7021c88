"""What an edge service does with configuration that the control plane delivers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.edge import EdgeWorld, edge_world

TEMPLATE = "4f0c9a1b2d3e5f60"
BROKER = {"host": "127.0.0.1", "port": 1, "client-id": "north-1", "username": "plant"}


def document(*, latency: int = 5, tags: int = 2, **more: Any) -> dict[str, Any]:
    """A driver with a group, and an application that gets it."""
    return {
        "nodes": [
            {"name": "press", "plugin": "Simulator"},
            {"name": "north", "plugin": "MQTT"},
        ],
        "settings": [
            {"node": "press", "params": {"latency": latency}},
            {"node": "north", "params": {**BROKER, "password": "not-for-logs"}},
        ],
        "groups": [{"driver": "press", "group": "line", "interval": 1000}],
        "tags": [
            {
                "driver": "press",
                "group": "line",
                "tags": [
                    {"name": f"t{n}", "address": "counter", "attribute": 1, "type": 5}
                    for n in range(tags)
                ],
            }
        ],
        "subscriptions": [{"app": "north", "driver": "press", "group": "line"}],
        **more,
    }


def order(version: int, delivery: str, wanted: dict[str, Any]) -> dict[str, Any]:
    return {
        "template": TEMPLATE,
        "name": "press line",
        "version": version,
        "delivery": delivery,
        "document": wanted,
    }


async def listed(edge: EdgeWorld, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await edge.did(token, "GET", "/deliveries"))["deliveries"]
    return found


async def nodes(edge: EdgeWorld, token: str) -> set[str]:
    found = await edge.did(token, "GET", "/neuron/global/config")
    return {node["name"] for node in found["nodes"]}


async def latency(edge: EdgeWorld, token: str) -> int:
    found = await edge.did(token, "GET", "/neuron/node/setting?node=press")
    return int(found["params"]["latency"])


async def test_it_is_tried_taken_once_changed_and_taken_back(tmp_path: Path) -> None:
    async with edge_world(tmp_path / "edge") as edge:
        token = await edge.first_visit()
        own = {"name": "own", "plugin": "Simulator", "params": {}}
        await edge.did(token, "POST", "/neuron/node", own)
        given = {"template": TEMPLATE, "document": document()}
        tried = await edge.did(token, "POST", "/deliveries/check", given)
        assert {row["name"]: row["change"] for row in tried["nodes"]} == {
            "press": "new", "north": "new",
        }  # fmt: skip
        assert await nodes(edge, token) == {"own"}
        done = await edge.did(token, "PUT", "/deliveries", order(1, "d1", document()))
        assert (done["is_new"], done["delivered"]["version"]) == (True, 1)
        assert await nodes(edge, token) == {"own", "press", "north"}
        again = await edge.did(token, "PUT", "/deliveries", order(1, "d1", document(latency=9)))
        assert not again["is_new"]
        assert await latency(edge, token) == 5

        second = document(latency=7, tags=3)
        tried = await edge.did(
            token, "POST", "/deliveries/check", {"template": TEMPLATE, "document": second}
        )
        press = next(row for row in tried["nodes"] if row["name"] == "press")
        assert (press["change"], press["settings"]) == ("changed", ["latency"])
        assert press["tags"] == {"added": 1, "removed": 0, "changed": 0}
        assert "not-for-logs" not in str(tried)
        await edge.did(token, "PUT", "/deliveries", order(2, "d2", second))
        assert await latency(edge, token) == 7

        back = {"template": TEMPLATE, "delivery": "d3", "of": "d1"}
        refused = await edge.ask("POST", "/deliveries/rollback", back, token=token)
        assert refused.status == 409
        assert "最近一次下发" in refused.json["message_zh"]
        back["of"] = "d2"
        done = await edge.did(token, "POST", "/deliveries/rollback", back)
        assert done["delivered"]["version"] == 1
        assert await latency(edge, token) == 5
        once_more = await edge.did(token, "POST", "/deliveries/rollback", back)
        assert not once_more["is_new"]
        assert await latency(edge, token) == 5


async def test_what_a_version_leaves_out_goes_and_comes_back(tmp_path: Path) -> None:
    async with edge_world(tmp_path / "edge") as edge:
        token = await edge.first_visit()
        await edge.did(token, "PUT", "/deliveries", order(1, "d1", document()))
        alone = document(subscriptions=[])
        alone["nodes"] = alone["nodes"][:1]
        alone["settings"] = alone["settings"][:1]
        await edge.did(token, "PUT", "/deliveries", order(2, "d2", alone))
        assert await nodes(edge, token) == {"press"}
        back = {"template": TEMPLATE, "delivery": "d3", "of": "d2"}
        await edge.did(token, "POST", "/deliveries/rollback", back)
        assert await nodes(edge, token) == {"press", "north"}
        found = await edge.did(token, "GET", "/neuron/global/config?secrets=true")
        assert [row["app"] for row in found["subscriptions"]] == ["north"]
        secret = next(row for row in found["settings"] if row["node"] == "north")
        assert secret["params"]["password"] == "not-for-logs"
        (row,) = await listed(edge, token)
        assert (row["version"], row["delivery"], row["is_changed"]) == (1, "d3", False)


async def test_the_first_one_taken_back_leaves_what_was_there(tmp_path: Path) -> None:
    async with edge_world(tmp_path / "edge") as edge:
        token = await edge.first_visit()
        mine = {"name": "press", "plugin": "Simulator", "params": {"latency": 3}}
        await edge.did(token, "POST", "/neuron/node", mine)
        await edge.did(token, "PUT", "/deliveries", order(1, "d1", document()))
        back = {"template": TEMPLATE, "delivery": "d2", "of": "d1"}
        done = await edge.did(token, "POST", "/deliveries/rollback", back)
        assert done["delivered"]["version"] == 0
        assert await nodes(edge, token) == {"press"}
        assert await latency(edge, token) == 3
        assert await listed(edge, token) == []


WRONG: tuple[tuple[Callable[[Any], None], str], ...] = (
    (lambda wanted: wanted["nodes"][0].update(plugin="No such"), "No such"),
    (lambda wanted: wanted["settings"][0]["params"].update(latency=-1), "latency"),
    (lambda wanted: wanted["groups"][0].update(interval=1), "interval"),
    (lambda wanted: wanted["tags"][0]["tags"][1].update(address="no:such"), "t1"),
    (lambda wanted: wanted["subscriptions"][0].update(group="other"), "other"),
    (lambda wanted: wanted["settings"][1]["params"].update(password="******"), "password"),
)


async def test_what_is_wrong_changes_nothing(tmp_path: Path) -> None:
    async with edge_world(tmp_path / "edge") as edge:
        token = await edge.first_visit()
        for change, words in WRONG:
            wrong = copy.deepcopy(document())
            change(wrong)
            for method, path, given in (
                ("POST", "/deliveries/check", {"template": TEMPLATE, "document": wrong}),
                ("PUT", "/deliveries", order(1, "d1", wrong)),
            ):
                refused = await edge.ask(method, path, given, token=token)
                assert refused.status == 400, refused.text
                assert words in refused.json["message"]
                assert words in refused.json["message_zh"]
        assert await nodes(edge, token) == set()
        assert await listed(edge, token) == []


async def test_a_change_at_the_edge_is_told_also_after_a_restart(tmp_path: Path) -> None:
    async with edge_world(tmp_path / "edge") as edge:
        token = await edge.first_visit()
        await edge.did(token, "PUT", "/deliveries", order(1, "d1", document()))
        (row,) = await listed(edge, token)
        assert not row["is_changed"]
    async with edge_world(tmp_path / "edge") as edge:
        token = await edge.sign_in()
        (row,) = await listed(edge, token)
        assert (row["version"], row["is_changed"]) == (1, False)
        tag = {"name": "own", "address": "counter", "attribute": 1, "type": 5}
        more = {"node": "press", "group": "line", "tags": [tag]}
        await edge.did(token, "POST", "/neuron/tags", more)
        (row,) = await listed(edge, token)
        assert row["is_changed"]
        taken = {"node": "press", "group": "line", "tags": ["own"]}
        await edge.did(token, "DELETE", "/neuron/tags", taken)
        (row,) = await listed(edge, token)
        assert not row["is_changed"]
        # The same version again, under another delivery, sets right what somebody changed.
        await edge.did(token, "POST", "/neuron/tags", more)
        await edge.did(token, "PUT", "/deliveries", order(1, "d2", document()))
        (row,) = await listed(edge, token)
        assert (row["delivery"], row["is_changed"]) == ("d2", False)


async def test_viewers_look_and_deliver_nothing(tmp_path: Path) -> None:
    async with edge_world(tmp_path / "edge") as edge:
        token = await edge.first_visit()
        user = {"name": "vic", "password": "plant-8-south", "role": "viewer"}
        await edge.did(token, "POST", "/users", user)
        viewer = await edge.sign_in("vic", "plant-8-south")
        given = {"old_pass": "plant-8-south", "new_pass": "plant-9-south"}
        chosen = await edge.ask("POST", "/password", given, token=viewer)
        viewer = str(chosen.json["token"])
        assert (await edge.did(viewer, "GET", "/deliveries"))["deliveries"] == []
        refused = await edge.ask("PUT", "/deliveries", order(1, "d1", document()), token=viewer)
        assert refused.status == 403
