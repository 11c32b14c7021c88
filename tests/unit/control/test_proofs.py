"""Whose address an account has: what one organization makes up counts in no other before that is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.control import PASSWORD, Answer, World
from harness.mail import MailServer, link_of
from harness.second_factor import enrolled
from rookery.clock import ManualClock
from rookery.control.accounts.rescue import reset_admin
from rookery.control.accounts.store import User

VICTIM = "vera@west.example"
MALLORY, OLGA = "mallory@east.example", "olga@west.example"
KNOWN = "Made-up-by-east-1"
THEIRS = "Bea-trix-potter-2"
NOT_PROVEN = (409, "ADDRESS_NOT_PROVEN")


class Two(NamedTuple):
    """Two organizations with an administrator each; the first made an account for an address of the other's."""

    east: str
    west: str
    mallory: str
    olga: str
    victim_id: str

    @property
    def invitations(self) -> str:
        return f"/orgs/{self.west}/invitations"


@pytest.fixture
async def two(world: World, admin: str) -> Two:
    orgs, tokens = [], []
    for name, email in (("East", MALLORY), ("West", OLGA)):
        orgs.append(await world.make(admin, "/orgs", {"name": name}))
        member = {"email": email, "password": PASSWORD, "role": "admin"}
        await world.make(admin, f"/orgs/{orgs[-1]}/members", member)
        tokens.append(await world.sign_in(email))
    made = {"email": VICTIM, "password": KNOWN, "role": "viewer"}
    victim = await world.make(tokens[0], f"/orgs/{orgs[0]}/members", made)
    return Two(orgs[0], orgs[1], tokens[0], tokens[1], victim)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path) as server:
        yield server


@pytest.fixture
async def mailed(world: World, admin: str, server: MailServer) -> MailServer:
    answer = await world.ask("PUT", "/configuration/mail", server.settings(), token=admin)
    assert answer.status == 204, answer.text
    return server


async def link_in(server: MailServer) -> str:
    return link_of(await asyncio.to_thread(server.next)).partition("?token=")[2]


async def accept(world: World, token: str) -> Answer:
    given = {"token": token, "name": "Vera", "password": THEIRS}
    return await world.ask("POST", "/invitation/accept", given)


class Kept(NamedTuple):
    """What whoever made the account up has kept of it."""

    session: str
    api_token: str


async def dug_in(world: World, clock: ManualClock) -> Kept:
    """Mallory signs in as the victim, and leaves an API token and a second factor there."""
    session = await world.sign_in(VICTIM, KNOWN)
    body = {"name": "t", "access": "write", "expiresAt": "2024-01-01T00:00:00Z"}
    api_token = (await world.ask("POST", "/tokens", body, token=session)).json["token"]
    await enrolled(world, session, clock, KNOWN)
    return Kept(session, api_token)


async def assert_it_is_veras(world: World, kept: Kept) -> str:
    """Nothing that was kept works, her own password does; her token."""
    for token in kept:
        assert (await world.ask("GET", "/profile", token=token)).status == 401
    old = await world.ask("POST", "/login", {"email": VICTIM, "password": KNOWN})
    assert old.problem == (401, "BAD_USERNAME_OR_PWD")
    token = await world.sign_in(VICTIM, THEIRS)
    profile = (await world.ask("GET", "/profile", token=token)).json
    assert profile["provenAt"] is not None
    assert not profile["hasSecondFactor"]
    assert (await world.ask("GET", "/tokens", token=token)).json["items"] == []
    return token


async def test_an_account_that_another_organization_made_up_gets_in_nowhere(
    world: World, admin: str, two: Two
) -> None:
    members, body = f"/orgs/{two.west}/members", {"email": VICTIM, "role": "admin"}
    for token in (two.olga, admin):
        assert (await world.ask("POST", members, body, token=token)).problem == NOT_PROVEN
        with_password = {**body, "password": THEIRS}
        answer = await world.ask("POST", members, with_password, token=token)
        assert answer.problem == NOT_PROVEN
    user = f"/users/{two.victim_id}"
    assert (await world.ask("PUT", user, {"isAdmin": True}, token=admin)).problem == NOT_PROVEN
    # Out of the organization that made it, it is still nobody's.
    made_in = f"/orgs/{two.east}/members/{two.victim_id}"
    assert (await world.ask("DELETE", made_in, token=two.mallory)).status == 204
    assert (await world.ask("POST", members, body, token=two.olga)).problem == NOT_PROVEN
    # Without mail a link proves nothing: whoever invites has it in his hands.
    invited = await world.ask("POST", two.invitations, {"emails": [VICTIM]}, token=two.olga)
    assert invited.problem == NOT_PROVEN
    assert "administrator of the system" in invited.json["message"]
    zh = await world.ask("POST", members, body, token=two.olga, headers={"accept-language": "zh"})
    assert "请改为邀请" in zh.json["message"]


