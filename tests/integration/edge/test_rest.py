"""The REST interface of an edge service, in the shape that scripts for Neuron know."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.client import DEADLINE_S
from harness.edge import PASSWORD, EdgeWorld, edge_world
from rookery.edge.features import routes
from rookery.edge.rest.guard import need_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAGS = [
    {"name": "wave", "address": "sine:10:60", "type": 9, "attribute": 1},
    {"name": "target", "address": "memory:target", "type": 3, "attribute": 3, "unit": "bar"},
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EdgeWorld]:
    async with edge_world(tmp_path_factory.mktemp("edge")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(world: EdgeWorld) -> str:
    first = await world.sign_in("admin", "0000")
    refused = await world.ask("GET", "/neuron/node", token=first)
    assert (refused.status, refused.json["error"]) == (403, 1018)
    token = await world.first_visit()
    await world.did(
        token, "POST", "/neuron/node", {"name": "plc", "plugin": "Simulator", "params": {}}
    )
    await world.did(token, "POST", "/neuron/group", {"node": "plc", "group": "g", "interval": 100})
    made = {"node": "plc", "group": "g", "tags": TAGS}
    assert (await world.did(token, "POST", "/neuron/tags", made))["index"] == 2
    return token


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def viewer(world: EdgeWorld, admin: str) -> str:
    given = {"name": "ada", "password": PASSWORD, "role": "viewer"}
    await world.did(admin, "POST", "/users", given)
    first = await world.sign_in("ada")
    changed = {"old_pass": PASSWORD, "new_pass": "plant-8-south"}
    token: str = (await world.did(first, "POST", "/password", changed))["token"]
    return token


async def test_who_asks_has_to_be_said(world: EdgeWorld) -> None:
    nobody = await world.ask("GET", "/neuron/node")
    assert (nobody.status, nobody.json["error"]) == (401, 1004)
    forged = await world.ask("GET", "/neuron/node", token="a.b.c")
    assert (forged.status, forged.json["error"]) == (401, 1008)
    bad = await world.ask("POST", "/login", {"name": "admin", "pass": "guess"})
    assert (bad.status, bad.json["error"]) == (401, 1009)


async def test_a_node_is_made_set_up_stopped_and_removed(world: EdgeWorld, admin: str) -> None:
    await world.did(admin, "POST", "/neuron/node", {"name": "pump", "plugin": "Simulator"})
    twice = await world.ask(
        "POST", "/neuron/node", {"name": "pump", "plugin": "Simulator"}, token=admin
    )
    assert (twice.status, twice.json["error"]) == (409, 2002)
    assert twice.json["message"]
    state = await world.did(admin, "GET", "/neuron/node/state?node=pump")
    assert state["running"] == 1
    setting = {"node": "pump", "params": {"latency": 5}}
    await world.did(admin, "POST", "/neuron/node/setting", setting)
    assert await world.did(admin, "GET", "/neuron/node/setting?node=pump") == setting
    wrong = {"node": "pump", "params": {"latency": "soon"}}
    refused = await world.ask("POST", "/neuron/node/setting", wrong, token=admin)
    assert (refused.status, refused.json["error"]) == (400, 2004)
    await world.did(admin, "POST", "/neuron/node/ctl", {"node": "pump", "cmd": 1})
    assert (await world.did(admin, "GET", "/neuron/node/state?node=pump"))["running"] == 4
    await world.did(admin, "PUT", "/neuron/node", {"name": "pump", "new_name": "pump-2"})
    listed = await world.did(admin, "GET", "/neuron/node?type=1")
    assert [row["name"] for row in listed["nodes"]] == ["plc", "pump-2"]
    await world.did(admin, "DELETE", "/neuron/node", {"name": "pump-2"})
    gone = await world.ask("GET", "/neuron/node/setting?node=pump-2", token=admin)
    assert (gone.status, gone.json["error"]) == (404, 2003)


async def test_tags_before_a_wrong_one_are_kept(world: EdgeWorld, admin: str) -> None:
    await world.did(admin, "POST", "/neuron/group", {"node": "plc", "group": "h", "interval": 1000})
    good = {"name": "a", "address": "counter", "type": 5}
    tags = [good, {**good, "name": "b", "type": 99}, {**good, "name": "c"}]
    answer = await world.ask(
        "POST", "/neuron/tags", {"node": "plc", "group": "h", "tags": tags}, token=admin
    )
    assert (answer.status, answer.json["error"], answer.json["index"]) == (206, 2204, 1)
    tags = [good, {**good, "name": "d", "address": "nowhere"}]
    answer = await world.ask(
        "POST", "/neuron/tags", {"node": "plc", "group": "h", "tags": tags[1:]}, token=admin
    )
    assert (answer.status, answer.json["error"], answer.json["index"]) == (206, 2205, 0)
    kept = await world.did(admin, "GET", "/neuron/tags?node=plc&group=h")
    assert [tag["name"] for tag in kept["tags"]] == ["a"]
    gtags = {"node": "plc", "groups": [{"group": "i", "interval": 500, "tags": [good]}]}
    assert (await world.did(admin, "POST", "/neuron/gtags", gtags))["index"] == 1
    for group in ("h", "i"):
        await world.did(admin, "DELETE", "/neuron/group", {"node": "plc", "group": group})


async def live(world: EdgeWorld, token: str, path: str) -> AsyncIterator[tuple[str, Any]]:
    """Events of a stream."""
    headers = {"authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(30)
    url = f"{world.url}/api{path}"
    async with world.client.get(url, headers=headers, timeout=timeout) as answer:
        assert answer.status == 200
        name = ""
        async for raw in answer.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


async def test_a_value_that_is_written_comes_back_live(
    world: EdgeWorld, admin: str, viewer: str
) -> None:
    async with asyncio.timeout(DEADLINE_S):
        events = live(world, viewer, "/neuron/read/stream?node=plc&group=g")
        name, first = await anext(events)
        assert name == "values"
        assert {row["name"] for row in first["tags"]} == {"wave", "target"}
        written = {"node": "plc", "group": "g", "tag": "target", "value": 42}
        await world.did(admin, "POST", "/neuron/write", written)
        async for _, seen in events:
            if {"name": "target", "value": 42} in seen["tags"]:
                break
        await events.aclose()  # type: ignore[attr-defined]
    read = await world.did(admin, "POST", "/neuron/read", {"node": "plc", "group": "g"})
    assert [(row["name"], row["value"]) for row in read["tags"]][1] == ("target", 42)
    page = {"node": "plc", "group": "g", "pageSize": 1, "currentPage": 2}
    shown = await world.did(viewer, "POST", "/neuron/read/paginate", page)
    assert shown["meta"] == {"currentPage": 2, "pageSize": 1, "total": 2}
    assert (shown["items"][0]["unit"], shown["items"][0]["value"]) == ("bar", 42)


async def test_writes_of_several_say_what_became_of_each(world: EdgeWorld, admin: str) -> None:
    writes = [{"tag": "target", "value": 7}, {"tag": "wave", "value": 1}, {"tag": "no", "value": 1}]
    given = {"node": "plc", "group": "g", "tags": writes}
    answer = await world.did(admin, "POST", "/neuron/write/tags", given)
    first, second, third = (row["error"] for row in answer["tags"])
    assert (first, third) == (0, 2201)
    assert answer["error"] == second != 0


async def test_a_tag_can_be_tried_before_it_is_added(world: EdgeWorld, viewer: str) -> None:
    given = {"driver": "plc", "tag": "x", "address": "counter", "type": 5}
    answer = await world.did(viewer, "POST", "/neuron/read/test", given)
    assert answer["error"] == 0
    assert isinstance(answer["value"], int)


async def test_the_configuration_is_a_file_that_can_be_put_back(
    world: EdgeWorld, admin: str
) -> None:
    kept = await world.did(admin, "GET", "/neuron/global/config")
    await world.did(admin, "DELETE", "/neuron/node", {"name": "plc"})
    broken = {**kept, "tags": [{**kept["tags"][0], "group": "nowhere"}]}
    refused = await world.ask("PUT", "/neuron/global/config", broken, token=admin)
    assert (refused.status, refused.json["error"]) == (404, 2106)
    await world.did(admin, "PUT", "/neuron/global/config", kept)
    assert await world.did(admin, "GET", "/neuron/global/config") == kept
    await world.did(admin, "PUT", "/neuron/global/drivers", kept)
    assert await world.did(admin, "GET", "/neuron/global/config") == kept


async def test_tags_go_out_and_in_as_a_workbook(world: EdgeWorld, admin: str) -> None:
    headers = {"authorization": f"Bearer {admin}"}
    url = f"{world.url}/api/neuron/tags"
    async with world.client.get(f"{url}/export?node=plc", headers=headers) as answer:
        assert answer.status == 200
        content = await answer.read()
    await world.did(admin, "DELETE", "/neuron/group", {"node": "plc", "group": "g"})
    async with world.client.post(f"{url}/import?node=plc", headers=headers, data=content) as answer:
        assert (answer.status, await answer.json()) == (200, {"error": 0, "groups": 1, "tags": 2})
    tags = (await world.did(admin, "GET", "/neuron/tags?node=plc&group=g"))["tags"]
    assert [(tag["name"], tag["address"]) for tag in tags] == [
        (tag["name"], tag["address"]) for tag in TAGS
    ]
    async with world.client.post(
        f"{url}/import?node=plc", headers=headers, data=b"no book"
    ) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, 1002)


async def test_a_template_makes_many_of_a_kind(world: EdgeWorld, admin: str) -> None:
    await world.did(admin, "POST", "/neuron/template/node", {"name": "pump", "node": "plc"})
    made = {"name": "pump", "node": "pump-7", "params": {}}
    await world.did(admin, "POST", "/neuron/template/inst", made)
    groups = await world.did(admin, "GET", "/neuron/group?node=pump-7")
    assert [(row["name"], row["tag_count"]) for row in groups["groups"]] == [("g", 2)]
    assert (await world.did(admin, "GET", "/neuron/template"))["templates"][0]["tag_count"] == 2
    twice = await world.ask("POST", "/neuron/template/inst", made, token=admin)
    assert (twice.status, twice.json["error"]) == (409, 2002)
    await world.did(admin, "DELETE", "/neuron/node", {"name": "pump-7"})
    await world.did(admin, "DELETE", "/neuron/template?name=pump")
    gone = await world.ask("GET", "/neuron/template?name=pump", token=admin)
    assert (gone.status, gone.json["error"]) == (404, 2501)


async def test_changes_are_in_the_log_with_who_made_them(world: EdgeWorld, admin: str) -> None:
    await world.did(admin, "PUT", "/neuron/log/level", {"level": "info"})
    shown = await world.did(admin, "GET", "/logs?find=log%2Flevel")
    assert "admin from 127.0.0.1: PUT /api/neuron/log/level 200" in shown["lines"][-1]["text"]


async def test_metrics_and_the_machine_are_shown(world: EdgeWorld, viewer: str) -> None:
    answer = await world.ask("GET", "/neuron/metrics", token=viewer)
    assert 'node_state{node="plc"} 3' in answer.text.splitlines()
    system = await world.did(viewer, "GET", "/neuron/system")
    assert system["tags"] == 2
    assert system["process_memory"] > 0


async def test_each_role_may_what_it_may(world: EdgeWorld, viewer: str) -> None:
    """Every operation there is: a viewer is refused what changes something, before it is looked at."""
    nothing: Any = None
    seen = set()
    for route in routes(nothing):
        method, need = min(route.methods or {"GET"}), need_of(route)
        seen.add((method == "GET", need))
        path = route.path_format.replace("{name}", "nobody")
        if need != "administrator":
            continue
        answer = await world.ask(method, path, {}, token=viewer)
        assert (answer.status, answer.json["error"]) == (403, 1017), (method, path)
    assert (False, "viewer") in seen
    for path in ("/neuron/node", "/neuron/global/config", "/neuron/plugin", "/logs"):
        assert (await world.ask("GET", path, token=viewer)).status == 200, path
    secrets = await world.ask("GET", "/neuron/global/config?secrets=true", token=viewer)
    assert secrets.status == 403


async def test_the_language_of_a_message_is_that_of_who_asks(world: EdgeWorld, admin: str) -> None:
    path = "/neuron/node/setting?node=none"
    headers = {"accept-language": "zh-CN"}
    answer = await world.ask("GET", path, token=admin, headers=headers)
    assert answer.json["message"] == "节点 none 不存在"


async def test_half_a_character_is_refused_where_it_stands(world: EdgeWorld, admin: str) -> None:
    given = {"name": "half", "plugin": "Simulator", "params": {"at": ["\ud800"]}}
    answer = await world.ask("POST", "/neuron/node", given, token=admin)
    assert (answer.status, answer.json["error"]) == (400, 1002)
    assert answer.json["message"].startswith("params.at[0] has half of a surrogate pair")
    chinese = {"accept-language": "zh"}
    answer = await world.ask("POST", "/neuron/node", given, token=admin, headers=chinese)
    assert answer.json["message"].startswith("params.at[0] 含有不成对的代理项")


async def test_until_a_password_is_chosen_other_machines_are_told_why(tmp_path: Path) -> None:
    async with edge_world(tmp_path, sets=["edge.bind=0.0.0.0:0"]) as fresh:
        from rookery.edge.rest.app import NearOnly

        answers: list[Any] = []

        async def send(message: Any) -> None:
            answers.append(message)

        async def inside(_scope: Any, _receive: Any, _send: Any) -> None:
            raise AssertionError("asked")

        scope = {"type": "http", "client": ("192.0.2.7", 5), "headers": []}

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        await NearOnly(inside, fresh.edge)(scope, receive, send)
        assert answers[0]["status"] == 403
        assert "reset-password" in json.loads(answers[1]["body"])["message"]
