"""The file of an export: a compressed tar with a manifest and one file of rows for each part.

    manifest.json     {"format": "rookery-export", "version": 1, "parts": {"users": {"sha256": …}}}
    users.jsonl       one JSON object on each line

Nothing is ever unpacked to the disk: members are read where they are, so a path in an archive leads
nowhere. What is no plain file, or is none of the names above, makes the archive unusable, as does
one byte that the manifest does not vouch for.

**Bounds.** :data:`MEMBERS_MAX` members, :data:`LINE_BYTES_MAX` for a line, and
:data:`UNPACKED_BYTES_MAX` for everything, however small it was packed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from rookery.errors import BadRequestError, ExceedsLimitError
from rookery.tar_headers import PlainHeader

FORMAT = "rookery-export"
VERSION = 1
MANIFEST = "manifest.json"
MANIFEST_BYTES_MAX = 1 << 20
MEMBERS_MAX = 64
LINE_BYTES_MAX = 64 << 20
UNPACKED_BYTES_MAX = 4 << 30
_CHUNK = 1 << 20
_PART_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_BROKEN = (tarfile.TarError, EOFError, OSError, zlib.error)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says about itself."""

    node: str
    version: str
    created_at_ms: int
    parts: dict[str, str]
    """The SHA-256 of the rows of each part."""


class ArchiveWriter:
    """Writes an archive into ``file``, a part at a time; :meth:`close` makes it whole."""

    def __init__(self, file: IO[bytes], *, node: str, version: str, created_at_ms: int) -> None:
        self._node = node
        self._version = version
        self._created_at_ms = created_at_ms
        self._parts: dict[str, dict[str, Any]] = {}
        self._tar = tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, part: str, rows: Iterable[dict[str, Any]]) -> None:
        """Write all rows of a part."""
        digest, count = hashlib.sha256(), 0
        # A tar wants to know the length first, and rows may be more than fit into memory.
        with TemporaryFile() as lines:
            for row in rows:
                line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
                digest.update(line)
                lines.write(line)
                count += 1
            self._put(f"{part}.jsonl", lines, lines.tell())
        self._parts[part] = {"sha256": digest.hexdigest(), "rows": count}

    def close(self) -> None:
        """Write the manifest."""
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "rookery": self._version,
            "node": self._node,
            "created_at": self._created_at_ms,
            "parts": self._parts,
        }
        content = json.dumps(manifest, indent=1).encode()
        self._put(MANIFEST, io.BytesIO(content), len(content))
        self._tar.close()

    def _put(self, name: str, content: IO[bytes], length: int) -> None:
        member = tarfile.TarInfo(name)
        member.size = length
        member.mode = 0o600
        member.mtime = self._created_at_ms // 1000
        content.seek(0)
        self._tar.addfile(member, content)


def check(path: Path, name: str = "") -> Manifest:
    """Read all of an archive and hold it against its manifest; ``name`` is what messages call it.

    Raises:
        BadRequestError: it is no archive of ours, is damaged, or is of a later version.
        ExceedsLimitError: it is larger than anything we write.
    """
    name = name or path.name
    digests: dict[str, str] = {}
    manifest: bytes | None = None
    try:
        with _members(path) as members:
            for member, content in members:
                if member == MANIFEST:
                    manifest = content.read(MANIFEST_BYTES_MAX)
                else:
                    digests[member.removesuffix(".jsonl")] = _digest(content)
    except _BROKEN as error:
        raise BadRequestError(f"{name} is no whole archive: {error}") from None
    found = _manifest(name, manifest)
    if found.parts != digests:
        raise BadRequestError(f"{name} is damaged: its content is not what it says")
    return found


@contextlib.contextmanager
def rows_of(path: Path, part: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The rows of a part of an archive that :func:`check` found good.

    Raises:
        BadRequestError: a line is no JSON object.
    """
    try:
        with _members(path) as members:
            for name, content in members:
                if name == f"{part}.jsonl":
                    yield _rows(content)
                    return
    except _BROKEN as error:
        raise BadRequestError(f"{path.name} is no whole archive: {error}") from None
    raise BadRequestError(f"{path.name} has no {part}")


def _rows(content: IO[bytes]) -> Iterator[dict[str, Any]]:
    while line := content.readline(LINE_BYTES_MAX):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise BadRequestError("a line is no JSON") from None
        if not isinstance(row, dict):
            raise BadRequestError("a line is no JSON object")
        yield row


@contextlib.contextmanager
def _members(path: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    # As a stream: nothing in it can make us seek, or read a member twice.
    with (
        path.open("rb") as file,
        tarfile.open(fileobj=file, mode="r|gz", tarinfo=PlainHeader) as tar,
    ):
        yield _each(tar)


def _each(tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    seen: set[str] = set()
    unpacked = 0
    for member in tar:
        unpacked += member.size
        if len(seen) >= MEMBERS_MAX or unpacked > UNPACKED_BYTES_MAX:
            raise ExceedsLimitError("the archive holds more than an export ever does")
        part = member.name.removesuffix(".jsonl")
        is_ours = member.name == MANIFEST or (
            part != member.name and _PART_NAME.fullmatch(part) is not None
        )
        content = tar.extractfile(member) if member.isreg() else None
        if content is None or not is_ours or member.name in seen:
            raise BadRequestError(f"the archive holds {member.name[:100]!r}, which no export has")
        seen.add(member.name)
        yield member.name, content


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _manifest(name: str, content: bytes | None) -> Manifest:
    try:
        said = json.loads(content or b"")
    except (ValueError, RecursionError):
        said = None
    is_ours = isinstance(said, dict) and said.get("format") == FORMAT
    if not is_ours or type(said.get("version")) is not int:
        raise BadRequestError(f"{name} is no export of Rookery")
    if said["version"] > VERSION:
        raise BadRequestError(
            f"{name} was written by a later version of Rookery ({said.get('rookery')}): "
            f"its format is {said['version']}, this version reads {VERSION}"
        )
    try:
        return Manifest(
            node=str(said["node"]),
            version=str(said["rookery"]),
            created_at_ms=int(said["created_at"]),
            parts={str(part): str(item["sha256"]) for part, item in said["parts"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadRequestError(f"{name} is damaged: its manifest is incomplete") from None
