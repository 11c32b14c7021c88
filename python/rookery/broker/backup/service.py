"""Exports of the node, in a folder of its data directory that only the node's user can enter.

One export or import runs at a time. An import looks at the whole archive first and puts nothing in
place unless all of it is good; then it puts one part in place after the other, each whole or not at
all, the configuration and retained messages last.

**Bounds.** :data:`FILES_MAX` files; an upload has :data:`UPLOAD_BYTES_MAX`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from rookery.broker.audit import AuditLog
from rookery.broker.backup import archive
from rookery.broker.backup.archive import ArchiveWriter, Manifest
from rookery.broker.backup.parts import Part
from rookery.clock import Clock
from rookery.errors import (
    BadRequestError,
    ExceedsLimitError,
    NotFoundError,
    RookeryError,
    UnavailableError,
)

_log = logging.getLogger("rookery.backup")

FOLDER = "backup"
FILES_MAX = 100
UPLOAD_BYTES_MAX = 256 << 20
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}\.tar\.gz")


class BackupFile(NamedTuple):
    """A file that is there."""

    name: str
    size: int
    created_at_ms: int


class Backups:
    """Makes, keeps and puts back exports."""

    def __init__(
        self,
        data_dir: Path,
        parts: Sequence[Part],
        audit: AuditLog,
        clock: Clock,
        *,
        node_name: str,
        version: str,
    ) -> None:
        """``parts`` are put back in their order."""
        self.folder = data_dir / FOLDER
        self._parts = tuple(parts)
        self._audit = audit
        self._clock = clock
        self._node_name = node_name
        self._version = version
        self._running = asyncio.Lock()

    async def export(self, *, without: Collection[str] = ()) -> BackupFile:
        """Write every part but those ``without`` into a new file.

        Raises:
            ExceedsLimitError: there are too many files, or a part is too large.
            UnavailableError: it cannot be written.
        """
        async with self._running:
            made = await asyncio.to_thread(self._export, without)
        self._audit.record("export", f"data/{made.name}", after={"size": made.size})
        return made

    async def files(self) -> list[BackupFile]:
        """Every file, the latest first."""
        return await asyncio.to_thread(self._files)

    async def path(self, name: str) -> Path:
        """Where a file is.

        Raises:
            BadRequestError: no file is ever called so.
            NotFoundError: there is none of that name.
        """
        path = self._path(name)
        if not await asyncio.to_thread(path.is_file):
            raise NotFoundError(f"no file {name}")
        return path

    async def upload(self, name: str, content: IO[bytes]) -> None:
        """Take a file that was made here or on another node.

        Raises:
            BadRequestError: the name or the file cannot be used.
            ExceedsLimitError: there are too many files, or it is too large.
            UnavailableError: it cannot be written.
        """
        path = self._path(name)
        async with self._running:
            await asyncio.to_thread(self._take, path, content)
            size = (await asyncio.to_thread(path.stat)).st_size
        self._audit.record("upload", f"data/{name}", after={"size": size})

    async def delete(self, name: str) -> None:
        """Remove a file.

        Raises:
            BadRequestError: no file is ever called so.
            NotFoundError: there is none of that name.
        """
        path = await self.path(name)
        size = await asyncio.to_thread(_removed, path)
        self._audit.record("delete", f"data/{name}", before={"size": size})

    async def restore(self, name: str, *, without: Collection[str] = ()) -> list[str]:
        """Put the parts of a file in place, but not those ``without``; their names.

        Raises:
            BadRequestError: the file cannot be used, then nothing is changed; or a part of it was
                refused, then the message says which parts are in place.
            NotFoundError: there is none of that name.
        """
        path = await self.path(name)
        async with self._running:
            manifest = await asyncio.to_thread(archive.check, path)
            return await self._restore(path, manifest, without)

    # -- inside ----------------------------------------------------------------------------

    async def _restore(self, path: Path, manifest: Manifest, without: Collection[str]) -> list[str]:
        unknown = manifest.parts.keys() - {part.name for part in self._parts}
        if unknown:
            raise BadRequestError(f"{path.name} holds what is not known: {', '.join(unknown)}")
        done: list[str] = []
        refused: list[str] = []
        for part in self._parts:
            if part.name not in manifest.parts or part.name in without:
                continue
            try:
                await part.restore(partial(archive.rows_of, path, part.name))
            except RookeryError as error:
                _log.warning("%s of %s is not restored: %s", part.name, path.name, error)
                refused.append(f"{part.name}: {error}")
            else:
                done.append(part.name)
        self._audit.record(
            "import",
            f"data/{path.name}",
            after={"node": manifest.node, "restored": done, "refused": refused},
            error="; ".join(refused),
        )
        if refused:
            in_place = ", ".join(done) or "nothing"
            raise BadRequestError(f"{'; '.join(refused)} (in place: {in_place})")
        return done

    def _path(self, name: str) -> Path:
        if not _FILE_NAME.fullmatch(name):
            raise BadRequestError(
                "a file name has letters, digits, '.', '_' and '-', and ends with .tar.gz"
            )
        return self.folder / name

    def _files(self) -> list[BackupFile]:
        found: list[BackupFile] = []
        with contextlib.suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                if path.is_symlink() or not _FILE_NAME.fullmatch(path.name):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    stat = path.stat()
                    created_ms = stat.st_mtime_ns // 1_000_000
                    found.append(BackupFile(path.name, stat.st_size, created_ms))
        return sorted(found, key=lambda file: (file.created_at_ms, file.name), reverse=True)

    def _export(self, without: Collection[str]) -> BackupFile:
        now_ms = self._clock.now_ms()
        when = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone()
        stem = f"rookery-export-{when:%Y-%m-%d-%H-%M-%S}.{now_ms % 1000:03d}"
        path = self.folder / f"{stem}.tar.gz"
        with self._fresh(path) as file:
            writer = ArchiveWriter(
                file, node=self._node_name, version=self._version, created_at_ms=now_ms
            )
            for part in self._parts:
                if part.name in without:
                    continue
                writer.add(part.name, part.read())
            writer.close()
        return BackupFile(path.name, path.stat().st_size, now_ms)

    def _take(self, path: Path, content: IO[bytes]) -> None:
        with self._fresh(path) as file:
            shutil.copyfileobj(content, file, 1 << 20)
            if file.tell() > UPLOAD_BYTES_MAX:
                raise ExceedsLimitError(f"a file has at most {UPLOAD_BYTES_MAX} bytes")
            file.flush()
            archive.check(path.with_name(_part_name(path)), path.name)

    @contextlib.contextmanager
    def _fresh(self, path: Path) -> Iterator[IO[bytes]]:
        """A new file that takes the place of ``path`` when it was written whole."""
        part = path.with_name(_part_name(path))
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            if not path.exists() and len(self._files()) >= FILES_MAX:
                raise ExceedsLimitError(f"there are {FILES_MAX} files already: delete some")
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            try:
                with os.fdopen(os.open(part, flags, 0o600), "w+b") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise UnavailableError(f"{path}: {error.strerror or error}") from error


def _part_name(path: Path) -> str:
    """Of a file that is being written; never shown."""
    return f".{path.name}.new"


def _removed(path: Path) -> int:
    """Remove it; how many bytes it had."""
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        raise NotFoundError(f"no file {path.name}") from None
    return size
