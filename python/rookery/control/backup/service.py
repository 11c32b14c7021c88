"""Writes and reads backups: an archive of all tables and of the certificates that agents trust.

A backup may be written while processes run, and read into a database of the other kind. It holds no
sessions: nobody is signed in by restoring one. It does hold the key of the private authority, the key that
secrets are sealed with, and hashes of passwords: only its owner can read the file.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from rookery.access import own_certificates as certificates
from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.config.data_dir import CONTROL_LOCK_NAME, DataDir
from rookery.control import vault
from rookery.control.assembly import database_of, existing_database
from rookery.control.processes.presence import GONE_MS
from rookery.control.rest.models import rfc3339
from rookery.errors import BadRequestError, ConflictError, StartError
from rookery.native.node import version
from rookery.storage import dump, migrating
from rookery.tar_headers import PlainHeader

FORMAT = 1
MANIFEST = "manifest.json"
TABLES = "tables"
# Whoever restores a backup is not to send yesterday's mail again.
LEFT_OUT = frozenset(
    {
        *("sessions", "processes", "leases", "mail_outbox", "oidc_attempts"),
        *("cluster_metrics", "edge_metrics", "metric_marks"),
        "door_passes",
        *("alarm_deliveries", "alarm_lanes"),
    }
)
MEMBERS_MAX = 1000
BYTES_MAX = 64 << 30
_COPIED_FILES = ("ca.pem", "ca.key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a backup holds."""

    created_at: str
    version: str
    rows: int


def backup(config: ControlConfig, file: Path, clock: Clock) -> Contents:
    """Write one.

    Raises:
        ConflictError: the file is there.
        StartError: the database cannot be read.
        OSError: the file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as folder:
        return asyncio.run(_backup(config, Path(folder), file, clock))


def restore(config: ControlConfig, file: Path, clock: Clock, *, force: bool) -> Contents:
    """Read one into the database that the configuration names.

    Args:
        config: Where to.
        file: The backup.
        clock: What time it is.
        force: Whether what is there is given up.

    Raises:
        BadRequestError: the file is no backup.
        ConflictError: something is there, or a process serves it.
        StartError: the database cannot be written.
    """
    # The database is its owner's alone from the beginning, as that of a start is.
    os.umask(0o077)
    lock = DataDir(config.data_dir, lock_name=CONTROL_LOCK_NAME)
    lock.open()
    try:
        return asyncio.run(_restore(config, file, clock, force=force))
    finally:
        lock.close()


async def _backup(config: ControlConfig, folder: Path, file: Path, clock: Clock) -> Contents:
    database = existing_database(config)
    try:
        tables = folder / TABLES
        tables.mkdir()
        async with database.connection(one_state=True) as connection:
            revision = await connection.run_sync(migrating.revision_of)
            if not revision:
                raise StartError(f"there is nothing to back up in {database.shown}")
            counts = await connection.run_sync(_written, tables)
    finally:
        await database.close()
    manifest = {
        "format": FORMAT,
        "createdAt": rfc3339(clock.now_ms()),
        "version": version(),
        "revision": revision,
        "rows": counts,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    _copy_keys(config, folder)
    _pack(folder, file)
    return _contents(manifest)


def _written(connection: Connection, folder: Path) -> dict[str, int]:
    return dump.write(connection, folder, leave_out=LEFT_OUT)


def _copy_keys(config: ControlConfig, folder: Path) -> None:
    if (config.data_dir / vault.FILE).is_file():
        shutil.copyfile(config.data_dir / vault.FILE, folder / vault.FILE)
    there = config.data_dir / certificates.FOLDER
    for name in _COPIED_FILES:
        if (there / name).is_file():
            (folder / certificates.FOLDER).mkdir(exist_ok=True)
            shutil.copyfile(there / name, folder / certificates.FOLDER / name)


def _pack(folder: Path, file: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    fresh = folder / "archive"
    with (
        os.fdopen(os.open(fresh, flags, 0o600), "wb") as stream,
        tarfile.open(fileobj=stream, mode="w:gz") as archive,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path != fresh:
                archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
    try:
        # Whole or not at all, and nothing that is there is replaced.
        os.link(fresh, file)
    except FileExistsError:
        raise ConflictError(f"{file} exists and was not touched") from None


async def _restore(config: ControlConfig, file: Path, clock: Clock, *, force: bool) -> Contents:
    database = database_of(config)
    try:
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=config.data_dir) as name:
            folder = Path(name)
            manifest = _unpack(file, folder)
            async with database.connection() as connection:
                await connection.run_sync(_make_room, clock.now_ms(), force)
                await connection.run_sync(dump.read, folder / TABLES, manifest["revision"])
            _put_keys(config, folder)
    finally:
        await database.close()
    return _contents(manifest)


def _make_room(connection: Connection, now_ms: int, force: bool) -> None:
    if dump.is_empty(connection):
        return
    if not force:
        raise ConflictError("the database is not empty; with --force what it holds is given up")
    alive = connection.execute(
        text("SELECT name FROM processes WHERE heartbeat_at > :since"), {"since": now_ms - GONE_MS}
    ).scalar()
    if alive is not None:
        raise ConflictError(f"process {alive} serves the database: stop it first")
    dump.drop_everything(connection)


def _unpack(file: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(file, "r:gz", tarinfo=PlainHeader) as archive:
            _extract(archive, folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BadRequestError(f"{file} is no backup: {error}") from None
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        if manifest["format"] != FORMAT:
            raise BadRequestError(f"{file} was written by a newer version of Rookery")
        _contents(manifest)
        str(manifest["revision"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise BadRequestError(f"{file} is no backup: its {MANIFEST} cannot be used") from None
    return manifest


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    left = BYTES_MAX
    for number, member in enumerate(archive):
        left -= member.size
        if number >= MEMBERS_MAX or left < 0:
            raise tarfile.ReadError("it is larger than any backup")
        archive.extract(member, folder, filter="data")


def _put_keys(config: ControlConfig, folder: Path) -> None:
    """Agents go on trusting what they were told to trust; the ports get a certificate of it.

    What is sealed in the tables is read with the key that came with them.
    """
    if (folder / vault.FILE).is_file():
        (folder / vault.FILE).chmod(0o600)
        (folder / vault.FILE).replace(config.data_dir / vault.FILE)
    found = folder / certificates.FOLDER
    there = config.data_dir / certificates.FOLDER
    if not all((found / name).is_file() for name in _COPIED_FILES):
        return
    there.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in ("server.pem", "server.key"):
        (there / old).unlink(missing_ok=True)
    for name in _COPIED_FILES:
        (found / name).chmod(0o600)
        (found / name).replace(there / name)


def _contents(manifest: dict[str, Any]) -> Contents:
    return Contents(
        created_at=str(manifest["createdAt"]),
        version=str(manifest["version"]),
        rows=sum(int(count) for count in manifest["rows"].values()),
    )
