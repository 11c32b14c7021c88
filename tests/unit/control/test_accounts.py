"""Accounts over the REST interface: the wizard, signing in, users."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

import pytest

from harness.client import DEADLINE_S
from harness.control import ADMIN, PASSWORD, World
from rookery.clock import ManualClock
from rookery.storage import engine

OTHER = "grace@example.com"


async def add_user(world: World, admin: str, email: str = OTHER) -> str:
    given = {"email": email, "password": PASSWORD, "name": "Grace"}
    answer = await world.ask("POST", "/users", given, token=admin)
    assert answer.status == 201, answer.text
    user: str = answer.json["id"]
    return user


async def test_the_wizard_is_open_until_there_is_an_administrator(world: World) -> None:
    answer = await world.ask("GET", "/setup")
    assert answer.json == {"isFinished": False, "needsCode": False}
    await world.set_up()
    answer = await world.ask("GET", "/setup")
    assert answer.json == {"isFinished": True, "needsCode": False}
    given = {"email": "eve@example.com", "password": PASSWORD, "accessAddress": "https://h:1"}
    answer = await world.ask("POST", "/setup", given)
    assert answer.problem == (409, "CONFLICT")


@pytest.mark.parametrize("header", [{"x-forwarded-for": "192.0.2.1"}, {"host": "evil.example"}])
async def test_who_is_not_on_the_machine_has_to_know_the_code(
    world: World, header: dict[str, str]
) -> None:
    answer = await world.ask("GET", "/setup", headers=header)
    assert answer.json["needsCode"]
    given = {"email": ADMIN, "password": PASSWORD, "accessAddress": "https://h:1"}
    for code in (None, "0" * 20):
        answer = await world.ask("POST", "/setup", {**given, "code": code}, headers=header)
        assert answer.problem == (403, "FORBIDDEN")
    right = await world.control.setup.code()
    answer = await world.ask("POST", "/setup", {**given, "code": right}, headers=header)
    assert answer.status == 204


@pytest.mark.parametrize("password", ["short-1", "onlyletters", "letters123", "a" * 65])
async def test_a_password_that_is_easy_to_guess_is_refused(world: World, password: str) -> None:
    given = {"email": ADMIN, "password": password, "accessAddress": "https://h:1"}
    answer = await world.ask("POST", "/setup", given)
    assert answer.problem == (400, "BAD_REQUEST")
    assert password not in answer.text


async def test_errors_speak_the_language_of_who_reads_them(world: World) -> None:
    body = {"email": ADMIN, "password": "no"}
    english = await world.ask("POST", "/login", body)
    chinese = await world.ask("POST", "/login", body, headers={"accept-language": "zh-CN"})
    assert english.json["message"] == "wrong e-mail address or password"
    assert chinese.json["message"] == "邮箱或密码错误"


async def test_a_refresh_ends_the_access_token_before(world: World, admin: str) -> None:
    signed_in = (await world.ask("POST", "/login", {"email": ADMIN, "password": PASSWORD})).json
    assert signed_in["tokenType"] == "Bearer"
    assert (signed_in["expiresIn"], signed_in["admin"]) == (1800, True)
    refreshed = await world.ask("POST", "/refresh", {"refreshToken": signed_in["refreshToken"]})
    old = await world.ask("GET", "/profile", token=signed_in["accessToken"])
    new = await world.ask("GET", "/profile", token=refreshed.json["accessToken"])
    assert old.problem == (401, "BAD_TOKEN")
    assert new.json["email"] == ADMIN


async def test_tokens_end_at_their_time(world: World, admin: str, clock: ManualClock) -> None:
    signed_in = (await world.ask("POST", "/login", {"email": ADMIN, "password": PASSWORD})).json
    clock.advance(1801)
    answer = await world.ask("GET", "/profile", token=signed_in["accessToken"])
    assert answer.problem == (401, "TOKEN_TIME_OUT")
    clock.advance(7 * 24 * 3600)
    answer = await world.ask("POST", "/refresh", {"refreshToken": signed_in["refreshToken"]})
    assert answer.problem == (401, "TOKEN_TIME_OUT")


async def test_signing_out_ends_both_tokens(world: World, admin: str) -> None:
    signed_in = (await world.ask("POST", "/login", {"email": ADMIN, "password": PASSWORD})).json
    token = signed_in["accessToken"]
    assert (await world.ask("POST", "/logout", token=token)).status == 204
    assert (await world.ask("GET", "/profile", token=token)).status == 401
    answer = await world.ask("POST", "/refresh", {"refreshToken": signed_in["refreshToken"]})
    assert answer.problem == (401, "BAD_TOKEN")


async def test_sessions_are_listed_and_can_be_ended_from_elsewhere(
    world: World, admin: str
) -> None:
    other = await world.sign_in()
    sessions = (await world.ask("GET", "/profile/sessions", token=admin)).json["items"]
    assert [row["isCurrent"] for row in sessions].count(True) == 1
    there = next(row["id"] for row in sessions if not row["isCurrent"])
    assert (await world.ask("DELETE", f"/profile/sessions/{there}", token=admin)).status == 204
    assert (await world.ask("GET", "/profile", token=other)).status == 401
    assert (await world.ask("GET", "/profile", token=admin)).status == 200


async def test_five_wrong_passwords_lock_that_user_out_for_ten_minutes(
    world: World, admin: str, clock: ManualClock
) -> None:
    wrong = {"email": ADMIN, "password": "Wrong-horse-9"}
    for _ in range(5):
        assert (await world.ask("POST", "/login", wrong)).json["code"] == "BAD_USERNAME_OR_PWD"
    right = {"email": ADMIN, "password": PASSWORD}
    assert (await world.ask("POST", "/login", right)).problem == (401, "LOGIN_LOCKED")
    clock.advance(601)
    assert (await world.ask("POST", "/login", right)).status == 200


async def test_a_user_who_is_disabled_is_signed_out_at_once(world: World, admin: str) -> None:
    user = await add_user(world, admin)
    token = await world.sign_in(OTHER)
    answer = await world.ask("PUT", f"/users/{user}", {"isEnabled": False}, token=admin)
    assert answer.json["isEnabled"] is False
    assert (await world.ask("GET", "/profile", token=token)).status == 401
    answer = await world.ask("POST", "/login", {"email": OTHER, "password": PASSWORD})
    assert answer.status == 401
    await world.ask("PUT", f"/users/{user}", {"isEnabled": True}, token=admin)
    await world.sign_in(OTHER)


async def test_an_administrator_gives_a_user_another_password(world: World, admin: str) -> None:
    user = await add_user(world, admin)
    token = await world.sign_in(OTHER)
    path = f"/users/{user}/password"
    assert (await world.ask("PUT", path, {"password": "Other-horse-8"}, token=admin)).status == 204
    assert (await world.ask("GET", "/profile", token=token)).status == 401
    await world.sign_in(OTHER, "Other-horse-8")


async def test_a_password_that_changes_while_it_is_checked_opens_no_session(
    world: World, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await add_user(world, admin)
    passwords = world.control.sessions._passwords
    is_right = passwords.is_right

    async def slowly(stored: str | None, given: str) -> bool:
        found = await is_right(stored, given)
        monkeypatch.undo()
        path = f"/users/{user}/password"
        answer = await world.ask("PUT", path, {"password": "another-one-1"}, token=admin)
        assert answer.status == 204, answer.text
        return found

    monkeypatch.setattr(passwords, "is_right", slowly)
    answer = await world.ask("POST", "/login", {"email": OTHER, "password": PASSWORD})
    assert answer.problem == (401, "BAD_USERNAME_OR_PWD")


async def test_a_browser_is_not_told_to_ask_for_a_password(world: World) -> None:
    answer = await world.ask("GET", "/profile")
    assert answer.problem == (401, "AUTHORIZATION_HEADER_ERROR")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


async def test_ones_own_password_takes_the_old_one_and_ends_other_sessions(
    world: World, admin: str
) -> None:
    other = await world.sign_in()
    body = {"oldPassword": "Wrong-horse-9", "newPassword": "Other-horse-8"}
    answer = await world.ask("PUT", "/profile/password", body, token=admin)
    assert answer.problem == (400, "ERROR_PWD_NOT_MATCH")
    body["oldPassword"] = PASSWORD
    assert (await world.ask("PUT", "/profile/password", body, token=admin)).status == 204
    assert (await world.ask("GET", "/profile", token=admin)).status == 200
    assert (await world.ask("GET", "/profile", token=other)).status == 401
    await world.sign_in(ADMIN, "Other-horse-8")


@pytest.mark.parametrize("change", [{"isAdmin": False}, {"isEnabled": False}])
async def test_nobody_locks_himself_out(world: World, admin: str, change: dict[str, bool]) -> None:
    me = (await world.ask("GET", "/profile", token=admin)).json["id"]
    answer = await world.ask("PUT", f"/users/{me}", change, token=admin)
    assert answer.problem == (400, "NOT_ALLOWED")
    assert (await world.ask("DELETE", f"/users/{me}", token=admin)).status == 400
    assert (await world.ask("GET", "/users", token=admin)).status == 200


async def test_users_are_found_and_sorted_by_the_database(world: World, admin: str) -> None:
    for name in ("b", "a", "c"):
        await add_user(world, admin, f"{name}_x@example.com")
    answer = await world.ask("GET", "/users?email=_X@&sort=email&order=desc&size=2", token=admin)
    assert [row["email"] for row in answer.json["items"]] == ["c_x@example.com", "b_x@example.com"]
    assert answer.json["total"] == 3
    answer = await world.ask("GET", "/users?isAdmin=true", token=admin)
    assert [row["email"] for row in answer.json["items"]] == [ADMIN]


async def test_an_address_is_one_user_whatever_its_case(world: World, admin: str) -> None:
    await add_user(world, admin)
    given = {"email": OTHER.upper(), "password": PASSWORD}
    answer = await world.ask("POST", "/users", given, token=admin)
    assert answer.problem == (409, "ALREADY_EXISTS")
    await world.sign_in(OTHER.upper())


async def test_no_answer_holds_a_password_or_its_hash(world: World, admin: str) -> None:
    user = await add_user(world, admin)
    for path in ("/users", f"/users/{user}", "/profile", "/audit", "/profile/sessions"):
        text = (await world.ask("GET", path, token=admin)).text
        assert "argon2" not in text
        assert PASSWORD not in text


async def test_whoever_is_signed_in_can_look_while_nothing_can_be_written(
    world: World, admin: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    clock.advance(61)  # so that the use would be noted
    file = world.control.config.data_dir / "control.db"
    async with asyncio.timeout(DEADLINE_S):
        while not all(world.control.once.runs.values()):  # they write, too
            await asyncio.sleep(0)
    await world.control.database.close()  # connections from here on wait that long alone
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert (await world.ask("GET", "/orgs", token=admin)).status == 200
        answer = await world.ask("POST", "/orgs", {"name": "East"}, token=admin)
        assert answer.problem == (503, "SERVICE_UNAVAILABLE")
        other.execute("ROLLBACK")
    assert (await world.ask("POST", "/orgs", {"name": "East"}, token=admin)).status == 201
