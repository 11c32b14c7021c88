"""Users, tokens, sign-in codes and lockout where time stands still."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from rookery.access import ADMINS_FILE, lockout
from rookery.access.lockout import Lockout, is_loopback
from rookery.access.passwords.rule import check_password
from rookery.broker.admins import AdminService, opening, service, sso, tokens
from rookery.broker.admins.opening import Opening
from rookery.broker.admins.settings import AdminSettings
from rookery.broker.admins.sso import SignInCodes
from rookery.broker.admins.tokens import Session, TokenStore
from rookery.broker.alarms import AlarmRegistry
from rookery.broker.audit import AuditLog
from rookery.clock import ManualClock
from rookery.errors import (
    BadRequestError,
    ExceedsLimitError,
    RookeryError,
    UnauthorizedError,
    UnavailableError,
)
from rookery.types import Secret

GOOD = "good-enough-1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def admins(tmp_path: Path, clock: ManualClock) -> AsyncIterator[AdminService]:
    settings = AdminSettings("admin", Secret("public"), 3600, None)
    opened = AdminService(tmp_path, clock, AuditLog(tmp_path, clock), lambda: settings)
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    "password", ["public", "short1-", "onlyletters", "12345678", "a1" * 33, ""]
)
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        check_password(password)
    assert not password or password not in refused.value.message


@pytest.mark.parametrize("password", ["letters1", "12345678-", "öffentlich!", "密码密码密码密码1"])
def test_two_kinds_of_characters_will_do(password: str) -> None:
    check_password(password)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("somewhere", False),
    ],
)
def test_what_this_machine_is(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


def fail(lock: Lockout, address: str, times: int, user: str = "admin") -> None:
    for _ in range(times):
        lock.was_bad(user, address)


def test_an_attacker_locks_out_nobody_but_himself(clock: ManualClock) -> None:
    lock = Lockout(clock)
    fail(lock, "192.0.2.1", 5)

    assert lock.locked_for_s("admin", "192.0.2.1") == lockout.LOCKED_S
    assert lock.locked_for_s("admin", "192.0.2.2") == 0
    assert lock.locked_for_s("other", "192.0.2.1") == 0
    clock.advance(lockout.LOCKED_S)
    assert lock.locked_for_s("admin", "192.0.2.1") == 0


def test_bad_passwords_long_apart_are_no_attack(clock: ManualClock) -> None:
    lock = Lockout(clock)
    for _ in range(10):
        fail(lock, "192.0.2.1", 4)
        clock.advance(lockout.WINDOW_S + 1)

    assert lock.locked_for_s("admin", "192.0.2.1") == 0


def test_a_right_password_forgets_the_wrong_ones(clock: ManualClock) -> None:
    lock = Lockout(clock)
    fail(lock, "192.0.2.1", 4)
    lock.was_good("admin", "192.0.2.1")
    fail(lock, "192.0.2.1", 4)

    assert lock.locked_for_s("admin", "192.0.2.1") == 0


def test_one_site_has_many_addresses_of_version_six(clock: ManualClock) -> None:
    lock = Lockout(clock)
    for number in range(5):
        lock.was_bad("admin", f"2001:db8::{number}")

    assert lock.locked_for_s("admin", "2001:db8::99") > 0
    assert lock.locked_for_s("admin", "2001:db8:0:1::99") == 0


def test_guesses_from_everywhere_leave_the_known_places_open(clock: ManualClock) -> None:
    lock = Lockout(clock)
    lock.was_good("admin", "198.51.100.7")
    for number in range(lockout.SPREAD_MAX):
        lock.was_bad("admin", f"10.0.{number // 250}.{number % 250}")

    assert lock.locked_for_s("admin", "203.0.113.1") > 0
    assert lock.locked_for_s("admin", "198.51.100.7") == 0
    assert lock.locked_for_s("admin", "127.0.0.1") == 0
    lock.forget("admin")
    assert lock.locked_for_s("admin", "203.0.113.1") == 0


def test_the_table_is_bounded(clock: ManualClock) -> None:
    lock = Lockout(clock)
    for number in range(lockout.ENTRIES_MAX + 10):
        lock.was_bad(f"u{number}", "192.0.2.1")

    assert len(lock._pairs) == len(lock._users) == lockout.ENTRIES_MAX


def test_a_token_is_extended_by_use(clock: ManualClock) -> None:
    store = TokenStore(clock, lambda: 60.0)
    token = store.issue(Session("alice", "token"))
    for _ in range(5):
        clock.advance(59)
        assert store.use(token) is not None

    clock.advance(60)
    session = store.use(token)

    assert session is not None
    assert store.is_expired(session)
    assert store.use(token) is None


def test_a_page_that_asks_by_itself_does_not_extend_a_token(clock: ManualClock) -> None:
    store = TokenStore(clock, lambda: 60.0)
    token = store.issue(Session("alice", "token"))
    for _ in range(11):
        clock.advance(5)
        assert store.use(token, is_automatic=True) is not None

    clock.advance(5)
    session = store.use(token, is_automatic=True)

    assert session is not None
    assert store.is_expired(session)


def test_the_number_of_tokens_is_bounded(clock: ManualClock) -> None:
    store = TokenStore(clock, lambda: 60.0)
    first = store.issue(Session("alice", "token"))
    other = store.issue(Session("bob", "token"))
    for _ in range(tokens.TOKENS_OF_USER_MAX):
        store.issue(Session("alice", "token"))

    assert len(store) == tokens.TOKENS_OF_USER_MAX + 1
    assert store.use(first) is None
    assert store.use(other) is not None
    assert store.gave_way == 1


def test_a_code_is_good_once_and_for_thirty_seconds(clock: ManualClock) -> None:
    codes = SignInCodes(clock)
    late, used = codes.issue("k", "alice", "viewer"), codes.issue("k", "bob", "viewer")
    clock.advance(sso.LIFETIME_S - 1)

    found = codes.take(used)
    assert found is not None
    assert found.username == "bob"
    assert codes.take(used) is None
    clock.advance(1)
    assert codes.take(late) is None


def test_the_number_of_codes_is_bounded(clock: ManualClock) -> None:
    codes = SignInCodes(clock)
    first = codes.issue("k", "a", "viewer")
    for number in range(sso.CODES_MAX):
        codes.issue(f"k{number}", "a", "viewer")

    assert codes.take(first) is None


def test_a_key_that_asks_for_many_codes_pushes_out_its_own_alone(clock: ManualClock) -> None:
    codes = SignInCodes(clock)
    other, first = codes.issue("other", "a", "viewer"), codes.issue("k", "a", "viewer")
    for _ in range(sso.CODES_OF_KEY_MAX):
        codes.issue("k", "a", "viewer")

    assert codes.take(first) is None
    assert codes.take(other) is not None


def test_names_that_come_with_codes_push_out_no_user(clock: ManualClock) -> None:
    store = TokenStore(clock, lambda: 3600.0)
    user = store.issue(Session("admin", "token"))
    other = store.issue(Session("admin", "sso", role="viewer", key="other"))
    first = store.issue(Session("admin", "sso", role="viewer", key="k"))
    for number in range(tokens.TOKENS_OF_USER_MAX):
        store.issue(Session(f"name {number}", "sso", role="viewer", key="k"))

    assert store.use(first) is None
    assert store.use(user) is not None
    assert store.use(other) is not None


async def test_who_signed_in_by_a_code_goes_when_the_time_of_the_key_is_over(
    admins: AdminService, clock: ManualClock
) -> None:
    end_ms = clock.now_ms() + 60_000
    key = (await admins.keys.create("k", role="viewer", expired_at_ms=end_ms)).key
    code = admins.codes.issue(key.name, "alice", "viewer")
    token, _, _ = admins.login_with_code(code)
    assert admins.caller_of_token(token, "").name == "alice"

    clock.advance(61)

    with pytest.raises(UnauthorizedError) as refused:
        admins.caller_of_token(token, "")
    assert refused.value.code == "BAD_TOKEN"
    assert len(admins.tokens) == 0


async def test_the_default_user_is_refused_from_elsewhere(admins: AdminService) -> None:
    for address, is_direct in (("192.0.2.1", True), ("127.0.0.1", False)):
        with pytest.raises(UnauthorizedError, match="machine alone"):
            await admins.login("admin", "public", address, is_direct=is_direct)

    token, role, must_change = await admins.login("admin", "public", "127.0.0.1", is_direct=True)
    assert (role, must_change) == ("administrator", True)
    assert admins.caller_of_token(token, "127.0.0.1").must_change_password


async def test_the_first_user_ends_the_default_one(admins: AdminService) -> None:
    token, _, _ = await admins.login("admin", "public", "127.0.0.1", is_direct=True)
    with pytest.raises(BadRequestError):
        await admins.create("bob", GOOD, "viewer")
    await admins.create("bob", GOOD, "administrator")

    assert [admin.username for admin in admins.users()] == ["bob"]
    with pytest.raises(UnauthorizedError):
        admins.caller_of_token(token, "127.0.0.1")
    with pytest.raises(UnauthorizedError):
        await admins.login("admin", "public", "127.0.0.1", is_direct=True)


async def test_a_locked_user_is_refused_with_the_right_password(
    admins: AdminService, clock: ManualClock
) -> None:
    await admins.create("bob", GOOD, "administrator")

    async def code(password: str) -> str:
        with pytest.raises(UnauthorizedError) as refused:
            await admins.login("bob", password, "192.0.2.1", is_direct=True)
        return refused.value.code

    assert [await code("x") for _ in range(5)] == ["BAD_USERNAME_OR_PWD"] * 5
    assert await code(GOOD) == "LOGIN_LOCKED"
    assert await admins.login("bob", GOOD, "192.0.2.2", is_direct=True)
    clock.advance(lockout.LOCKED_S)
    assert await admins.login("bob", GOOD, "192.0.2.1", is_direct=True)


async def test_guessing_from_one_address_leaves_room_for_others(admins: AdminService) -> None:
    await admins.create("bob", GOOD, "administrator")

    async def attempt(number: int) -> str:
        try:
            await admins.login(f"u{number}", "x", "192.0.2.1", is_direct=True)
        except RookeryError as error:
            return error.code
        return ""

    guesses = [asyncio.create_task(attempt(number)) for number in range(30)]
    await asyncio.sleep(0)  # all have begun
    assert await admins.login("bob", GOOD, "192.0.2.2", is_direct=True)
    codes = await asyncio.gather(*guesses)

    # Where hashes take long their queue refuses some more.
    assert codes.count("SERVICE_UNAVAILABLE") >= 30 - service.PENDING_MAX
    assert not admins._pending


async def test_the_number_of_users_is_bounded(
    admins: AdminService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rookery.broker.admins.service.USERS_MAX", 2)
    await admins.create("a", GOOD, "administrator")
    await admins.create("b", GOOD, "viewer")

    with pytest.raises(ExceedsLimitError):
        await admins.create("c", GOOD, "viewer")


async def test_an_expired_key_does_not_work(admins: AdminService, clock: ManualClock) -> None:
    made = await admins.keys.create("k", expired_at_ms=clock.now_ms() + 1000)

    def verify() -> object:
        return admins.keys.verify(made.key.key, made.secret.reveal())

    assert verify() is not None
    assert admins.keys.verify(made.key.key, "wrong") is None
    clock.advance(1)
    assert verify() is None


async def test_who_brings_back_an_own_export_stays_signed_in(admins: AdminService) -> None:
    await admins.create("ann", GOOD, "administrator")
    await admins.create("ben", GOOD, "viewer")
    tokens_ = {
        name: (await admins.login(name, GOOD, "192.0.2.7", is_direct=True))[0]
        for name in ("ann", "ben")
    }
    exported = admins.stored()
    await admins.set_password("ben", GOOD + "-other")
    ben = (await admins.login("ben", GOOD + "-other", "192.0.2.7", is_direct=True))[0]

    await admins.restore(exported)

    assert admins.caller_of_token(tokens_["ann"], "192.0.2.7").name == "ann"
    with pytest.raises(UnauthorizedError):
        admins.caller_of_token(ben, "192.0.2.7")  # the password is the old one again


async def test_an_import_ends_the_default_user(tmp_path: Path, admins: AdminService) -> None:
    await admins.create("ann", GOOD, "administrator")
    exported = admins.stored()
    settings = AdminSettings("admin", Secret("public"), 3600, None)
    clock = ManualClock()
    (tmp_path / "new").mkdir()
    new = AdminService(tmp_path / "new", clock, AuditLog(tmp_path, clock), lambda: settings)
    await new.open()
    token = (await new.login("admin", "public", "127.0.0.1", is_direct=True))[0]
    await new.restore(exported)
    with pytest.raises(UnauthorizedError):
        new.caller_of_token(token, "127.0.0.1")
    await new.close()


def _without_tables(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 0")


def _garbage(file: Path) -> None:
    file.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)


@pytest.mark.parametrize("damage", [_garbage, _without_tables])
async def test_users_that_cannot_be_read_keep_everybody_out_until_they_can(
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Path], None],
) -> None:
    settings = AdminSettings("admin", Secret("public"), 3600, None)
    admins = AdminService(tmp_path, clock, AuditLog(tmp_path, clock), lambda: settings)
    alarms = AlarmRegistry(
        clock, actions=(), size_limit=10, validity_period_s=60, publish=lambda *_: None
    )
    monkeypatch.setattr(opening, "RETRY_S", 0.01)
    file = tmp_path / ADMINS_FILE
    damage(file)
    administrators = Opening(admins, alarms)

    await administrators.open()

    (alarm,) = alarms.active()
    assert alarm.name == opening.ALARM
    assert str(file) in alarm.message
    assert f"mv {file}" in alarm.message
    with pytest.raises(UnavailableError, match="ctl alarms"):
        await admins.login("admin", "public", "127.0.0.1", is_direct=True)
    with pytest.raises(UnavailableError):
        admins.caller_of_token("x", "127.0.0.1")
    with pytest.raises(UnavailableError):
        admins.keys.verify("x", "y")
    with pytest.raises(UnavailableError):
        await admins.create("ann", GOOD, "administrator")
    file.unlink()
    while alarms.active():
        await asyncio.sleep(0.01)
    await admins.login("admin", "public", "127.0.0.1", is_direct=True)
    await administrators.close()


async def test_a_start_with_the_same_bootstrap_file_writes_nothing(
    tmp_path: Path, clock: ManualClock
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("one:a-secret-of-a-good-length:viewer\n")
    settings = AdminSettings("admin", Secret("public"), 3600, keys)

    async def start() -> tuple[str, bytes]:
        admins = AdminService(tmp_path, clock, AuditLog(tmp_path, clock), lambda: settings)
        await admins.open()
        found = admins.keys.verify("one", "a-secret-of-a-good-length")
        await admins.close()
        assert found is not None
        return found.role, (tmp_path / ADMINS_FILE).read_bytes()

    first = await start()
    assert await start() == first
    keys.write_text("one:another-secret-that-is-good\n")
    with pytest.raises(AssertionError):
        await start()
