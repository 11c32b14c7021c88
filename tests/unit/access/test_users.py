"""Users are kept, found, and come and go in files."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from rookery.access.authn.built_in import BuiltInProvider, BuiltInSettings
from rookery.access.database import Database
from rookery.access.errors import AccessError, ImportFileError
from rookery.access.passwords.algorithms import HashSettings, verify
from rookery.access.passwords.pool import HashPool
from rookery.access.passwords.verifier import Verifier
from rookery.access.request import AuthRequest
from rookery.access.users import User, UserService, UserStore, Wanted
from rookery.access.users.store import Imported
from rookery.access.users.transfer import FileFormat, FileKind
from rookery.access.verdict import SERVER_BUSY, Admit, Ignore, Opinion, Refuse
from rookery.clock import SystemClock
from rookery.errors import ConflictError, NotFoundError, StartError, UnavailableError
from rookery.types import Secret

SHA256_SUFFIX = HashSettings(name="sha256", salt_position="suffix")
# Of "public" and then "slat".
PUBLIC = "895fe8e9e3862ab54fb64e0c2be1dc872140a0cc161b1e8dbc6eb070a587dd6d"


@pytest.fixture
def provider(store: UserStore, users: UserService, pool: HashPool) -> BuiltInProvider:
    return BuiltInProvider(BuiltInSettings(), store, users, Verifier(pool), SystemClock())


async def login(provider: BuiltInProvider, name: str | None, password: str | None) -> Opinion:
    return await provider.authenticate(
        AuthRequest(
            client_id="c1", username=name, password=None if password is None else password.encode()
        )
    )


async def test_a_user_with_a_chosen_password(users: UserService, provider: BuiltInProvider) -> None:
    assert await users.create("username", "ann", Secret("public"), is_superuser=True) is None

    assert (await users.get("username", "ann")).credential.settings.name == "argon2id"
    assert await login(provider, "ann", "public") == Admit(is_superuser=True, reason="user ann")
    assert isinstance(await login(provider, "ann", "Public"), Refuse)
    assert isinstance(await login(provider, "ann", None), Refuse)
    assert isinstance(await login(provider, "bob", "public"), Ignore)
    assert isinstance(await login(provider, None, "public"), Ignore)


async def test_a_device_gets_a_secret_once(users: UserService, provider: BuiltInProvider) -> None:
    secret = await users.create("username", "d1")

    assert secret is not None
    assert (await users.get("username", "d1")).credential.settings.name == "sha256"
    assert isinstance(await login(provider, "d1", secret.reveal()), Admit)

    renewed = await users.renew_secret("username", "d1")

    assert isinstance(await login(provider, "d1", secret.reveal()), Refuse)
    assert isinstance(await login(provider, "d1", renewed.reveal()), Admit)


async def test_client_identifiers_are_names_of_their_own(
    store: UserStore, users: UserService, pool: HashPool
) -> None:
    await users.create("username", "c1", Secret("a"))
    await users.create("clientid", "c1", Secret("b"))
    provider = BuiltInProvider(
        BuiltInSettings(user_id_type="clientid"), store, users, Verifier(pool), SystemClock()
    )

    assert isinstance(await login(provider, "whoever", "b"), Admit)
    assert isinstance(await login(provider, "c1", "a"), Refuse)


async def test_a_full_pool_answers_busy(store: UserStore, users: UserService) -> None:
    await users.create("username", "ann", Secret("public"))
    none_left = HashPool(threads=1, waiting_max=-1)
    provider = BuiltInProvider(BuiltInSettings(), store, users, Verifier(none_left), SystemClock())

    opinion = await login(provider, "ann", "public")
    none_left.close()

    assert isinstance(opinion, Refuse)
    assert opinion.reason_code == SERVER_BUSY


async def test_a_user_is_changed_and_removed(users: UserService, provider: BuiltInProvider) -> None:
    await users.create("username", "ann", Secret("one"))
    with pytest.raises(ConflictError):
        await users.create("username", "ann", Secret("two"))

    await users.update("username", "ann", password=Secret("two"), is_superuser=True)
    assert isinstance(await login(provider, "ann", "one"), Refuse)
    assert await login(provider, "ann", "two") == Admit(is_superuser=True, reason="user ann")

    await users.delete("username", "ann")
    assert isinstance(await login(provider, "ann", "two"), Ignore)
    for change in (
        users.delete("username", "ann"),
        users.update("username", "ann", is_superuser=False),
        users.renew_secret("username", "ann"),
        users.get("username", "ann"),
    ):
        with pytest.raises(NotFoundError):
            await change


@pytest.mark.parametrize(("name", "password"), [("", "x"), ("a\0b", "x"), ("a", "")])
async def test_names_and_passwords_that_cannot_be(
    users: UserService, name: str, password: str
) -> None:
    with pytest.raises(AccessError):
        await users.create("username", name, Secret(password))


async def test_users_come_in_pages(users: UserService) -> None:
    for name in ("b2", "a1", "b1", "c1"):
        await users.create("username", name)

    first, count = await users.find("username", Wanted(limit=3))
    rest, _ = await users.find("username", Wanted(start=3))
    some, fit = await users.find("username", Wanted(like="b", limit=1))

    assert [user.user_id for user in (*first, *rest)] == ["a1", "b1", "b2", "c1"]
    assert ([user.user_id for user in some], fit, count) == (["b1"], 2, 4)


async def test_users_outlive_the_process(
    tmp_path: Path, users: UserService, store: UserStore
) -> None:
    await users.create("username", "ann", Secret("public"))
    kept = await store.get("username", "ann")

    again = Database(tmp_path / "access.db")
    assert await UserStore(again).get("username", "ann") == kept
    again.close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path, database: Database) -> None:
    assert (tmp_path / "access.db").stat().st_mode & 0o077 == 0


async def test_a_closed_file_says_so(database: Database, store: UserStore) -> None:
    database.close()

    with pytest.raises(UnavailableError):
        await store.get("username", "ann")


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "access.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()

    with pytest.raises(StartError, match="later version"):
        Database(path)


# ---- files ------------------------------------------------------------------------------


async def take_in(
    users: UserService, content: str, format_: FileFormat, kind: FileKind, *, replace: bool = True
) -> Imported:
    return await users.import_users(
        content.encode(),
        id_type="username",
        format_=format_,
        kind=kind,
        settings=SHA256_SUFFIX,
        file="users.csv",
        replace=replace,
    )


@pytest.mark.parametrize(
    ("content", "format_", "kind"),
    [
        (f"user_id,password_hash,salt,is_superuser\nann,{PUBLIC},slat,true\n", "csv", "hash"),
        (
            f"\ufeffis_superuser,salt,password_hash,user_id\r\ntrue,slat,{PUBLIC},ann\r\n",
            "csv",
            "hash",
        ),
        ("user_id,password,is_superuser\nann,public,true\n", "csv", "plain"),
        (
            json.dumps(
                [{"user_id": "ann", "password_hash": PUBLIC, "salt": "slat", "is_superuser": True}]
            ),
            "json",
            "hash",
        ),
        (
            json.dumps([{"user_id": "ann", "password": "public", "is_superuser": "true"}]),
            "json",
            "plain",
        ),
    ],
)
async def test_files_of_emqx_are_taken_in(
    users: UserService, provider: BuiltInProvider, content: str, format_: FileFormat, kind: FileKind
) -> None:
    assert await take_in(users, content, format_, kind) == (1, 0, 0)

    assert await login(provider, "ann", "public") == Admit(is_superuser=True, reason="user ann")


@pytest.mark.parametrize("format_", ["csv", "json"])
async def test_what_is_given_out_is_taken_in_again(
    users: UserService, store: UserStore, format_: FileFormat
) -> None:
    await users.create("username", 'a,"n\nn', Secret("public"), is_superuser=True)
    await users.create("username", "d1")
    await take_in(users, f"user_id,password_hash,salt\nold,{PUBLIC},slat\n", "csv", "hash")
    before = await store.page("username")

    text = await users.export_users("username", format_)
    for user in before:
        await users.delete("username", user.user_id)
    assert await take_in(users, text, format_, "hash") == (3, 0, 0)

    assert await store.page("username") == before


@pytest.mark.parametrize(
    ("content", "format_", "problem"),
    [
        ("user_id,password_hash\nann,zz\n", "csv", "user 1: not a stored password of sha256"),
        (f"user_id,password_hash\nann,{PUBLIC}\nann,{PUBLIC}\n", "csv", "user 2: this user_id"),
        (f"user_id,password_hash,is_superuser\nann,{PUBLIC},maybe\n", "csv", "is_superuser"),
        (f"name,password_hash\nann,{PUBLIC}\n", "csv", "first line"),
        ("user_id,password_hash\nann\n", "csv", "password_hash is missing"),
        ('user_id,password_hash\n"ann,x\n', "csv", "no CSV"),
        ("{}", "json", "list"),
        ("[", "json", "no JSON"),
        ("[" * 100_000, "json", "no JSON"),
        ('[{"user_id": {"a": 1}}]', "json", "user_id is missing"),
        (
            json.dumps(
                [
                    {
                        "user_id": "a",
                        "password_hash": "x",
                        "password_hash_algorithm": {"name": "rot13"},
                    }
                ]
            ),
            "json",
            "unknown password_hash_algorithm",
        ),
    ],
)
async def test_nothing_is_taken_from_a_bad_file(
    users: UserService, content: str, format_: FileFormat, problem: str
) -> None:
    with pytest.raises(ImportFileError) as caught:
        await take_in(users, content, format_, "hash")

    assert problem in str(caught.value)
    assert "users.csv" in caught.value.text("zh")
    assert await users.find("username", Wanted()) == ([], 0)


@pytest.mark.parametrize("row", ["ann,", "ann"])
async def test_nobody_gets_in_without_a_password_because_of_a_file(
    users: UserService, row: str
) -> None:
    with pytest.raises(ImportFileError, match="password is missing"):
        await take_in(users, f"user_id,password\n{row}\n", "csv", "plain")


async def test_a_bootstrap_file_adds_who_is_missing(
    tmp_path: Path, store: UserStore, users: UserService, pool: HashPool
) -> None:
    file = tmp_path / "users.csv"
    file.write_text("user_id,password\nann,from-file\nbob,from-file\n")
    await users.create("username", "ann", Secret("her-own"))
    settings = BuiltInSettings(bootstrap_file=file)
    provider = BuiltInProvider(settings, store, users, Verifier(pool), SystemClock())

    for _ in range(2):
        await provider.start()

    assert isinstance(await login(provider, "ann", "her-own"), Admit)
    assert isinstance(await login(provider, "bob", "from-file"), Admit)


async def test_a_bootstrap_file_that_is_not_there_is_named(
    tmp_path: Path, store: UserStore, users: UserService, pool: HashPool
) -> None:
    settings = BuiltInSettings(bootstrap_file=tmp_path / "none.csv")

    with pytest.raises(ImportFileError, match=r"none\.csv"):
        await BuiltInProvider(settings, store, users, Verifier(pool), SystemClock()).start()


async def test_users_show_no_hash(users: UserService, store: UserStore) -> None:
    await users.create("username", "ann", Secret("public"))
    user = await store.get("username", "ann")

    assert isinstance(user, User)
    assert user.credential.password_hash not in repr(user)
    assert verify(user.credential, b"public")
