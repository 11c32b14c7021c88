"""Archives that nobody made with `rookery plugin build`."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from harness.plugins import archive_of
from rookery.errors import BadRequestError, RookeryError
from rookery.plugins.archive import pack, read_id, read_manifest
from rookery.plugins.manifest import Manifest

TOP = "probe-1.0.0"
CODE = "class Probe: pass"
ZEROS = 256 << 20


def header(name: str, kind: bytes, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.GNU_FORMAT)


def zeros_after(head: bytes) -> bytes:
    """A small file with this header and :data:`ZEROS` bytes behind it."""
    packer = zlib.compressobj(6, wbits=31)
    parts = [packer.compress(head)]
    parts += [packer.compress(bytes(1 << 20)) for _ in range(ZEROS >> 20)]
    return b"".join([*parts, packer.flush()])


def endless_map() -> bytes:
    """A sparse file whose map says in each of its blocks that another one follows."""
    first = bytearray(header(f"{TOP}/package/a.py", tarfile.GNUTYPE_SPARSE, 0))
    first[482] = 1
    return gzip.compress(bytes(first) + (bytes(504) + b"\1" + bytes(7)) * 100_000)


def sparse_by_name() -> bytes:
    """A plain file that an extended header makes a sparse one."""
    entry = tarfile.TarInfo(f"{TOP}/package/a.py")
    content = b"1000000000\n" + b"0\n" * 1000
    entry.size = len(content)
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    return gzip.compress(entry.tobuf(tarfile.PAX_FORMAT) + content + bytes(4096))


@pytest.mark.parametrize(
    "made",
    [
        lambda: zeros_after(header("././@LongLink", tarfile.GNUTYPE_LONGNAME, ZEROS)),
        lambda: zeros_after(header("././@PaxHeader", tarfile.XHDTYPE, ZEROS)),
        lambda: zeros_after(header("././@PaxHeader", tarfile.XGLTYPE, ZEROS)),
        endless_map,
        sparse_by_name,
    ],
    ids=["long name", "extended", "global", "sparse map", "sparse by name"],
)
def test_what_describes_an_entry_takes_no_memory_to_speak_of(made: Callable[[], bytes]) -> None:
    archive = made()
    tracemalloc.start()
    try:
        with pytest.raises(RookeryError):
            read_manifest(archive)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 << 20


@pytest.mark.parametrize(
    "extra",
    [
        {"package/a": b"", "package/a/b.py": b""},
        {"release.json/a": b""},
        {f"package/{'n' * 256}.py": b""},
        {"/".join(["package", *["n"] * 1000]): b""},
        {"config_schema.json": b'{"type": "object", "properties": {"a": NaN}}'},
    ],
    ids=["file and folder", "manifest and folder", "long name", "long path", "no schema"],
)
def test_what_cannot_be_unpacked_is_refused_as_such(extra: dict[str, bytes]) -> None:
    manifest = Manifest(name="probe", rel_vsn="1.0.0", entry="probe:Probe")
    with pytest.raises(BadRequestError):
        pack(manifest, {"package/probe.py": CODE.encode(), **extra})


def test_a_damaged_archive_is_refused_as_such() -> None:
    good = archive_of(CODE)
    for at in range(10, len(good), 7):
        spoilt = bytearray(good)
        spoilt[at] ^= 0xFF
        with pytest.raises(BadRequestError):
            read_manifest(bytes(spoilt))
    for length in range(0, len(good) - 64, 5):
        with pytest.raises(BadRequestError):
            read_manifest(good[:length])


def test_names_that_are_long_but_fit_are_taken() -> None:
    manifest = Manifest(name="probe", rel_vsn="1.0.0", entry="probe:Probe")
    files = {"package/probe.py": CODE.encode(), f"package/{'资' * 80}/{'n' * 250}.txt": b"x"}
    assert read_manifest(pack(manifest, files)) == manifest
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(pack(manifest, files))) as old,
        tarfile.open(fileobj=out, mode="w:gz", format=tarfile.GNU_FORMAT) as new,
    ):
        for member in old:
            new.addfile(member, old.extractfile(member))
    assert read_manifest(out.getvalue()) == manifest


def test_the_name_of_an_archive_costs_its_first_entry_alone() -> None:
    large = zeros_after(header(f"{TOP}/package/a.py", tarfile.REGTYPE, ZEROS))
    tracemalloc.start()
    try:
        assert read_id(large) == TOP
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    for other in (b"", b"abc", gzip.compress(header("../x", tarfile.REGTYPE, 0) + bytes(1024))):
        with pytest.raises(BadRequestError):
            read_id(other)
