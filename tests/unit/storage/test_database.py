"""The database: units of work, migrations, what becomes of failures."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from rookery.control import features  # noqa: F401 - every table is declared by then
from rookery.control.assembly import make  # noqa: F401
from rookery.errors import StartError, UnavailableError
from rookery.storage import engine, migrating
from rookery.storage.base import Base
from rookery.storage.database import Database
from rookery.storage.engine import url_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "control.db"


async def opened(file: Path) -> Database:
    database = Database(url_of("", file))
    await database.open()
    return database


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Base.metadata))


async def test_the_migrations_make_the_tables_that_the_features_describe(file: Path) -> None:
    database = await opened(file)
    async with database.connection() as connection:
        found = await connection.run_sync(differences)
    await database.close()

    assert found == []


async def test_the_newest_migration_is_known_by_the_names_of_their_files(file: Path) -> None:
    script = ScriptDirectory(str(migrating.FOLDER))
    assert [migrating.newest()] == script.get_heads()
    named = {Path(found.path).name.partition("_")[0] for found in script.walk_revisions()}
    assert named == {found.revision for found in script.walk_revisions()}

    database = await opened(file)
    async with database.connection() as connection:
        assert await connection.run_sync(migrating.revision_of) == migrating.newest()
    await database.close()


def test_tables_that_are_up_to_date_need_no_migrations_imported(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
from pathlib import Path
from rookery.storage.database import Database
from rookery.storage.engine import url_of

async def main():
    database = Database(url_of("", Path({str(tmp_path / "control.db")!r})))
    await database.open()
    await database.close()

asyncio.run(main())
print("alembic" in sys.modules)
"""
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [run.stdout.strip() for run in runs] == ["True", "False"]


async def test_a_database_of_a_newer_version_is_left_alone(file: Path) -> None:
    database = await opened(file)
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    before = file.read_bytes()

    with pytest.raises(StartError, match="written by a newer version of Rookery"):
        await opened(file)
    assert file.read_bytes() == before


async def test_a_file_that_was_emptied_is_refused_with_the_way_out(file: Path) -> None:
    file.touch()

    with pytest.raises(StartError, match=f"mv {file} {file}.damaged"):
        await opened(file)

    file.rename(f"{file}.damaged")
    database = await opened(file)
    await database.close()
    assert (file.stat().st_mode & 0o777) == 0o600
    assert not list(file.parent.glob("*.new*"))


async def test_what_fails_in_the_middle_changes_nothing(file: Path) -> None:
    database = await opened(file)
    with pytest.raises(ValueError, match="middle"):
        async with database.write() as session:
            await session.execute(text("INSERT INTO organizations VALUES ('a', 'East', 0)"))
            raise ValueError("in the middle")
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM organizations")) == 0
    await database.close()


async def test_writers_wait_for_each_other(file: Path) -> None:
    database = await opened(file)
    await database_add(database, "n", 0)

    async def add_one() -> None:
        async with database.write() as session:
            was = await session.scalar(text("SELECT created_at FROM organizations"))
            await asyncio.sleep(0)
            await session.execute(
                text("UPDATE organizations SET created_at = :at"), {"at": (was or 0) + 1}
            )

    await asyncio.gather(*(add_one() for _ in range(20)))
    async with database.read() as session:
        assert await session.scalar(text("SELECT created_at FROM organizations")) == 20
    await database.close()


async def database_add(database: Database, name: str, at: int) -> None:
    async with database.write() as session:
        await session.execute(
            text("INSERT INTO organizations VALUES ('a', :name, :at)"), {"name": name, "at": at}
        )


async def test_a_file_that_somebody_else_holds_is_told_and_works_again_afterwards(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    database = await opened(file)
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="does not answer"):
            await database_add(database, "n", 0)
        other.execute("ROLLBACK")
    other.close()
    await database_add(database, "n", 0)
    await database.close()


@pytest.mark.parametrize("address", ["mysql://h/d", "nonsense", "sqlite://"])
def test_an_address_that_cannot_be_used_is_refused_without_its_password(
    file: Path, address: str
) -> None:
    with pytest.raises(StartError):
        url_of(address, file)
    with pytest.raises(StartError) as found:
        url_of("mysql://me:geheim@h/d", file)
    assert "geheim" not in str(found.value)
