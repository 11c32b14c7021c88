"""Secrets at rest: sealed for one purpose, with a key that is not in the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.clock import ManualClock
from rookery.control.errors import OutOfReachError
from rookery.control.vault import FILE, Vault
from rookery.errors import StartError
from rookery.storage.database import Database
from rookery.storage.engine import url_of


async def vault_of(folder: Path) -> tuple[Database, Vault]:
    database = Database(url_of("", folder / "control.db"))
    await database.open()
    vault = Vault(database, ManualClock(), folder)
    await vault.open()
    return database, vault


async def test_what_is_sealed_opens_for_its_purpose_alone(tmp_path: Path) -> None:
    database, vault = await vault_of(tmp_path)
    sealed = vault.seal("secret", "one")
    assert "secret" not in sealed
    assert vault.unseal(sealed, "one") == "secret"
    for wrong in (sealed, sealed[:-4], "plain", ""):
        with pytest.raises(OutOfReachError):
            vault.unseal(wrong, "another")
    await vault.close()
    with pytest.raises(OutOfReachError, match=r"copy .*secrets\.key"):
        vault.seal("secret", "one")
    await database.close()


async def test_the_key_stays_and_one_that_is_lost_is_said(tmp_path: Path) -> None:
    database, vault = await vault_of(tmp_path)
    sealed = vault.seal("secret", "one")
    await database.close()
    database, vault = await vault_of(tmp_path)
    assert vault.unseal(sealed, "one") == "secret"
    await database.close()
    (tmp_path / FILE).unlink()
    database, vault = await vault_of(tmp_path)
    with pytest.raises(OutOfReachError, match="enter it again"):
        vault.unseal(sealed, "one")
    assert vault.unseal(vault.seal("new", "one"), "one") == "new"
    await database.close()


async def test_a_file_that_is_no_key_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"short")
    database = Database(url_of("", tmp_path / "control.db"))
    await database.open()
    with pytest.raises(StartError, match="is no key: it has 5 bytes"):
        await Vault(database, ManualClock(), tmp_path).open()
    await database.close()
