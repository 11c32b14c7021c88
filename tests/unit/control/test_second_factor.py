"""The second factor: codes of an authenticator, each once, and recovery codes."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from harness.control import ADMIN, PASSWORD, Answer, World
from harness.second_factor import PATH, Authenticator, enrolled
from rookery.clock import ManualClock

OTHER = "grace@example.com"
NEEDED = (401, "SECOND_FACTOR_REQUIRED")
WRONG = (401, "BAD_SECOND_FACTOR")


async def login(world: World, code: str | None = None, password: str = PASSWORD) -> Answer:
    body = {"email": ADMIN, "password": password, "code": code}
    return await world.ask("POST", "/login", body)


def test_codes_are_those_of_rfc_6238() -> None:
    # Appendix B, of eight digits there.
    totp = TOTP(b"12345678901234567890", 6, SHA1(), 30)
    assert [totp.generate(at) for at in (59, 1111111109, 20000000000)] == [
        b"287082",
        b"081804",
        b"353130",
    ]


async def test_a_code_is_asked_for_and_works_once(
    world: World, admin: str, clock: ManualClock
) -> None:
    other = await world.sign_in()
    mine, codes = await enrolled(world, admin, clock)
    assert len(set(codes)) == 10
    # Whoever signed in without one elsewhere is signed out, this session goes on.
    assert (await world.ask("GET", "/profile", token=other)).status == 401
    assert (await world.ask("GET", "/profile", token=admin)).json["hasSecondFactor"]
    assert (await login(world)).problem == NEEDED
    assert (await login(world, password="Wrong-horse-9")).problem == (401, "BAD_USERNAME_OR_PWD")
    # The one that confirmed it was used by that.
    assert (await login(world, mine.code())).problem == WRONG
    clock.advance(30)
    assert (await login(world, mine.code())).status == 200
    assert (await login(world, mine.code())).problem == WRONG
    assert (await login(world, mine.code(-30))).problem == WRONG
    assert (await login(world, mine.code(30))).status == 200


async def test_who_only_found_a_page_open_sets_none_up(world: World, admin: str) -> None:
    for given, code in (({"password": "Wrong-1-x"}, "ERROR_PWD_NOT_MATCH"), (None, "BAD_REQUEST")):
        answer = await world.ask("POST", PATH, given, token=admin)
        assert answer.problem == (400, code)
    assert (await world.ask("GET", PATH, token=admin)).json["isOn"] is False


async def test_what_is_no_code_confirms_nothing(world: World, admin: str) -> None:
    begun = await world.ask("POST", PATH, {"password": PASSWORD}, token=admin)
    assert begun.status == 201
    for code in ("000", "abcdef", "１２３４５６", "1234567"):
        answer = await world.ask("POST", f"{PATH}/confirm", {"code": code}, token=admin)
        assert answer.problem == (400, "BAD_REQUEST")
    assert (await login(world)).status == 200


async def test_a_recovery_code_works_once(world: World, admin: str, clock: ManualClock) -> None:
    _, codes = await enrolled(world, admin, clock)
    assert (await login(world, codes[0].upper().replace("-", " "))).status == 200
    assert (await login(world, codes[0])).problem == WRONG
    assert (await world.ask("GET", PATH, token=admin)).json["recoveryCodes"] == 9
    confirmed = {"password": PASSWORD}
    again = await world.ask("POST", f"{PATH}/recovery-codes", confirmed, token=admin)
    assert (await login(world, codes[1])).problem == WRONG
    assert (await login(world, again.json["recoveryCodes"][1])).status == 200


async def test_wrong_codes_lock_as_wrong_passwords_do(
    world: World, admin: str, clock: ManualClock
) -> None:
    mine, _ = await enrolled(world, admin, clock)
    clock.advance(30)
    for _ in range(5):
        assert (await login(world, "000000")).problem == WRONG
    assert (await login(world, mine.code())).problem == (401, "LOGIN_LOCKED")
    clock.advance(601)
    assert (await login(world, mine.code())).status == 200


async def test_it_is_taken_away_by_the_password_or_by_an_administrator(
    world: World, admin: str, clock: ManualClock
) -> None:
    user = await world.make(admin, "/users", {"email": OTHER, "password": PASSWORD})
    theirs = await world.sign_in(OTHER)
    await enrolled(world, theirs, clock)
    listed = (await world.ask("GET", "/users", token=admin)).json["items"]
    assert {row["email"]: row["hasSecondFactor"] for row in listed} == {ADMIN: False, OTHER: True}
    wrong = await world.ask("POST", f"{PATH}/disable", {"password": "Wrong-1-x"}, token=theirs)
    assert wrong.problem == (400, "ERROR_PWD_NOT_MATCH")
    path = f"/users/{user}/second-factor"
    assert (await world.ask("DELETE", path, token=admin)).status == 204
    assert (await world.ask("DELETE", path, token=admin)).problem == (404, "NOT_FOUND")
    theirs = await world.sign_in(OTHER)
    await enrolled(world, theirs, clock)
    right = await world.ask("POST", f"{PATH}/disable", {"password": PASSWORD}, token=theirs)
    assert right.status == 204
    assert await world.sign_in(OTHER)
    audit = (await world.ask("GET", "/audit?size=100", token=admin)).json["items"]
    said = [row["operation"] for row in audit]
    assert {"enableSecondFactor", "resetSecondFactor", "disableSecondFactor"} <= set(said)


async def test_administrators_who_need_one_set_it_up_before_anything_else(
    world: World, admin: str, clock: ManualClock
) -> None:
    path = "/configuration/user-management"
    held = (await world.ask("GET", path, token=admin)).json
    await world.ask("PUT", path, {**held, "isSecondFactorRequired": True}, token=admin)
    assert (await world.ask("GET", "/profile", token=admin)).json["mustDo"] == "enrolSecondFactor"
    for refused in ("/users", "/tokens", "/orgs"):
        answer = await world.ask("GET", refused, token=admin)
        assert answer.problem == (403, "SECOND_FACTOR_SETUP_REQUIRED")
    await enrolled(world, admin, clock)
    assert (await world.ask("GET", "/users", token=admin)).status == 200


async def test_no_secret_is_at_rest_or_in_the_audit(
    world: World, admin: str, clock: ManualClock, tmp_path: Any
) -> None:
    made = (await world.ask("POST", PATH, {"password": PASSWORD}, token=admin)).json
    assert made["uri"].startswith("otpauth://totp/Rookery:ada%40example.com?")
    assert {len(row) for row in made["picture"]} == {len(made["picture"])}
    mine = Authenticator(made, clock)
    codes = (await world.ask("POST", f"{PATH}/confirm", {"code": mine.code()}, token=admin)).json[
        "recoveryCodes"
    ]
    held = b"".join(file.read_bytes() for file in tmp_path.glob("control.db*"))
    raw = base64.b32decode(made["secret"])
    for secret in (made["secret"].encode(), raw, raw.hex().encode(), codes[0].encode()):
        assert secret not in held
