"""Who may come to the port of a cluster, and until when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.agents import register
from harness.control import PASSWORD, World, control_world
from harness.ports import free_port
from rookery.clock import ManualClock
from rookery.control.caller import Access
from rookery.control.doors.service import CODE_MS, IDLE_MS, STAY_MS, Doors
from rookery.control.doors.store import Target
from rookery.control.doors.visiting import is_foreign
from rookery.control.errors import TakenError


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock, port: int) -> AsyncIterator[World]:
    sets = [f"control.doors.ports={port}-{port}"]
    async with control_world(tmp_path, clock=clock, sets=sets) as made:
        yield made


class Place:
    """A cluster with an agent, and who looks at it."""

    def __init__(self, world: World, admin: str, path: str) -> None:
        self.world, self.admin, self.path = world, admin, path

    async def cluster(self, name: str) -> str:
        made = await self.world.make(self.admin, self.path, {"name": name})
        token = await self.world.ask(
            "POST", f"{self.path}/{made}/registration-token", {}, token=self.admin
        )
        await register(self.world, token.json["token"])
        return made

    async def code(self, cluster: str, token: str = "") -> str:
        """What lets somebody in, as entering gives it once the agent has answered."""
        _, _, org, _, project, _ = self.path.split("/")
        caller = await self.world.control.sessions.caller_of(token or self.admin, "127.0.0.1")
        access = Access(caller=caller, org_id=org, project_id=project)
        return (await self.doors.let_in(access, Target("cluster_id", cluster))).code

    @property
    def doors(self) -> Doors:
        return self.world.control.adoption.doors


@pytest.fixture
async def place(world: World) -> Place:
    admin = await world.set_up()
    org = await world.make(admin, "/orgs", {"name": "Factory"})
    project = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant"})
    return Place(world, admin, f"/orgs/{org}/projects/{project}/clusters")


async def cookie_of(place: Place, port: int, code: str) -> str:
    admitted = await place.doors.admit(port, code)
    assert admitted is not None
    return admitted.cookie


async def test_a_code_lets_in_once_and_not_for_long(
    place: Place, port: int, clock: ManualClock
) -> None:
    cluster = await place.cluster("a")
    code = await place.code(cluster)
    assert await place.doors.admit(port + 1, code) is None
    cookie = await cookie_of(place, port, code)
    assert await place.doors.admit(port, code) is None
    assert await place.doors.visit(port, cookie) is not None
    assert await place.doors.visit(port, code) is None
    late = await place.code(cluster)
    clock.advance(CODE_MS / 1000)
    assert await place.doors.admit(port, late) is None
    clock.advance(STAY_MS / 1000)
    assert await place.doors.visit(port, cookie) is None


async def test_who_signs_out_is_out_there_too(place: Place, port: int) -> None:
    signed_in = await place.world.sign_in()
    cookie = await cookie_of(place, port, await place.code(await place.cluster("a"), signed_in))
    assert await place.doors.visit(port, cookie) is not None
    await place.world.ask("POST", "/logout", token=signed_in)
    assert await place.doors.visit(port, cookie) is None


async def test_who_may_not_see_the_cluster_any_more_is_out(place: Place, port: int) -> None:
    given = {"email": "bob@example.com", "password": PASSWORD, "role": "viewer"}
    members = place.path.removesuffix("/clusters") + "/members"
    org_members = members.split("/projects/")[0] + "/members"
    user = await place.world.make(place.admin, org_members, given)
    await place.world.make(place.admin, members, {"userId": user, "role": "viewer"})
    bob = await place.world.sign_in("bob@example.com")
    cookie = await cookie_of(place, port, await place.code(await place.cluster("a"), bob))
    assert await place.doors.visit(port, cookie) is not None
    for path in (members, org_members):
        gone = await place.world.ask("DELETE", f"{path}/{user}", token=place.admin)
        assert gone.status == 204, gone.text
    assert await place.doors.visit(port, cookie) is None


async def test_a_port_belongs_to_one_cluster_until_nobody_wants_it(
    place: Place, port: int, clock: ManualClock
) -> None:
    first, second = await place.cluster("a"), await place.cluster("b")
    cookie = await cookie_of(place, port, await place.code(first))
    with pytest.raises(TakenError, match="in use"):
        await place.code(second)
    clock.advance(IDLE_MS / 1000)
    place.admin = await place.world.sign_in()
    admitted = await place.doors.admit(port, await place.code(second))
    assert admitted is not None
    assert admitted.forgets
    assert await place.doors.visit(port, cookie) is None


async def test_no_project_takes_all_ports_for_itself(
    place: Place, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = place.path.split("/")[2]
    other = await place.world.make(place.admin, f"/orgs/{org}/projects", {"name": "Other"})
    quiet = Place(place.world, place.admin, f"/orgs/{org}/projects/{other}/clusters")
    monkeypatch.setattr(place.doors, "_range", range(1, 5))
    monkeypatch.setattr(place.doors, "_open", lambda _port: True)
    for name in "abcd":
        await place.code(await place.cluster(name))
        clock.advance(1)
    # Each of the two gets a half, and the one used longest ago goes.
    for name in "ef":
        await quiet.code(await quiet.cluster(name))
        clock.advance(1)
    with pytest.raises(TakenError, match="in use"):
        await quiet.code(await quiet.cluster("g"))
    with pytest.raises(TakenError, match="in use"):
        await place.code(await place.cluster("h"))


async def test_a_browser_forgets_what_another_cluster_left_at_the_port(
    place: Place, port: int
) -> None:
    async def enter(cluster: str, mark: str = "") -> tuple[bool, str]:
        url = f"http://127.0.0.1:{port}/.rookery/enter?code={await place.code(cluster)}"
        name = f"rookery_door_{port}_of"
        async with place.world.client.get(url, headers={"cookie": f"{name}={mark}"}) as answer:
            assert answer.status == 200
            return "clear-site-data" in answer.headers, answer.cookies[name].value

    first, second = await place.cluster("a"), await place.cluster("b")
    _, mark = await enter(first)
    assert await enter(first, mark) == (False, mark)
    # Its port is free as soon as it is gone, and many people may have looked at its pages.
    path = f"{place.path}/{first}?force=true"
    gone = await place.world.ask("DELETE", path, {"name": "a"}, token=place.admin)
    assert gone.status < 300, gone.text
    forgets, other = await enter(second, mark)
    assert forgets
    assert other != mark
    assert await enter(second, mark) == (True, other)
    assert await enter(second, other) == (False, other)


async def test_no_script_of_a_cluster_can_put_its_cookie_in_the_place_of_ours(
    place: Place, port: int
) -> None:
    url = f"https://127.0.0.1:{port}"
    enter = f"{url}/.rookery/enter?code={await place.code(await place.cluster('a'))}"
    # Scripts of a cluster's page may set cookies for every port of the host, but none that begins so.
    guarded = f"__Host-Http-rookery_door_{port}"
    async with place.world.client.get(enter, ssl=False) as answer:
        set_ = {name: str(cookie) for name, cookie in answer.cookies.items()}
        value = answer.cookies[guarded].value
    assert set_.keys() == {guarded, f"{guarded}_of"}
    for cookie in set_.values():
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    plain = {"cookie": f"rookery_door_{port}={value}"}
    async with place.world.client.get(url, headers=plain, ssl=False) as answer:
        assert answer.status == 401
    held = {"cookie": f"rookery_door_{port}=other; {guarded}={value}"}
    async with place.world.client.get(url, headers=held, ssl=False) as answer:
        # Let in; the agent of this test is not connected.
        assert answer.status == 503


async def test_cookies_of_a_clusters_pages_belong_to_one_visit_and_are_sealed(
    place: Place, port: int, tmp_path: Path
) -> None:
    cluster = await place.cluster("a")

    async def enter() -> str:
        return await cookie_of(place, port, await place.code(cluster))

    async def carried(cookie: str) -> str:
        visit = await place.doors.visit(port, cookie)
        assert visit is not None
        return place.doors.cookies(visit, "/")

    mine, another = await enter(), await enter()
    visit = await place.doors.visit(port, mine)
    assert visit is not None
    # Two answers to one page that nobody waited for one after the other.
    await place.doors.keep(visit, ["session=the-secret-of-a-page; Path=/"], "/")
    await place.doors.keep(visit, ["language=zh; Path=/"], "/")
    assert await carried(mine) == "session=the-secret-of-a-page; language=zh"
    assert await carried(another) == ""
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"cookies of" not in kept
    assert b"the-secret-of-a-page" not in kept
    assert await carried(await enter()) == ""


async def test_nobody_is_shown_a_page_of_a_cluster_without_having_entered(
    place: Place, port: int
) -> None:
    await place.code(await place.cluster("a"))
    url = f"http://127.0.0.1:{port}"
    async with place.world.client.get(f"{url}/", headers={"accept-language": "zh"}) as answer:
        assert answer.status == 401
        assert "重新进入" in await answer.text()
        assert answer.headers["x-frame-options"] == "DENY"
    async with place.world.client.get(f"{url}/.rookery/enter?code=x") as answer:
        assert answer.status == 401
    headers = {"sec-fetch-site": "cross-site"}
    async with place.world.client.get(f"{url}/.rookery/enter?code=x", headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({"Host": "h:8100"}, False),
        ({"Host": "h:8100", "Sec-Fetch-Site": "same-origin", "Origin": "https://h:8100"}, False),
        ({"Host": "h:8100", "Sec-Fetch-Site": "none"}, False),
        # The page of another cluster, and the console, are other ports of the same host.
        ({"Host": "h:8100", "Sec-Fetch-Site": "same-site"}, True),
        ({"Host": "h:8100", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Host": "h:8100", "Origin": "https://h:8101"}, True),
        ({"Host": "h:8100", "Origin": "null"}, True),
        ({"Host": "h:8100", "Origin": "http://["}, True),
        ({"Host": "h:8100", "Sec-Fetch-Dest": "serviceworker"}, True),
        ({"Host": "h:8100", "Service-Worker": "script"}, True),
    ],
)
def test_pages_of_other_origins_are_kept_out(headers: dict[str, str], foreign: bool) -> None:
    assert is_foreign(headers) is foreign
