"""Organizations, projects and members: bounds, names, what each sees."""

from __future__ import annotations

import asyncio

import pytest

from harness.control import PASSWORD, World
from rookery.control.tenancy import service

GRACE = "grace@example.com"


async def member(world: World, admin: str, org: str, role: str = "viewer") -> str:
    body = {"email": GRACE, "password": PASSWORD, "role": role}
    return await world.make(admin, f"/orgs/{org}/members", body)


async def names(world: World, token: str, path: str) -> list[str]:
    answer = await world.ask("GET", path, token=token)
    assert answer.json["total"] == len(answer.json["items"])
    return [row["name"] for row in answer.json["items"]]


async def test_lists_hold_what_the_caller_may_see_and_count_only_that(
    world: World, admin: str
) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    await world.make(admin, "/orgs", {"name": "West"})
    projects = [
        await world.make(admin, f"/orgs/{org}/projects", {"name": name}) for name in ("p1", "p2")
    ]
    user = await member(world, admin, org)
    body = {"userId": user, "role": "viewer"}
    await world.make(admin, f"/orgs/{org}/projects/{projects[1]}/members", body)
    grace = await world.sign_in(GRACE)

    assert await names(world, grace, "/orgs") == ["East"]
    assert await names(world, grace, "/projects") == ["p2"]
    assert await names(world, admin, "/projects?name=P") == ["p1", "p2"]
    shown = (await world.ask("GET", "/orgs", token=grace)).json["items"][0]
    assert shown["projectCount"] == 1
    roles = (await world.ask("GET", "/roles", token=grace)).json
    assert roles["roles"] == []
    assert roles["orgs"][0]["projects"] == [{"id": projects[1], "name": "p2", "roles": ["user"]}]


async def test_lists_are_cut_and_sorted(world: World, admin: str) -> None:
    for name in ("b", "c", "a"):
        await world.make(admin, "/orgs", {"name": name})
    answer = await world.ask("GET", "/orgs?sort=name&order=desc&offset=1&size=1", token=admin)
    assert [row["name"] for row in answer.json["items"]] == ["b"]
    assert answer.json["total"] == 3


async def test_a_name_is_there_once_in_its_place(world: World, admin: str) -> None:
    east = await world.make(admin, "/orgs", {"name": "East"})
    west = await world.make(admin, "/orgs", {"name": "West"})
    answer = await world.ask("POST", "/orgs", {"name": " East "}, token=admin)
    assert answer.problem == (409, "ALREADY_EXISTS")
    answer = await world.ask("PUT", f"/orgs/{west}", {"name": "East"}, token=admin)
    assert answer.problem == (409, "ALREADY_EXISTS")
    for org in (east, west):
        await world.make(admin, f"/orgs/{org}/projects", {"name": "p"})
    answer = await world.ask("POST", f"/orgs/{east}/projects", {"name": "p"}, token=admin)
    assert answer.problem == (409, "ALREADY_EXISTS")


async def test_an_organization_with_projects_is_not_deleted(world: World, admin: str) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    project = await world.make(admin, f"/orgs/{org}/projects", {"name": "p"})
    answer = await world.ask("DELETE", f"/orgs/{org}", token=admin)
    assert answer.problem == (409, "DEPENDENCY_EXISTS")
    path = f"/orgs/{org}/projects/{project}"
    assert (await world.ask("DELETE", path, token=admin)).status == 204
    assert (await world.ask("DELETE", f"/orgs/{org}", token=admin)).status == 204
    assert await names(world, admin, "/orgs") == []


async def test_a_project_that_is_used_is_not_deleted(world: World, admin: str) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    project = await world.make(admin, f"/orgs/{org}/projects", {"name": "p"})

    async def in_use(_session: object, project_id: str) -> bool:
        return project_id == project

    world.control.tenancy.keeps_project(in_use)
    answer = await world.ask("DELETE", f"/orgs/{org}/projects/{project}", token=admin)
    assert answer.problem == (409, "DEPENDENCY_EXISTS")


