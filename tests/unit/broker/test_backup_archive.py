"""Archives: what was written is read again, and nothing else is."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rookery.broker.audit import AuditLog
from rookery.broker.backup import archive
from rookery.broker.backup.parts import OpenRows, Row
from rookery.broker.backup.service import FILES_MAX, Backups
from rookery.clock import ManualClock
from rookery.errors import (
    BadRequestError,
    ExceedsLimitError,
    NotFoundError,
    RookeryError,
)

Member = tuple[tarfile.TarInfo, bytes]


class Things:
    """A part whose rows are in memory."""

    def __init__(self, name: str, *rows: Row) -> None:
        self.name = name
        self.rows = list(rows)
        self.refuses = False

    def read(self) -> list[Row]:
        return self.rows

    async def restore(self, rows: OpenRows) -> None:
        if self.refuses:
            raise BadRequestError("no")
        with rows() as found:
            self.rows = list(found)


class World:
    def __init__(self, folder: Path) -> None:
        self.users = Things("users", {"name": "ü"}, {"name": "b"})
        self.bans = Things("bans")
        self.clock = ManualClock()
        self.backups = Backups(
            folder,
            [self.users, self.bans],
            AuditLog(folder, self.clock),
            self.clock,
            node_name="n@h",
            version="1.0.0",
        )

    async def upload(self, content: bytes, name: str = "x.tar.gz") -> None:
        await self.backups.upload(name, io.BytesIO(content))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def packed(*members: Member) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def members_of(path: Path) -> list[Member]:
    with tarfile.open(path) as tar:
        found = []
        for info in tar:
            content = tar.extractfile(info)
            assert content is not None
            found.append((info, content.read()))
        return found


async def exported(world: World) -> list[Member]:
    made = await world.backups.export()
    return members_of(world.backups.folder / made.name)


async def test_what_was_exported_comes_back(world: World) -> None:
    made = await world.backups.export()
    rows, world.users.rows = world.users.rows, []

    assert await world.backups.restore(made.name) == ["users", "bans"]
    assert world.users.rows == rows
    assert [file.name for file in await world.backups.files()] == [made.name]
    path = world.backups.folder / made.name
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_a_file_of_another_node_can_be_uploaded(world: World, tmp_path: Path) -> None:
    other = World(tmp_path / "other")
    (tmp_path / "other").mkdir()
    other.users.rows = [{"name": "c"}]
    made = await other.backups.export()
    await world.upload((other.backups.folder / made.name).read_bytes())
    await world.backups.restore("x.tar.gz")
    assert world.users.rows == [{"name": "c"}]


def changed_row(members: list[Member]) -> list[Member]:
    return [(info, content.replace(b'"b"', b'"x"')) for info, content in members]


def with_path(name: str) -> Callable[[list[Member]], list[Member]]:
    return lambda members: [*members, (tarfile.TarInfo(name), b"x")]


def with_link(members: list[Member]) -> list[Member]:
    link = tarfile.TarInfo("rules.jsonl")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return [*members, (link, b"")]


def of_a_later_format(members: list[Member]) -> list[Member]:
    return with_manifest(members, version=archive.VERSION + 1)


def of_another_program(members: list[Member]) -> list[Member]:
    return with_manifest(members, format="emqx-export")


def without_parts(members: list[Member]) -> list[Member]:
    return with_manifest(members, parts=None)


def with_manifest(members: list[Member], **said: object) -> list[Member]:
    return [
        (
            info,
            json.dumps({**json.loads(content), **said}).encode()
            if info.name == archive.MANIFEST
            else content,
        )
        for info, content in members
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        changed_row,
        with_link,
        with_path("../escape.jsonl"),
        with_path("/etc/cron.d/x"),
        with_path("users.jsonl"),
        with_path("surprise.jsonl"),
        of_a_later_format,
        of_another_program,
        without_parts,
        lambda members: members[:-1],
        lambda members: members[1:],
        lambda members: [],
    ],
)
async def test_a_spoilt_archive_changes_nothing(
    world: World, spoil: Callable[[list[Member]], list[Member]]
) -> None:
    content = packed(*spoil(await exported(world)))
    before = list(world.users.rows)

    with pytest.raises(BadRequestError):
        await world.upload(content)
    assert len(await world.backups.files()) == 1
    # Nor when it got there in another way.
    (world.backups.folder / "x.tar.gz").write_bytes(content)
    with pytest.raises(BadRequestError):
        await world.backups.restore("x.tar.gz")
    assert world.users.rows == before


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00broken"])
async def test_what_is_no_archive_is_refused(world: World, content: bytes) -> None:
    with pytest.raises(BadRequestError):
        await world.upload(content)
    assert await world.backups.files() == []


async def test_half_an_archive_is_refused(world: World) -> None:
    content = packed(*await exported(world))
    # What is missing at the very end is the padding of the tar, which says nothing.
    for length in range(0, len(content) - 64, 37):
        with pytest.raises(BadRequestError):
            await world.upload(content[:length])


async def test_a_small_file_that_unpacks_large_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "UNPACKED_BYTES_MAX", 1 << 20)
    with pytest.raises(ExceedsLimitError):
        await world.upload(packed((tarfile.TarInfo("users.jsonl"), bytes(2 << 20))))


@pytest.mark.parametrize(
    "name", ["", "x", ".tar.gz", "../x.tar.gz", "a/b.tar.gz", "-x.tar.gz", "x.tar.gz\n", "é.tar.gz"]
)
async def test_only_plain_names_are_taken(world: World, name: str) -> None:
    for ask in (world.upload(b"", name), world.backups.path(name), world.backups.restore(name)):
        with pytest.raises(BadRequestError):
            await ask


async def test_a_part_that_is_refused_leaves_the_others(world: World) -> None:
    made = await world.backups.export()
    world.users.refuses = True
    world.bans.rows = [{"who": "x"}]
    with pytest.raises(BadRequestError, match=r"users: no \(in place: bans\)"):
        await world.backups.restore(made.name)
    assert world.bans.rows == []


async def test_there_is_a_bound_on_files(world: World) -> None:
    made = await world.backups.export()
    content = (world.backups.folder / made.name).read_bytes()
    for number in range(FILES_MAX - 1):
        (world.backups.folder / f"{number}.tar.gz").write_bytes(content)
    for more in (world.backups.export(), world.upload(content)):
        world.clock.advance(1)
        with pytest.raises(ExceedsLimitError):
            await more
    await world.backups.delete("1.tar.gz")
    await world.upload(content)


async def test_what_is_not_there_is_not_found(world: World) -> None:
    for ask in (world.backups.path("x.tar.gz"), world.backups.delete("x.tar.gz")):
        with pytest.raises(NotFoundError):
            await ask


async def test_a_folder_that_cannot_be_written_is_told(world: World, tmp_path: Path) -> None:
    (tmp_path / "backup").write_text("not a folder")
    with pytest.raises(RookeryError):
        await world.backups.export()
