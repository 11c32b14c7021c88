"""Every operation × everybody who may ask: who gets in, who is refused, who is told nothing.

The table is made from the operations themselves, so that one that is added is in it. What an operation
then does is not run here: behind the guard stands an application that says *allowed*.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, MutableMapping
from functools import cache
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import PlainTextResponse

from harness.control import PASSWORD, World, control_world
from rookery.clock import ManualClock
from rookery.control.features import routes
from rookery.control.rest.guard import Need, need_of
from rookery.control.rest.operations import Operation
from rookery.control.tenancy.permissions import MATRIX, Level, Resource, Role
from rookery.web.errors import HANDLERS

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTHING: Any = None


@cache
def needs() -> dict[tuple[str, str], Need]:
    """Of each operation, by its method and its path."""
    return {
        (min(route.methods or {"GET"}), route.path_format): need_of(route)
        for route in routes(NOTHING)
    }


ALLOWED = (200, "allowed")
UNKNOWN = (401, "AUTHORIZATION_HEADER_ERROR")
EXPIRED = (401, "TOKEN_TIME_OUT")
BAD = (401, "BAD_TOKEN")
REFUSED = (403, "FORBIDDEN")
MISSING = (404, "NOT_FOUND")

# What somebody is in the organization and the project that are asked for; None: has no part in it.
CALLERS: dict[str, tuple[Role | None, Role | None]] = {
    "system administrator": (Role.SYSTEM_ADMIN, Role.SYSTEM_ADMIN),
    "organization administrator": (Role.ORG_ADMIN, Role.ORG_ADMIN),
    "project administrator": (Role.PROJECT_ADMIN, Role.PROJECT_ADMIN),
    "user of the project": (Role.USER, Role.USER),
    "member of the organization": (Role.USER, None),
    "administrator of a sibling project": (Role.PROJECT_ADMIN, None),
    "administrator of another organization": (None, None),
    "user of nothing": (None, None),
}


class Site(NamedTuple):
    """Who can ask, and what."""

    world: World
    app: FastAPI
    tokens: dict[str, str]
    places: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    clock = ManualClock()
    async with control_world(tmp_path_factory.mktemp("control"), clock=clock) as world:
        gone = await world.set_up()
        clock.advance(1900)
        admin = await world.sign_in()
        places = await make_places(world, admin)
        tokens = {"system administrator": admin, "expired": gone, "forged": "x" * 43}
        await make_callers(world, admin, places, tokens)
        yield Site(world, guarded_alone(world), tokens, places)


async def make_places(world: World, admin: str) -> dict[str, str]:
    org = await world.make(admin, "/orgs", {"name": "mine"})
    return {
        "org": org,
        "project": await world.make(admin, f"/orgs/{org}/projects", {"name": "mine"}),
        "sibling": await world.make(admin, f"/orgs/{org}/projects", {"name": "sibling"}),
        "foreign": await world.make(admin, "/orgs", {"name": "foreign"}),
    }


async def make_callers(
    world: World, admin: str, places: dict[str, str], tokens: dict[str, str]
) -> None:
    org = f"/orgs/{places['org']}"
    foreign = f"/orgs/{places['foreign']}"
    members = {
        "organization administrator": (org, "admin", None, ""),
        "project administrator": (org, "viewer", "project", "admin"),
        "user of the project": (org, "viewer", "project", "viewer"),
        "member of the organization": (org, "viewer", None, ""),
        "administrator of a sibling project": (org, "viewer", "sibling", "admin"),
        "administrator of another organization": (foreign, "admin", None, ""),
    }
    for number, (name, (place, role, project, project_role)) in enumerate(members.items()):
        email = f"user{number}@example.com"
        body = {"email": email, "password": PASSWORD, "role": role}
        user = await world.make(admin, f"{place}/members", body)
        if project is not None:
            path = f"{place}/projects/{places[project]}/members"
            await world.make(admin, path, {"userId": user, "role": project_role})
        tokens[name] = await world.sign_in(email)
    nobody = {"email": "nobody@example.com", "password": PASSWORD}
    await world.make(admin, "/users", nobody)
    tokens["user of nothing"] = await world.sign_in("nobody@example.com")


def guarded_alone(world: World) -> FastAPI:
    app = FastAPI(openapi_url=None, exception_handlers=HANDLERS)
    found: list[APIRoute] = list(routes(world.control))
    for route in found:
        route.app = PlainTextResponse("allowed")
        route.app = Operation(world.control, route)
    app.router.routes.extend(found)
    return app


async def outcome(site: Site, method: str, path: str, token: str | None) -> tuple[int, str]:
    """Status, and the code of the error or what stands behind the guard."""
    sent: list[MutableMapping[str, Any]] = []
    headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1), "root_path": "",
        "scheme": "http", "server": ("127.0.0.1", 80), "http_version": "1.1",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read before the caller was let in")

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await site.app(scope, receive, send)
    text = b"".join(message.get("body", b"") for message in sent).decode()
    code = text if text == "allowed" else text.split('"')[3]
    return sent[0]["status"], code


def path_of(site: Site, template: str) -> str:
    path = template.replace("{org}", site.places["org"])
    path = path.replace("{project}", site.places["project"])
    while "{" in path:
        begin, _, rest = path.partition("{")
        path = f"{begin}{'0' * 16}{rest.partition('}')[2]}"
    return path


def expected(need: Need, path: str, org: Role | None, project: Role | None) -> tuple[int, str]:
    """By the table of the documentation, without the code that is looked at."""
    if need.resource is None:
        return ALLOWED
    if "{project}" in path:
        role, below = project, False
    elif "{org}" in path:
        role, below = org, org in (Role.PROJECT_ADMIN, Role.USER)
    elif need.anywhere:
        role, below = org or Role.USER, False
    else:
        role, below = Role.SYSTEM_ADMIN if org is Role.SYSTEM_ADMIN else Role.USER, True
        if role is Role.USER:
            return REFUSED
    if role is None:
        return MISSING
    most = MATRIX[need.resource][role]
    if below and role is not Role.SYSTEM_ADMIN:
        most = min(most, Level.VIEW)
    return ALLOWED if most >= need.level else REFUSED


@pytest.mark.parametrize("caller", CALLERS)
async def test_every_operation_lets_in_whom_the_matrix_names(site: Site, caller: str) -> None:
    org, project = CALLERS[caller]
    wrong = []
    for (method, template), need in needs().items():
        wanted = expected(need, template, org, project)
        if need.anywhere and caller == "administrator of another organization":
            wanted = ALLOWED  # the list of that one's own organization
        if need.anywhere and caller == "user of nothing":
            wanted = REFUSED  # there is no place of which anything could be listed
        found = await outcome(site, method, path_of(site, template), site.tokens[caller])
        if found != wanted:
            wrong.append((method, template, found, wanted))

    assert wrong == []


@pytest.mark.parametrize(
    ("token", "wanted"), [(None, UNKNOWN), ("expired", EXPIRED), ("forged", BAD)]
)
async def test_nobody_gets_in_without_a_token_that_holds(
    site: Site, token: str | None, wanted: tuple[int, str]
) -> None:
    wrong = []
    for (method, template), need in needs().items():
        sent = None if token is None else site.tokens[token]
        found = await outcome(site, method, path_of(site, template), sent)
        if found != (ALLOWED if need.kind == "open" else wanted):
            wrong.append((method, template, found))

    assert wrong == []


async def api_token(site: Site, access: str, **place: str) -> str:
    now_ms = site.world.control.clock.now_ms()
    body = {
        "name": f"{access} {sorted(place)}",
        "access": access,
        "expiresAt": f"{1970 + (now_ms // 31_556_952_000)}-12-31T00:00:00Z",
        **place,
    }
    answer = await site.world.ask(
        "POST", "/tokens", body, token=site.tokens["system administrator"]
    )
    assert answer.status == 201, answer.text
    return str(answer.json["token"])


async def test_a_token_that_may_read_changes_nothing(site: Site) -> None:
    token = await api_token(site, "read")
    wrong = []
    for (method, template), need in needs().items():
        found = await outcome(site, method, path_of(site, template), token)
        wanted = ALLOWED
        if need.kind == "people" or (need.resource is not None and need.level is Level.EDIT):
            wanted = REFUSED
        if found != wanted:
            wrong.append((method, template, found, wanted))

    assert wrong == []


async def test_a_token_of_one_project_reaches_that_project_alone(site: Site) -> None:
    token = await api_token(
        site, "write", orgId=site.places["org"], projectId=site.places["project"]
    )
    wrong = []
    for (method, template), need in needs().items():
        found = await outcome(site, method, path_of(site, template), token)
        wanted = expected(need, template, Role.PROJECT_ADMIN, Role.PROJECT_ADMIN)
        if need.kind == "people":
            wanted = REFUSED
        if found != wanted:
            wrong.append((method, template, found, wanted))
        if "{org}" in template and need.resource is not None:
            elsewhere = template.replace("{org}", site.places["foreign"])
            assert await outcome(site, method, path_of(site, elsewhere), token) == MISSING

    assert wrong == []


async def test_a_project_is_not_found_below_another_organization(site: Site) -> None:
    token = site.tokens["system administrator"]
    for (method, template), need in needs().items():
        if "{project}" in template and need.resource is not None:
            path = path_of(site, template.replace("{org}", site.places["foreign"]))
            assert await outcome(site, method, path, token) == MISSING


async def test_there_is_an_operation_for_each_resource_or_the_resource_is_not_there() -> None:
    used = {need.resource for need in needs().values() if need.resource is not None}

    # Clusters come with the agents.
    assert set(Resource) - used <= {Resource.CLUSTERS}


async def test_an_operation_that_does_not_say_who_may_do_it_cannot_be_put_together() -> None:
    app = FastAPI()

    @app.get("/open")
    async def forgotten() -> str:
        return "everything"

    route = next(route for route in app.routes if isinstance(route, APIRoute))
    with pytest.raises(ValueError, match="/open: has to say once who may do it"):
        need_of(route)
