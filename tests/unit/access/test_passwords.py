"""Stored passwords: verified in every form they may come in, never shown."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading

import pytest

from rookery.access.errors import SettingError
from rookery.access.guard import BusyError
from rookery.access.passwords.algorithms import (
    Credential,
    HashSettings,
    check,
    hash_password,
    new_secret,
    settings_from_json,
    settings_to_json,
    store_secret,
    verify,
)
from rookery.access.passwords.pool import NICENESS, HashPool
from rookery.access.passwords.verdicts import VerdictCache
from rookery.access.passwords.verifier import Verifier

# RFC 9106 has no encoded forms; these two are from the reference implementation's test.c.
ARGON2_VECTORS = [
    (
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        b"password",
    ),
    (
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        b"password",
    ),
]
# jBCrypt's and OpenBSD's vectors.
BCRYPT_VECTORS = [
    ("$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.", b""),
    ("$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", b"a"),
    ("$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", b"abc"),
]


def stored(name: str, password_hash: str, salt: str = "", **settings: object) -> Credential:
    return Credential(
        settings=settings_from_json({"name": name, **settings}),
        password_hash=password_hash,
        salt=salt,
    )


@pytest.mark.parametrize(("encoded", "password"), ARGON2_VECTORS)
def test_argon2_vectors(encoded: str, password: bytes) -> None:
    credential = check(stored("argon2id", encoded))

    assert verify(credential, password)
    assert not verify(credential, password + b"x")


@pytest.mark.parametrize(("encoded", "password"), BCRYPT_VECTORS)
def test_bcrypt_vectors(encoded: str, password: bytes) -> None:
    credential = check(stored("bcrypt", encoded))

    assert verify(credential, password)
    assert not verify(credential, b"other")


def test_bcrypt_sees_no_more_than_it_ever_did() -> None:
    import bcrypt

    encoded = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()

    assert verify(stored("bcrypt", encoded), b"x" * 100)


def test_pbkdf2_vector_of_rfc_7914() -> None:
    credential = stored(
        "pbkdf2",
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
        "salt",
        mac_fun="sha256",
        iterations=1,
        dk_length=64,
    )

    assert verify(check(credential), b"passwd")
    assert not verify(credential, b"passwe")


@pytest.mark.parametrize("name", ["md5", "sha", "sha256", "sha512"])
@pytest.mark.parametrize(
    ("position", "salted"),
    [("prefix", b"saltpw"), ("suffix", b"pwsalt"), ("disable", b"pw")],
)
def test_digests_with_the_salt_where_it_stands(name: str, position: str, salted: bytes) -> None:
    digest = hashlib.new("sha1" if name == "sha" else name, salted).hexdigest()

    for written in (digest, digest.upper()):
        credential = check(stored(name, written, "salt", salt_position=position))
        assert verify(credential, b"pw")
        assert not verify(credential, b"pW")


def test_plain_text_is_compared_as_it_is() -> None:
    assert verify(stored("plain", "Püblic", salt_position="disable"), "Püblic".encode())
    assert not verify(stored("plain", "Püblic", salt_position="disable"), b"public")


def test_what_a_person_chose_is_hashed_slowly() -> None:
    credential = hash_password(b"public")

    assert credential.settings.is_slow
    assert credential.password_hash.startswith("$argon2id$")
    assert verify(credential, b"public")


def test_a_generated_secret_is_long_and_hashed_fast() -> None:
    secret = new_secret()
    credential = store_secret(secret)

    assert len(secret.reveal()) == 32
    assert not credential.settings.is_slow
    assert verify(check(credential), secret.reveal().encode())
    assert store_secret(secret).password_hash != credential.password_hash


@pytest.mark.parametrize(
    "credential",
    [
        stored("argon2id", "$argon2id$v=19$m=4194304,t=9,p=1$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuA"),
        stored("argon2id", "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuA"),
        stored("argon2id", "secret"),
        stored("bcrypt", "$2a$31$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
        stored("bcrypt", "secret"),
        stored("pbkdf2", "ab", iterations=10**9),
        stored("pbkdf2", "xy"),
        stored("sha256", "abcd"),
    ],
)
def test_what_cannot_be_verified_is_refused_without_showing_it(credential: Credential) -> None:
    with pytest.raises(SettingError) as caught:
        check(credential)

    assert credential.password_hash not in str(caught.value)
    assert caught.value.text("zh") != caught.value.text("en")


def test_settings_survive_being_stored() -> None:
    settings = HashSettings(name="pbkdf2", mac_fun="sha512", iterations=9, dk_length=20)

    assert settings_from_json(settings_to_json(settings)) == settings


def test_nothing_secret_is_shown() -> None:
    assert "$2a$" not in repr(stored("bcrypt", BCRYPT_VECTORS[0][0], "salz"))
    assert "salz" not in repr(stored("sha256", "00", "salz"))


# ---- the pool ---------------------------------------------------------------------------


async def test_a_full_pool_says_so_and_recovers() -> None:
    pool = HashPool(threads=1, waiting_max=1)
    gate = threading.Event()
    first = asyncio.create_task(pool.run(gate.wait))
    second = asyncio.create_task(pool.run(gate.wait))
    await asyncio.sleep(0)

    with pytest.raises(BusyError):
        await pool.run(gate.wait)
    gate.set()
    await asyncio.gather(first, second)

    assert (pool.refused, pool.under_way) == (1, 0)
    pool.close()


async def test_a_caller_that_gives_up_does_not_free_a_busy_thread() -> None:
    pool = HashPool(threads=1, waiting_max=0)
    gate, started = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        gate.wait()

    task = asyncio.create_task(pool.run(work))
    await asyncio.to_thread(started.wait)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    with pytest.raises(BusyError):
        await pool.run(int)
    gate.set()
    pool.close()


async def test_no_more_wait_than_can_be_served_in_time() -> None:
    pool = HashPool(threads=2, waiting_max=100)
    assert pool.places == 102
    pool._hash_s = 0.5  # as on a machine that is busy with something else

    assert pool.places == 2 + 8
    for _ in range(50):
        await pool.run(int)
    assert pool.places == 102
    pool.close()


async def test_hashes_give_way_to_the_rest_of_the_process() -> None:
    pool = HashPool(threads=1)

    nice = await pool.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    assert nice == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
    pool.close()


# ---- the cache --------------------------------------------------------------------------


async def test_a_client_that_comes_back_costs_no_hash() -> None:
    verifier = Verifier(HashPool(threads=1))
    credential = stored(*("argon2id", ARGON2_VECTORS[1][0]))

    assert await verifier.verify(credential, b"password")
    assert not await verifier.verify(credential, b"guess")
    verifier.pool.close()

    assert await verifier.verify(credential, b"password")
    assert not await verifier.verify(credential, b"guess")
    assert verifier.cache.hits == 2


def test_a_changed_password_is_another_entry() -> None:
    cache = VerdictCache()
    old, new = stored("plain", "old"), stored("plain", "new")
    cache.put(cache.key(old, b"old"), is_right=True)

    assert cache.get(cache.key(new, b"old")) is None


def test_guesses_do_not_drive_out_those_who_know() -> None:
    cache = VerdictCache(right_max=2, wrong_max=3)
    credential = stored("plain", "pw")
    right = cache.key(credential, b"pw")
    cache.put(right, is_right=True)

    for number in range(100):
        cache.put(cache.key(credential, b"%d" % number), is_right=False)

    assert cache.get(right) is True
    assert len(cache) == 4


def test_keys_are_of_this_process_and_unambiguous() -> None:
    credential = stored("plain", "pw")

    assert VerdictCache().key(credential, b"pw") != VerdictCache().key(credential, b"pw")
    cache = VerdictCache()
    assert cache.key(stored("plain", "a", "bc"), b"d") != cache.key(
        stored("plain", "ab", "c"), b"d"
    )
