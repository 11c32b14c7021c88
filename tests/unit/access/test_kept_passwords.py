"""What keeps right passwords known over a restart, and where that may lie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from rookery.access.passwords.algorithms import Credential, HashSettings
from rookery.access.passwords.kept import FOLDER, NotKeptError, forget, open_kept
from rookery.access.passwords.pool import HashPool
from rookery.access.passwords.verdicts import VerdictCache
from rookery.access.passwords.verifier import CacheSettings, Verifier
from rookery.clock import ManualClock

IN_MEMORY = Path("/dev/shm")
# The reference implementation's vector for "password".
ARGON2ID = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
CREDENTIAL = Credential(settings=HashSettings(name="argon2id"), password_hash=ARGON2ID)

pytestmark = pytest.mark.skipif(not IN_MEMORY.is_dir(), reason="there is no /dev/shm")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    folder = mkdtemp(prefix="rookery-test-", dir=IN_MEMORY)
    monkeypatch.setenv("RUNTIME_DIRECTORY", folder)
    yield {"RUNTIME_DIRECTORY": folder}
    shutil.rmtree(folder)


def test_entries_outlive_the_process_in_their_order(
    environ: dict[str, str], tmp_path: Path
) -> None:
    kept = open_kept(tmp_path, 3, environ)
    for number in range(5):
        kept.add(bytes([number]) * 32, float(number))
    kept.close()

    again = open_kept(tmp_path, 3, environ)

    assert again.key == kept.key
    assert again.entries == [(bytes([number]) * 32, float(number)) for number in (2, 3, 4)]
    again.add(b"\x09" * 32, 9.0)
    again.close()
    last = open_kept(tmp_path, 3, environ)
    assert [at_s for _mac, at_s in last.entries] == [3.0, 4.0, 9.0]
    last.close()


def test_another_data_directory_or_size_knows_nothing(
    environ: dict[str, str], tmp_path: Path
) -> None:
    kept = open_kept(tmp_path, 3, environ)
    kept.add(b"\x01" * 32, 1.0)
    kept.close()

    for folder, size in ((tmp_path / "other", 3), (tmp_path, 4)):
        other = open_kept(folder, size, environ)
        assert other.entries == []
        assert other.key != kept.key
        other.close()


def test_a_file_that_makes_no_sense_begins_anew(environ: dict[str, str], tmp_path: Path) -> None:
    kept = open_kept(tmp_path, 3, environ)
    kept.close()
    (file,) = (Path(environ["RUNTIME_DIRECTORY"]) / FOLDER).iterdir()
    for content in (b"", b"junk", os.urandom(500)):
        file.write_bytes(content)
        again = open_kept(tmp_path, 3, environ)
        assert again.entries == []
        again.add(b"\x01" * 32, 1.0)
        again.close()


def test_a_folder_on_a_disk_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / FOLDER
    monkeypatch.setattr("rookery.access.passwords.kept._bases", lambda _environ: iter([base]))
    monkeypatch.setattr("rookery.access.passwords.kept.IN_MEMORY", frozenset({b"ramfs"}))

    with pytest.raises(NotKeptError, match="not in memory"):
        open_kept(tmp_path, 3, {})
    assert not base.exists()


def test_a_folder_that_others_can_enter_is_not_used(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Path(environ["RUNTIME_DIRECTORY"]) / FOLDER
    base.mkdir(mode=0o755)
    base.chmod(0o755)
    monkeypatch.setattr("rookery.access.passwords.kept._bases", lambda _environ: iter([base]))

    with pytest.raises(NotKeptError, match="others"):
        open_kept(tmp_path, 3, environ)


def test_links_are_not_followed(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Path(environ["RUNTIME_DIRECTORY"]) / FOLDER
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    base.symlink_to(elsewhere)
    monkeypatch.setattr("rookery.access.passwords.kept._bases", lambda _environ: iter([base]))

    with pytest.raises(NotKeptError):
        open_kept(tmp_path, 3, environ)
    base.unlink()

    open_kept(tmp_path, 3, environ).close()
    (file,) = base.iterdir()
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    file.unlink()
    file.symlink_to(target)
    with pytest.raises(NotKeptError):
        open_kept(tmp_path, 3, environ)
    assert target.read_bytes() == b"mine"


def test_one_process_at_a_time(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Path(environ["RUNTIME_DIRECTORY"]) / FOLDER
    monkeypatch.setattr("rookery.access.passwords.kept._bases", lambda _environ: iter([base]))
    kept = open_kept(tmp_path, 3, environ)

    with pytest.raises(NotKeptError, match="another process"):
        open_kept(tmp_path, 3, environ)
    kept.close()


def test_what_is_kept_says_nothing_about_a_password(
    environ: dict[str, str], tmp_path: Path
) -> None:
    kept = open_kept(tmp_path, 3, environ)
    cache = VerdictCache(3, kept=kept)
    cache.put(cache.key(CREDENTIAL, b"password"), is_right=True)
    cache.put(cache.key(CREDENTIAL, b"guess"), is_right=False)
    cache.close()

    (file,) = (Path(environ["RUNTIME_DIRECTORY"]) / FOLDER).iterdir()
    data = file.read_bytes()
    assert b"password" not in data
    assert ARGON2ID.encode() not in data
    again = open_kept(tmp_path, 3, environ)
    assert len(again.entries) == 1  # a wrong answer is not kept
    again.close()
    forget(tmp_path, environ)
    assert not file.exists()


def test_an_answer_ends_with_its_time_to_live() -> None:
    clock = ManualClock()
    cache = VerdictCache(ttl_s=60, clock=clock)
    key = cache.key(CREDENTIAL, b"password")
    cache.put(key, is_right=True)

    clock.advance(59)
    assert cache.get(key) is True
    clock.advance(1)
    assert cache.get(key) is None
    assert len(cache) == 0


async def test_the_next_run_hashes_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    assert environ
    settings = CacheSettings(over_restart=True)
    for hashed in (1, 0):
        verifier = Verifier(HashPool(threads=1), data_dir=tmp_path)
        verifier.use(settings)
        assert await verifier.verify(CREDENTIAL, b"password")
        assert verifier.counters["passwords.hashed"] == hashed
        assert not await verifier.verify(CREDENTIAL, b"guess")
        verifier.close()


async def test_switched_off_it_forgets(environ: dict[str, str], tmp_path: Path) -> None:
    verifier = Verifier(HashPool(threads=1), data_dir=tmp_path)
    verifier.use(CacheSettings(over_restart=True))
    assert await verifier.verify(CREDENTIAL, b"password")

    verifier.use(CacheSettings(enable=False))

    assert list((Path(environ["RUNTIME_DIRECTORY"]) / FOLDER).iterdir()) == []
    for _ in range(2):
        assert await verifier.verify(CREDENTIAL, b"password")
    assert verifier.counters["passwords.hashed"] == 3
    verifier.close()
