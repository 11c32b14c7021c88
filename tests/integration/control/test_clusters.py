"""Entries of clusters over the REST interface: lists, changes, moves, and who may see what."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from yarl import URL

from harness.adoption import Project, changes, project
from harness.agents import register
from harness.control import PASSWORD, World, control_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Plant(NamedTuple):
    world: World
    admin: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    async with control_world(tmp_path_factory.mktemp("control")) as world:
        yield Plant(world, await world.set_up())


@pytest_asyncio.fixture(loop_scope="module")
async def of(plant: Plant, request: pytest.FixtureRequest) -> Project:
    return await project(plant.world, plant.admin, request.node.name[:60])


async def add(of: Project, name: str, **more: Any) -> str:
    made = await of.ask("POST", "", {"name": name, **more})
    cluster: str = made["id"]
    return cluster


async def names(of: Project, query: str) -> tuple[list[str], int]:
    found = await of.ask("GET", f"?{query}")
    return [row["name"] for row in found["items"]], found["total"]


async def test_lists_are_searched_filtered_sorted_and_cut_by_the_server(of: Project) -> None:
    for number, (name, labels) in enumerate(
        [("East-1", ["site=east", "prod"]), ("east-2", ["site=east"]), ("west_1", ["prod"])]
    ):
        await add(of, name, labels=labels, address=f"https://h{number}.example.com:18083/")
    assert await names(of, "") == (["East-1", "east-2", "west_1"], 3)
    assert await names(of, "order=desc&size=2") == (["west_1", "east-2"], 3)
    assert await names(of, "order=desc&size=2&offset=2") == (["East-1"], 3)
    assert await names(of, "search=EAST") == (["East-1", "east-2"], 2)
    assert await names(of, "search=h2.example") == (["west_1"], 1)
    assert await names(of, "search=_") == (["west_1"], 1)  # no pattern of the database
    assert await names(of, "label=prod&label=site%3Deast") == (["East-1"], 1)
    assert await names(of, "state=running&state=abnormal") == ([], 0)
    found, total = await names(of, "state=created&sort=lastReportAt&order=desc&size=1")
    assert (len(found), total) == (1, 3)  # nobody has reported: any order will do
    assert await of.problem("GET", "?sort=secret") == (400, "BAD_REQUEST")
    assert await of.problem("GET", "?size=1001") == (400, "BAD_REQUEST")
    assert await of.ask("GET", "/filters") == {"versions": [], "labels": ["prod", "site=east"]}


@pytest.mark.parametrize(
    "entry",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 201},
        {"name": "a\nb"},
        {"name": "a", "address": "ftp://x"},
        {"name": "a", "address": "https://user:pw@x"},
        {"name": "a", "address": "javascript:alert(1)"},
        {"name": "a", "address": "https://x/#f"},
        {"name": "a", "address": "https://x/?q=1"},
        {"name": "a", "labels": ["a b"]},
        {"name": "a", "labels": [f"l{n}" for n in range(21)]},
        {"name": "a", "description": "x" * 501},
        {"name": "a", "unknown": 1},
    ],
)
async def test_what_an_entry_may_not_say(of: Project, entry: dict[str, Any]) -> None:
    assert await of.problem("POST", "", entry) == (400, "BAD_REQUEST")


async def test_entries_change_and_their_names_are_their_own(of: Project) -> None:
    first = await add(of, "a")
    await add(of, "b")
    assert await of.problem("POST", "", {"name": "a"}) == (409, "ALREADY_EXISTS")
    assert await of.problem("PUT", f"/{first}", {"name": "b"}) == (409, "ALREADY_EXISTS")
    changed = await of.ask(
        "PUT", f"/{first}", {"name": "工厂 1", "address": "http://[::1]:18083/", "labels": ["x"]}
    )
    assert (changed["name"], changed["address"]) == ("工厂 1", "http://[::1]:18083")
    assert changed["labels"] == ["x"]
    assert (await of.ask("GET", f"/{first}"))["name"] == "工厂 1"
    assert await of.problem("GET", "/0123456789abcdef") == (404, "NOT_FOUND")


async def test_a_cluster_moves_to_a_project_that_its_mover_administers(
    plant: Plant, of: Project
) -> None:
    target = await project(plant.world, plant.admin, "target")
    cluster = await add(of, "mover")
    await add(target, "taken")
    body = {"orgId": target.org, "projectId": target.id}
    async with changes(of) as there, changes(target) as here:
        await of.ask("POST", f"/{cluster}/transfer", body)
        await there.until("removed", lambda data: data["id"] == cluster)
        await here.until("cluster", lambda row: row["id"] == cluster)
    assert await of.problem("GET", f"/{cluster}") == (404, "NOT_FOUND")
    assert (await target.ask("GET", f"/{cluster}"))["projectId"] == target.id
    second = await add(of, "taken")
    assert await of.problem("POST", f"/{second}/transfer", body) == (409, "ALREADY_EXISTS")
    nowhere = {"orgId": target.org, "projectId": of.id}
    assert await of.problem("POST", f"/{second}/transfer", nowhere) == (404, "NOT_FOUND")


async def member(plant: Plant, of: Project, email: str, role: str) -> str:
    """Somebody with that role in the project; the token."""
    body = {"email": email, "password": PASSWORD, "role": "viewer"}
    user = await plant.world.make(plant.admin, f"/orgs/{of.org}/members", body)
    path = f"/orgs/{of.org}/projects/{of.id}/members"
    await plant.world.make(plant.admin, path, {"userId": user, "role": role})
    return await plant.world.sign_in(email)


async def test_who_may_only_look_changes_nothing_and_others_see_nothing(
    plant: Plant, of: Project
) -> None:
    cluster = await add(of, "a")
    target = await project(plant.world, plant.admin, "not theirs")
    viewer = await member(plant, of, "viewer@example.com", "viewer")
    editor = await member(plant, of, "editor@example.com", "admin")
    stranger = await member(plant, target, "stranger@example.com", "admin")

    async def outcome(token: str, method: str, path: str, body: Any = None) -> int:
        return (await plant.world.ask(method, path, body, token=token)).status

    one = f"{of.path}/{cluster}"
    move = {"orgId": target.org, "projectId": target.id}
    assert await outcome(viewer, "GET", one) == 200
    assert await outcome(viewer, "GET", f"{one}/checklist") == 200
    assert await outcome(viewer, "PUT", one, {"name": "b"}) == 403
    assert await outcome(viewer, "POST", f"{one}/registration-token", {}) == 403
    assert await outcome(viewer, "DELETE", one, {"name": "a"}) == 403
    assert await outcome(viewer, "POST", f"{one}/transfer", move) == 403
    assert await outcome(editor, "POST", f"{one}/transfer", move) == 404  # knows of none there
    assert await outcome(stranger, "GET", one) == 404
    assert await outcome(stranger, "GET", f"{target.path}/{cluster}") == 404
    # The tunnel's path names no project: the cluster's own counts.
    proxy = f"/clusters/{cluster}/proxy/api/v5/nodes"
    assert await outcome(viewer, "GET", proxy) == 409  # there is no agent
    assert await outcome(viewer, "POST", proxy, {}) == 403
    assert await outcome(editor, "POST", proxy, {}) == 409
    assert await outcome(stranger, "GET", proxy) == 404
    assert (await plant.world.ask("GET", proxy)).status == 401


SECRETS = (
    "api/v5/data/files/a.tar.gz",
    "api/v5/data/file%73/a.tar.gz",
    "api/v5/data%2Ffiles/a.tar.gz",
    "api/v5/nodes/..%2Fdata/files/a.tar.gz",
    "api/v5/data/./files/a.tar.gz",
    "api/v5/data//files/a.tar.gz",
    "api/v5/authentication/password_based%3Abuilt_in_database/export_users?a=b",
    "api/v3/apps",
    "/api/v5/nodes",
)


async def test_who_may_only_look_is_shown_no_secret_of_a_cluster(plant: Plant, of: Project) -> None:
    cluster = await add(of, "a")
    viewer = await member(plant, of, "curious@example.com", "viewer")

    async def outcome(token: str, path: str) -> int:
        url = URL(f"{plant.world.url}/api/clusters/{cluster}/proxy/{path}", encoded=True)
        headers = {"authorization": f"Bearer {token}"}
        async with plant.world.client.get(url, headers=headers) as answer:
            return answer.status

    for path in SECRETS:
        assert await outcome(viewer, path) == 403, path
        assert await outcome(of.token, path) == 409, path  # there is no agent
    assert await outcome(viewer, "api/v5/clients/a%2Fb?x=%2e%2e") == 409


async def test_who_may_look_no_longer_is_told_nothing_more(plant: Plant, of: Project) -> None:
    cluster = await add(of, "a")
    viewer = await member(plant, of, "gone@example.com", "viewer")
    found = await plant.world.ask("GET", "/profile", token=viewer)
    theirs = dataclasses.replace(of, token=viewer)
    async with changes(theirs) as told:
        await of.ask("PUT", f"/{cluster}", {"name": "b"})
        await told.until("cluster", lambda row: row["name"] == "b")
        off = {"isEnabled": False}
        await plant.world.ask("PUT", f"/users/{found.json['id']}", off, token=plant.admin)
        await of.ask("PUT", f"/{cluster}", {"name": "c"})
        with pytest.raises(AssertionError, match="the stream ended"):
            await told.until("cluster", lambda row: row["name"] == "c")


async def test_a_token_is_good_once_and_for_the_newest_command_alone(
    plant: Plant, of: Project
) -> None:
    cluster = await add(of, "a")

    async def issued(**body: Any) -> str:
        made = await of.ask("POST", f"/{cluster}/registration-token", body)
        token: str = made["token"]
        return token

    async def refused(token: str, words: str) -> None:
        body = {"nodeId": "n", "registrationToken": token}
        answer = await plant.world.ask("POST", "/clusters/agents/register", body)
        assert answer.problem == (401, "BAD_TOKEN")
        assert words in answer.json["message"]

    first = await issued()
    second = await issued(ttlS=60)
    await refused(first, "replaced by a newer one")
    await refused("rkr_" + "x" * 43, "not known")
    await of.ask("DELETE", f"/{cluster}/registration-token")
    await refused(second, "revoked")
    third = await issued()
    await register(plant.world, third)
    await refused(third, "used already")
    row = await of.ask("GET", f"/{cluster}")
    assert (row["state"], row["tokenState"]) == ("registering", "used")
    assert await of.problem("POST", f"/{cluster}/registration-token", {"ttlS": 59}) == (
        400,
        "BAD_REQUEST",
    )
    # Re-registering: the one who is there leaves, whoever that is.
    fourth = await issued(replace=True)
    await register(plant.world, fourth)
    assert (await of.ask("GET", f"/{cluster}"))["state"] == "registering"
    told = await plant.world.ask("GET", "/audit?objectId=" + cluster, token=plant.admin)
    assert not any(secret in told.text for secret in (first, second, third, fourth))


async def test_a_project_with_clusters_stays(plant: Plant, of: Project) -> None:
    cluster = await add(of, "a")
    path = f"/orgs/{of.org}/projects/{of.id}"
    answer = await plant.world.ask("DELETE", path, token=plant.admin)
    assert answer.problem == (409, "DEPENDENCY_EXISTS")
    assert await of.problem("DELETE", f"/{cluster}", {"name": "b"}) == (400, "BAD_REQUEST")
    await of.ask("DELETE", f"/{cluster}", {"name": "a"})
    answer = await plant.world.ask("DELETE", path, token=plant.admin)
    assert answer.status == 204
