"""API tokens: what they may, how they end."""

from __future__ import annotations

from typing import Any

import pytest

from harness.control import PASSWORD, World
from rookery.clock import ManualClock
from rookery.control.rest.models import rfc3339
from rookery.control.tokens import service

DAY_MS = 24 * 3600 * 1000


def given(clock: ManualClock, days: float = 1, **more: Any) -> dict[str, Any]:
    expires = rfc3339(clock.now_ms() + round(days * DAY_MS))
    return {"name": "monitoring", "access": "read", "expiresAt": expires, **more}


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(
    world: World, admin: str, clock: ManualClock
) -> None:
    made = (await world.ask("POST", "/tokens", given(clock), token=admin)).json
    token = made["token"]
    assert token.startswith("rkt_")
    assert (await world.ask("GET", "/orgs", token=token)).status == 200
    listed = await world.ask("GET", "/tokens", token=admin)
    assert token not in listed.text
    assert listed.json["items"][0]["usedAt"] == rfc3339(clock.now_ms())
    assert (await world.ask("DELETE", f"/tokens/{made['id']}", token=admin)).status == 204
    assert (await world.ask("GET", "/orgs", token=token)).problem == (401, "BAD_TOKEN")


async def test_a_token_ends_at_its_time_and_with_its_owner(
    world: World, admin: str, clock: ManualClock
) -> None:
    user = await world.make(admin, "/users", {"email": "g@example.com", "password": PASSWORD})
    grace = await world.sign_in("g@example.com")
    token = (await world.ask("POST", "/tokens", given(clock, 30), token=grace)).json["token"]
    await world.ask("PUT", f"/users/{user}", {"isEnabled": False}, token=admin)
    assert (await world.ask("GET", "/orgs", token=token)).problem == (401, "BAD_TOKEN")
    await world.ask("PUT", f"/users/{user}", {"isEnabled": True}, token=admin)
    assert (await world.ask("GET", "/orgs", token=token)).status == 200
    clock.advance(31 * 24 * 3600)
    assert (await world.ask("GET", "/orgs", token=token)).problem == (401, "TOKEN_TIME_OUT")


@pytest.mark.parametrize("days", [-1, 0, 367])
async def test_a_token_ends_within_a_year(
    world: World, admin: str, clock: ManualClock, days: int
) -> None:
    answer = await world.ask("POST", "/tokens", given(clock, days), token=admin)
    assert answer.problem == (400, "BAD_REQUEST")


async def test_a_token_is_made_for_no_place_that_its_owner_does_not_see(
    world: World, admin: str, clock: ManualClock
) -> None:
    org = await world.make(admin, "/orgs", {"name": "East"})
    await world.make(admin, "/users", {"email": "g@example.com", "password": PASSWORD})
    grace = await world.sign_in("g@example.com")
    answer = await world.ask("POST", "/tokens", given(clock, orgId=org), token=grace)
    assert answer.problem == (404, "NOT_FOUND")
    answer = await world.ask("POST", "/tokens", given(clock, orgId="0" * 16), token=admin)
    assert answer.problem == (404, "NOT_FOUND")
    answer = await world.ask("POST", "/tokens", given(clock, projectId="0" * 16), token=admin)
    assert answer.problem == (400, "BAD_REQUEST")


async def test_nobody_revokes_somebody_elses_token(
    world: World, admin: str, clock: ManualClock
) -> None:
    made = (await world.ask("POST", "/tokens", given(clock), token=admin)).json
    await world.make(admin, "/users", {"email": "g@example.com", "password": PASSWORD})
    grace = await world.sign_in("g@example.com")
    answer = await world.ask("DELETE", f"/tokens/{made['id']}", token=grace)
    assert answer.problem == (404, "NOT_FOUND")
    assert (await world.ask("GET", "/orgs", token=made["token"])).status == 200


async def test_one_user_has_so_many_tokens(
    world: World, admin: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "TOKENS_OF_USER_MAX", 2)
    for name in ("a", "b"):
        await world.make(admin, "/tokens", given(clock, name=name))
    answer = await world.ask("POST", "/tokens", given(clock, name="c"), token=admin)
    assert answer.problem == (413, "EXCEED_LIMIT")
    answer = await world.ask("POST", "/tokens", given(clock, name="c"), token=admin)
    assert answer.status == 413


async def test_a_token_gives_nobody_what_outlives_it(
    world: World, admin: str, clock: ManualClock
) -> None:
    user = await world.make(admin, "/users", {"email": "h@example.com", "password": PASSWORD})
    made = await world.ask("POST", "/tokens", given(clock, access="write"), token=admin)
    token = made.json["token"]
    me = (await world.ask("GET", "/profile", token=admin)).json["id"]
    new = {"email": "i@example.com", "password": PASSWORD}

    async def outcome(method: str, path: str, body: dict[str, Any]) -> int:
        return (await world.ask(method, path, body, token=token)).status

    for whose in (user, me):
        assert await outcome("PUT", f"/users/{whose}/password", {"password": "An0ther one!"}) == 403
    assert await outcome("POST", "/users", {**new, "isAdmin": True}) == 403
    assert await outcome("PUT", f"/users/{user}", {"isAdmin": True}) == 403
    assert await outcome("POST", "/users", new) == 201
    assert await outcome("PUT", f"/users/{user}", {"name": "Hedy"}) == 200
    assert await world.sign_in("h@example.com")
