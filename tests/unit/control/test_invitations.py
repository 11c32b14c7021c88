"""Invitations and forgotten passwords: links that work once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from harness.control import ADMIN, PASSWORD, Answer, World
from harness.mail import MailServer, link_of, text_of
from rookery.clock import ManualClock

NEW = "bea@example.com"
THEIRS = "Bea-trix-potter-2"
LINK_ENDED = (400, "BAD_REQUEST")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path) as server:
        yield server


@pytest.fixture
async def mailed(world: World, admin: str, server: MailServer) -> MailServer:
    """A mail server that the control plane uses."""
    answer = await world.ask("PUT", "/configuration/mail", server.settings(), token=admin)
    assert answer.status == 204, answer.text
    return server


async def got(server: MailServer) -> EmailMessage:
    return await asyncio.to_thread(server.next)


async def a_place(world: World, admin: str) -> tuple[str, str]:
    org = await world.make(admin, "/orgs", {"name": "Factory East"})
    return org, await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})


async def invited(world: World, token: str, path: str = "/invitations", **other: Any) -> Any:
    answer = await world.ask("POST", path, {"emails": [NEW], **other}, token=token)
    assert answer.status == 201, answer.text
    assert answer.json["total"] == 1
    return answer.json["items"][0]


def token_of(link: str) -> str:
    # Behind # it reaches no server and no log.
    before, _, token = link.partition("?token=")
    assert before.partition("/#/")[0] == "https://127.0.0.1:8082"
    return token


async def accept(world: World, token: str, **other: Any) -> Answer:
    given = {"token": token, "name": "Bea", "password": THEIRS, "language": "zh", **other}
    return await world.ask("POST", "/invitation/accept", given)


async def test_without_mail_the_link_is_handed_over_and_works_once(
    world: World, admin: str
) -> None:
    org, project = await a_place(world, admin)
    places = {"role": "viewer", "projectId": project, "projectRole": "admin"}
    made = await invited(world, admin, f"/orgs/{org}/invitations", **places)
    token = token_of(made["link"])
    shown = (await world.ask("POST", "/invitation", {"token": token})).json
    assert (shown["email"], shown["orgName"], shown["projectName"]) == (
        NEW,
        "Factory East",
        "Plant 1",
    )
    weak = await accept(world, token, password="short-1")
    assert weak.problem == (400, "BAD_REQUEST")
    assert (await accept(world, token)).status == 204
    assert (await accept(world, token)).problem == LINK_ENDED
    theirs = await world.sign_in(NEW, THEIRS)
    profile = (await world.ask("GET", "/profile", token=theirs)).json
    assert (profile["name"], profile["language"], profile["isAdmin"]) == ("Bea", "zh", False)
    roles = (await world.ask("GET", "/roles", token=theirs)).json
    assert roles["orgs"][0]["projects"][0]["roles"] == ["projectAdmin"]
    audit = (await world.ask("GET", "/audit?operation=acceptInvitation", token=admin)).json
    assert audit["items"][0]["operatorName"] == NEW
    assert token not in str(await world.ask("GET", "/audit", token=admin))


async def test_with_mail_the_link_goes_to_the_address_alone(
    world: World, admin: str, mailed: MailServer
) -> None:
    made = await invited(world, admin, language="zh", isAdmin=True)
    assert made["link"] is None
    message = await got(mailed)
    assert (message["To"], message["Subject"]) == (NEW, "Rookery 邀请")
    assert ADMIN in text_of(message)
    assert (await accept(world, token_of(link_of(message)))).status == 204
    theirs = await world.sign_in(NEW, THEIRS)
    assert (await world.ask("GET", "/users", token=theirs)).status == 200


async def test_it_expires_is_sent_again_and_revoked(
    world: World, admin: str, clock: ManualClock
) -> None:
    made = await invited(world, admin)
    clock.advance(24 * 3600)
    admin = await world.sign_in()
    assert (await accept(world, token_of(made["link"]))).problem == LINK_ENDED
    path = f"/invitations/{made['id']}"
    again = (await world.ask("POST", f"{path}/renew", token=admin)).json
    assert (
        await world.ask("POST", "/invitation", {"token": token_of(again["link"])})
    ).status == 200
    listed = (await world.ask("GET", "/invitations", token=admin)).json
    assert [row["email"] for row in listed["items"]] == [NEW]
    assert "token" not in str(listed).lower()
    assert (await world.ask("DELETE", path, token=admin)).status == 204
    assert (await accept(world, token_of(again["link"]))).problem == LINK_ENDED


async def test_who_is_a_user_or_invited_is_not_invited_again(world: World, admin: str) -> None:
    await invited(world, admin)
    for email in (NEW, ADMIN.upper()):
        answer = await world.ask("POST", "/invitations", {"emails": [email]}, token=admin)
        assert answer.problem == (409, "ALREADY_EXISTS")
    eleven = [f"user{number}@example.com" for number in range(11)]
    answer = await world.ask("POST", "/invitations", {"emails": eleven}, token=admin)
    assert answer.problem == (400, "BAD_REQUEST")
    nowhere = await world.ask(
        "POST", "/invitations", {"emails": eleven[:1], "role": "viewer"}, token=admin
    )
    assert nowhere.problem == (400, "BAD_REQUEST")


async def test_an_organization_sees_its_own_invitations_alone(world: World, admin: str) -> None:
    org, _ = await a_place(world, admin)
    other = await world.make(admin, "/orgs", {"name": "Factory West"})
    made = await invited(world, admin, f"/orgs/{org}/invitations")
    member = {"email": "orla@example.com", "password": PASSWORD, "role": "admin"}
    await world.make(admin, f"/orgs/{other}/members", member)
    theirs = await world.sign_in("orla@example.com")
    listed = await world.ask("GET", f"/orgs/{other}/invitations", token=theirs)
    assert listed.json == {"items": [], "total": 0}
    path = f"/orgs/{other}/invitations/{made['id']}"
    assert (await world.ask("DELETE", path, token=theirs)).problem == (404, "NOT_FOUND")
    foreign = f"/orgs/{org}/invitations"
    assert (await world.ask("GET", foreign, token=theirs)).problem == (404, "NOT_FOUND")
    assert (await world.ask("GET", "/invitations", token=theirs)).problem == (403, "FORBIDDEN")


async def test_no_organization_gets_the_link_of_an_administrator_of_the_system(
    world: World, admin: str
) -> None:
    org, _ = await a_place(world, admin)
    member = {"email": "orla@example.com", "password": PASSWORD, "role": "admin"}
    await world.make(admin, f"/orgs/{org}/members", member)
    theirs = await world.sign_in("orla@example.com")
    made = await invited(world, admin, isAdmin=True, orgId=org, role="admin")
    path = f"/orgs/{org}/invitations"
    assert (await world.ask("GET", path, token=theirs)).json["total"] == 0
    for method, end in (("POST", "/renew"), ("DELETE", "")):
        answer = await world.ask(method, f"{path}/{made['id']}{end}", token=theirs)
        assert answer.problem == (404, "NOT_FOUND")
    assert (await accept(world, token_of(made["link"]))).status == 204


async def test_an_api_token_makes_no_administrators(world: World, admin: str) -> None:
    body = {"name": "t", "access": "write", "expiresAt": "2024-01-01T00:00:00Z"}
    token = (await world.ask("POST", "/tokens", body, token=admin)).json["token"]
    given = {"emails": [NEW], "isAdmin": True}
    answer = await world.ask("POST", "/invitations", given, token=token)
    assert answer.problem == (403, "FORBIDDEN")


async def forgot(world: World, email: str) -> Answer:
    answer = await world.ask("POST", "/password-reset", {"email": email})
    await world.control.resets.settled()
    return answer


async def finish(world: World, token: str, password: str = THEIRS) -> Answer:
    return await world.ask("POST", "/password-reset/finish", {"token": token, "password": password})


async def test_a_forgotten_password_is_set_by_mail_once(
    world: World, admin: str, mailed: MailServer, clock: ManualClock
) -> None:
    assert (await world.ask("GET", "/sign-in")).json["canResetPassword"]
    for _ in range(5):
        await world.ask("POST", "/login", {"email": ADMIN, "password": "Wrong-horse-9"})
    await world.ask("PUT", "/profile", {"language": "zh"}, token=admin)
    unknown = await forgot(world, "nobody@example.com")
    known = await forgot(world, ADMIN)
    assert (unknown.status, unknown.text) == (known.status, known.text) == (202, "null")
    message = await got(mailed)
    assert (message["To"], message["Subject"]) == (ADMIN, "重置 Rookery 密码")
    token = token_of(link_of(message))
    looked = await world.ask("POST", "/password-reset/look", {"token": token})
    assert looked.json == {"email": ADMIN}
    assert (await finish(world, token)).status == 204
    assert (await finish(world, token)).problem == LINK_ENDED
    assert (await world.ask("GET", "/profile", token=admin)).status == 401
    assert await world.sign_in(ADMIN, THEIRS)
    # What nobody is has got nothing, and whoever asks too often neither.
    await forgot(world, ADMIN)
    assert mailed.is_empty
    clock.advance(61)
    await forgot(world, ADMIN)
    late = token_of(link_of(await got(mailed)))
    clock.advance(1800)
    assert (await finish(world, late)).problem == LINK_ENDED


async def test_who_is_disabled_gets_no_link(world: World, admin: str, mailed: MailServer) -> None:
    user = await world.make(admin, "/users", {"email": NEW, "password": PASSWORD})
    await world.ask("PUT", f"/users/{user}", {"isEnabled": False}, token=admin)
    assert (await forgot(world, NEW)).status == 202
    await forgot(world, ADMIN)
    assert (await got(mailed))["To"] == ADMIN


async def test_without_mail_nobody_can_ask_and_the_page_knows(world: World, admin: str) -> None:
    assert not (await world.ask("GET", "/sign-in")).json["canResetPassword"]
    answer = await forgot(world, ADMIN)
    assert answer.problem == (409, "CONFLICT")


async def rules(world: World, token: str, **other: Any) -> None:
    path = "/configuration/user-management"
    held = (await world.ask("GET", path, token=token)).json
    answer = await world.ask("PUT", path, {**held, **other}, token=token)
    assert answer.status == 204, answer.text


async def test_a_password_is_not_one_of_the_last(
    world: World, admin: str, clock: ManualClock
) -> None:
    await rules(world, admin, passwordHistory=2)
    held = PASSWORD
    for new, status in ((PASSWORD, 400), (THEIRS, 204), (PASSWORD, 400), ("Third-one-3", 204)):
        clock.advance(1)
        body = {"oldPassword": held, "newPassword": new}
        answer = await world.ask("PUT", "/profile/password", body, token=admin)
        assert answer.status == status, (new, answer.text)
        held = new if status == 204 else held
    body = {"oldPassword": held, "newPassword": PASSWORD}
    assert (await world.ask("PUT", "/profile/password", body, token=admin)).status == 204


async def test_a_password_that_is_too_old_or_not_ones_own_is_changed_first(
    world: World, admin: str, clock: ManualClock
) -> None:
    user = {"email": NEW, "password": PASSWORD, "mustChangePassword": True}
    await world.make(admin, "/users", user)
    theirs = await world.sign_in(NEW)
    assert (await world.ask("GET", "/profile", token=theirs)).json["mustDo"] == "changePassword"
    refused = await world.ask("GET", "/orgs", token=theirs)
    assert refused.problem == (403, "PASSWORD_CHANGE_REQUIRED")
    body = {"oldPassword": PASSWORD, "newPassword": THEIRS}
    assert (await world.ask("PUT", "/profile/password", body, token=theirs)).status == 204
    assert (await world.ask("GET", "/profile", token=theirs)).json["mustDo"] == ""
    await rules(world, admin, passwordAgeDays=1)
    clock.advance(24 * 3600)
    theirs = await world.sign_in(NEW, THEIRS)
    assert (await world.ask("GET", "/tokens", token=theirs)).status == 403