async def test_who_made_it_up_cannot_prove_it_by_a_link_of_his_own(
    world: World, admin: str, two: Two
) -> None:
    new = "walt@west.example"
    answer = await world.ask(
        "POST", f"/orgs/{two.east}/invitations", {"emails": [new]}, token=two.mallory
    )
    link = answer.json["items"][0]["link"].partition("?token=")[2]
    late = await world.ask("POST", two.invitations, {"emails": [new]}, token=two.olga)
    theirs = late.json["items"][0]["link"].partition("?token=")[2]
    assert (await accept(world, link)).status == 204
    token = await world.sign_in(new, THEIRS)
    assert (await world.ask("GET", "/profile", token=token)).json["provenAt"] is None
    answer = await world.ask("POST", f"/orgs/{two.west}/members", {"email": new}, token=two.olga)
    assert answer.problem == NOT_PROVEN
    assert (await accept(world, theirs)).problem == NOT_PROVEN
    assert [org["id"] for org in (await world.ask("GET", "/roles", token=token)).json["orgs"]] == [
        two.east
    ]


async def test_an_invitation_by_mail_proves_it_and_ends_what_was_there(
    world: World, admin: str, two: Two, mailed: MailServer, clock: ManualClock
) -> None:
    kept = await dug_in(world, clock)
    body = {"emails": [VICTIM], "role": "admin"}
    answer = await world.ask("POST", two.invitations, body, token=two.olga)
    assert answer.json["items"][0]["link"] is None, answer.text
    assert (await accept(world, await link_in(mailed))).status == 204
    token = await assert_it_is_veras(world, kept)
    assert (await world.ask("GET", f"/orgs/{two.west}/members", token=token)).status == 200
    audit = await world.ask("GET", "/audit?operation=proveAddress", token=admin)
    [row] = audit.json["items"]
    assert (row["objectName"], row["after"]) == (VICTIM, {"proven": True, "by": "invitation"})
    # It counts everywhere now, and is not proven twice.
    again = await world.ask("POST", two.invitations, {"emails": [VICTIM]}, token=two.olga)
    assert again.problem == (409, "ALREADY_EXISTS")


async def test_a_forgotten_password_by_mail_proves_it_too(
    world: World, two: Two, mailed: MailServer, clock: ManualClock
) -> None:
    kept = await dug_in(world, clock)
    await world.ask("POST", "/password-reset", {"email": VICTIM})
    body = {"token": await link_in(mailed), "password": THEIRS}
    assert (await world.ask("POST", "/password-reset/finish", body)).status == 204
    await assert_it_is_veras(world, kept)
    member = {"email": VICTIM, "role": "viewer"}
    await world.make(two.olga, f"/orgs/{two.west}/members", member)


async def test_without_mail_an_administrator_of_the_system_confirms_it(
    world: World, admin: str, two: Two, clock: ManualClock
) -> None:
    kept = await dug_in(world, clock)
    path = f"/users/{two.victim_id}/confirmation"
    given = {"password": THEIRS, "mustChange": False}
    assert (await world.ask("PUT", path, given, token=two.olga)).problem == (403, "FORBIDDEN")
    listed = await world.ask("GET", "/users?isProven=false", token=admin)
    assert [row["email"] for row in listed.json["items"]] == [VICTIM]
    members = await world.ask("GET", f"/orgs/{two.east}/members?email=vera", token=two.mallory)
    assert [row["isProven"] for row in members.json["items"]] == [False]
    assert (await world.ask("PUT", path, given, token=admin)).status == 204
    await assert_it_is_veras(world, kept)
    assert (await world.ask("PUT", path, given, token=admin)).problem == (409, "CONFLICT")
    await world.make(two.olga, f"/orgs/{two.west}/members", {"email": VICTIM})
    # So does a link that such an administrator hands over.
    new = {"email": "walt@west.example", "password": KNOWN}
    await world.make(two.mallory, f"/orgs/{two.east}/members", new)
    answer = await world.ask("POST", "/invitations", {"emails": [new["email"]]}, token=admin)
    link = answer.json["items"][0]["link"].partition("?token=")[2]
    assert (await accept(world, link)).status == 204
    walt = await world.sign_in(new["email"], THEIRS)
    assert (await world.ask("GET", "/profile", token=walt)).json["provenAt"] is not None


async def test_on_the_machine_an_account_becomes_the_administrators_alone(
    world: World, two: Two, clock: ManualClock
) -> None:
    kept = await dug_in(world, clock)
    await asyncio.to_thread(reset_admin, world.control.config, VICTIM, THEIRS, clock)
    token = await assert_it_is_veras(world, kept)
    assert (await world.ask("GET", "/profile", token=token)).json["isAdmin"]


async def test_an_account_that_was_in_two_places_before_gets_no_more_there(
    world: World, admin: str, two: Two
) -> None:
    body = {"email": "walt@west.example", "password": PASSWORD}
    walt = await world.make(admin, f"/orgs/{two.east}/members", body)
    await world.make(two.olga, f"/orgs/{two.west}/members", {"email": body["email"]})
    project = await world.make(two.olga, f"/orgs/{two.west}/projects", {"name": "p"})
    async with world.control.database.write() as session:
        user = await session.get(User, walt)
        assert user is not None
        user.proven_at = None
    member = f"/orgs/{two.west}/members/{walt}"
    answer = await world.ask("PUT", member, {"role": "admin"}, token=two.olga)
    assert answer.problem == NOT_PROVEN
    path, given = f"/orgs/{two.west}/projects/{project}/members", {"userId": walt}
    assert (await world.ask("POST", path, given, token=two.olga)).problem == NOT_PROVEN
    assert (await world.ask("PUT", member, {"role": "viewer"}, token=two.olga)).status == 204
