"""Who may use an edge service."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rookery.clock import ManualClock
from rookery.edge.users.models import EdgeRole
from rookery.edge.users.service import SIGNED_OUT_MAX, Users
from rookery.errors import BadRequestError, RookeryError, StartError, UnauthorizedError
from rookery.types import Secret

PASSWORD = "plant-7-north"
NEAR, FAR = "127.0.0.1", "192.0.2.7"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def users(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Users]:
    made = of(tmp_path, clock)
    await made.open()
    yield made
    await made.close()


def of(data_dir: Path, clock: ManualClock, first: str = "") -> Users:
    return Users(data_dir, clock, lifetime_s=3600, first_password=Secret(first))


async def sign_in(users: Users, password: str, address: str = NEAR, name: str = "admin") -> str:
    return await users.sign_in(name, password, address, is_near=True)


async def chosen(users: Users) -> str:
    """A token of the administrator, who has chosen a password."""
    token = await sign_in(users, "0000")
    return await users.change_own_password(users.caller_of(token, NEAR), "0000", PASSWORD)


async def test_the_default_password_is_good_on_the_machine_itself_to_choose_another(
    users: Users,
) -> None:
    was_initial = users.is_initial
    with pytest.raises(UnauthorizedError):
        await sign_in(users, "0000", FAR)
    with pytest.raises(UnauthorizedError):
        await users.sign_in("admin", "0000", NEAR, is_near=False)
    first = await sign_in(users, "0000")
    assert users.caller_of(first, NEAR).must_change_password

    token = await users.change_own_password(users.caller_of(first, NEAR), "0000", PASSWORD)

    assert (was_initial, users.is_initial) == (True, False)
    assert not users.caller_of(token, NEAR).must_change_password
    with pytest.raises(UnauthorizedError):
        users.caller_of(first, NEAR)
    with pytest.raises(UnauthorizedError):
        await sign_in(users, "0000")
    await sign_in(users, PASSWORD, FAR)


@pytest.mark.parametrize("new", ["0000", "short1", "onlyletters", "x" * 65 + "1"])
async def test_a_bad_password_changes_nothing(users: Users, new: str) -> None:
    token = await sign_in(users, "0000")
    with pytest.raises(BadRequestError):
        await users.change_own_password(users.caller_of(token, NEAR), "0000", new)
    assert users.is_initial


async def test_a_configured_password_takes_the_place_of_the_default(
    tmp_path: Path, clock: ManualClock
) -> None:
    users = of(tmp_path, clock, PASSWORD)
    await users.open()
    assert not users.is_initial
    await sign_in(users, PASSWORD, FAR)
    await users.close()


async def test_tokens_outlive_the_process_and_end_in_time(
    users: Users, tmp_path: Path, clock: ManualClock
) -> None:
    token = await chosen(users)
    again = of(tmp_path, clock)
    await again.open()
    assert again.caller_of(token, NEAR).name == "admin"
    clock.advance(3601)
    with pytest.raises(UnauthorizedError) as found:
        again.caller_of(token, NEAR)
    assert found.value.code == "TOKEN_TIME_OUT"
    await again.close()


async def test_whoever_signed_out_stays_out(users: Users) -> None:
    kept = await chosen(users)
    given_back = await sign_in(users, PASSWORD)
    await users.sign_out(users.caller_of(given_back, NEAR))
    with pytest.raises(UnauthorizedError):
        users.caller_of(given_back, NEAR)
    users.caller_of(kept, NEAR)


async def test_more_tokens_given_back_than_are_remembered_end_all(users: Users) -> None:
    kept = await chosen(users)
    for _ in range(SIGNED_OUT_MAX + 1):
        token = users._tokens.issue(users.get("admin"))
        await users.sign_out(users.caller_of(token, NEAR))
    with pytest.raises(UnauthorizedError):
        users.caller_of(kept, NEAR)
    assert users.get("admin").signed_out == ()


async def test_bad_passwords_lock_that_user_from_there(users: Users, clock: ManualClock) -> None:
    await chosen(users)
    for _ in range(5):
        with pytest.raises(UnauthorizedError):
            await sign_in(users, "guess", FAR)
    with pytest.raises(UnauthorizedError) as found:
        await sign_in(users, PASSWORD, FAR)
    assert found.value.code == "LOGIN_LOCKED"
    await sign_in(users, PASSWORD)
    clock.advance(601)
    await sign_in(users, PASSWORD, FAR)


async def test_one_administrator_stays(users: Users) -> None:
    await chosen(users)
    await users.create("ada", PASSWORD, "viewer")
    role: EdgeRole = "viewer"
    with pytest.raises(BadRequestError):
        await users.set_role("admin", role)
    with pytest.raises(BadRequestError):
        await users.delete("admin")
    await users.set_role("ada", "administrator")
    await users.delete("admin")
    assert [user.name for user in users.all()] == ["ada"]


async def test_a_password_that_somebody_else_chose_has_to_be_changed(users: Users) -> None:
    await chosen(users)
    await users.create("ada", PASSWORD, "viewer")
    token = await sign_in(users, PASSWORD, FAR, "ada")
    assert users.caller_of(token, FAR).must_change_password


async def test_the_file_is_the_owners_alone_and_never_half_written(
    users: Users, tmp_path: Path
) -> None:
    await chosen(users)
    file = tmp_path / "users.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert PASSWORD not in file.read_text("utf-8")
    assert [path.name for path in tmp_path.glob("users*")] == ["users.json"]


async def test_a_broken_file_is_told_and_not_replaced(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "users.json").write_text("{", "utf-8")
    users = of(tmp_path, clock)
    with pytest.raises(StartError, match=r"users\.json"):
        await users.open()
    await users.close()
    assert await asyncio.to_thread((tmp_path / "users.json").read_text, "utf-8") == "{"


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 65])
async def test_bad_names_are_refused(users: Users, name: str) -> None:
    with pytest.raises(RookeryError):
        await users.create(name, PASSWORD, "viewer")
