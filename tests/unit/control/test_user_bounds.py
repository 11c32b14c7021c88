"""How many people an organization can bring into the system: not all that there is room for."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from harness.control import PASSWORD, Answer, World
from rookery.control.accounts.invitations import OPEN_OF_ORG_MAX
from rookery.control.accounts.links import Invitation
from rookery.control.accounts.store import User
from rookery.control.accounts.users import USERS_OF_ORG_MAX
from rookery.control.audit.store import AuditRow
from rookery.control.tenancy.permissions import Resource
from rookery.storage.ids import new_id

OLGA = "olga@example.com"


@pytest.fixture
async def org(world: World, admin: str) -> str:
    found = await world.make(admin, "/orgs", {"name": "Factory"})
    member = {"email": OLGA, "password": PASSWORD, "role": "admin"}
    await world.make(admin, f"/orgs/{found}/members", member)
    return found


def a_user(number: int) -> User:
    return User(
        id=new_id(), email=f"u{number}@example.com", name="", password_hash="", is_admin=False,
        is_enabled=True, language="en", created_at=0, last_login_at=None, password_changed_at=None,
        must_change_password=False, proven_at=None,
    )  # fmt: skip


def made(user: User, org: str) -> AuditRow:
    return AuditRow(
        at=0, operator_id="", operator_name="", via="session", address="", resource=Resource.USERS,
        operation="create", result="success", org_id=org, org_name="", project_id=None,
        project_name="", object_id=user.id, object_name=user.email, before=None, after=None,
    )  # fmt: skip


async def keep(world: World, rows: Iterable[object]) -> None:
    async with world.control.database.write() as session:
        session.add_all(rows)


async def add(world: World, token: str, org: str, email: str) -> Answer:
    member = {"email": email, "password": PASSWORD, "role": "viewer"}
    return await world.ask("POST", f"/orgs/{org}/members", member, token=token)


async def test_no_organization_fills_the_system_with_its_users(
    world: World, admin: str, org: str
) -> None:
    olga = await world.sign_in(OLGA)
    # Olga counts as well; those who left the organization do, too.
    users = [a_user(number) for number in range(USERS_OF_ORG_MAX - 2)]
    await keep(world, [*users, *(made(user, org) for user in users)])
    last = await add(world, olga, org, "last@example.com")
    assert last.status == 201, last.text
    gone = await world.ask("DELETE", f"/orgs/{org}/members/{last.json['userId']}", token=olga)
    assert gone.status == 204
    refused = await add(world, olga, org, "more@example.com")
    assert refused.problem == (413, "EXCEED_LIMIT")
    assert f"{USERS_OF_ORG_MAX}" in refused.json["message"]
    # Others are not touched by it, and an administrator of the system makes room or makes more.
    other = await world.make(admin, "/orgs", {"name": "Other"})
    assert (await add(world, admin, other, "elsewhere@example.com")).status == 201
    assert (await add(world, admin, org, "by-hand@example.com")).status == 201
    for one in (users[0].id, users[1].id):
        assert (await world.ask("DELETE", f"/users/{one}", token=admin)).status == 204
    assert (await add(world, olga, org, "more@example.com")).status == 201


async def test_who_accepts_an_invitation_counts_too(world: World, admin: str, org: str) -> None:
    olga = await world.sign_in(OLGA)
    invited = await world.ask(
        "POST", f"/orgs/{org}/invitations", {"emails": ["bea@example.com"]}, token=olga
    )
    assert invited.status == 201, invited.text
    token = invited.json["items"][0]["link"].partition("?token=")[2]
    users = [a_user(number) for number in range(USERS_OF_ORG_MAX - 1)]
    await keep(world, [*users, *(made(user, org) for user in users)])
    given = {"token": token, "name": "Bea", "password": PASSWORD, "language": "zh"}
    full = await world.ask("POST", "/invitation/accept", given)
    assert full.problem == (413, "EXCEED_LIMIT")
    assert (await world.ask("DELETE", f"/users/{users[0].id}", token=admin)).status == 204
    assert (await world.ask("POST", "/invitation/accept", given)).status == 204
    assert (await add(world, olga, org, "more@example.com")).problem == (413, "EXCEED_LIMIT")


async def test_no_organization_takes_all_invitations(world: World, admin: str, org: str) -> None:
    olga = await world.sign_in(OLGA)
    await keep(
        world,
        [
            Invitation(
                id=new_id(), token_hash=f"{number}", email=f"u{number}@example.com", language="en",
                is_admin=False, org_id=org, org_role="viewer", project_id=None, project_role=None,
                inviter_name="", is_mailed=False, is_proof=False, created_at=0, expires_at=0,
            )
            for number in range(OPEN_OF_ORG_MAX - 1)
        ],
    )  # fmt: skip
    path = f"/orgs/{org}/invitations"
    two = {"emails": ["a@example.com", "b@example.com"]}
    refused = await world.ask("POST", path, two, token=olga)
    assert refused.problem == (413, "EXCEED_LIMIT")
    assert (await world.ask("POST", path, {"emails": two["emails"][:1]}, token=olga)).status == 201
    there = await world.ask("POST", "/invitations", {"emails": ["c@example.com"]}, token=admin)
    assert there.status == 201