async def test_there_are_bounds_that_hold_when_many_come_at_once(
    world: World, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ORGS_MAX", 3)
    monkeypatch.setattr(service, "PROJECTS_OF_ORG_MAX", 2)
    answers = await asyncio.gather(
        *(world.ask("POST", "/orgs", {"name": f"o{n}"}, token=admin) for n in range(6))
    )
    assert sorted(answer.status for answer in answers) == [201] * 3 + [413] * 3
    org = next(answer.json["id"] for answer in answers if answer.status == 201)
    path = f"/orgs/{org}/projects"
    answers = await asyncio.gather(
        *(world.ask("POST", path, {"name": f"p{n}"}, token=admin) for n in range(4))
    )
    assert sorted(answer.status for answer in answers) == [201, 201, 413, 413]


async def test_only_who_is_in_the_organization_gets_into_its_projects(
    world: World, admin: str
) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    project = await world.make(admin, f"/orgs/{org}/projects", {"name": "p"})
    user = await world.make(admin, "/users", {"email": GRACE, "password": PASSWORD})
    path = f"/orgs/{org}/projects/{project}/members"
    answer = await world.ask("POST", path, {"userId": user}, token=admin)
    assert answer.problem == (404, "USER_NOT_FOUND")
    await world.make(admin, f"/orgs/{org}/members", {"email": GRACE})
    await world.make(admin, path, {"userId": user})
    answer = await world.ask("POST", path, {"userId": user}, token=admin)
    assert answer.problem == (409, "ALREADY_EXISTS")
    grace = await world.sign_in(GRACE)
    assert await names(world, grace, "/projects") == ["p"]
    # Out of the organization is out of its projects.
    assert (await world.ask("DELETE", f"/orgs/{org}/members/{user}", token=admin)).status == 204
    assert await names(world, grace, "/projects") == []


async def test_a_projects_administrator_finds_whom_to_add_and_nothing_else_about_them(
    world: World, admin: str
) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    project = await world.make(admin, f"/orgs/{org}/projects", {"name": "p"})
    user = await member(world, admin, org)
    mine, there = f"/orgs/{org}/projects/{project}/candidates", f"/orgs/{org}/members"
    await world.make(
        admin, f"/orgs/{org}/projects/{project}/members", {"userId": user, "role": "admin"}
    )
    new = {"email": "linus@example.com", "name": "Linus", "password": PASSWORD}
    linus = await world.make(admin, there, new)
    # Who is of no part of the organization, and who may not sign in, is nobody to add.
    await world.make(admin, "/users", {"email": "eve@example.com", "password": PASSWORD})
    gone = await world.make(admin, there, {"email": "bob@example.com", "password": PASSWORD})
    change = {"isEnabled": False}
    assert (await world.ask("PUT", f"/users/{gone}", change, token=admin)).status in (200, 204)
    grace = await world.sign_in(GRACE)

    found = await world.ask("GET", f"{mine}?email=LINUS", token=grace)
    assert found.json["items"] == [{"userId": linus, "email": "linus@example.com", "name": "Linus"}]
    assert (await world.ask("GET", mine, token=grace)).json == found.json
    body = {"userId": linus, "role": "viewer"}
    await world.make(grace, f"/orgs/{org}/projects/{project}/members", body)
    assert (await world.ask("GET", mine, token=grace)).json["items"] == []
    # A viewer adds nobody and is told of nobody; what the organization keeps of its members stays there.
    as_linus = await world.sign_in("linus@example.com")
    assert (await world.ask("GET", mine, token=as_linus)).problem == (403, "FORBIDDEN")


async def test_projects_tell_how_many_clusters_are_in_them(world: World, admin: str) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    one = await world.make(admin, f"/orgs/{org}/projects", {"name": "one"})
    await world.make(admin, f"/orgs/{org}/projects", {"name": "two"})
    for name in ("a", "b"):
        await world.make(admin, f"/orgs/{org}/projects/{one}/clusters", {"name": name})
    for path in ("/projects", f"/orgs/{org}/projects"):
        items = (await world.ask("GET", path, token=admin)).json["items"]
        assert {item["name"]: item["clusterCount"] for item in items} == {"one": 2, "two": 0}
    shown = await world.ask("GET", f"/orgs/{org}/projects/{one}", token=admin)
    assert shown.json["clusterCount"] == 2


async def test_a_role_holds_from_the_next_request_on(world: World, admin: str) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    user = await member(world, admin, org)
    grace = await world.sign_in(GRACE)
    project = {"name": "p"}
    assert (await world.ask("POST", f"/orgs/{org}/projects", project, token=grace)).status == 403
    path = f"/orgs/{org}/members/{user}"
    assert (await world.ask("PUT", path, {"role": "admin"}, token=admin)).status == 204
    assert (await world.ask("POST", f"/orgs/{org}/projects", project, token=grace)).status == 201


async def test_an_organizations_administrator_adds_people_who_are_not_there_yet(
    world: World, admin: str
) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    await member(world, admin, org, "admin")
    grace = await world.sign_in(GRACE)
    path = f"/orgs/{org}/members"
    body = {"email": "linus@example.com", "role": "viewer"}
    answer = await world.ask("POST", path, body, token=grace)
    assert answer.problem == (404, "USER_NOT_FOUND")
    await world.make(grace, path, {**body, "password": PASSWORD})
    await world.sign_in("linus@example.com")
    rows = (await world.ask("GET", f"{path}?sort=email", token=grace)).json["items"]
    assert [(row["email"], row["role"]) for row in rows] == [
        (GRACE, "admin"),
        ("linus@example.com", "viewer"),
    ]


async def test_a_password_that_is_given_for_somebody_who_is_there_changes_nothing(
    world: World, admin: str
) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    await world.make(admin, "/users", {"email": GRACE, "password": PASSWORD})
    body = {"email": GRACE, "password": "Stolen-horse-9"}
    await world.make(admin, f"/orgs/{org}/members", body)
    answer = await world.ask("POST", "/login", body)
    assert answer.status == 401
    await world.sign_in(GRACE)


async def test_a_query_parameter_that_is_none_is_refused_and_named(
    world: World, admin: str
) -> None:
    answer = await world.ask("GET", "/orgs?nmae=East&size=5", token=admin)
    assert answer.problem == (400, "BAD_REQUEST")
    assert "'nmae'" in answer.json["message"]
    assert "name, offset, order, size, sort" in answer.json["message"]
    zh = {"accept-language": "zh"}
    answer = await world.ask("GET", "/profile?x", token=admin, headers=zh)
    assert answer.problem == (400, "BAD_REQUEST")
    assert "不接受查询参数" in answer.json["message"]
    # Who may not ask at all is told that first.
    assert (await world.ask("GET", "/orgs?nmae=East")).status == 401


async def test_half_a_character_is_refused_where_it_stands(world: World, admin: str) -> None:
    answer = await world.ask("POST", "/orgs", {"name": "East\ud800"}, token=admin)
    assert answer.problem == (400, "BAD_REQUEST")
    assert answer.json["message"].startswith("name has half of a surrogate pair")
    chinese = {"accept-language": "zh"}
    answer = await world.ask("POST", "/orgs", {"\udfff": 1}, token=admin, headers=chinese)
    assert answer.json["message"].startswith("请求体含有不成对的代理项")
