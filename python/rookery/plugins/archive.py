"""Archives of plugins: ``NAME-VERSION.tar.gz`` with one folder of that name.

    release.json           what it is (:mod:`rookery.plugins.manifest`)
    package/…              its Python code
    config_schema.json     JSON schema of its settings, if it has some
    README.md              if it has one
    wheels/*.whl           packages it needs, if they are not to come from an index

**Bounds.** An archive is somebody else's until it is allowed: nothing of it is written outside the
folder given, only plain files and folders are taken, and size and number are bounded before anything
is written.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rookery.errors import BadRequestError, ExceedsLimitError
from rookery.plugins.manifest import NAME, VERSION, Manifest
from rookery.plugins.settings import check_schema
from rookery.tar_headers import PlainHeader

ARCHIVE_BYTES_MAX = 128 << 20
UNPACKED_BYTES_MAX = 512 << 20
FILES_MAX = 10_000
_SMALL_FILE_BYTES_MAX = 1 << 20
# What file systems take; the folder of a plugin stands before a path.
_NAME_BYTES_MAX = 255
_PATH_MAX = 1024
_PADDING_BYTES_MAX = 1 << 20
MANIFEST = "release.json"
SCHEMA = "config_schema.json"
README = "README.md"
PACKAGE = "package"
WHEELS = "wheels"


def read_manifest(archive: bytes) -> Manifest:
    """What an archive is, without unpacking it; everything about it is checked.

    Raises:
        BadRequestError: it is no archive of a plugin, or holds what none may hold.
        ExceedsLimitError: it is too large.
    """
    files = dict(_files(archive))
    return _checked(files)


def read_id(archive: bytes) -> str:
    """What an archive calls itself, by its first entry alone: nothing else of it is looked at.

    Raises:
        BadRequestError: it is no archive of a plugin.
        ExceedsLimitError: it is too large.
    """
    if len(archive) > ARCHIVE_BYTES_MAX:
        raise ExceedsLimitError(f"an archive has at most {ARCHIVE_BYTES_MAX >> 20} MiB")
    try:
        with (
            gzip.GzipFile(fileobj=io.BytesIO(archive)) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|", tarinfo=PlainHeader) as tar,
        ):
            entry = tar.next()
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise BadRequestError(f"this is no .tar.gz archive: {error}") from None
    top = next(iter(PurePosixPath(entry.name).parts), "") if entry is not None else ""
    name, _, version = top.partition("-")
    if not NAME.fullmatch(name) or not VERSION.fullmatch(version):
        raise BadRequestError("an archive of a plugin holds one folder, NAME-VERSION")
    return top


def unpack(archive: bytes, folder: Path) -> Manifest:
    """Write what an archive holds into ``folder``, which must not be there yet.

    Raises:
        BadRequestError: it is no archive of a plugin, or holds what none may hold.
        ExceedsLimitError: it is too large.
    """
    files = dict(_files(archive))
    manifest = _checked(files)
    folder.mkdir(mode=0o750, parents=True)
    for name, content in files.items():
        target = folder / PurePosixPath(*PurePosixPath(name).parts[1:])
        target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        target.write_bytes(content)
    return manifest


def pack(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """An archive of these files (paths below its folder); the same ones make the same bytes."""
    top = manifest.id
    whole = {MANIFEST: json.dumps(manifest.to_json(), indent=2).encode() + b"\n", **files}
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in sorted(whole):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mode = len(whole[name]), 0o644
            tar.addfile(entry, io.BytesIO(whole[name]))
    archive = out.getvalue()
    read_manifest(archive)  # what cannot be installed is not built either
    return archive


def pack_folder(folder: Path) -> bytes:
    """An archive of what :func:`unpack` wrote."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    manifest = Manifest.from_json(json.loads(files.pop(MANIFEST)))
    return pack(manifest, files)


def _checked(files: Mapping[str, bytes]) -> Manifest:
    tops = {PurePosixPath(name).parts[0] for name in files}
    if len(tops) != 1:
        raise BadRequestError("an archive of a plugin holds one folder, NAME-VERSION")
    top = tops.pop()
    manifest = Manifest.from_json(_json(files, f"{top}/{MANIFEST}"))
    if manifest.id != top:
        raise BadRequestError(f"the folder is {top!r}, release.json says {manifest.id!r}")
    if f"{top}/{SCHEMA}" in files:
        check_schema(_json(files, f"{top}/{SCHEMA}"))
    if not any(name.startswith(f"{top}/{PACKAGE}/") for name in files):
        raise BadRequestError(f"there is no code in {PACKAGE}/")
    paths = {PurePosixPath(name) for name in files}
    if both := next((path for path in paths if not paths.isdisjoint(path.parents)), None):
        raise BadRequestError(f"a folder of {str(both)!r} is a file as well")
    return manifest


def _json(files: Mapping[str, bytes], name: str) -> Any:
    content = files.get(name)
    if content is None or len(content) > _SMALL_FILE_BYTES_MAX:
        raise BadRequestError(f"there is no {name}, or it is larger than 1 MiB")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"{name} is no JSON: {error}") from None


def _files(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Every file of an archive, each within the bounds."""
    if len(archive) > ARCHIVE_BYTES_MAX:
        raise ExceedsLimitError(f"an archive has at most {ARCHIVE_BYTES_MAX >> 20} MiB")
    left = UNPACKED_BYTES_MAX
    try:
        # As a stream: an archive that unpacks to much more than it is gets read no further than this.
        with (
            gzip.GzipFile(fileobj=io.BytesIO(archive)) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|", tarinfo=PlainHeader) as tar,
        ):
            for number, entry in enumerate(tar, start=1):
                if number > FILES_MAX:
                    raise ExceedsLimitError(f"an archive has at most {FILES_MAX} files")
                if entry.isdir():
                    continue
                _check_entry(entry)
                left -= entry.size
                if left < 0:
                    raise ExceedsLimitError(
                        f"an archive unpacks to at most {UNPACKED_BYTES_MAX >> 20} MiB"
                    )
                content = tar.extractfile(entry)
                if content is not None:
                    yield entry.name, content.read()
            _check_end(unpacked)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise BadRequestError(f"this is no .tar.gz archive: {error}") from None


def _check_end(unpacked: gzip.GzipFile) -> None:
    """Read the padding behind the last entry: the checksum of everything comes after it."""
    if len(unpacked.read(_PADDING_BYTES_MAX)) == _PADDING_BYTES_MAX:
        raise BadRequestError("there is more behind the end of the archive")


def _check_entry(entry: tarfile.TarInfo) -> None:
    path = PurePosixPath(entry.name)
    is_long = any(len(os.fsencode(part)) > _NAME_BYTES_MAX for part in path.parts)
    if is_long or len(entry.name) > _PATH_MAX:
        raise BadRequestError(f"a name in an archive is too long: {entry.name[:100]!r}…")
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 2 or "\0" in entry.name:
        raise BadRequestError(f"an archive holds no path such as {entry.name!r}")
    if not entry.isreg():
        raise BadRequestError(f"{entry.name!r} is neither a file nor a folder")
