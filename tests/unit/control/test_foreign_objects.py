"""Every operation on an object × an object of another tenant: it is not there, and stays as it is.

The table is made from the document, so that an operation that is added is in it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.control import PASSWORD, World, control_world
from rookery.control.rest.document import document

PLACE = "/orgs/{org}/projects/{project}"
OTHERS = {"kind": "rule.abnormal"}
"""What is no object of anybody."""
BODIES: dict[str, Any] = {
    "/clusters/{cluster}/commands": {"kind": "restart", "object": {}},
    "/clusters/{cluster}/transfer": None,
}


class Tenants(NamedTuple):
    """Mallory, who administers one organization, and what belongs to another."""

    world: World
    admin: str
    mallory: str
    mine: dict[str, str]
    theirs: dict[str, str]
    user_id: str


@pytest.fixture
async def tenants(tmp_path: Path) -> AsyncIterator[Tenants]:
    async with control_world(tmp_path) as world:
        admin = await world.set_up()
        mine = await place(world, admin, "mine", "mallory@example.com")
        theirs = await place(world, admin, "theirs", "vera@example.com")
        mallory = await world.sign_in("mallory@example.com")
        yield Tenants(world, admin, mallory, mine, await filled(world, admin, theirs), mine["user"])


async def place(world: World, admin: str, name: str, email: str) -> dict[str, str]:
    org = await world.make(admin, "/orgs", {"name": name})
    project = await world.make(admin, f"/orgs/{org}/projects", {"name": name})
    member = {"email": email, "password": PASSWORD, "role": "admin"}
    user = await world.make(admin, f"/orgs/{org}/members", member)
    await world.make(admin, f"/orgs/{org}/projects/{project}/members", {"userId": user})
    return {"org": org, "project": project, "user": user}


async def filled(world: World, admin: str, of: dict[str, str]) -> dict[str, str]:
    """One of everything, made by whoever may."""
    base = f"/orgs/{of['org']}/projects/{of['project']}"
    vera = await world.sign_in("vera@example.com")
    given: dict[str, tuple[str, dict[str, Any]]] = {
        "cluster": (f"{base}/clusters", {"name": "c"}),
        "channel": (
            f"{base}/alarms/channels",
            {"name": "ch", "recipients": ["ops@example.com"], "pushesClusters": True},
        ),
        "window": (
            f"{base}/alarms/windows",
            {"name": "w", "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-02T00:00:00Z"},
        ),
        "token": (
            "/tokens",
            {"name": "t", "access": "read", "expiresAt": "2024-01-01T00:00:00Z"},
        ),
    }
    for name, (path, body) in given.items():
        answer = await world.ask("POST", path, body, token=vera)
        if answer.status not in (200, 201):
            print(name, answer.status, answer.text)
            continue
        of[name] = str(answer.json.get("id") or answer.json.get("row", {}).get("id"))
    invited = {"emails": ["new@example.com"]}
    answer = await world.ask("POST", f"/orgs/{of['org']}/invitations", invited, token=vera)
    of["invitation"] = answer.json["items"][0]["id"]
    sessions = await world.ask("GET", "/profile/sessions", token=vera)
    of["session"] = sessions.json["items"][0]["id"]
    return of


def operations() -> Iterator[tuple[str, str, Any]]:
    """Method, path and a body as the document shows one."""
    described = document()
    schemas = described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "delete"):
                body = operation.get("requestBody", {}).get("content", {}).get("application/json")
                yield (
                    method.upper(),
                    path,
                    None if body is None else example(body["schema"], schemas),
                )


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "anyOf" in schema:
        return example(schema["anyOf"][0], schemas)
    if schema.get("type") == "object":
        needed = schema.get("required", ())
        return {name: example(schema["properties"][name], schemas) for name in needed}
    if schema.get("type") == "array":
        return []
    return {"string": "x", "integer": 1, "boolean": True}.get(schema.get("type", ""))


async def test_an_object_of_another_tenant_is_not_there(tenants: Tenants) -> None:
    world, mine, theirs = tenants.world, tenants.mine, tenants.theirs
    wrong, tried = [], 0
    for method, path, body in operations():
        names = set(re.findall(r"{(\w+)}", path)) - {"org", "project"}
        objects = names & set(theirs)
        if not objects:
            continue
        # Mallory's own place, and somebody else's object in it.
        known = {**OTHERS, "path": "api/v5/status", **theirs, "org": mine["org"]}
        known["project"] = mine["project"]
        if not names <= set(known):
            known |= dict.fromkeys(names - set(known), "0" * 16)
        asked = path.format_map(known)
        answer = await world.ask(method, asked, body, token=tenants.mallory)
        tried += 1
        if answer.status not in (403, 404):
            wrong.append((method, path, answer.status, answer.text[:200]))

    assert wrong == []
    assert tried > 30
